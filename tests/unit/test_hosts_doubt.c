/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Hosts that look lost and may not be, and what stood warm on them: no healthy host is fenced, no machine in use is
 * ended, nothing runs twice.
 */
#include <errno.h>
#include <string.h>

#include "support.h"
#include "world.h"

static void pass_s(struct world *world, int64_t seconds)
{
    world_pass(world, seconds * USEC_PER_SEC);
}

/* a, which is protected, runs on the first host, and its standby stands warm on the second. */
static unsigned warm_one(struct world *world)
{
    unsigned a = world_add_on(world, 0, "a", MACHINE_RUNNING),
             standby = world_add_on(world, 1, "standby", MACHINE_SHUT_OFF);

    world->config.standby = (struct config_standby){.warm = 1};
    world->domains[a].role = "protected";
    world->domains[standby].role = "standby";
    world_connect_all(world);
    pass_s(world, 60);
    assert_int_equal(world_machine(world, standby)->keeping, KEEPING_WARM);
    return standby;
}

/* libvirtd restarts, and our own loop stands still for longer than host_timeout. */
static void a_loop_that_stood_still_fences_no_host(struct world *world)
{
    world_add_on(world, 0, "a", MACHINE_RUNNING);
    world_add_on(world, 1, "b", MACHINE_SHUT_OFF);
    world_connect_all(world);
    world_disconnect(world, 0);
    world->now.mono_us += world->config.host_timeout_us + 10 * USEC_PER_SEC;
    world->now.real_us += world->config.host_timeout_us + 10 * USEC_PER_SEC;
    coordinator_tick(world->coordinator, world->now);
    world_drive(world);
    world_assert_host(world, 0, HOST_MISSING);
    assert_int_equal(world->asked[ACTION_FENCE], 0);
    world_connect(world, 0);
    pass_s(world, 120);
    assert_int_equal(world->asked[ACTION_FENCE], 0);
}

/* libvirtd is down, or our certificate has run out: the host may be as well as ever. */
static void a_refused_connection_is_no_evidence(struct world *world)
{
    world_add_on(world, 0, "a", MACHINE_RUNNING);
    world_add_on(world, 1, "b", MACHINE_SHUT_OFF);
    world_connect_all(world);
    world_disconnect(world, 0);
    for (int i = 0; i < 20; i++) {
        world_pass(world, world->config.host_timeout_us / 2);
        coordinator_handle_refused(world->coordinator, coordinator_hypervisor(world->coordinator, 0).name, world->now);
    }
    world_assert_host(world, 0, HOST_MISSING);
    assert_int_equal(world->asked[ACTION_FENCE], 0);
    pass_s(world, 120); /* now nothing answers at all */
    assert_int_equal(world->asked[ACTION_FENCE], 1);
}

/* Our own hypervisor needs no network: it says nothing about ours. */
static void our_own_host_does_not_speak_for_the_network(struct world *world)
{
    static struct config_hypervisor two[] = {{.name = (char *)"local", .uri = (char *)"qemu:///system"},
                                             {.name = (char *)"other", .uri = (char *)"qemu+tls://b/system"}};

    world->config.hypervisors = two;
    world->config.n_hypervisors = ELEMENTS_OF(two);
    assert_int_equal(coordinator_configure(world->coordinator, &world->config), 0);
    world_add_on(world, 1, "a", MACHINE_RUNNING);
    world_add_on(world, 0, "b", MACHINE_SHUT_OFF);
    world_connect(world, 0);
    world_connect(world, 1);
    world_disconnect(world, 1);
    pass_s(world, 60);
    world_assert_host(world, 1, HOST_ISOLATED);
    assert_int_equal(world->asked[ACTION_FENCE], 0);
    world_restart_daemon(world);
}

/* A host that was emptied is lost: what moved away runs on. */
static void what_has_moved_away_is_not_recovered(struct world *world)
{
    unsigned a = world_add_on(world, 0, "a", MACHINE_RUNNING);

    world_add_on(world, 1, "b", MACHINE_SHUT_OFF);
    world_add_on(world, 2, "c", MACHINE_SHUT_OFF);
    world_connect_all(world);
    world_disconnect(world, 0);
    world->domains[a].hypervisor = 1;
    world_tell(world, a, EVENT_STARTED_MIGRATED);
    world_tell(world, a, EVENT_RESUMED);
    pass_s(world, 120);
    assert_int_equal(coordinator_recovery_count(world->coordinator), 0);
    assert_int_equal(world->asked[ACTION_START], 0);
}

/* Typed wrong in a reload: that nothing is reached there proves nothing. */
static void a_uri_that_never_worked_is_no_lost_host(struct world *world)
{
    static struct config_hypervisor three[3];
    static struct config fresh;

    world_add_on(world, 0, "a", MACHINE_RUNNING);
    world_add_on(world, 1, "b", MACHINE_SHUT_OFF);
    world_connect_all(world);
    memcpy(three, world->config.hypervisors, sizeof(three));
    three[0].uri = (char *)"qemu+tls://tpyo/system";
    fresh = world->config;
    fresh.hypervisors = three;
    assert_int_equal(coordinator_configure(world->coordinator, &fresh), 0);
    world_disconnect(world, 0);
    pass_s(world, 600);
    assert_int_equal(world->asked[ACTION_FENCE], 0);
    assert_true(world->told[NOTICE_FENCE_FAILED] > 0);
    assert_non_null(strstr(world->last_text[NOTICE_FENCE_FAILED], "new URI"));
}

/* An operator who has mended the agent does not wait for a pause that has grown to an hour. */
static void a_new_configuration_is_tried_at_once(struct world *world)
{
    unsigned asked;

    world_add_on(world, 0, "a", MACHINE_RUNNING);
    world_add_on(world, 1, "b", MACHINE_SHUT_OFF);
    world_connect_all(world);
    world->fence_error = -EIO;
    world_disconnect(world, 0);
    pass_s(world, 7200);
    world_assert_host(world, 0, HOST_UNFENCED);
    asked = world->asked[ACTION_FENCE];
    world->fence_error = 0;
    assert_int_equal(coordinator_configure(world->coordinator, &world->config), 0);
    pass_s(world, 5);
    assert_int_equal(world->asked[ACTION_FENCE], asked + 1);
    world_assert_host(world, 0, HOST_FENCED);
}

static void a_standby_that_the_operator_used_meanwhile_is_left_alone(struct world *world)
{
    unsigned standby = warm_one(world);

    world_disconnect(world, 1);
    pass_s(world, 150);
    world->domains[standby].state = MACHINE_RUNNING;
    world->domains[standby].reason = REASON_UNKNOWN;
    world_connect(world, 1);
    pass_s(world, 60);
    assert_int_equal(world->domains[standby].destroys, 0);
    assert_int_equal(world->domains[standby].state, MACHINE_RUNNING);
}

static void a_standby_that_was_cut_off_for_a_while_is_warm(struct world *world)
{
    unsigned standby = warm_one(world);

    world_disconnect(world, 1);
    pass_s(world, 150);
    world_connect(world, 1);
    pass_s(world, 60);
    assert_int_equal(world->domains[standby].destroys, 0);
    assert_int_equal(world_machine(world, standby)->keeping, KEEPING_WARM);
}

/* The memory that it had is gone with its host, and is free for another. */
static void another_is_warmed_for_one_on_a_fenced_host(struct world *world)
{
    unsigned standby, other, running;

    world->config.standby.memory_limit_bytes = INT64_C(1024) * 1024 * 1024;
    standby = warm_one(world);
    running = world_add_on(world, 1, "p", MACHINE_RUNNING);
    other = world_add_on(world, 2, "other", MACHINE_SHUT_OFF);
    world->domains[running].role = "protected";
    world->domains[running].priority = -1;
    world->domains[other].role = "standby";
    world_tell(world, running, EVENT_STARTED_BOOTED);
    world_tell(world, other, EVENT_DEFINED);
    pass_s(world, 10);
    world_disconnect(world, 1);
    pass_s(world, 1800);
    world_assert_host(world, 1, HOST_FENCED);
    assert_int_equal(world_machine(world, standby)->keeping, KEEPING_NONE);
}

/* What is only being made warm there is nothing to fence a host for. */
static void a_standby_on_its_way_is_no_reason_to_fence(struct world *world)
{
    unsigned standby;

    world->config.standby = (struct config_standby){.warm = 1};
    world->config.recovery.settle_us = 300 * USEC_PER_SEC;
    world_add_on(world, 0, "a", MACHINE_RUNNING);
    standby = world_add_on(world, 1, "b", MACHINE_SHUT_OFF);
    world_connect_all(world);
    pass_s(world, 10);
    assert_int_equal(world_machine(world, standby)->keeping, KEEPING_WARMING);
    world_disconnect(world, 1);
    pass_s(world, 90);
    world_assert_host(world, 1, HOST_LOST);
    assert_int_equal(world->asked[ACTION_FENCE], 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        remote_test(a_loop_that_stood_still_fences_no_host),
        remote_test(a_refused_connection_is_no_evidence),
        remote_test(our_own_host_does_not_speak_for_the_network),
        remote_test(what_has_moved_away_is_not_recovered),
        remote_test(a_uri_that_never_worked_is_no_lost_host),
        remote_test(a_new_configuration_is_tried_at_once),
        remote_test(a_standby_that_the_operator_used_meanwhile_is_left_alone),
        remote_test(a_standby_that_was_cut_off_for_a_while_is_warm),
        remote_test(another_is_warmed_for_one_on_a_fenced_host),
        remote_test(a_standby_on_its_way_is_no_reason_to_fence),
    };

    return cmocka_run_group_tests_name("hosts_doubt", tests, NULL, NULL);
}
