/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Each kind of problem begins, says what to do, and ends. */
#include "report/problems.h"

#include <errno.h>
#include <string.h>

#include "support.h"
#include "world.h"

#define LONG (600 * USEC_PER_SEC)

static const struct problems_outside well = {.config_file = "/etc/understudy/understudy.yaml"};

static struct problems collect(struct world *world, const struct problems_outside *outside)
{
    struct problems problems = {0};

    assert_int_equal(problems_collect(world->coordinator, coordinator_plan(world->coordinator, world->now), outside,
                                      world->now, &problems),
                     0);
    return problems;
}

/* words: part of the sentence or of the remedy; NULL: there is no such problem. */
static void check(struct world *world, enum problem_kind kind, const char *subject, const char *words)
{
    struct problems problems = collect(world, &well);
    const struct problem wanted = {.kind = kind, .subject = (char *)subject};
    const struct problem *found = problems_find(&problems, &wanted);

    assert_int_equal(found != NULL, words != NULL);
    assert_true(words == NULL || strstr(found->text, words) != NULL || strstr(found->remedy, words) != NULL);
    problems_done(&problems);
}

static void check_none(struct world *world)
{
    struct problems problems = collect(world, &well);

    assert_int_equal(problems.count, 0);
    problems_done(&problems);
}

/* All that was added is listed, and known. */
static void begin(struct world *world)
{
    world_connect_all(world);
    world_pass(world, SETTLED);
}

/* It becomes what it is to be, and all that follows is done. */
static void see(struct world *world, void (*happen)(struct world *world, unsigned number), unsigned number)
{
    happen(world, number);
    world_pass(world, SETTLED);
}

static void test_all_is_well(struct world *world)
{
    world_add_three(world);
    begin(world);
    check_none(world);
    world_disconnect(world, LOCAL);
    check(world, PROBLEM_HOST_UNREACHABLE, "local", "its machines are not watched");
    check(world, PROBLEM_HOST_UNREACHABLE, "local", "virsh -c 'test:///default' list"); /* a URI may have a "?" */
}

static void test_a_service_that_nothing_would_take_over(struct world *world)
{
    world_add(world, "a", WEB, MACHINE_RUNNING);
    begin(world);
    check(world, PROBLEM_SERVICE_UNPROTECTED, "a", "understudyctl explain a");
    world_add(world, "b", WEB, MACHINE_SHUT_OFF);
    world_tell(world, 1, EVENT_CHANGED);
    world_pass(world, SETTLED);
    check(world, PROBLEM_SERVICE_UNPROTECTED, "a", NULL);
}

static void test_a_service_that_is_down(struct world *world)
{
    unsigned a = world_add(world, "a", WEB, MACHINE_RUNNING);

    begin(world);
    see(world, world_kill, a);
    check(world, PROBLEM_SERVICE_DOWN, "a", "understudyctl recover a");
    check(world, PROBLEM_SERVICE_DOWN, "a", "understudyctl history ");
    check(world, PROBLEM_SERVICE_UNPROTECTED, "a", NULL);
    see(world, world_boot, a);
    check(world, PROBLEM_SERVICE_DOWN, "a", NULL);
}

static void test_a_service_that_a_replacement_serves(struct world *world)
{
    unsigned a = world_add(world, "a", WEB, MACHINE_RUNNING), b = world_add(world, "b", WEB, MACHINE_SHUT_OFF);

    begin(world);
    see(world, world_kill, a);
    check(world, PROBLEM_SERVICE_DIVERTED, "a", "served by its replacement b");
    check(world, PROBLEM_SERVICE_DIVERTED, "a", "understudyctl failback a");
    check(world, PROBLEM_RUNS_TWICE, "a", NULL);
    see(world, world_boot, a);
    check(world, PROBLEM_RUNS_TWICE, "a", "shut one of the two down");
    see(world, world_shut_down, a);
    check(world, PROBLEM_RUNS_TWICE, "a", NULL);
    check(world, PROBLEM_SERVICE_DIVERTED, "a", "served by its replacement b");
    see(world, world_boot, a);
    see(world, world_shut_down, b);
    check(world, PROBLEM_RUNS_TWICE, "a", NULL);
    check(world, PROBLEM_SERVICE_DIVERTED, "a", NULL);
}

static void test_a_machine_in_quarantine(struct world *world)
{
    unsigned a = world_add(world, "a", WEB, MACHINE_RUNNING), b = world_add(world, "b", WEB, MACHINE_SHUT_OFF);
    struct order clear = {.kind = ORDER_CLEAR};
    struct order_answer answer = {0};

    world->domains[b].start_us = LONG;
    begin(world);
    world_kill(world, a);
    world_pass(world, LONG / 2);
    check(world, PROBLEM_QUARANTINE, "b", "understudyctl clear b");
    clear.machine = machine_ref_of(world_machine(world, b));
    assert_int_equal(coordinator_order(world->coordinator, &clear, world->now, &answer), 0);
    order_answer_done(&answer);
    check(world, PROBLEM_QUARANTINE, "b", NULL);
}

static void test_a_hold(struct world *world)
{
    struct machine_ref host = {.hypervisor = "local"};

    world_add_three(world);
    begin(world);
    assert_int_equal(
        coordinator_hold(world->coordinator, HOLD_HOST, &host, "local", "new disks", 3600 * USEC_PER_SEC, world->now),
        0);
    check(world, PROBLEM_HOLD, "local", "until 20");
    check(world, PROBLEM_HOLD, "local", "new disks");
    check(world, PROBLEM_HOLD, "local", "understudyctl release local");
    assert_int_equal(coordinator_release(world->coordinator, HOLD_HOST, &host, world->now), 0);
    check(world, PROBLEM_HOLD, "local", NULL);
}

static void test_the_brake(struct world *world)
{
    world_set_brake(world, 3, MILLIONTHS / 2);
    world_add_many(world, 4, 10);
    begin(world);
    for (unsigned i = 0; i < 3; i++)
        see(world, world_kill, i);
    check(world, PROBLEM_BRAKE, "", "understudyctl release brake");
    assert_true(coordinator_release_brake(world->coordinator, world->now));
    world_pass(world, SETTLED);
    check(world, PROBLEM_BRAKE, "", NULL);
}

static void test_no_roles(struct world *world)
{
    unsigned a = world_add(world, "a", WEB, MACHINE_RUNNING);

    world->domains[a].role = "ignored";
    begin(world);
    check(world, PROBLEM_NO_ROLES, "", "no machine is protected and none is standby");
    check(world, PROBLEM_NO_ROLES, "", "pool.protect and pool.standby of /etc/understudy/understudy.yaml");
    world->domains[a].role = "protected";
    world_tell(world, a, EVENT_CHANGED);
    world_pass(world, SETTLED);
    check(world, PROBLEM_NO_ROLES, "", "no machine is standby");
    world->domains[a].role = "standby";
    world_tell(world, a, EVENT_CHANGED);
    world_pass(world, SETTLED);
    check(world, PROBLEM_NO_ROLES, "", "no machine is protected");
    world->domains[a].role = "protected standby";
    world_tell(world, a, EVENT_CHANGED);
    world_pass(world, SETTLED);
    check(world, PROBLEM_NO_ROLES, "", NULL);
}

static void test_a_lost_host_that_is_not_fenced(struct world *world)
{
    world_add_three(world);
    world->fence_error = -EIO;
    world_connect_all(world);
    world_disconnect(world, LOCAL);
    world_pass(world, world->config.host_timeout_us + SETTLED);
    check(world, PROBLEM_HOST_NOT_FENCED, "local", "understudyctl fenced local --yes");
    check(world, PROBLEM_HOST_NOT_FENCED, "local", "no power switch");
    begin(world);
    check(world, PROBLEM_HOST_NOT_FENCED, "local", NULL);
}

static void test_hosts_that_are_cut_off(struct world *world)
{
    world_add_three(world);
    world_connect_all(world);
    world_disconnect(world, LOCAL);
    world_disconnect(world, OTHER);
    world_pass(world, world->config.host_timeout_us + SETTLED);
    check(world, PROBLEM_HOST_ISOLATED, "local", "nothing is fenced");
    begin(world);
    check(world, PROBLEM_HOST_ISOLATED, "local", NULL);
}

static void test_what_only_the_daemon_knows(struct world *world)
{
    const struct problems_outside outside = {
        .config_file = "/c.yaml", .store_trouble = "disk full", .reload_error = "/c.yaml:3: no"};
    struct problems problems;

    world_add_three(world);
    begin(world);
    problems = collect(world, &outside);
    assert_int_equal(problems.count, 2);
    assert_int_equal(problems.all[0].kind, PROBLEM_STORE_FAILS); /* the severe first */
    assert_non_null(strstr(problems.all[0].text, "disk full"));
    assert_int_equal(problems.all[1].kind, PROBLEM_RELOAD_FAILED);
    assert_non_null(strstr(problems.all[1].text, "/c.yaml:3: no"));
    assert_int_equal(problems_count(&problems, 2), 1);
    problems_done(&problems);
}

static void test_a_problem_stands_since_it_began(struct world *world)
{
    struct problems before, after;
    int64_t since_us;

    world_add(world, "a", WEB, MACHINE_RUNNING);
    begin(world);
    before = collect(world, &well);
    since_us = before.all[0].since.real_us;
    world_pass(world, LONG);
    after = collect(world, &well);
    assert_int_equal(after.count, before.count);
    assert_true(after.all[0].since.real_us > since_us);
    problems_inherit(&after, &before);
    assert_int_equal(after.all[0].since.real_us, since_us);
    problems_done(&before);
    problems_done(&after);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        world_test(test_all_is_well),
        world_test(test_a_service_that_nothing_would_take_over),
        world_test(test_a_service_that_is_down),
        world_test(test_a_service_that_a_replacement_serves),
        world_test(test_a_machine_in_quarantine),
        world_test(test_a_hold),
        world_test(test_the_brake),
        world_test(test_no_roles),
        remote_test(test_a_lost_host_that_is_not_fenced),
        remote_test(test_hosts_that_are_cut_off),
        world_test(test_what_only_the_daemon_knows),
        world_test(test_a_problem_stands_since_it_began),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
