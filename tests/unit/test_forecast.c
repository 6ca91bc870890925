/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is forecast of the loss of a host, and that it is what follows when the host is then lost. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "forecast/forecast.h"
#include "fate.h"
#include "support.h"
#include "world.h"

#define LONG (10 * 60 * USEC_PER_SEC)

struct told {
    int error;
    enum forecast_fencing fencing;
    bool is_settled;
    char why[256];
    size_t n_fates;
    struct fate fates[WORLD_DOMAINS];
};

/* In the child. */
static struct told foretell(struct world *world, const char *hypervisor)
{
    struct forecast forecast = {0};
    struct told told = {.error = forecast_host_loss(world->coordinator, hypervisor, world->now, &forecast)};

    if (told.error == 0) {
        told.fencing = forecast.fencing;
        told.is_settled = forecast.is_settled;
        if (forecast.why != NULL)
            strncpy(told.why, forecast.why, sizeof(told.why) - 1);
        told.n_fates = forecast.n_services;
        for (size_t i = 0; i < forecast.n_services; i++)
            told.fates[i] = fate_of(forecast_recovery_of(&forecast, world->coordinator, &forecast.services[i]),
                                    &forecast.services[i]);
    }
    forecast_done(&forecast);
    return told;
}

static struct told forecast_in_a_copy(struct world *world, const char *hypervisor)
{
    struct told told = {.error = -EPROTO};
    int ends[2], status;
    pid_t pid;

    assert_int_equal(pipe(ends), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        told = foretell(world, hypervisor);
        _exit(write(ends[1], &told, sizeof(told)) == (ssize_t)sizeof(told) ? 0 : 1);
    }
    close(ends[1]);
    assert_int_equal(read(ends[0], &told, sizeof(told)), sizeof(told));
    close(ends[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    return told;
}

/* Each service had the same fate as foretold. */
static void expect_as_foretold(const struct world *world, const struct told *told, struct moment since)
{
    struct forecast as_if = {.begun = since};

    assert_int_equal(told->error, 0);
    assert_true(told->is_settled);
    for (size_t i = 0; i < told->n_fates; i++) {
        struct fate fate =
            fate_of(forecast_recovery_of(&as_if, world->coordinator, &told->fates[i].service), &told->fates[i].service);

        assert_int_equal(fate.was_dealt_with, told->fates[i].was_dealt_with);
        assert_int_equal(fate.state, told->fates[i].state);
        assert_string_equal(fate.replacement.hypervisor, told->fates[i].replacement.hypervisor);
        assert_string_equal(fate.replacement.uuid, told->fates[i].replacement.uuid);
    }
}

/* Its machines go on with it, as when its network is gone. */
static struct told lose(struct world *world, unsigned host)
{
    struct told told = forecast_in_a_copy(world, world->hosts[host]);
    struct moment since = world->now;

    world_disconnect(world, host);
    world_pass(world, LONG);
    if (told.fencing == FORECAST_BY_OPERATOR) {
        for (unsigned i = 0; i < world->n_domains; i++)
            if (world->domains[i].hypervisor == host)
                world->domains[i].state = MACHINE_SHUT_OFF;
        assert_int_equal(coordinator_confirm_fenced(world->coordinator, world->hosts[host], world->now), 0);
        world_pass(world, LONG);
    }
    expect_as_foretold(world, &told, since);
    return told;
}

static void test_the_service_goes_where_it_was_foretold(struct world *world)
{
    unsigned a = world_add_three(world);
    struct told told = lose(world, LOCAL);

    assert_int_equal(told.fencing, FORECAST_BY_AGENT);
    assert_int_equal(told.n_fates, 1);
    assert_int_equal(told.fates[0].state, RECOVERY_RECOVERED);
    assert_int_equal(world_number_of(world, &told.fates[0].replacement), a + 1);
}

static void test_nothing_is_changed_by_a_forecast(struct world *world)
{
    unsigned a = world_add_three(world);

    (void)forecast_in_a_copy(world, "local");
    world_pass(world, LONG);
    assert_int_equal(world_recoveries(world, a, NULL), 0);
    assert_int_equal(world_count_running(world), 1);
}

static void test_more_services_than_standbys(struct world *world)
{
    unsigned n_recovered = 0;
    struct told told;

    world_add_on(world, LOCAL, "a", MACHINE_RUNNING);
    world_add_on(world, LOCAL, "b", MACHINE_RUNNING);
    world_add_on(world, LOCAL, "c", MACHINE_RUNNING);
    world_add_on(world, OTHER, "d", MACHINE_SHUT_OFF);
    world_add_on(world, THIRD, "e", MACHINE_SHUT_OFF);
    world_connect_all(world);
    told = lose(world, LOCAL);
    assert_int_equal(told.n_fates, 3);
    for (size_t i = 0; i < told.n_fates; i++)
        n_recovered += told.fates[i].state == RECOVERY_RECOVERED;
    assert_int_equal(n_recovered, 2);
}

static void test_memory_does_not_suffice_for_both(struct world *world)
{
    unsigned n_recovered = 0;
    struct told told;

    for (unsigned i = 0; i < 2; i++) {
        world->domains[world_add_on(world, LOCAL, i == 0 ? "a" : "b", MACHINE_RUNNING)].memory_kib = 40 * GIB_KIB;
        world->domains[world_add_on(world, OTHER, i == 0 ? "c" : "d", MACHINE_SHUT_OFF)].memory_kib = 40 * GIB_KIB;
    }
    world->free_memory_kib[OTHER] = 60 * GIB_KIB;
    world->config.recovery.check_memory = true;
    assert_int_equal(coordinator_configure(world->coordinator, &world->config), 0);
    world_connect_all(world);
    told = lose(world, LOCAL);
    assert_int_equal(told.n_fates, 2);
    for (size_t i = 0; i < told.n_fates; i++)
        n_recovered += told.fates[i].state == RECOVERY_RECOVERED;
    assert_int_equal(n_recovered, 1);
}

static void test_an_operator_is_needed_where_there_is_no_agent(struct world *world)
{
    struct told told;

    world->config.fence.command = NULL;
    assert_int_equal(coordinator_configure(world->coordinator, &world->config), 0);
    world_add_three(world);
    told = lose(world, LOCAL);
    assert_int_equal(told.fencing, FORECAST_BY_OPERATOR);
    assert_non_null(strstr(told.why, "local"));
    assert_int_equal(told.fates[0].state, RECOVERY_RECOVERED);
}

static void test_of_a_held_host_nothing_is_started(struct world *world)
{
    struct machine_ref host = {.hypervisor = "local"};
    struct told told;

    world_add_three(world);
    assert_int_equal(coordinator_hold(world->coordinator, HOLD_HOST, &host, "local", NULL, NULL, 0, world->now), 0);
    world_drive(world);
    told = forecast_in_a_copy(world, "local");
    assert_int_equal(told.error, 0);
    assert_int_equal(told.fencing, FORECAST_NEVER);
    assert_int_equal(told.n_fates, 1);
    assert_false(told.fates[0].was_dealt_with);
}

static void test_a_host_where_nothing_is_protected(struct world *world)
{
    struct told told;

    world_add_three(world);
    told = lose(world, OTHER);
    assert_int_equal(told.n_fates, 0);
}

/* A replacement serves there: its service is the one that is dealt with. */
static void test_a_service_that_is_diverted_already(struct world *world)
{
    unsigned a = world_add_three(world);
    struct told told;

    world_kill(world, a);
    world_pass(world, SETTLED);
    assert_int_equal(world->domains[a + 1].state, MACHINE_RUNNING);
    told = lose(world, OTHER);
    assert_int_equal(told.n_fates, 1);
    assert_int_equal(world_number_of(world, &told.fates[0].service), a);
    assert_int_equal(world_number_of(world, &told.fates[0].replacement), a); /* the original itself */
}

static struct told lose_without(struct world *world, enum hold_scope scope, const struct machine_ref *target)
{
    assert_int_equal(forecast_leave_out(world->coordinator, scope, target, world->now), 0);
    return foretell(world, "local");
}

/* Not in a copy: the world itself is of no use afterwards. */
static void test_a_machine_that_is_left_out_takes_nothing_over(struct world *world)
{
    unsigned a = world_add_three(world);
    struct machine_ref b = machine_ref_of(world_machine(world, a + 1));
    struct told told = lose_without(world, HOLD_MACHINE, &b);

    assert_int_equal(told.fates[0].state, RECOVERY_RECOVERED);
    assert_int_equal(world_number_of(world, &told.fates[0].replacement), a + 2);
}

static void test_a_host_that_is_left_out_takes_nothing_over(struct world *world)
{
    struct machine_ref other = {.hypervisor = "other"};
    unsigned a = world_add_three(world);
    struct told told = lose_without(world, HOLD_HOST, &other);

    assert_int_equal(told.fates[0].state, RECOVERY_RECOVERED);
    assert_int_equal(world_number_of(world, &told.fates[0].replacement), a + 2);
}

static void test_with_all_left_out_the_services_are_still_told(struct world *world)
{
    struct machine_ref none = {0};
    struct told told;

    world_add_three(world);
    told = lose_without(world, HOLD_ALL, &none);
    assert_int_equal(told.n_fates, 1);
    assert_int_equal(told.fates[0].state, RECOVERY_EXHAUSTED);
}

static void test_what_cannot_be_foretold(struct world *world)
{
    world_add_three(world);
    assert_int_equal(forecast_in_a_copy(world, "nowhere").error, -ENOENT);
    world_disconnect(world, LOCAL);
    assert_int_equal(forecast_in_a_copy(world, "local").error, -EBUSY);
}

static void test_the_daemon_does_not_outlive_its_own_host(struct world *world)
{
    world_add_three(world);
    assert_int_equal(forecast_in_a_copy(world, "local").error, -EADDRINUSE);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        remote_test(test_the_service_goes_where_it_was_foretold),
        remote_test(test_nothing_is_changed_by_a_forecast),
        remote_test(test_more_services_than_standbys),
        remote_test(test_memory_does_not_suffice_for_both),
        remote_test(test_an_operator_is_needed_where_there_is_no_agent),
        remote_test(test_of_a_held_host_nothing_is_started),
        remote_test(test_a_host_where_nothing_is_protected),
        remote_test(test_a_service_that_is_diverted_already),
        remote_test(test_a_machine_that_is_left_out_takes_nothing_over),
        remote_test(test_a_host_that_is_left_out_takes_nothing_over),
        remote_test(test_with_all_left_out_the_services_are_still_told),
        remote_test(test_what_cannot_be_foretold),
        world_test(test_the_daemon_does_not_outlive_its_own_host),
    };

    return cmocka_run_group_tests_name("forecast", tests, NULL, NULL);
}
