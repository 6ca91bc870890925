/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Machines that were made and are not needed any more: when they are announced and removed, and which never are. */
#include "coordinator/expiry.h"

#include <errno.h>
#include <string.h>

#include "support.h"
#include "world.h"

#define HOUR (3600 * USEC_PER_SEC)
#define DAY  (24 * HOUR)
#define KEPT (30 * DAY)

static void set_keep(struct world *world, int64_t keep_us)
{
    world->config.recovery.keep_made_us = keep_us;
    world->config.discovery.resync_interval_us = DAY;
    assert_int_equal(coordinator_configure(world->coordinator, &world->config), 0);
}

/* A long time, hour by hour. */
static void pass(struct world *world, int64_t time_us)
{
    for (; time_us > HOUR; time_us -= HOUR)
        world_pass(world, HOUR);
    world_pass(world, time_us);
}

/* Made once, off, and not needed any more. */
static unsigned add_made(struct world *world)
{
    unsigned number = world_add(world, "web-1a2b", WEB, MACHINE_SHUT_OFF);

    world->domains[number].template = "base";
    world->domains[number].role = "ignored";
    world->config.recovery.keep_made_us = KEPT;
    return number;
}

static unsigned furnish(struct world *world)
{
    unsigned number = add_made(world);

    world_connect_all(world);
    set_keep(world, KEPT);
    world_drive(world);
    return number;
}

static int64_t removal_us(const struct world *world, unsigned number)
{
    return machine_rare(world_machine(world, number))->removal_us;
}

static void test_it_is_announced_and_then_removed(struct world *world)
{
    unsigned number = furnish(world);

    pass(world, KEPT - EXPIRY_NOTICE_US - 2 * HOUR);
    assert_int_equal(removal_us(world, number), 0);
    pass(world, 4 * HOUR);
    assert_true(removal_us(world, number) > world->now.real_us + 6 * DAY);
    assert_non_null(strstr(world->last_text[NOTICE_EVENT_NOTED], "is deleted in "));
    assert_int_equal(world->asked[ACTION_UNMAKE], 0);
    pass(world, EXPIRY_NOTICE_US - 4 * HOUR);
    assert_int_equal(world->asked[ACTION_UNMAKE], 0);
    pass(world, 6 * HOUR);
    assert_int_equal(world->domains[number].unmakes, 1);
    assert_false(world->domains[number].exists);
    assert_non_null(strstr(world->last_text[NOTICE_EVENT_NOTED], "was deleted with the overlays"));
}

/* By default nothing is ever removed. */
static void test_without_the_key_it_is_kept(struct world *world)
{
    unsigned number = furnish(world);

    set_keep(world, 0);
    pass(world, 400 * DAY);
    assert_int_equal(world->domains[number].unmakes, 0);
    assert_int_equal(removal_us(world, number), 0);
}

static void assert_never_removed(struct world *world, unsigned number)
{
    world_connect_all(world);
    set_keep(world, KEPT);
    pass(world, 4 * KEPT);
    assert_int_equal(world->domains[number].unmakes, 0);
    assert_int_equal(removal_us(world, number), 0);
    assert_true(world->domains[number].exists);
}

static void test_a_machine_that_was_not_made_is_never_removed(struct world *world)
{
    unsigned number = add_made(world);

    world->domains[number].template = NULL;
    assert_never_removed(world, number);
}

static void test_a_standby_is_never_removed(struct world *world)
{
    unsigned number = add_made(world);

    world->domains[number].role = "standby";
    assert_never_removed(world, number);
}

static void test_a_protected_machine_is_never_removed(struct world *world)
{
    unsigned number = add_made(world);

    world->domains[number].role = "protected";
    assert_never_removed(world, number);
}

static void test_a_machine_that_runs_is_never_removed(struct world *world)
{
    unsigned number = add_made(world);

    world->domains[number].state = MACHINE_RUNNING;
    assert_never_removed(world, number);
}

static void test_a_machine_that_an_operator_saved_is_never_removed(struct world *world)
{
    unsigned number = add_made(world);

    world->domains[number].has_saved = true;
    assert_never_removed(world, number);
}

static void test_a_replacement_that_was_stopped_on_purpose_is_never_removed(struct world *world)
{
    unsigned web = world_add(world, "web", WEB, MACHINE_RUNNING);
    unsigned base = world_add(world, "base", WEB, MACHINE_TEMPLATE);

    world->domains[base].template = "base";
    world_connect_all(world);
    set_keep(world, KEPT);
    world_kill(world, web);
    world_pass(world, SETTLED);
    world_expect(world, web, RECOVERY_RECOVERED);
    world_shut_down(world, base);
    pass(world, 4 * KEPT);
    assert_int_equal(world->domains[base].unmakes, 0);
}

/* An operator changed his mind. */
static void test_another_role_calls_it_off(struct world *world)
{
    unsigned number = furnish(world);

    pass(world, KEPT - DAY);
    assert_true(removal_us(world, number) > 0);
    world->domains[number].role = "protected";
    world_tell(world, number, EVENT_CHANGED);
    world_drive(world);
    pass(world, 2 * DAY);
    assert_int_equal(removal_us(world, number), 0);
    assert_int_equal(world->domains[number].unmakes, 0);
    world->domains[number].role = "ignored";
    world_tell(world, number, EVENT_CHANGED);
    world_drive(world);
    pass(world, KEPT - DAY);
    assert_int_equal(world->domains[number].unmakes, 0);
    pass(world, 2 * DAY);
    assert_int_equal(world->domains[number].unmakes, 1);
}

static void test_a_longer_time_takes_the_announcement_back(struct world *world)
{
    unsigned number = furnish(world);

    pass(world, KEPT - DAY);
    assert_true(removal_us(world, number) > 0);
    set_keep(world, 3 * KEPT);
    pass(world, 2 * KEPT - 8 * DAY);
    assert_int_equal(removal_us(world, number), 0);
    assert_int_equal(world->domains[number].unmakes, 0);
    pass(world, 9 * DAY + HOUR);
    assert_int_equal(world->domains[number].unmakes, 1);
}

/* Nobody would have read of it. */
static void test_a_shorter_time_is_announced_first(struct world *world)
{
    unsigned number = furnish(world);

    set_keep(world, 2 * KEPT);
    pass(world, KEPT);
    set_keep(world, 8 * DAY);
    pass(world, EXPIRY_NOTICE_US - HOUR);
    assert_int_equal(world->domains[number].unmakes, 0);
    pass(world, 3 * HOUR);
    assert_int_equal(world->domains[number].unmakes, 1);
}

static void test_the_time_goes_on_while_the_daemon_is_dead(struct world *world)
{
    unsigned number = furnish(world);

    pass(world, KEPT - DAY);
    assert_true(removal_us(world, number) > 0);
    world_stop_daemon(world);
    world->now.mono_us += DAY;
    world->now.real_us += DAY;
    world_start_daemon(world);
    world_connect_all(world);
    pass(world, 2 * HOUR);
    assert_int_equal(world->domains[number].unmakes, 1);
}

/* What was not announced is not removed, however long the daemon was away. */
static void test_it_is_announced_first_after_a_long_absence_of_the_daemon(struct world *world)
{
    unsigned number = furnish(world);

    pass(world, DAY);
    world_stop_daemon(world);
    world->now.mono_us += 10 * KEPT;
    world->now.real_us += 10 * KEPT;
    world_start_daemon(world);
    world_connect_all(world);
    pass(world, EXPIRY_NOTICE_US - HOUR);
    assert_true(removal_us(world, number) > 0);
    assert_int_equal(world->domains[number].unmakes, 0);
    pass(world, 3 * HOUR);
    assert_int_equal(world->domains[number].unmakes, 1);
}

/* Nothing says that the time has really passed. */
static void test_it_is_announced_anew_when_the_clock_has_jumped(struct world *world)
{
    unsigned number = furnish(world);

    pass(world, KEPT - DAY);
    assert_true(removal_us(world, number) > 0);
    world->now.real_us += 10 * KEPT;
    coordinator_handle_clock_jump(world->coordinator, world->now);
    world_drive(world);
    pass(world, EXPIRY_NOTICE_US - HOUR);
    assert_true(removal_us(world, number) > world->now.real_us);
    assert_int_equal(world->domains[number].unmakes, 0);
    pass(world, 3 * HOUR);
    assert_int_equal(world->domains[number].unmakes, 1);
}

/* A clock that is wrong at boot is set some minutes later. */
static void test_nothing_is_removed_in_the_first_hour_of_the_daemon(struct world *world)
{
    unsigned number = furnish(world);

    pass(world, KEPT - DAY);
    world_stop_daemon(world);
    world->now.real_us += 10 * KEPT;
    world->now.mono_us += HOUR;
    world_start_daemon(world);
    world_connect_all(world);
    pass(world, HOUR / 2);
    assert_int_equal(world->domains[number].unmakes, 0);
    pass(world, 2 * HOUR);
    assert_int_equal(world->domains[number].unmakes, 1);
}

/* An operator looked something up in it. */
static void test_the_time_begins_anew_when_it_has_run(struct world *world)
{
    unsigned number = furnish(world);

    pass(world, KEPT - 2 * DAY);
    world_boot(world, number);
    world_shut_down(world, number);
    pass(world, KEPT - DAY);
    assert_int_equal(world->domains[number].unmakes, 0);
    pass(world, 2 * DAY);
    assert_int_equal(world->domains[number].unmakes, 1);
}

static void test_an_observer_removes_nothing(struct world *world)
{
    unsigned number = furnish(world);

    world->config.mode = MODE_OBSERVE;
    set_keep(world, KEPT);
    pass(world, 2 * KEPT);
    assert_true(removal_us(world, number) > 0);
    assert_int_equal(world->domains[number].unmakes, 0);
}

static void test_what_cannot_be_removed_is_tried_again(struct world *world)
{
    unsigned number = furnish(world);

    world->domains[number].unmake_error = -EBUSY;
    pass(world, KEPT + HOUR);
    assert_in_range(world->domains[number].unmakes, 1, 2);
    assert_non_null(strstr(world->last_text[NOTICE_EVENT_NOTED], "could not be removed: refused by"));
    pass(world, 10 * HOUR);
    assert_in_range(world->domains[number].unmakes, 9, 13);
    world->domains[number].unmake_error = 0;
    pass(world, 2 * HOUR);
    assert_false(world->domains[number].exists);
}

/* Its disks are those of the machine that runs. */
static void test_what_was_migrated_is_never_removed_where_it_was(struct world *world)
{
    unsigned here = add_made(world);
    unsigned there = world_add_on(world, OTHER, "web-1a2b", MACHINE_RUNNING);

    world->domains[there].uuid_of = here + 1;
    world->domains[there].template = "base";
    world->domains[there].role = "ignored";
    assert_never_removed(world, here);
    world->domains[there].exists = false;
    world_tell(world, there, EVENT_UNDEFINED);
    world_drive(world);
    pass(world, 2 * KEPT);
    assert_int_equal(world->domains[here].unmakes, 0);
}

static void test_what_libvirt_says_was_migrated_is_never_removed(struct world *world)
{
    unsigned number = add_made(world);

    world->domains[number].reason = REASON_MIGRATED;
    assert_never_removed(world, number);
    world->domains[number].reason = REASON_UNKNOWN; /* libvirtd was restarted */
    world_disconnect(world, LOCAL);
    world_connect(world, LOCAL);
    world_drive(world);
    pass(world, 2 * KEPT);
    assert_int_equal(world->domains[number].unmakes, 0);
}

/* What failed is tried again within the hour, and meanwhile it was announced for later. */
static void test_a_try_that_failed_is_not_repeated_before_the_new_time(struct world *world)
{
    unsigned number = furnish(world);

    set_keep(world, 2 * DAY);
    world->domains[number].unmake_error = -EBUSY;
    pass(world, 2 * DAY + 2 * HOUR);
    assert_true(world->domains[number].unmakes > 0);
    world->domains[number].unmake_error = 0;
    world_boot(world, number);
    world_drive(world);
    world_shut_down(world, number);
    pass(world, DAY);
    assert_true(removal_us(world, number) > world->now.real_us);
    assert_true(world->domains[number].exists);
    pass(world, 2 * DAY);
    assert_false(world->domains[number].exists);
}

/* ---- standbys that are made in advance ---- */

static unsigned furnish_with_standby(struct world *world)
{
    unsigned base;

    world_add(world, "web", WEB, MACHINE_RUNNING);
    base = world_add(world, "base", WEB, MACHINE_TEMPLATE);
    world->domains[base].template = "base";
    world->config.standby.warm = 1;
    world->config.standby.made_max = 1;
    return base;
}

static void test_a_standby_that_is_made_is_no_leftover(struct world *world)
{
    unsigned base = furnish_with_standby(world);

    world_connect_all(world);
    world_pass(world, SETTLED);
    assert_string_equal(world->domains[base].role, "standby");
    assert_int_equal(world->domains[base].state, MACHINE_PAUSED);
    pass(world, DAY);
    assert_int_equal(world->domains[base].unmakes, 0);
}

/* Before its metadata could be written. */
static void test_a_standby_that_served_and_crashed_at_once_stands_by_no_more(struct world *world)
{
    unsigned base = furnish_with_standby(world);

    world_add(world, "c", "language/nodejs database/mysql", MACHINE_SHUT_OFF);
    world_connect_all(world);
    world_pass(world, SETTLED);
    world->domains[base].metadata_error = -EIO;
    world_kill(world, 0);
    world_pass(world, SETTLED);
    world_expect(world, 0, RECOVERY_RECOVERED);
    assert_string_equal(world->domains[base].role, "standby");
    world_kill(world, base);
    world_pass(world, SETTLED);
    world->domains[base].metadata_error = 0;
    pass(world, HOUR);
    assert_string_equal(world->domains[base].role, "ignored");
}

/* What is out of reach replaces nothing: another one is made where it can be. */
static void test_a_standby_on_a_host_that_is_away_counts_no_longer(struct world *world)
{
    unsigned here = furnish_with_standby(world);
    unsigned there = world_add_on(world, OTHER, "base", MACHINE_TEMPLATE);

    world->domains[there].features = WEB;
    world->domains[there].template = "base";
    world_connect_all(world);
    world_pass(world, SETTLED);
    assert_int_equal(world->domains[here].starts + world->domains[there].starts, 1);
    if (world->domains[there].starts == 0)
        return; /* the first one was made beside the service: nothing else is to be had there */
    world_disconnect(world, OTHER);
    world_pass(world, 600 * USEC_PER_SEC);
    assert_int_equal(world->domains[here].starts, 1);
}

static void test_a_standby_that_a_dead_daemon_was_making_is_removed(struct world *world)
{
    unsigned base = furnish_with_standby(world);

    world_connect_all(world);
    world_stop_daemon(world);
    world->domains[base].state = MACHINE_SHUT_OFF;
    world->domains[base].role = "ignored";
    world->domains[base].is_unfinished = world->domains[base].is_made_standby = true;
    world->domains[base].has_parts = true;
    world->config.standby.warm = 0;
    world_start_daemon(world);
    world_connect_all(world);
    pass(world, world->config.recovery.late_start_us + HOUR);
    assert_int_equal(world->domains[base].unmakes, 1);
    assert_false(world->domains[base].has_parts);
}

/* No record says that it was being made. */
static void test_a_standby_that_was_being_made_is_removed_though_the_records_are_lost(struct world *world)
{
    unsigned base = furnish_with_standby(world);

    world->domains[base].state = MACHINE_SHUT_OFF;
    world->domains[base].role = "ignored";
    world->domains[base].is_unfinished = world->domains[base].is_made_standby = true;
    world->domains[base].has_parts = true;
    world->config.standby.warm = 0;
    world_connect_all(world);
    world_pass(world, USEC_PER_SEC);
    assert_int_equal(world->domains[base].unmakes, 1);
}

static void test_an_unfinished_standby_that_an_operator_has_started_is_left_alone(struct world *world)
{
    unsigned base = furnish_with_standby(world);

    world->domains[base].state = MACHINE_RUNNING;
    world->domains[base].role = "ignored";
    world->domains[base].is_unfinished = world->domains[base].is_made_standby = true;
    world->config.standby.warm = 0;
    world_connect_all(world);
    pass(world, DAY);
    assert_int_equal(world->domains[base].unmakes, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        world_test(test_it_is_announced_and_then_removed),
        world_test(test_without_the_key_it_is_kept),
        world_test(test_a_machine_that_was_not_made_is_never_removed),
        world_test(test_a_standby_is_never_removed),
        world_test(test_a_protected_machine_is_never_removed),
        world_test(test_a_machine_that_runs_is_never_removed),
        world_test(test_a_machine_that_an_operator_saved_is_never_removed),
        world_test(test_a_replacement_that_was_stopped_on_purpose_is_never_removed),
        world_test(test_another_role_calls_it_off),
        world_test(test_a_longer_time_takes_the_announcement_back),
        world_test(test_a_shorter_time_is_announced_first),
        world_test(test_the_time_goes_on_while_the_daemon_is_dead),
        world_test(test_it_is_announced_first_after_a_long_absence_of_the_daemon),
        world_test(test_it_is_announced_anew_when_the_clock_has_jumped),
        world_test(test_nothing_is_removed_in_the_first_hour_of_the_daemon),
        world_test(test_the_time_begins_anew_when_it_has_run),
        world_test(test_an_observer_removes_nothing),
        world_test(test_what_cannot_be_removed_is_tried_again),
        world_test(test_what_was_migrated_is_never_removed_where_it_was),
        world_test(test_what_libvirt_says_was_migrated_is_never_removed),
        world_test(test_a_try_that_failed_is_not_repeated_before_the_new_time),
        world_test(test_a_standby_that_served_and_crashed_at_once_stands_by_no_more),
        world_test(test_a_standby_on_a_host_that_is_away_counts_no_longer),
        world_test(test_a_standby_that_is_made_is_no_leftover),
        world_test(test_a_standby_that_a_dead_daemon_was_making_is_removed),
        world_test(test_a_standby_that_was_being_made_is_removed_though_the_records_are_lost),
        world_test(test_an_unfinished_standby_that_an_operator_has_started_is_left_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
