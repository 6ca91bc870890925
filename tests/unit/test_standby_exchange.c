/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Standbys that are kept warm give way to others that are needed more, and not to their equals. */
#include <errno.h>
#include <string.h>

#include "support.h"
#include "world.h"

#define WEB   "language/nodejs database/mysql webserver/nginx"
#define OTHER "language/php database/pg"
#define GIB   (UINT64_C(1024) * 1024)

static struct world world;
static unsigned first, of_first; /* a protected machine that runs, and its standby */
static unsigned equal, of_equal; /* another pair, which would be named before it and is not defined yet */

/* So much the standby of the first takes of its host's memory, and so much there is. */
static void set_up_with(uint64_t takes_kib, uint64_t free_kib)
{
    world_begin(&world);
    world.config.standby = (struct config_standby){.warm = 2};
    world.config.recovery.check_memory = true;
    world.free_memory_kib[0] = free_kib;
    equal = world_add(&world, "equal", OTHER, MACHINE_RUNNING);
    of_equal = world_add(&world, "of-equal", OTHER, MACHINE_SHUT_OFF);
    world.domains[equal].exists = world.domains[of_equal].exists = false;
    first = world_add(&world, "first", WEB, MACHINE_RUNNING);
    of_first = world_add(&world, "of-first", WEB, MACHINE_SHUT_OFF);
    world.domains[of_first].resident_kib = takes_kib;
    world_connect_all(&world);
    world_pass(&world, 60 * USEC_PER_SEC);
}

static int set_up(void **state)
{
    (void)state;
    set_up_with(GIB, GIB + GIB / 2); /* for one */
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    world_end(&world);
    return 0;
}

static void assert_warm(unsigned number, bool is_warm)
{
    assert_string_equal(keeping_name(world_machine(&world, number)->keeping),
                        keeping_name(is_warm ? KEEPING_WARM : KEEPING_NONE));
    assert_int_equal(world.domains[number].state, is_warm ? MACHINE_PAUSED : MACHINE_SHUT_OFF);
}

/* A pair comes up on the same host. */
static void bring_in(unsigned running, unsigned standby, int priority)
{
    world.domains[running].exists = world.domains[standby].exists = true;
    world.domains[running].priority = priority;
    world_tell(&world, running, EVENT_STARTED_BOOTED);
    world_tell(&world, standby, EVENT_DEFINED);
    world_pass(&world, 180 * USEC_PER_SEC);
}

static void the_memory_of_its_host_goes_to_the_more_valuable(void **state)
{
    (void)state;
    assert_warm(of_first, true);
    bring_in(equal, of_equal, 1);
    assert_warm(of_equal, true);
    assert_warm(of_first, false);
    /* And stays there. */
    world_pass(&world, 3600 * USEC_PER_SEC);
    assert_non_null(world_machine(&world, of_first)->not_warm);
    assert_string_equal(world_machine(&world, of_first)->not_warm, "its host has not enough memory to spare");
    assert_int_equal(world.domains[of_first].starts, 1);
    assert_int_equal(world.domains[of_equal].starts, 1);
}

static void not_to_an_equal_or_a_lesser(void **state)
{
    unsigned lesser = world_add(&world, "lesser", OTHER, MACHINE_RUNNING);
    unsigned of_lesser = world_add(&world, "of-lesser", OTHER, MACHINE_SHUT_OFF);

    (void)state;
    bring_in(equal, of_equal, 0);
    bring_in(lesser, of_lesser, -1);
    assert_warm(of_first, true);
    assert_warm(of_equal, false);
    assert_warm(of_lesser, false);
    assert_int_equal(world.domains[of_first].destroys, 0);
}

/* What all the lesser ones together hold would not be enough for it. */
static void not_to_one_that_would_not_fit_even_then(void **state)
{
    (void)state;
    world.domains[of_equal].memory_kib = 3 * GIB;
    bring_in(equal, of_equal, 1);
    assert_warm(of_equal, false);
    assert_warm(of_first, true);
    assert_int_equal(world.domains[of_first].destroys, 0);
}

/* One that is suspended gives back what it has touched, and that would not be enough: not tried again and again. */
static void not_for_memory_that_does_not_come_back(void **state)
{
    (void)state;
    world_end(&world);
    set_up_with(GIB / 4, GIB + GIB / 4);
    world.domains[of_equal].memory_kib = 2 * GIB;
    bring_in(equal, of_equal, 1);
    world_pass(&world, 8 * 3600 * USEC_PER_SEC);
    assert_warm(of_first, true);
    assert_int_equal(world.domains[of_first].starts, 1);
}

/* Nothing would be begun in its place. */
static void not_while_the_brake_is_on(void **state)
{
    unsigned other = world_add(&world, "other", "os/hurd", MACHINE_RUNNING);

    (void)state;
    world.config.recovery.brake.share = 1;
    world.config.recovery.brake.minimum = 1;
    world.config.recovery.brake.window_us = 60 * USEC_PER_SEC;
    world_tell(&world, other, EVENT_STARTED_BOOTED);
    world_pass(&world, 60 * USEC_PER_SEC);
    world_kill(&world, other);
    world_drive(&world);
    assert_true(coordinator_is_held(world.coordinator));
    bring_in(equal, of_equal, 1);
    assert_warm(of_first, true);
    assert_true(coordinator_release(world.coordinator, world.now));
    world_pass(&world, 600 * USEC_PER_SEC);
    assert_warm(of_equal, true);
}

static void not_twice_to_one_that_does_not_come_up(void **state)
{
    (void)state;
    world.domains[of_equal].start_error = -EIO;
    bring_in(equal, of_equal, 1);
    world_pass(&world, 24 * 3600 * USEC_PER_SEC);
    assert_warm(of_first, true);
    assert_int_equal(world.domains[of_first].starts, 2);
}

#define exchange_test(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        exchange_test(the_memory_of_its_host_goes_to_the_more_valuable),
        exchange_test(not_to_an_equal_or_a_lesser),
        exchange_test(not_for_memory_that_does_not_come_back),
        exchange_test(not_while_the_brake_is_on),
        exchange_test(not_twice_to_one_that_does_not_come_up),
        exchange_test(not_to_one_that_would_not_fit_even_then),
    };

    return cmocka_run_group_tests_name("keeper_exchange", tests, NULL, NULL);
}
