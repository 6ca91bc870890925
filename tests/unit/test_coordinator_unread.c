/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A machine that is listed and cannot be read is there, as it was last known. */
#include "support.h"
#include "world.h"

#define WEB     "language/nodejs database/mysql webserver/nginx"
#define SETTLED (20 * USEC_PER_SEC)

static int set_up(void **state)
{
    static struct world world;

    world_begin(&world);
    *state = &world;
    return 0;
}

static int tear_down(void **state)
{
    world_end(*state);
    return 0;
}

/* A machine that runs, and one that could take over. */
static unsigned add_two(struct world *world)
{
    unsigned first = world_add(world, "a", WEB, MACHINE_RUNNING);

    world_add(world, "b", WEB, MACHINE_SHUT_OFF);
    world_connect_all(world);
    return first;
}

static void test_a_machine_that_cannot_be_read_is_not_absent(void **state)
{
    struct world *world = *state;
    unsigned a = add_two(world), b = a + 1;

    world->domains[a].is_unreadable = world->domains[b].is_unreadable = true;
    for (int i = 0; i < 3; i++)
        world_pass(world, world->config.discovery.resync_interval_us);
    assert_non_null(world_machine(world, a));
    assert_non_null(world_machine(world, b));
    assert_int_equal(world_machine(world, a)->state, MACHINE_RUNNING);
    assert_int_equal(world->told[NOTICE_EVENT_NOTED] + world->told[NOTICE_STOP_PLANNED], 0);
    world_kill(world, a);
    world_pass(world, SETTLED);
    world_expect(world, a, RECOVERY_RECOVERED);
}

static void test_a_machine_that_cannot_be_read_at_the_start_is_remembered(void **state)
{
    struct world *world = *state;
    unsigned a = add_two(world);

    world_kill_silently(world, a);
    world->domains[a].is_unreadable = true;
    world_restart_daemon(world);
    world_connect_all(world);
    world_pass(world, SETTLED);
    assert_int_equal(world->remembered[a].memory.state, MACHINE_RUNNING);
    assert_int_equal(world->told[NOTICE_EVENT_NOTED], 0);
    world->domains[a].is_unreadable = false;
    world_pass(world, world->config.discovery.resync_interval_us + SETTLED);
    assert_int_equal(world_expect(world, a, RECOVERY_RECOVERED)->cause, CAUSE_FOUND_CRASHED);
}

#define coordinator_test(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        coordinator_test(test_a_machine_that_cannot_be_read_is_not_absent),
        coordinator_test(test_a_machine_that_cannot_be_read_at_the_start_is_remembered),
    };

    return cmocka_run_group_tests_name("coordinator_unread", tests, NULL, NULL);
}
