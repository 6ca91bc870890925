/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Hosts that crash or are rebooted, and are back before they are given up for lost. */
#include <errno.h>
#include <string.h>

#include "support.h"
#include "world.h"

#define WEB   "language/nodejs database/mysql webserver/nginx"
#define LOCAL 0
#define OTHER 1
#define THIRD 2
#define GIB   (UINT64_C(1024) * 1024)

static struct world world;

static int set_up(void **state)
{
    (void)state;
    world_begin(&world);
    world_make_remote(&world);
    for (unsigned i = 0; i < WORLD_HYPERVISORS; i++) {
        world.free_memory_kib[i] = 100 * GIB;
        world.uptime_us[i] = 24 * 3600 * USEC_PER_SEC;
    }
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    world_end(&world);
    return 0;
}

static unsigned add(unsigned hypervisor, const char *name, enum machine_state state)
{
    unsigned number = world_add(&world, name, WEB, state);

    world.domains[number].hypervisor = hypervisor;
    return number;
}

/* "a" runs on local, "b" stands by on other. */
static unsigned add_two(void)
{
    unsigned a = add(LOCAL, "a", MACHINE_RUNNING);

    add(OTHER, "b", MACHINE_SHUT_OFF);
    world_connect_all(&world);
    return a;
}

static void power_off(unsigned hypervisor)
{
    world_disconnect(&world, hypervisor);
    for (unsigned i = 0; i < world.n_domains; i++)
        if (world.domains[i].hypervisor == hypervisor) {
            world.domains[i].state = MACHINE_SHUT_OFF;
            world.domains[i].reason = REASON_UNKNOWN;
            world.domains[i].exists &= !world.domains[i].is_transient;
            world.domains[i].started_for[0] = '\0';
        }
    world_pass(&world, 20 * USEC_PER_SEC);
}

static void power_on(unsigned hypervisor)
{
    world.uptime_us[hypervisor] = 15 * USEC_PER_SEC;
    world_connect(&world, hypervisor);
}

static void pass_the_grace(void)
{
    world_pass(&world, world.config.failure.reboot_grace_us + 20 * USEC_PER_SEC);
}

static void what_it_ran_is_recovered(void **state)
{
    unsigned a = add_two();
    const struct recovery *recovery;

    (void)state;
    power_off(LOCAL);
    power_on(LOCAL);
    world_pass(&world, world.config.failure.reboot_grace_us - USEC_PER_SEC);
    assert_int_equal(world.told[NOTICE_HOST_REBOOTED], 1);
    assert_int_equal(coordinator_recovery_count(world.coordinator), 0);
    world_pass(&world, 20 * USEC_PER_SEC);
    recovery = world_expect(&world, a, RECOVERY_RECOVERED);
    assert_int_equal(recovery->cause, CAUSE_HOST_LOST);
    assert_string_equal(recovery->replacement_name, "b");
    assert_int_equal(world.asked[ACTION_FENCE], 0);
    assert_int_equal(world.told[NOTICE_HOST_REBOOTED], 1);
}

static void what_is_started_again_in_time_is_not(void **state)
{
    unsigned a = add_two(), autostarted = add(LOCAL, "autostarted", MACHINE_RUNNING);

    (void)state;
    world_pass(&world, 60 * USEC_PER_SEC);
    power_off(LOCAL);
    world.domains[autostarted].state = MACHINE_RUNNING;
    power_on(LOCAL);
    world_pass(&world, world.config.failure.reboot_grace_us / 2);
    world_boot(&world, a);
    pass_the_grace();
    assert_int_equal(coordinator_recovery_count(world.coordinator), 0);
}

/* It is failed, if not for sure: another crash meanwhile is no work for it. */
static void what_may_be_started_again_replaces_nobody(void **state)
{
    unsigned a = add_two(), other = add(OTHER, "other", MACHINE_RUNNING);

    (void)state;
    world.config.failure.reboot_grace_us = 60 * USEC_PER_SEC;
    world.domains[other].features = WEB " os/debian";
    world_pass(&world, 60 * USEC_PER_SEC);
    power_off(LOCAL);
    power_on(LOCAL);
    world_boot(&world, 1);
    world_kill(&world, other);
    world_pass(&world, 30 * USEC_PER_SEC);
    assert_int_equal(world.domains[a].starts, 0);
    world_expect(&world, other, RECOVERY_EXHAUSTED);
    pass_the_grace();
    assert_int_equal(world_expect(&world, a, RECOVERY_EXHAUSTED)->cause, CAUSE_HOST_LOST);
}

/* A transient one does not come back by itself. */
static void what_is_gone_with_it_is_recovered_at_once(void **state)
{
    unsigned a = add(LOCAL, "a", MACHINE_RUNNING);

    (void)state;
    world.domains[a].is_transient = true;
    add(OTHER, "b", MACHINE_SHUT_OFF);
    world_connect_all(&world);
    power_off(LOCAL);
    power_on(LOCAL);
    world_pass(&world, 15 * USEC_PER_SEC);
    world_expect(&world, a, RECOVERY_RECOVERED);
}

static void what_was_not_in_service_is_not(void **state)
{
    unsigned suspended = add(LOCAL, "suspended", MACHINE_PAUSED), off = add(LOCAL, "off", MACHINE_SHUT_OFF);

    (void)state;
    world.domains[suspended].reason = REASON_USER;
    world.domains[off].reason = REASON_SHUTDOWN;
    add_two();
    world_kill(&world, off);
    power_off(LOCAL);
    power_on(LOCAL);
    pass_the_grace();
    assert_int_equal(coordinator_recovery_count(world.coordinator), 1); /* of "a" */
}

/* libvirtd alone was restarted, and somebody had stopped it meanwhile. */
static void counters_that_went_on_are_no_reboot(void **state)
{
    (void)state;
    add_two();
    power_off(LOCAL);
    world.uptime_us[LOCAL] += 20 * USEC_PER_SEC;
    world_connect(&world, LOCAL);
    pass_the_grace();
    assert_int_equal(world.told[NOTICE_HOST_REBOOTED], 0);
    assert_int_equal(coordinator_recovery_count(world.coordinator), 0);
}

/* Nor are counters that a hypervisor cannot tell for once. */
static void counters_that_are_missing_are_no_reboot(void **state)
{
    (void)state;
    add_two();
    power_off(LOCAL);
    world.uptime_us[LOCAL] = 0;
    world_connect(&world, LOCAL);
    pass_the_grace();
    assert_int_equal(world.told[NOTICE_HOST_REBOOTED], 0);
    assert_int_equal(coordinator_recovery_count(world.coordinator), 0);
}

/* A boot would have ended the connection. */
static void counters_that_step_back_while_it_is_connected_are_no_reboot(void **state)
{
    unsigned a = add_two();

    (void)state;
    world.domains[a].state = MACHINE_SHUT_OFF;
    world.domains[a].reason = REASON_UNKNOWN;
    world.uptime_us[LOCAL] = 1;
    world_pass(&world, world.config.discovery.resync_interval_us + USEC_PER_SEC);
    assert_int_equal(world_machine(&world, a)->state, MACHINE_SHUT_OFF);
    pass_the_grace();
    assert_int_equal(world.told[NOTICE_HOST_REBOOTED], 0);
    assert_int_equal(coordinator_recovery_count(world.coordinator), 0);
}

static void of_one_that_was_given_up_it_is_told_that_it_is_back(void **state)
{
    unsigned a = add_two();

    (void)state;
    power_off(LOCAL);
    world_pass(&world, 60 * USEC_PER_SEC);
    world_expect(&world, a, RECOVERY_RECOVERED);
    power_on(LOCAL);
    pass_the_grace();
    assert_int_equal(world.told[NOTICE_HOST_BACK], 1);
    assert_int_equal(world.told[NOTICE_HOST_REBOOTED], 0);
    assert_int_equal(coordinator_recovery_count(world.coordinator), 1);
}

static void another_host_under_the_name_is_no_reboot(void **state)
{
    static struct config_hypervisor three[WORLD_HYPERVISORS];
    static struct config fresh;

    (void)state;
    add_two();
    memcpy(three, world.config.hypervisors, sizeof(three));
    three[LOCAL].uri = (char *)"qemu+tls://new/system";
    fresh = world.config;
    fresh.hypervisors = three;
    assert_int_equal(coordinator_configure(world.coordinator, &fresh), 0);
    power_off(LOCAL);
    power_on(LOCAL);
    pass_the_grace();
    assert_int_equal(world.told[NOTICE_HOST_REBOOTED], 0);
    assert_int_equal(coordinator_recovery_count(world.coordinator), 0);
}

/* News of a machine may be answered before everything is listed: it must not hide how the machine stopped. */
static void an_inspection_before_the_listing_hides_nothing(void **state)
{
    unsigned a = add_two();

    (void)state;
    power_off(LOCAL);
    world.uptime_us[LOCAL] = 1;
    world.holds = 1u << ACTION_LIST;
    world_connect(&world, LOCAL);
    world_tell(&world, a, EVENT_DEFINED);
    world_drive(&world);
    assert_true(world.asked[ACTION_DESCRIBE] > 0);
    world_release(&world);
    pass_the_grace();
    world_expect(&world, a, RECOVERY_RECOVERED);
}

/* Its destroy is under way when the host crashes: the recovery that asked for it goes on, alone. */
static void one_that_hung_is_recovered_once(void **state)
{
    unsigned a;
    const struct recovery *last;

    (void)state;
    world.config.failure.heartbeat.is_enabled = true;
    assert_int_equal(coordinator_configure(world.coordinator, &world.config), 0);
    a = add_two();
    add(THIRD, "c", MACHINE_SHUT_OFF);
    world.domains[a].has_agent = true;
    world_connect(&world, THIRD);
    world_connect(&world, LOCAL);
    world_pass(&world, 400 * USEC_PER_SEC);
    world.domains[a].is_mute = true;
    world.holds = 1u << ACTION_DESTROY;
    while (world.asked[ACTION_DESTROY] == 0)
        world_pass(&world, 10 * USEC_PER_SEC);
    power_off(LOCAL);
    world.holds = 0;
    world_answer_error(&world, 0, -ENOTCONN);
    power_on(LOCAL);
    world_pass(&world, 600 * USEC_PER_SEC);
    assert_int_equal(world_recoveries(&world, a, &last), 1);
    assert_int_equal(last->state, RECOVERY_RECOVERED);
}

/* It was in nobody's service: nothing of it failed, and it is as good a standby as before. */
static void a_standby_that_was_being_warmed_stays_one(void **state)
{
    unsigned a = add(LOCAL, "a", MACHINE_RUNNING), b = add(OTHER, "b", MACHINE_SHUT_OFF);

    (void)state;
    world.config.standby = (struct config_standby){.warm = 1};
    world.holds = 1u << ACTION_SUSPEND;
    world_connect_all(&world);
    world_pass(&world, 30 * USEC_PER_SEC);
    assert_int_equal(world.domains[b].starts, 1);
    power_off(OTHER);
    world_release(&world);
    power_on(OTHER);
    world_pass(&world, 3000 * USEC_PER_SEC);
    assert_int_equal(world_machine(&world, b)->keeping, KEEPING_WARM);
    assert_int_equal(coordinator_recovery_count(world.coordinator), 0);
    world_kill(&world, a);
    world_pass(&world, 60 * USEC_PER_SEC);
    world_expect(&world, a, RECOVERY_RECOVERED);
}

static void a_candidate_that_went_down_stays_a_standby(void **state)
{
    unsigned a = add_two(), b = a + 1;

    (void)state;
    add(THIRD, "c", MACHINE_SHUT_OFF);
    world_connect(&world, THIRD);
    world_kill(&world, a);
    world_pass(&world, USEC_PER_SEC);
    assert_int_equal(world.domains[b].starts, 1);
    power_off(OTHER);
    power_on(OTHER);
    world_pass(&world, 330 * USEC_PER_SEC);
    assert_string_equal(world_expect(&world, a, RECOVERY_RECOVERED)->replacement_name, "c");
    assert_false(world_machine(&world, b)->failed_unrecovered);
}

static void a_daemon_that_is_restarted_meanwhile_waits_anew(void **state)
{
    unsigned a = add_two();

    (void)state;
    power_off(LOCAL);
    power_on(LOCAL);
    world_pass(&world, 10 * USEC_PER_SEC);
    world_restart_daemon(&world);
    world_connect_all(&world);
    assert_int_equal(coordinator_recovery_count(world.coordinator), 0);
    pass_the_grace();
    world_expect(&world, a, RECOVERY_RECOVERED);
}

/* One that was stopping when it was last heard of, and one that was saved when nobody listened. */
static void planned_stops_are_none(void **state)
{
    unsigned stopping = add(LOCAL, "stopping", MACHINE_RUNNING), saved = add(LOCAL, "saved", MACHINE_RUNNING);

    (void)state;
    add(OTHER, "b", MACHINE_SHUT_OFF);
    world_connect_all(&world);
    world_tell(&world, stopping, EVENT_SHUTDOWN_GUEST);
    power_off(LOCAL);
    world.domains[saved].has_saved = true;
    power_on(LOCAL);
    pass_the_grace();
    assert_int_equal(coordinator_recovery_count(world.coordinator), 0);
    assert_int_equal(world.told[NOTICE_HOST_REBOOTED], 0); /* there is nothing to be told */
}

static void what_has_moved_away_is_not_recovered(void **state)
{
    unsigned a = add_two();

    (void)state;
    world_disconnect(&world, LOCAL);
    world.domains[a].hypervisor = OTHER;
    world_tell(&world, a, EVENT_STARTED_MIGRATED);
    world_pass(&world, 20 * USEC_PER_SEC);
    power_on(LOCAL);
    pass_the_grace();
    assert_int_equal(coordinator_recovery_count(world.coordinator), 0);
}

/* Its uptime at the last listing was hardly less than what it is now; but too much time has passed. */
static void a_host_that_had_hardly_been_up_is_found_as_well(void **state)
{
    unsigned a;

    (void)state;
    world.uptime_us[LOCAL] = 14 * USEC_PER_SEC;
    a = add_two();
    world_pass(&world, 400 * USEC_PER_SEC);
    world.uptime_us[LOCAL] = 14 * USEC_PER_SEC;
    power_off(LOCAL);
    power_on(LOCAL);
    pass_the_grace();
    world_expect(&world, a, RECOVERY_RECOVERED);
}

static void what_becomes_unprotected_meanwhile_is_a_standby(void **state)
{
    unsigned a = add_two();

    (void)state;
    power_off(LOCAL);
    power_on(LOCAL);
    world.domains[a].role = "standby";
    world_tell(&world, a, EVENT_CHANGED);
    pass_the_grace();
    assert_int_equal(coordinator_recovery_count(world.coordinator), 0);
    assert_false(world_machine(&world, a)->failed_unrecovered);
}

#define reboot_test(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        reboot_test(what_it_ran_is_recovered),
        reboot_test(what_is_started_again_in_time_is_not),
        reboot_test(what_may_be_started_again_replaces_nobody),
        reboot_test(what_is_gone_with_it_is_recovered_at_once),
        reboot_test(what_was_not_in_service_is_not),
        reboot_test(counters_that_went_on_are_no_reboot),
        reboot_test(counters_that_are_missing_are_no_reboot),
        reboot_test(counters_that_step_back_while_it_is_connected_are_no_reboot),
        reboot_test(of_one_that_was_given_up_it_is_told_that_it_is_back),
        reboot_test(another_host_under_the_name_is_no_reboot),
        reboot_test(one_that_hung_is_recovered_once),
        reboot_test(a_standby_that_was_being_warmed_stays_one),
        reboot_test(a_candidate_that_went_down_stays_a_standby),
        reboot_test(a_daemon_that_is_restarted_meanwhile_waits_anew),
        reboot_test(planned_stops_are_none),
        reboot_test(what_has_moved_away_is_not_recovered),
        reboot_test(a_host_that_had_hardly_been_up_is_found_as_well),
        reboot_test(what_becomes_unprotected_meanwhile_is_a_standby),
        reboot_test(an_inspection_before_the_listing_hides_nothing),
    };

    return cmocka_run_group_tests_name("hosts_reboot", tests, NULL, NULL);
}
