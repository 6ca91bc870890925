/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Hosts that are lost with standbys that an earlier daemon kept warm, or had begun to. */
#include <string.h>

#include "support.h"
#include "world.h"

#define WEB   "language/nodejs database/mysql webserver/nginx"
#define OTHER "language/java database/pg webserver/apache"
#define LONG  (60 * USEC_PER_SEC)
#define GIB   (UINT64_C(1024) * 1024)

enum { FIRST, SECOND, THIRD }; /* hosts */

static struct world world;
/* "a" runs on the first host; "b" on the second could take its place. */
static unsigned a, b;

static unsigned add(unsigned hypervisor, const char *name, const char *features, enum machine_state state)
{
    unsigned number = world_add(&world, name, features, state);

    world.domains[number].hypervisor = hypervisor;
    return number;
}

static int set_up(void **state)
{
    (void)state;
    world_begin(&world);
    world_make_remote(&world);
    world.config.standby.warm = 1;
    for (unsigned i = 0; i < WORLD_HYPERVISORS; i++)
        world.free_memory_kib[i] = 100 * GIB;
    a = add(FIRST, "a", WEB, MACHINE_RUNNING);
    b = add(SECOND, "b", WEB, MACHINE_SHUT_OFF);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    world_end(&world);
    return 0;
}

/* "b" is up, and its agent does not answer yet: it is not warm. */
static void begin_to_warm(void)
{
    world.domains[b].has_agent = world.domains[b].is_mute = true;
    world_connect_all(&world);
    world_pass(&world, 5 * USEC_PER_SEC);
    assert_int_equal(world_machine(&world, b)->keeping, KEEPING_WARMING);
    assert_int_equal(world.domains[b].state, MACHINE_RUNNING);
}

/* The daemon is killed, and the second host is lost before it is there again. */
static void restart_without_the_second_host(void)
{
    world_restart_daemon(&world);
    world_connect(&world, FIRST);
    world_connect(&world, THIRD);
    world_disconnect(&world, SECOND);
    world_pass(&world, LONG);
}

static const struct host_track *second_host(void)
{
    return coordinator_hypervisor(world.coordinator, SECOND).host;
}

static void test_a_standby_that_was_being_warmed_is_no_reason_to_fence(void **state)
{
    (void)state;
    begin_to_warm();
    restart_without_the_second_host();
    assert_string_equal(host_state_name(second_host()->state), "lost");
    assert_int_equal(world.asked[ACTION_FENCE], 0);
    assert_int_equal(coordinator_recovery_count(world.coordinator), 0);
    assert_non_null(strstr(world.last_text[NOTICE_HOST_LOST], "0 machines ran on it, 0 protected"));
}

static void test_a_standby_that_was_being_warmed_is_not_recovered_when_its_host_is_fenced(void **state)
{
    unsigned other = add(SECOND, "other", OTHER, MACHINE_RUNNING);

    (void)state;
    begin_to_warm();
    restart_without_the_second_host();
    assert_string_equal(host_state_name(second_host()->state), "fenced");
    assert_int_equal(coordinator_recovery_count(world.coordinator), 1);
    assert_string_equal(coordinator_recovery(world.coordinator, 0)->failed_name, "other");
    assert_int_equal(world_recoveries(&world, other, &(const struct recovery *){NULL}), 1);
    assert_int_equal(world.remembered[b].memory.keeping, KEEPING_NONE);
    assert_int_equal(world.remembered[b].memory.state, MACHINE_SHUT_OFF);
}

/* The word that it is fenced reached the disk, and nothing after it. */
static void test_a_daemon_that_died_after_fencing_does_not_recover_what_was_being_warmed(void **state)
{
    (void)state;
    begin_to_warm();
    world.domains[b].state = MACHINE_SHUT_OFF;
    world.kept[SECOND].state = HOST_FENCED;
    restart_without_the_second_host();
    assert_string_equal(host_state_name(second_host()->state), "fenced");
    assert_int_equal(coordinator_recovery_count(world.coordinator), 0);
}

static void test_a_course_goes_on_when_the_lost_host_is_back(void **state)
{
    (void)state;
    begin_to_warm();
    restart_without_the_second_host();
    world.domains[b].is_mute = false;
    world_connect(&world, SECOND);
    world_pass(&world, LONG);
    assert_int_equal(world_machine(&world, b)->keeping, KEEPING_WARM);
    assert_int_equal(world.domains[b].starts, 1);
}

/* That it serves is on disk with its recovery, and its own record is from before. */
static void test_a_replacement_whose_record_still_says_warm_is_recovered(void **state)
{
    (void)state;
    world_connect_all(&world);
    world_pass(&world, LONG);
    assert_int_equal(world_machine(&world, b)->keeping, KEEPING_WARM);
    world.config.standby.warm = 0;
    assert_int_equal(coordinator_configure(world.coordinator, &world.config), 0);
    world_kill(&world, a);
    world_pass(&world, 10 * USEC_PER_SEC);
    assert_string_equal(world_expect(&world, a, RECOVERY_RECOVERED)->replacement_name, "b");
    add(THIRD, "c", WEB, MACHINE_SHUT_OFF);
    world.remembered[b].memory.keeping = KEEPING_WARM;
    restart_without_the_second_host();
    assert_string_equal(host_state_name(second_host()->state), "fenced");
    assert_int_equal(world_expect(&world, b, RECOVERY_RECOVERED)->cause, CAUSE_HOST_LOST);
}

#define hosts_test(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        hosts_test(test_a_standby_that_was_being_warmed_is_no_reason_to_fence),
        hosts_test(test_a_standby_that_was_being_warmed_is_not_recovered_when_its_host_is_fenced),
        hosts_test(test_a_daemon_that_died_after_fencing_does_not_recover_what_was_being_warmed),
        hosts_test(test_a_course_goes_on_when_the_lost_host_is_back),
        hosts_test(test_a_replacement_whose_record_still_says_warm_is_recovered),
    };

    return cmocka_run_group_tests_name("hosts_kept", tests, NULL, NULL);
}
