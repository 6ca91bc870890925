/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Hosts that are lost with standbys that an earlier daemon kept warm, or had begun to. */
#include <string.h>

#include "support.h"
#include "world.h"

#define JAVA "language/java database/pg webserver/apache"
#define LONG (60 * USEC_PER_SEC)

/* "a" runs on the first host; "b" on the second could take its place. */
static unsigned a, b;

static int set_up(void **state)
{
    struct world *world = world_of_test();

    world_set_up_remote(state);
    world->config.standby.warm = 1;
    a = world_add_on(world, LOCAL, "a", MACHINE_RUNNING);
    b = world_add_on(world, OTHER, "b", MACHINE_SHUT_OFF);
    return 0;
}

/* "b" is up, and its agent does not answer yet: it is not warm. */
static void begin_to_warm(struct world *world)
{
    world->domains[b].has_agent = world->domains[b].is_mute = true;
    world_connect_all(world);
    world_pass(world, 5 * USEC_PER_SEC);
    assert_int_equal(world_machine(world, b)->keeping, KEEPING_WARMING);
    assert_int_equal(world->domains[b].state, MACHINE_RUNNING);
}

/* The daemon is killed, and the second host is lost before it is there again. */
static void restart_without_the_second_host(struct world *world)
{
    world_restart_daemon(world);
    world_connect(world, LOCAL);
    world_connect(world, THIRD);
    world_disconnect(world, OTHER);
    world_pass(world, LONG);
}

static void test_a_standby_that_was_being_warmed_is_no_reason_to_fence(struct world *world)
{
    begin_to_warm(world);
    restart_without_the_second_host(world);
    world_assert_host(world, OTHER, HOST_LOST);
    assert_int_equal(world->asked[ACTION_FENCE], 0);
    assert_int_equal(coordinator_recovery_count(world->coordinator), 0);
    assert_non_null(strstr(world->last_text[NOTICE_HOST_LOST], "0 machines ran on it, 0 protected"));
}

static void test_a_standby_that_was_being_warmed_is_not_recovered_when_its_host_is_fenced(struct world *world)
{
    unsigned other = world_add_on(world, OTHER, "other", MACHINE_RUNNING);

    world->domains[other].features = JAVA;

    begin_to_warm(world);
    restart_without_the_second_host(world);
    world_assert_host(world, OTHER, HOST_FENCED);
    assert_int_equal(coordinator_recovery_count(world->coordinator), 1);
    assert_string_equal(coordinator_recovery(world->coordinator, 0)->failed_name, "other");
    assert_int_equal(world_recoveries(world, other, &(const struct recovery *){NULL}), 1);
    assert_int_equal(world->remembered[b].memory.keeping, KEEPING_NONE);
    assert_int_equal(world->remembered[b].memory.state, MACHINE_SHUT_OFF);
}

/* The word that it is fenced reached the disk, and nothing after it. */
static void test_a_daemon_that_died_after_fencing_does_not_recover_what_was_being_warmed(struct world *world)
{
    begin_to_warm(world);
    world->domains[b].state = MACHINE_SHUT_OFF;
    world->kept[OTHER].state = HOST_FENCED;
    restart_without_the_second_host(world);
    world_assert_host(world, OTHER, HOST_FENCED);
    assert_int_equal(coordinator_recovery_count(world->coordinator), 0);
}

static void test_a_course_goes_on_when_the_lost_host_is_back(struct world *world)
{
    begin_to_warm(world);
    restart_without_the_second_host(world);
    world->domains[b].is_mute = false;
    world_connect(world, OTHER);
    world_pass(world, LONG);
    assert_int_equal(world_machine(world, b)->keeping, KEEPING_WARM);
    assert_int_equal(world->domains[b].starts, 1);
}

/* That it serves is on disk with its recovery, and its own record is from before. */
static void test_a_replacement_whose_record_still_says_warm_is_recovered(struct world *world)
{
    world_connect_all(world);
    world_pass(world, LONG);
    assert_int_equal(world_machine(world, b)->keeping, KEEPING_WARM);
    world->config.standby.warm = 0;
    assert_int_equal(coordinator_configure(world->coordinator, &world->config), 0);
    world_kill(world, a);
    world_pass(world, 10 * USEC_PER_SEC);
    assert_string_equal(world_expect(world, a, RECOVERY_RECOVERED)->replacement_name, "b");
    world_add_on(world, THIRD, "c", MACHINE_SHUT_OFF);
    world->remembered[b].memory.keeping = KEEPING_WARM;
    restart_without_the_second_host(world);
    world_assert_host(world, OTHER, HOST_FENCED);
    assert_int_equal(world_expect(world, b, RECOVERY_RECOVERED)->cause, CAUSE_HOST_LOST);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        world_test_after(set_up, test_a_standby_that_was_being_warmed_is_no_reason_to_fence),
        world_test_after(set_up, test_a_standby_that_was_being_warmed_is_not_recovered_when_its_host_is_fenced),
        world_test_after(set_up, test_a_daemon_that_died_after_fencing_does_not_recover_what_was_being_warmed),
        world_test_after(set_up, test_a_course_goes_on_when_the_lost_host_is_back),
        world_test_after(set_up, test_a_replacement_whose_record_still_says_warm_is_recovered),
    };

    return cmocka_run_group_tests_name("hosts_kept", tests, NULL, NULL);
}
