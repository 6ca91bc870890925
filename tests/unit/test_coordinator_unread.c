/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A machine that is listed and cannot be read is there, as it was last known. */
#include <stdlib.h>

#include "support.h"
#include "world.h"

/* A machine that runs, and one that could take over. */
static unsigned add_two(struct world *world)
{
    unsigned first = world_add(world, "a", WEB, MACHINE_RUNNING);

    world_add(world, "b", WEB, MACHINE_SHUT_OFF);
    world_connect_all(world);
    return first;
}

static void test_a_machine_that_cannot_be_read_is_not_absent(struct world *world)
{
    unsigned a = add_two(world), b = a + 1;

    world->domains[a].is_unreadable = world->domains[b].is_unreadable = true;
    for (int i = 0; i < 3; i++)
        world_pass(world, world->config.discovery.resync_interval_us);
    assert_non_null(world_machine(world, a));
    assert_non_null(world_machine(world, b));
    assert_int_equal(world_machine(world, a)->state, MACHINE_RUNNING);
    assert_int_equal(world->told[NOTICE_EVENT_NOTED] + world->told[NOTICE_STOP_PLANNED], 0);
    world->domains[b].is_unreadable = false;
    world_kill(world, a);
    world_pass(world, SETTLED);
    world_expect(world, a, RECOVERY_RECOVERED);
}

/* What it would use now is not known. */
static void test_a_machine_that_cannot_be_read_is_not_started(struct world *world)
{
    unsigned a = add_two(world), b = a + 1;
    unsigned c = world_add(world, "c", WEB, MACHINE_SHUT_OFF);

    world_happen(world, c, EVENT_DEFINED);
    world_pass(world, SETTLED);
    world->domains[b].is_unreadable = true;
    world_kill(world, a);
    world_pass(world, SETTLED);
    world_expect(world, a, RECOVERY_RECOVERED);
    assert_int_equal(world->domains[b].starts, 0);
    assert_int_equal(world->domains[c].starts, 1);
}

/* While the daemon is down it crashes, and cannot be read at first. */
static void find_unread(struct world *world, unsigned a)
{
    world_start_daemon(world);
    world_connect_all(world);
    world_pass(world, SETTLED);
    assert_int_equal(world->remembered[a].memory.state, MACHINE_RUNNING);
    assert_int_equal(world->told[NOTICE_EVENT_NOTED], 0);
    world->domains[a].is_unreadable = false;
    world_pass(world, world->config.discovery.resync_interval_us + SETTLED);
    assert_int_equal(world_expect(world, a, RECOVERY_RECOVERED)->cause, CAUSE_FOUND_CRASHED);
}

static void test_a_machine_that_cannot_be_read_at_the_start_is_remembered(struct world *world)
{
    unsigned a = add_two(world);

    world_kill_silently(world, a);
    world->domains[a].is_unreadable = true;
    world_stop_daemon(world);
    find_unread(world, a);
}

static void test_a_machine_of_which_no_description_was_written_is_remembered_as_well(struct world *world)
{
    unsigned a = add_two(world);

    world_kill_silently(world, a);
    world->domains[a].is_unreadable = true;
    world_stop_daemon(world);
    free(world->remembered[a].document);
    world->remembered[a].document = NULL;
    find_unread(world, a);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        world_test(test_a_machine_that_cannot_be_read_is_not_absent),
        world_test(test_a_machine_that_cannot_be_read_is_not_started),
        world_test(test_a_machine_that_cannot_be_read_at_the_start_is_remembered),
        world_test(test_a_machine_of_which_no_description_was_written_is_remembered_as_well),
    };

    return cmocka_run_group_tests_name("coordinator_unread", tests, NULL, NULL);
}
