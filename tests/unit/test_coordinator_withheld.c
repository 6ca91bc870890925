/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Decisions that wait, for the brake or for a connection: nothing is ended or begun meanwhile, and what was decided is
 * decided anew before it is carried out.
 */
#include <errno.h>
#include <string.h>

#include "support.h"
#include "world.h"

/* The storage is away: what is paused everywhere can be resumed, if it is not ended. */
static void test_the_brake_ends_nothing(struct world *world)
{
    world_set_brake(world, 3, MILLIONTHS / 2);
    world_add_many(world, 4, 4);
    world_connect_all(world);
    for (unsigned i = 0; i < 4; i++)
        world_happen(world, i, EVENT_SUSPENDED_IO_ERROR);
    world_pass(world, world->config.failure.io_error_grace_us + SETTLED);
    assert_true(coordinator_is_braked(world->coordinator));
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(world->domains[i].destroys, 0);

    for (unsigned i = 0; i < 4; i++)
        world->domains[i].state = MACHINE_RUNNING; /* resumed, and no event tells of that */
    coordinator_release_brake(world->coordinator, world->now);
    world_pass(world, SETTLED);
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(world->domains[i].destroys, 0);
        world_expect(world, i, RECOVERY_DISMISSED);
    }
}

static void test_remains_are_ended_after_the_release(struct world *world)
{
    world_set_brake(world, 3, MILLIONTHS / 2);
    world_add_many(world, 3, 4);
    world_connect_all(world);
    for (unsigned i = 0; i < 3; i++)
        world_happen(world, i, EVENT_SUSPENDED_IO_ERROR);
    world_pass(world, world->config.failure.io_error_grace_us + SETTLED);
    coordinator_release_brake(world->coordinator, world->now);
    world_pass(world, SETTLED);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(world->domains[i].destroys, 1);
    assert_int_equal(world->domains[3].state, MACHINE_RUNNING);
}

/* One that was chosen before the brake came: by the release its disk may be in use. */
static void test_a_choice_that_was_held_is_made_anew(struct world *world)
{
    unsigned a = world_add(world, "a", WEB, MACHINE_RUNNING), b = world_add(world, "b", WEB, MACHINE_SHUT_OFF);
    unsigned other = world_add(world, "other", "database/oracle", MACHINE_SHUT_OFF);

    world_set_brake(world, 3, MILLIONTHS / 2);
    world->domains[b].disk = world->domains[other].disk = "/shared.img";
    world_add(world, "c", "database/x", MACHINE_RUNNING);
    world_add(world, "d", "database/y", MACHINE_RUNNING);
    world_connect_all(world);
    world->holds = 1u << ACTION_RECORD;
    world_kill(world, a);
    world_drive(world);
    world_kill(world, 3);
    world_kill(world, 4);
    world_drive(world);
    assert_true(coordinator_is_braked(world->coordinator));
    world_release(world);
    world_boot(world, other);
    world_drive(world);
    coordinator_release_brake(world->coordinator, world->now);
    world_pass(world, SETTLED);
    world_expect(world, a, RECOVERY_EXHAUSTED);
    assert_int_equal(world->domains[b].starts, 0);
}

/* Its host went away before anything was asked of it: another candidate is there. */
/* An operator starts another machine on that disk after the choice, before the start. */
static void test_a_disk_that_is_taken_while_the_hooks_run(struct world *world)
{
    unsigned a = world_add(world, "a", WEB, MACHINE_RUNNING), b = world_add(world, "b", WEB, MACHINE_SHUT_OFF);
    unsigned other = world_add(world, "other", "database/oracle", MACHINE_SHUT_OFF);

    world->domains[b].disk = world->domains[other].disk = "/shared.img";
    world_connect_all(world);
    world->holds = 1u << ACTION_HOOK;
    world_kill(world, a);
    world_drive(world);
    world_expect(world, a, RECOVERY_PREPARING);
    world_boot(world, other);
    world_release(world);
    world_pass(world, SETTLED);
    assert_string_equal(world_explained(world_expect(world, a, RECOVERY_EXHAUSTED), "b")->reason,
                        "its disk /shared.img is in use by other");
    assert_int_equal(world->domains[b].starts, 0);
}

static void test_the_host_of_a_choice_is_gone(struct world *world)
{
    unsigned a = world_add(world, "a", WEB, MACHINE_RUNNING), b = world_add(world, "b", WEB, MACHINE_SHUT_OFF);

    world->domains[b].hypervisor = 1;
    world->domains[world_add(world, "c", WEB " software/surplus", MACHINE_SHUT_OFF)].hypervisor = 0;
    world_connect_all(world);
    world->holds = 1u << ACTION_RECORD;
    world_kill(world, a);
    world_drive(world);
    world_disconnect(world, 1);
    world_release(world);
    world_pass(world, world->config.recovery.start_timeout_us + SETTLED);
    assert_string_equal(world_expect(world, a, RECOVERY_RECOVERED)->replacement_name, "c");
}

/* At the start, one hypervisor answers a second after the other; who is nearer is on the later one. */
static void test_at_the_start_every_hypervisor_is_waited_for(struct world *world)
{
    unsigned a = world_add(world, "a", WEB, MACHINE_RUNNING), b = world_add(world, "b", WEB, MACHINE_SHUT_OFF);

    world_add(world, "farther", WEB " system/cron", MACHINE_SHUT_OFF);
    world->domains[b].hypervisor = 1;
    world_connect_all(world);
    world_kill_silently(world, a);
    world_restart_daemon(world);
    world_connect(world, 0);
    world_pass(world, USEC_PER_SEC);
    world_connect(world, 1);
    world_pass(world, SETTLED);
    assert_string_equal(world_expect(world, a, RECOVERY_RECOVERED)->replacement_name, "b");
}

/* What one listing tells is too much as a whole, although each failure by itself is not. */
static void test_the_brake_judges_a_listing_as_a_whole(struct world *world)
{
    world_set_brake(world, 3, MILLIONTHS / 2);
    world_add_many(world, 4, 4);
    world_add(world, "spare", WEB, MACHINE_SHUT_OFF);
    world_connect_all(world);
    for (unsigned i = 0; i < 3; i++)
        world_kill_silently(world, i);
    world_disconnect(world, 0);
    world_connect(world, 0);
    world_pass(world, SETTLED);
    assert_true(coordinator_is_braked(world->coordinator));
    assert_int_equal(world->told[NOTICE_BRAKE_ON], 1);
    assert_int_equal(world->asked[ACTION_START], 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        world_test(test_the_brake_ends_nothing),
        world_test(test_remains_are_ended_after_the_release),
        world_test(test_a_choice_that_was_held_is_made_anew),
        world_test(test_a_disk_that_is_taken_while_the_hooks_run),
        world_test(test_the_host_of_a_choice_is_gone),
        world_test(test_at_the_start_every_hypervisor_is_waited_for),
        world_test(test_the_brake_judges_a_listing_as_a_whole),
    };

    return cmocka_run_group_tests_name("coordinator_held", tests, NULL, NULL);
}
