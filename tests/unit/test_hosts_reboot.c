/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Hosts that crash or are rebooted, and are back before they are given up for lost. */
#include <errno.h>
#include <string.h>

#include "support.h"
#include "world.h"

/* All hosts are up for a day. */
static int set_up(void **state)
{
    struct world *world = world_of_test();

    world_set_up_remote(state);
    for (unsigned i = 0; i < world->n_hosts; i++)
        world->uptime_us[i] = 24 * 3600 * USEC_PER_SEC;
    return 0;
}

/* "a" runs on local, "b" stands by on other. */
static unsigned add_two(struct world *world)
{
    unsigned a = world_add_on(world, LOCAL, "a", MACHINE_RUNNING);

    world_add_on(world, OTHER, "b", MACHINE_SHUT_OFF);
    world_connect_all(world);
    return a;
}

static void power_off(struct world *world, unsigned hypervisor)
{
    world_disconnect(world, hypervisor);
    for (unsigned i = 0; i < world->n_domains; i++)
        if (world->domains[i].hypervisor == hypervisor) {
            world->domains[i].state = MACHINE_SHUT_OFF;
            world->domains[i].reason = REASON_UNKNOWN;
            world->domains[i].exists &= !world->domains[i].is_transient;
            world->domains[i].started_for[0] = '\0';
        }
    world_pass(world, 20 * USEC_PER_SEC);
}

static void power_on(struct world *world, unsigned hypervisor)
{
    world->uptime_us[hypervisor] = 15 * USEC_PER_SEC;
    world_connect(world, hypervisor);
}

static void pass_the_grace(struct world *world)
{
    world_pass(world, world->config.failure.reboot_grace_us + 20 * USEC_PER_SEC);
}

static void what_it_ran_is_recovered(struct world *world)
{
    unsigned a = add_two(world);
    const struct recovery *recovery;

    power_off(world, LOCAL);
    power_on(world, LOCAL);
    world_pass(world, world->config.failure.reboot_grace_us - USEC_PER_SEC);
    assert_int_equal(world->told[NOTICE_HOST_REBOOTED], 1);
    assert_int_equal(coordinator_recovery_count(world->coordinator), 0);
    world_pass(world, 20 * USEC_PER_SEC);
    recovery = world_expect(world, a, RECOVERY_RECOVERED);
    assert_int_equal(recovery->cause, CAUSE_HOST_LOST);
    assert_string_equal(recovery->replacement_name, "b");
    assert_int_equal(world->asked[ACTION_FENCE], 0);
    assert_int_equal(world->told[NOTICE_HOST_REBOOTED], 1);
}

static void what_is_started_again_in_time_is_not(struct world *world)
{
    unsigned a = add_two(world), autostarted = world_add_on(world, LOCAL, "autostarted", MACHINE_RUNNING);

    world_pass(world, 60 * USEC_PER_SEC);
    power_off(world, LOCAL);
    world->domains[autostarted].state = MACHINE_RUNNING;
    power_on(world, LOCAL);
    world_pass(world, world->config.failure.reboot_grace_us / 2);
    world_boot(world, a);
    pass_the_grace(world);
    assert_int_equal(coordinator_recovery_count(world->coordinator), 0);
}

/* It is failed, if not for sure: another crash meanwhile is no work for it. */
static void what_may_be_started_again_is_no_replacement(struct world *world)
{
    unsigned a = add_two(world), other = world_add_on(world, OTHER, "other", MACHINE_RUNNING);

    world->config.failure.reboot_grace_us = 60 * USEC_PER_SEC;
    world->domains[other].features = WEB " os/debian";
    world_pass(world, 60 * USEC_PER_SEC);
    power_off(world, LOCAL);
    power_on(world, LOCAL);
    world_boot(world, 1);
    world_kill(world, other);
    world_pass(world, 30 * USEC_PER_SEC);
    assert_int_equal(world->domains[a].starts, 0);
    world_expect(world, other, RECOVERY_EXHAUSTED);
    pass_the_grace(world);
    assert_int_equal(world_expect(world, a, RECOVERY_EXHAUSTED)->cause, CAUSE_HOST_LOST);
}

/* A transient one does not come back by itself. */
static void what_is_gone_with_it_is_recovered_at_once(struct world *world)
{
    unsigned a = world_add_on(world, LOCAL, "a", MACHINE_RUNNING);

    world->domains[a].is_transient = true;
    world_add_on(world, OTHER, "b", MACHINE_SHUT_OFF);
    world_connect_all(world);
    power_off(world, LOCAL);
    power_on(world, LOCAL);
    world_pass(world, 15 * USEC_PER_SEC);
    world_expect(world, a, RECOVERY_RECOVERED);
}

static void what_was_not_in_service_is_not(struct world *world)
{
    unsigned suspended = world_add_on(world, LOCAL, "suspended", MACHINE_PAUSED),
             off = world_add_on(world, LOCAL, "off", MACHINE_SHUT_OFF);

    world->domains[suspended].reason = REASON_USER;
    world->domains[off].reason = REASON_SHUTDOWN;
    add_two(world);
    world_kill(world, off);
    power_off(world, LOCAL);
    power_on(world, LOCAL);
    pass_the_grace(world);
    assert_int_equal(coordinator_recovery_count(world->coordinator), 1); /* of "a" */
}

/* libvirtd alone was restarted, and the operator had stopped the machine meanwhile. */
static void counters_that_went_on_are_no_reboot(struct world *world)
{
    add_two(world);
    power_off(world, LOCAL);
    world->uptime_us[LOCAL] += 20 * USEC_PER_SEC;
    world_connect(world, LOCAL);
    pass_the_grace(world);
    assert_int_equal(world->told[NOTICE_HOST_REBOOTED], 0);
    assert_int_equal(coordinator_recovery_count(world->coordinator), 0);
}

/* Nor are counters that a hypervisor cannot tell for once. */
static void counters_that_are_missing_are_no_reboot(struct world *world)
{
    add_two(world);
    power_off(world, LOCAL);
    world->uptime_us[LOCAL] = 0;
    world_connect(world, LOCAL);
    pass_the_grace(world);
    assert_int_equal(world->told[NOTICE_HOST_REBOOTED], 0);
    assert_int_equal(coordinator_recovery_count(world->coordinator), 0);
}

/* A boot would have ended the connection. */
static void counters_that_step_back_while_it_is_connected_are_no_reboot(struct world *world)
{
    unsigned a = add_two(world);

    world->domains[a].state = MACHINE_SHUT_OFF;
    world->domains[a].reason = REASON_UNKNOWN;
    world->uptime_us[LOCAL] = 1;
    world_pass(world, world->config.discovery.resync_interval_us + USEC_PER_SEC);
    assert_int_equal(world_machine(world, a)->state, MACHINE_SHUT_OFF);
    pass_the_grace(world);
    assert_int_equal(world->told[NOTICE_HOST_REBOOTED], 0);
    assert_int_equal(coordinator_recovery_count(world->coordinator), 0);
}

static void of_one_that_was_given_up_it_is_told_that_it_is_back(struct world *world)
{
    unsigned a = add_two(world);

    power_off(world, LOCAL);
    world_pass(world, 60 * USEC_PER_SEC);
    world_expect(world, a, RECOVERY_RECOVERED);
    power_on(world, LOCAL);
    pass_the_grace(world);
    assert_int_equal(world->told[NOTICE_HOST_BACK], 1);
    assert_int_equal(world->told[NOTICE_HOST_REBOOTED], 0);
    assert_int_equal(coordinator_recovery_count(world->coordinator), 1);
}

static void another_host_under_the_name_is_no_reboot(struct world *world)
{
    static struct config_hypervisor three[WORLD_HYPERVISORS];
    static struct config fresh;

    add_two(world);
    memcpy(three, world->config.hypervisors, sizeof(three));
    three[LOCAL].uri = (char *)"qemu+tls://new/system";
    fresh = world->config;
    fresh.hypervisors = three;
    assert_int_equal(coordinator_configure(world->coordinator, &fresh), 0);
    power_off(world, LOCAL);
    power_on(world, LOCAL);
    pass_the_grace(world);
    assert_int_equal(world->told[NOTICE_HOST_REBOOTED], 0);
    assert_int_equal(coordinator_recovery_count(world->coordinator), 0);
}

/* News of a machine may be answered before everything is listed: it must not hide how the machine stopped. */
static void an_inspection_before_the_listing_hides_nothing(struct world *world)
{
    unsigned a = add_two(world);

    power_off(world, LOCAL);
    world->uptime_us[LOCAL] = 1;
    world->holds = 1u << ACTION_LIST;
    world_connect(world, LOCAL);
    world_tell(world, a, EVENT_DEFINED);
    world_drive(world);
    assert_true(world->asked[ACTION_DESCRIBE] > 0);
    world_release(world);
    pass_the_grace(world);
    world_expect(world, a, RECOVERY_RECOVERED);
}

/* "a" hangs, and its destroy is under way when its host crashes. */
static unsigned hang_and_power_off(struct world *world)
{
    unsigned a;

    world->config.failure.heartbeat.is_enabled = true;
    assert_int_equal(coordinator_configure(world->coordinator, &world->config), 0);
    a = add_two(world);
    world_add_on(world, THIRD, "c", MACHINE_SHUT_OFF);
    world->domains[a].has_agent = true;
    world_connect(world, THIRD);
    world_connect(world, LOCAL);
    world_pass(world, 400 * USEC_PER_SEC);
    world->domains[a].is_mute = true;
    world->holds = 1u << ACTION_DESTROY;
    while (world->asked[ACTION_DESTROY] == 0)
        world_pass(world, 10 * USEC_PER_SEC);
    power_off(world, LOCAL);
    return a;
}

/* The recovery that asked for it goes on, alone. */
static void one_that_hung_is_recovered_once(struct world *world)
{
    unsigned a = hang_and_power_off(world);
    const struct recovery *last;

    world->holds = 0;
    world_answer_error(world, 0, -ENOTCONN);
    power_on(world, LOCAL);
    world_pass(world, 600 * USEC_PER_SEC);
    assert_int_equal(world_recoveries(world, a, &last), 1);
    assert_int_equal(last->state, RECOVERY_RECOVERED);
}

static void one_that_hung_when_the_daemon_died_is_recovered_once(struct world *world)
{
    unsigned a = hang_and_power_off(world);
    const struct recovery *last;

    world_restart_daemon(world);
    world->uptime_us[LOCAL] = 15 * USEC_PER_SEC;
    world_connect_all(world);
    world_pass(world, 600 * USEC_PER_SEC);
    assert_int_equal(world_recoveries(world, a, &last), 1);
    assert_int_equal(last->state, RECOVERY_RECOVERED);
}

/* On the other host. */
static void power_off_while_it_is_warmed(struct world *world, unsigned standby)
{
    world->config.standby = (struct config_standby){.warm = 1};
    world->holds = 1u << ACTION_SUSPEND;
    world_connect_all(world);
    world_pass(world, 30 * USEC_PER_SEC);
    assert_int_equal(world->domains[standby].starts, 1);
    power_off(world, OTHER);
}

/* It was in no service: nothing of it failed, and it is as good a standby as before. */
static void a_standby_that_was_being_warmed_stays_one(struct world *world)
{
    unsigned a = world_add_on(world, LOCAL, "a", MACHINE_RUNNING),
             b = world_add_on(world, OTHER, "b", MACHINE_SHUT_OFF);

    power_off_while_it_is_warmed(world, b);
    world_release(world);
    power_on(world, OTHER);
    world_pass(world, 3000 * USEC_PER_SEC);
    assert_int_equal(world_machine(world, b)->keeping, KEEPING_WARM);
    assert_int_equal(coordinator_recovery_count(world->coordinator), 0);
    world_kill(world, a);
    world_pass(world, 60 * USEC_PER_SEC);
    world_expect(world, a, RECOVERY_RECOVERED);
}

/* Protected, too: it would be recovered. */
static void a_standby_that_an_earlier_daemon_was_warming_stays_one(struct world *world)
{
    unsigned b;

    world_add_on(world, LOCAL, "a", MACHINE_RUNNING);
    b = world_add_on(world, OTHER, "b", MACHINE_SHUT_OFF);
    world->domains[b].role = "standby,protected";
    world_add_on(world, THIRD, "c", MACHINE_SHUT_OFF);
    power_off_while_it_is_warmed(world, b);
    world_restart_daemon(world);
    world->holds = 0;
    world->uptime_us[OTHER] = 15 * USEC_PER_SEC;
    world_connect_all(world);
    world_pass(world, 3000 * USEC_PER_SEC);
    assert_false(world_machine(world, b)->failed_unrecovered);
    assert_int_equal(coordinator_recovery_count(world->coordinator), 0);
}

static void a_candidate_that_went_down_stays_a_standby(struct world *world)
{
    unsigned a = add_two(world), b = a + 1;

    world_add_on(world, THIRD, "c", MACHINE_SHUT_OFF);
    world_connect(world, THIRD);
    world_kill(world, a);
    world_pass(world, USEC_PER_SEC);
    assert_int_equal(world->domains[b].starts, 1);
    power_off(world, OTHER);
    power_on(world, OTHER);
    world_pass(world, 330 * USEC_PER_SEC);
    assert_string_equal(world_expect(world, a, RECOVERY_RECOVERED)->replacement_name, "c");
    assert_false(world_machine(world, b)->failed_unrecovered);
}

static void a_daemon_that_is_restarted_meanwhile_waits_anew(struct world *world)
{
    unsigned a = add_two(world);

    power_off(world, LOCAL);
    power_on(world, LOCAL);
    world_pass(world, 10 * USEC_PER_SEC);
    world_restart_daemon(world);
    world_connect_all(world);
    assert_int_equal(coordinator_recovery_count(world->coordinator), 0);
    pass_the_grace(world);
    world_expect(world, a, RECOVERY_RECOVERED);
}

/* One that was stopping when it was last heard of, and one that was saved while understudyd was not connected. */
static void planned_stops_are_none(struct world *world)
{
    unsigned stopping = world_add_on(world, LOCAL, "stopping", MACHINE_RUNNING),
             saved = world_add_on(world, LOCAL, "saved", MACHINE_RUNNING);

    world_add_on(world, OTHER, "b", MACHINE_SHUT_OFF);
    world_connect_all(world);
    world_tell(world, stopping, EVENT_SHUTDOWN_GUEST);
    power_off(world, LOCAL);
    world->domains[saved].has_saved = true;
    power_on(world, LOCAL);
    pass_the_grace(world);
    assert_int_equal(coordinator_recovery_count(world->coordinator), 0);
    assert_int_equal(world->told[NOTICE_HOST_REBOOTED], 0); /* there is nothing to be told */
}

static void what_has_moved_away_is_not_recovered(struct world *world)
{
    unsigned a = add_two(world);

    world_disconnect(world, LOCAL);
    world->domains[a].hypervisor = OTHER;
    world_tell(world, a, EVENT_STARTED_MIGRATED);
    world_tell(world, a, EVENT_RESUMED);
    world_pass(world, 20 * USEC_PER_SEC);
    power_on(world, LOCAL);
    pass_the_grace(world);
    assert_int_equal(coordinator_recovery_count(world->coordinator), 0);
}

/* Its uptime at the last listing was hardly less than what it is now; but too much time has passed. */
static void a_host_that_had_hardly_been_up_is_found_as_well(struct world *world)
{
    unsigned a;

    world->uptime_us[LOCAL] = 14 * USEC_PER_SEC;
    a = add_two(world);
    world_pass(world, 400 * USEC_PER_SEC);
    world->uptime_us[LOCAL] = 14 * USEC_PER_SEC;
    power_off(world, LOCAL);
    power_on(world, LOCAL);
    pass_the_grace(world);
    world_expect(world, a, RECOVERY_RECOVERED);
}

static void what_becomes_unprotected_meanwhile_is_a_standby(struct world *world)
{
    unsigned a = add_two(world);

    power_off(world, LOCAL);
    power_on(world, LOCAL);
    world->domains[a].role = "standby";
    world_tell(world, a, EVENT_CHANGED);
    pass_the_grace(world);
    assert_int_equal(coordinator_recovery_count(world->coordinator), 0);
    assert_false(world_machine(world, a)->failed_unrecovered);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        world_test_after(set_up, what_it_ran_is_recovered),
        world_test_after(set_up, what_is_started_again_in_time_is_not),
        world_test_after(set_up, what_may_be_started_again_is_no_replacement),
        world_test_after(set_up, what_is_gone_with_it_is_recovered_at_once),
        world_test_after(set_up, what_was_not_in_service_is_not),
        world_test_after(set_up, counters_that_went_on_are_no_reboot),
        world_test_after(set_up, counters_that_are_missing_are_no_reboot),
        world_test_after(set_up, counters_that_step_back_while_it_is_connected_are_no_reboot),
        world_test_after(set_up, of_one_that_was_given_up_it_is_told_that_it_is_back),
        world_test_after(set_up, another_host_under_the_name_is_no_reboot),
        world_test_after(set_up, one_that_hung_is_recovered_once),
        world_test_after(set_up, one_that_hung_when_the_daemon_died_is_recovered_once),
        world_test_after(set_up, a_standby_that_was_being_warmed_stays_one),
        world_test_after(set_up, a_standby_that_an_earlier_daemon_was_warming_stays_one),
        world_test_after(set_up, a_candidate_that_went_down_stays_a_standby),
        world_test_after(set_up, a_daemon_that_is_restarted_meanwhile_waits_anew),
        world_test_after(set_up, planned_stops_are_none),
        world_test_after(set_up, what_has_moved_away_is_not_recovered),
        world_test_after(set_up, a_host_that_had_hardly_been_up_is_found_as_well),
        world_test_after(set_up, what_becomes_unprotected_meanwhile_is_a_standby),
        world_test_after(set_up, an_inspection_before_the_listing_hides_nothing),
    };

    return cmocka_run_group_tests_name("hosts_reboot", tests, NULL, NULL);
}
