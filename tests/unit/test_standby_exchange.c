/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Standbys that are kept warm give way to others that are needed more, and not to their equals. */
#include <errno.h>
#include <string.h>

#include "support.h"
#include "world.h"

#define PHP "language/php database/pg"

static unsigned first, of_first; /* a protected machine that runs, and its standby */
static unsigned equal, of_equal; /* another pair, which would be named before it and is not defined yet */

/* So much the standby of the first takes of its host's memory, and so much there is. */
static void set_up_with(struct world *world, uint64_t takes_kib, uint64_t free_kib)
{
    world_begin(world);
    world->config.standby = (struct config_standby){.warm = 2};
    world->config.recovery.check_memory = true;
    world->free_memory_kib[0] = free_kib;
    equal = world_add(world, "equal", PHP, MACHINE_RUNNING);
    of_equal = world_add(world, "of-equal", PHP, MACHINE_SHUT_OFF);
    world->domains[equal].exists = world->domains[of_equal].exists = false;
    first = world_add(world, "first", WEB, MACHINE_RUNNING);
    of_first = world_add(world, "of-first", WEB, MACHINE_SHUT_OFF);
    world->domains[of_first].resident_kib = takes_kib;
    world_connect_all(world);
    world_pass(world, 60 * USEC_PER_SEC);
}

static int set_up(void **state)
{
    (void)state;
    set_up_with(world_of_test(), GIB_KIB, GIB_KIB + GIB_KIB / 2); /* for one */
    return 0;
}

static void assert_warm(struct world *world, unsigned number, bool is_warm)
{
    assert_string_equal(keeping_name(world_machine(world, number)->keeping),
                        keeping_name(is_warm ? KEEPING_WARM : KEEPING_NONE));
    assert_int_equal(world->domains[number].state, is_warm ? MACHINE_PAUSED : MACHINE_SHUT_OFF);
}

/* A pair comes up on the same host. */
static void bring_in(struct world *world, unsigned running, unsigned standby, int priority)
{
    world->domains[running].exists = world->domains[standby].exists = true;
    world->domains[running].priority = priority;
    world_tell(world, running, EVENT_STARTED_BOOTED);
    world_tell(world, standby, EVENT_DEFINED);
    world_pass(world, 180 * USEC_PER_SEC);
}

static void the_memory_of_its_host_goes_to_the_more_valuable(struct world *world)
{
    assert_warm(world, of_first, true);
    bring_in(world, equal, of_equal, 1);
    assert_warm(world, of_equal, true);
    assert_warm(world, of_first, false);
    /* And stays there. */
    world_pass(world, 3600 * USEC_PER_SEC);
    assert_non_null(machine_rare(world_machine(world, of_first))->not_warm);
    assert_string_equal(machine_rare(world_machine(world, of_first))->not_warm,
                        "its host does not have enough free memory");
    assert_int_equal(world->domains[of_first].starts, 1);
    assert_int_equal(world->domains[of_equal].starts, 1);
}

static void not_to_an_equal_or_a_lesser(struct world *world)
{
    unsigned lesser = world_add(world, "lesser", PHP, MACHINE_RUNNING);
    unsigned of_lesser = world_add(world, "of-lesser", PHP, MACHINE_SHUT_OFF);

    bring_in(world, equal, of_equal, 0);
    bring_in(world, lesser, of_lesser, -1);
    assert_warm(world, of_first, true);
    assert_warm(world, of_equal, false);
    assert_warm(world, of_lesser, false);
    assert_int_equal(world->domains[of_first].destroys, 0);
}

/* What all the lesser ones together hold would not be enough for it. */
static void not_to_one_that_would_not_fit_even_then(struct world *world)
{
    world->domains[of_equal].memory_kib = 3 * GIB_KIB;
    bring_in(world, equal, of_equal, 1);
    assert_warm(world, of_equal, false);
    assert_warm(world, of_first, true);
    assert_int_equal(world->domains[of_first].destroys, 0);
}

/* One that is suspended gives back what it has touched, and that would not be enough: not tried again and again. */
static void not_for_memory_that_does_not_come_back(struct world *world)
{
    world_end(world);
    set_up_with(world, GIB_KIB / 4, GIB_KIB + GIB_KIB / 4);
    world->domains[of_equal].memory_kib = 2 * GIB_KIB;
    bring_in(world, equal, of_equal, 1);
    world_pass(world, 8 * 3600 * USEC_PER_SEC);
    assert_warm(world, of_first, true);
    assert_int_equal(world->domains[of_first].starts, 1);
}

/* Nothing would be begun in its place. */
static void not_while_the_brake_is_on(struct world *world)
{
    unsigned other = world_add(world, "other", "os/hurd", MACHINE_RUNNING);

    world_set_brake(world, 1, 1);
    world_tell(world, other, EVENT_STARTED_BOOTED);
    world_pass(world, 60 * USEC_PER_SEC);
    world_kill(world, other);
    world_drive(world);
    assert_true(coordinator_is_braked(world->coordinator));
    bring_in(world, equal, of_equal, 1);
    assert_warm(world, of_first, true);
    assert_true(coordinator_release_brake(world->coordinator, world->now));
    world_pass(world, 600 * USEC_PER_SEC);
    assert_warm(world, of_equal, true);
}

static void not_twice_to_one_that_does_not_come_up(struct world *world)
{
    world->domains[of_equal].start_error = -EIO;
    bring_in(world, equal, of_equal, 1);
    world_pass(world, 24 * 3600 * USEC_PER_SEC);
    assert_warm(world, of_first, true);
    assert_int_equal(world->domains[of_first].starts, 2);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        world_test_after(set_up, the_memory_of_its_host_goes_to_the_more_valuable),
        world_test_after(set_up, not_to_an_equal_or_a_lesser),
        world_test_after(set_up, not_for_memory_that_does_not_come_back),
        world_test_after(set_up, not_while_the_brake_is_on),
        world_test_after(set_up, not_twice_to_one_that_does_not_come_up),
        world_test_after(set_up, not_to_one_that_would_not_fit_even_then),
    };

    return cmocka_run_group_tests_name("keeper_exchange", tests, NULL, NULL);
}
