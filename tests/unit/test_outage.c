/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How long a service was down, which its users count from the failure, and not from when that counted as one. */
#include <errno.h>

#include "support.h"
#include "workflow/recovery.h"
#include "world.h"

#define MINUTE (60 * USEC_PER_SEC)

static int64_t outage_us(const struct world *world, const struct recovery *recovery)
{
    return recovery_outage_us(recovery, world->now);
}

static void test_what_is_waited_for_counts(struct world *world)
{
    unsigned a = world_add(world, "a", WEB, MACHINE_RUNNING);
    const struct recovery *recovery;
    struct moment failed;

    world_add(world, "b", WEB, MACHINE_SHUT_OFF);
    world_connect_all(world);
    failed = world->now;
    world_happen(world, a, EVENT_SUSPENDED_IO_ERROR);
    world_pass(world, world->config.failure.io_error_grace_us + SETTLED);
    recovery = world_expect(world, a, RECOVERY_RECOVERED);
    assert_true(recovery->failed_at.mono_us - failed.mono_us < USEC_PER_SEC);
    assert_true(recovery->detected.mono_us - failed.mono_us >= world->config.failure.io_error_grace_us);
    assert_int_equal(outage_us(world, recovery), recovery->ended.mono_us - recovery->failed_at.mono_us);
}

static void test_what_ended_in_time_does_not_count(struct world *world)
{
    unsigned a = world_add(world, "a", WEB, MACHINE_RUNNING);
    const struct recovery *recovery;

    world_add(world, "b", WEB, MACHINE_SHUT_OFF);
    world_connect_all(world);
    world_happen(world, a, EVENT_SUSPENDED_IO_ERROR);
    world_happen(world, a, EVENT_RESUMED);
    world_pass(world, MINUTE);
    world_happen(world, a, EVENT_STOPPED_FAILED);
    world_pass(world, SETTLED);
    recovery = world_expect(world, a, RECOVERY_RECOVERED);
    assert_int_equal(recovery->failed_at.mono_us, recovery->detected.mono_us);
}

static void test_the_time_of_a_lost_host_and_its_fencing_count(struct world *world)
{
    unsigned a = world_add_three(world);
    struct moment failed = world->now;
    const struct recovery *recovery;

    world->holds = 1u << ACTION_FENCE;
    world_disconnect(world, LOCAL);
    world_pass(world, MINUTE);
    world_pass(world, MINUTE);
    world_release(world);
    world_pass(world, SETTLED);
    recovery = world_expect(world, a, RECOVERY_RECOVERED);
    assert_true(recovery->failed_at.mono_us - failed.mono_us < USEC_PER_SEC);
    assert_true(outage_us(world, recovery) >= 2 * MINUTE);
    assert_true(recovery_duration_us(recovery, world->now) < MINUTE);
}

static void test_a_service_that_is_tried_again_is_down_since_it_failed(struct world *world)
{
    unsigned a = world_add(world, "a", WEB, MACHINE_RUNNING);
    const struct recovery *first, *second;

    world_connect_all(world);
    world_happen(world, a, EVENT_STOPPED_FAILED);
    world_pass(world, SETTLED);
    first = world_expect(world, a, RECOVERY_EXHAUSTED);
    assert_int_equal(outage_us(world, first), -1); /* it goes on */
    world_add(world, "b", WEB, MACHINE_SHUT_OFF);
    world_connect_all(world);
    world_pass(world, 10 * MINUTE);
    assert_int_equal(coordinator_recovery_count(world->coordinator), 2);
    first = coordinator_recovery(world->coordinator, 0);
    second = coordinator_recovery(world->coordinator, 1);
    assert_int_equal(second->state, RECOVERY_RECOVERED);
    assert_int_equal(second->failed_at.mono_us, first->detected.mono_us);
    assert_true(outage_us(world, second) > recovery_duration_us(second, world->now));
}

static void test_under_way_it_goes_on_and_an_order_counts_from_the_stop(struct world *world)
{
    struct recovery recovery = {
        .state = RECOVERY_STARTING,
        .failed_at = {.mono_us = 10, .real_us = 10},
        .detected = {.mono_us = 30, .real_us = 30},
    };
    const struct moment now = {.mono_us = 100, .real_us = 100};

    (void)world;
    assert_int_equal(recovery_outage_us(&recovery, now), 90);
    recovery.relief = RELIEF_FIRST;
    assert_int_equal(recovery_outage_us(&recovery, now), -1); /* the machine that serves still runs */
    recovery.confirmed = (struct moment){.mono_us = 40, .real_us = 40};
    assert_int_equal(recovery_outage_us(&recovery, now), 60);
    recovery.ended = (struct moment){.mono_us = 70, .real_us = 70};
    recovery.state = RECOVERY_RECOVERED;
    assert_int_equal(recovery_outage_us(&recovery, now), 30);
    recovery.relief = RELIEF_LAST;
    assert_int_equal(recovery_outage_us(&recovery, now), -1); /* the other one served first */
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        world_test(test_what_is_waited_for_counts),
        world_test(test_what_ended_in_time_does_not_count),
        remote_test(test_the_time_of_a_lost_host_and_its_fencing_count),
        world_test(test_a_service_that_is_tried_again_is_down_since_it_failed),
        world_test(test_under_way_it_goes_on_and_an_order_counts_from_the_stop),
    };

    return cmocka_run_group_tests_name("outage", tests, NULL, NULL);
}
