/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What was made from a template and never ran is removed: when, how often that is tried, and what is left alone. */
#include "coordinator/leftovers.h"

#include <errno.h>
#include <string.h>

#include "support.h"
#include "world.h"

#define LESS "language/nodejs database/mysql"
#define LONG (24 * 3600 * USEC_PER_SEC)

/* "a" and "b" run; "base" is a template, which is chosen first; "c" stands by. Not connected. */
struct room {
    unsigned a, b, base, c;
};

static struct room furnish(struct world *world)
{
    struct room room = {
        .a = world_add(world, "a", WEB, MACHINE_RUNNING),
        .b = world_add(world, "b", WEB, MACHINE_RUNNING),
        .base = world_add(world, "base", WEB, MACHINE_TEMPLATE),
        .c = world_add(world, "c", LESS, MACHINE_SHUT_OFF),
    };

    world->domains[room.base].template = "base";
    return room;
}

static struct room furnish_connected(struct world *world)
{
    struct room room = furnish(world);

    world_connect_all(world);
    return room;
}

/* The start of the template fails, and "c" serves for "a". */
static struct room replaced_by_c(struct world *world)
{
    struct room room = furnish_connected(world);

    world->domains[room.base].start_error = -EIO;
    world_kill(world, room.a);
    world_pass(world, SETTLED);
    assert_string_equal(world_expect(world, room.a, RECOVERY_RECOVERED)->replacement_name, "c");
    return room;
}

static bool may_leave_parts(const struct world *world, unsigned failed)
{
    const struct recovery *recovery = NULL;

    assert_int_equal(world_recoveries(world, failed, &recovery), 1);
    assert_string_equal(recovery->attempts[0].name, "base");
    return recovery->attempts[0].may_leave_parts;
}

static void assert_removed(const struct world *world, const struct room *room, unsigned times)
{
    assert_int_equal(world->domains[room->base].unmakes, times);
    assert_false(world->domains[room->base].has_parts);
    assert_false(may_leave_parts(world, room->a));
}

/* ---- a start that failed ---- */

static void test_parts_are_removed_after_a_failed_start(struct world *world)
{
    struct room room = replaced_by_c(world);
    const struct recovery *recovery = world_expect(world, room.a, RECOVERY_RECOVERED);

    assert_removed(world, &room, 1);
    assert_false(world_read_recovery(world, recovery->id)->attempts[0].may_leave_parts);
    world_pass(world, LONG);
    assert_int_equal(world->domains[room.base].unmakes, 1);
}

/* While the next candidate is on its way. */
static void test_parts_are_removed_before_the_recovery_has_ended(struct world *world)
{
    struct room room = furnish(world);

    world->domains[room.c].start_us = 5 * USEC_PER_SEC;
    world_connect_all(world);
    world->domains[room.base].start_error = -EIO;
    world_kill(world, room.a);
    world_pass(world, USEC_PER_SEC);
    assert_removed(world, &room, 1);
}

static void test_parts_are_removed_where_there_is_no_other_candidate(struct world *world)
{
    struct room room = furnish(world);

    world->domains[room.c].exists = false;
    world_connect_all(world);
    world->domains[room.base].start_error = -EIO;
    world_kill(world, room.a);
    world_pass(world, USEC_PER_SEC);
    world_expect(world, room.a, RECOVERY_EXHAUSTED);
    assert_removed(world, &room, 1);
}

/* The other machine of the attempts was there before. */
static void test_no_machine_is_removed_that_was_not_to_be_made(struct world *world)
{
    struct room room = furnish(world);

    world->domains[room.base].exists = false;
    world_connect_all(world);
    world->domains[room.c].start_error = -EIO;
    world_kill(world, room.a);
    world_pass(world, SETTLED);
    world_expect(world, room.a, RECOVERY_EXHAUSTED);
    assert_int_equal(world->asked[ACTION_UNMAKE], 0);
}

static void test_what_is_being_removed_is_not_chosen(struct world *world)
{
    struct room room = furnish_connected(world);

    world->domains[room.base].start_error = -EIO;
    world->holds = 1u << ACTION_UNMAKE;
    world_kill(world, room.a);
    world_pass(world, SETTLED);
    world->domains[room.base].start_error = 0;
    world_kill(world, room.b);
    world_pass(world, SETTLED);
    assert_int_equal(world->domains[room.base].starts, 1);
    world_expect(world, room.b, RECOVERY_EXHAUSTED);
    world_release(world);
    world_pass(world, SETTLED);
    assert_removed(world, &room, 1);
}

/* It takes its time, and listings come in meanwhile. */
static void test_parts_are_asked_for_once(struct world *world)
{
    struct room room = furnish_connected(world);

    world->domains[room.base].start_error = -EIO;
    world->holds = 1u << ACTION_UNMAKE;
    world_kill(world, room.a);
    world_pass(world, 3 * world->config.discovery.resync_interval_us);
    assert_int_equal(world->asked[ACTION_UNMAKE], 1);
    world_release(world);
    assert_removed(world, &room, 1);
}

static void test_parts_of_two_templates(struct world *world)
{
    struct room room = furnish(world);
    unsigned second = world_add(world, "second", WEB, MACHINE_TEMPLATE);

    world->domains[second].template = "second";
    world->domains[second].start_error = -EIO;
    world->domains[room.base].start_error = -EIO;
    world->domains[room.base].unmake_error = -EIO;
    world_connect_all(world);
    world_kill(world, room.a);
    world_pass(world, SETTLED);
    assert_int_equal(world->domains[room.base].unmakes, 1);
    assert_int_equal(world->domains[second].unmakes, 1);
    assert_true(may_leave_parts(world, room.a));
    world_restart_daemon(world);
    world->domains[room.base].unmake_error = 0;
    world_connect_all(world);
    world_pass(world, SETTLED);
    assert_removed(world, &room, 2);
    assert_int_equal(world->domains[second].unmakes, 1);
}

static void assert_in_quarantine(const struct world *world, const struct room *room)
{
    assert_true(machine_rare(world_machine(world, room->base))->quarantined_until_us >
                world->now.mono_us + 3000 * USEC_PER_SEC);
}

static struct room in_quarantine(struct world *world)
{
    struct room room = furnish(world);

    world->config.recovery.quarantine_us = 3600 * USEC_PER_SEC;
    assert_int_equal(coordinator_configure(world->coordinator, &world->config), 0);
    world_connect_all(world);
    world->domains[room.base].start_error = -EIO;
    world_kill(world, room.a);
    world_pass(world, SETTLED);
    return room;
}

static void test_the_quarantine_of_a_template_is_not_shortened(struct world *world)
{
    struct room room = in_quarantine(world);

    assert_removed(world, &room, 1);
    assert_in_quarantine(world, &room);
}

/* Its domain is defined by each start, and is other than the template: nobody has mended anything. */
static void test_what_is_made_ends_no_quarantine(struct world *world)
{
    struct room room = in_quarantine(world);

    world_tell(world, room.base, EVENT_DEFINED);
    world_drive(world);
    assert_in_quarantine(world, &room);
    world->domains[room.base].memory_kib = 3 * GIB_KIB;
    world_pass(world, world->config.discovery.resync_interval_us);
    assert_int_equal(world_machine(world, room.base)->description->memory_kib, 3 * GIB_KIB);
    assert_in_quarantine(world, &room);
}

/* A listing comes in while hooks are asked. */
static void test_what_is_about_to_be_made_is_not_to_be_removed(struct world *world)
{
    struct room room = furnish_connected(world);

    world->holds = 1u << ACTION_HOOK;
    world_kill(world, room.a);
    world_drive(world);
    assert_true(may_leave_parts(world, room.a));
    world_disconnect(world, OTHER);
    world_connect(world, OTHER);
    assert_int_equal(machine_rare(world_machine(world, room.base))->quarantined_until_us, 0);
    world_release(world);
    world_pass(world, SETTLED);
    assert_string_equal(world_expect(world, room.a, RECOVERY_RECOVERED)->replacement_name, "base");
    assert_int_equal(world->asked[ACTION_UNMAKE], 0);
}

/* ---- while it is not known what becomes of it ---- */

static void order_clear(struct world *world, unsigned number)
{
    struct order order = {.kind = ORDER_CLEAR, .machine = machine_ref_of(world_machine(world, number))};
    struct order_answer answer = {0};

    assert_int_equal(coordinator_order(world->coordinator, &order, world->now, &answer), 0);
    order_answer_done(&answer);
}

/* The parts for "a" could not be removed, and an operator lets the template be used again: it is made for "b". */
static struct room made_again_for_b(struct world *world, int start_error)
{
    struct room room = furnish_connected(world);

    world->config.recovery.start_timeout_us = 600 * USEC_PER_SEC;
    assert_int_equal(coordinator_configure(world->coordinator, &world->config), 0);
    world->domains[room.base].start_error = -EIO;
    world->domains[room.base].unmake_error = -EIO;
    world_kill(world, room.a);
    world_pass(world, SETTLED);
    assert_int_equal(world->domains[room.base].unmakes, 1);
    world->domains[room.base].unmake_error = 0;
    world->domains[room.base].start_error = start_error;
    world->domains[room.base].start_us = 90 * USEC_PER_SEC;
    order_clear(world, room.base);
    world_pass(world, 40 * USEC_PER_SEC);
    world->holds = 1u << ACTION_HOOK;
    world_kill(world, room.b);
    world_pass(world, 25 * USEC_PER_SEC);
    assert_string_equal(machine_rare(world_machine(world, room.base))->claimed_by,
                        coordinator_recovery(world->coordinator, 1)->id);
    assert_int_equal(world->domains[room.base].unmakes, 1);
    world->holds = 0;
    world_answer(world, world_find_pending(world, ACTION_HOOK), false);
    world_pass(world, 70 * USEC_PER_SEC);
    assert_int_equal(world->domains[room.base].unmakes, 1);
    return room;
}

static void test_what_another_recovery_makes_meanwhile_is_not_removed(struct world *world)
{
    struct room room = made_again_for_b(world, 0);

    world_pass(world, 60 * USEC_PER_SEC);
    assert_string_equal(world_expect(world, room.b, RECOVERY_RECOVERED)->replacement_name, "base");
    assert_false(may_leave_parts(world, room.a));
    assert_false(may_leave_parts(world, room.b));
    world_shut_down(world, room.base);
    world_pass(world, 600 * USEC_PER_SEC);
    assert_int_equal(world->domains[room.base].unmakes, 1);
}

static void test_it_is_removed_when_the_other_recovery_has_failed_too(struct world *world)
{
    struct room room = made_again_for_b(world, -EIO);

    world_pass(world, 60 * USEC_PER_SEC);
    world_expect(world, room.b, RECOVERY_EXHAUSTED);
    assert_removed(world, &room, 2);
    assert_false(may_leave_parts(world, room.b));
}

/* The answer to its start was lost, its host says that it is not there, and "c" serves. */
static struct room unanswered(struct world *world)
{
    struct room room = furnish(world);

    world->config.discovery.resync_interval_us = 2 * LONG; /* no listing tells anything */
    assert_int_equal(coordinator_configure(world->coordinator, &world->config), 0);
    world_connect_all(world);
    world->holds = 1u << ACTION_START;
    world_kill(world, room.a);
    world_drive(world);
    world_answer_error(world, world_find_pending(world, ACTION_START), -ENOTCONN);
    world_disconnect(world, LOCAL);
    world->holds = 0;
    world->domains[room.base].has_parts = true;
    world_connect(world, LOCAL);
    world_pass(world, SETTLED);
    assert_string_equal(world_expect(world, room.a, RECOVERY_RECOVERED)->replacement_name, "c");
    return room;
}

static int64_t end_of_start_us(const struct world *world, const struct room *room)
{
    const struct config_recovery *config = &world->config.recovery;

    return world_expect(world, room->a, RECOVERY_RECOVERED)->attempts[0].decided.mono_us + config->start_timeout_us +
           config->late_start_us;
}

static void test_a_start_that_was_not_answered_is_waited_for(struct world *world)
{
    struct room room = unanswered(world);
    int64_t end_us = end_of_start_us(world, &room);

    world_pass(world, end_us - world->now.mono_us);
    assert_int_equal(world->asked[ACTION_UNMAKE], 0);
    assert_true(may_leave_parts(world, room.a));
    world_pass(world, 1);
    assert_removed(world, &room, 1);
}

/* It took effect: what is there holds what its guest has written. */
static void test_a_start_that_took_effect_late_leaves_what_its_hypervisor_keeps(struct world *world)
{
    struct room room = unanswered(world);

    world->domains[room.base].state = MACHINE_RUNNING;
    world_tell(world, room.base, EVENT_STARTED_BOOTED);
    world_pass(world, SETTLED);
    assert_int_equal(world->domains[room.base].state, MACHINE_SHUT_OFF);
    world_pass(world, LONG);
    assert_int_equal(world->domains[room.base].unmakes, 1);
    assert_true(world->domains[room.base].has_parts);
    assert_int_equal(world->told[NOTICE_EVENT_NOTED], 1);
    assert_non_null(strstr(world->last_text[NOTICE_EVENT_NOTED], "is kept"));
}

static void test_it_is_waited_for_by_the_next_daemon_too(struct world *world)
{
    struct room room = unanswered(world);
    int64_t end_us = end_of_start_us(world, &room);

    world_restart_daemon(world);
    world_connect_all(world);
    world_pass(world, end_us - world->now.mono_us);
    assert_int_equal(world->asked[ACTION_UNMAKE], 0);
    world_pass(world, 10 * USEC_PER_SEC);
    assert_removed(world, &room, 1);
}

/* ---- after a restart of the daemon ---- */

/* Slots of the next daemon have other UUIDs: what a dead one has left is in no listing, unless it is a domain. */
static void test_parts_that_a_dead_daemon_has_left(struct world *world)
{
    struct room room = furnish(world);

    world->domains[room.base].hypervisor = OTHER;
    world_connect_all(world);
    world->domains[room.base].start_error = -EIO;
    world->holds = 1u << ACTION_UNMAKE;
    world_kill(world, room.a);
    world_pass(world, SETTLED);
    assert_int_equal(world->asked[ACTION_UNMAKE], 1);
    world_stop_daemon(world);
    world->domains[room.base].unmakes = 0;
    world->domains[room.base].has_parts = true;
    world->domains[room.base].exists = false;
    world->holds = 0;
    world_start_daemon(world);
    world_connect(world, LOCAL);
    world_pass(world, SETTLED);
    assert_int_equal(world->domains[room.base].unmakes, 0);
    world_connect(world, OTHER);
    world_pass(world, SETTLED);
    assert_null(world_machine(world, room.base));
    assert_removed(world, &room, 1);
    world_restart_daemon(world);
    world_connect_all(world);
    world_pass(world, SETTLED);
    assert_removed(world, &room, 1);
}

/* The recovery was under way, and goes on with what was made. */
static void test_what_a_dead_daemon_has_begun_is_not_removed_while_its_recovery_goes_on(struct world *world)
{
    struct room room = furnish_connected(world);

    world->domains[room.base].start_us = 5 * USEC_PER_SEC;
    world_kill(world, room.a);
    world_pass(world, USEC_PER_SEC);
    world_restart_daemon(world);
    world_connect_all(world);
    world_pass(world, 2 * SETTLED);
    assert_string_equal(world_expect(world, room.a, RECOVERY_RECOVERED)->replacement_name, "base");
    assert_false(may_leave_parts(world, room.a));
    world_shut_down(world, room.base);
    world_pass(world, LONG);
    assert_int_equal(world->asked[ACTION_UNMAKE], 0);
}

/* ---- what its hypervisor answers ---- */

static void test_what_its_hypervisor_keeps_is_left_alone(struct world *world)
{
    struct room room = furnish_connected(world);
    unsigned told = world->told[NOTICE_EVENT_NOTED];

    world->domains[room.base].start_error = -EIO;
    world->domains[room.base].unmake_error = -EBUSY;
    world_kill(world, room.a);
    world_pass(world, SETTLED);
    assert_int_equal(world->domains[room.base].unmakes, 1);
    assert_int_equal(world->told[NOTICE_EVENT_NOTED], told + 1);
    assert_non_null(strstr(world->last_text[NOTICE_EVENT_NOTED], "base was made for recovery"));
    assert_non_null(strstr(world->last_text[NOTICE_EVENT_NOTED], "is kept: refused by the make-believe storage"));
    world_pass(world, LONG);
    world_restart_daemon(world);
    world_connect_all(world);
    world_pass(world, LONG);
    assert_int_equal(world->domains[room.base].unmakes, 1);
    assert_int_equal(world->told[NOTICE_EVENT_NOTED], told + 1);
}

static void test_what_cannot_be_removed_is_tried_again(struct world *world)
{
    struct room room = furnish_connected(world);
    unsigned told = world->told[NOTICE_EVENT_NOTED];

    world->domains[room.base].start_error = -EIO;
    world->domains[room.base].unmake_error = -EIO;
    world_kill(world, room.a);
    while (world->domains[room.base].unmakes == 0)
        world_pass(world, 1);
    assert_non_null(strstr(world->last_text[NOTICE_EVENT_NOTED],
                           "could not be removed: refused by the make-believe storage; it is tried again"));
    world_pass(world, 60 * USEC_PER_SEC - 1);
    assert_int_equal(world->domains[room.base].unmakes, 1);
    world_pass(world, 1);
    assert_int_equal(world->domains[room.base].unmakes, 2);
    assert_true(may_leave_parts(world, room.a));
    world_pass(world, 60 * USEC_PER_SEC);
    assert_int_equal(world->domains[room.base].unmakes, 3);
    assert_int_equal(world->told[NOTICE_EVENT_NOTED], told + 1);
    world->domains[room.base].unmake_error = 0;
    world_pass(world, 60 * USEC_PER_SEC);
    assert_removed(world, &room, 4);
}

/* Between two tries it is no candidate: its start would meet what is left. */
/* Also between two attempts, when its quarantine is over. */
static void test_what_could_not_be_removed_is_not_chosen(struct world *world)
{
    struct room room = furnish(world);

    world->config.recovery.start_timeout_us = 5 * USEC_PER_SEC;
    world_connect_all(world);
    world->domains[room.base].start_error = -EIO;
    world->domains[room.base].unmake_error = -EIO;
    world_kill(world, room.a);
    world_pass(world, 630 * USEC_PER_SEC);
    world->domains[room.base].start_error = 0;
    world_kill(world, room.b);
    world_pass(world, SETTLED);
    world_expect(world, room.b, RECOVERY_EXHAUSTED);
    assert_int_equal(world->domains[room.base].starts, 1);
}

/* ---- what the operator wants ---- */

/* What was left could not be removed, is a domain, and an operator has started it. */
static struct room started_by_an_operator(struct world *world)
{
    struct room room = furnish_connected(world);

    world->domains[room.base].start_error = -EIO;
    world->domains[room.base].unmake_error = -EIO;
    world_kill(world, room.a);
    world_pass(world, SETTLED);
    assert_int_equal(world->domains[room.base].unmakes, 1);
    world->domains[room.base].state = MACHINE_SHUT_OFF;
    world_boot(world, room.base);
    return room;
}

static void test_what_an_operator_has_started_is_not_asked_for(struct world *world)
{
    struct room room = started_by_an_operator(world);

    world_pass(world, 3600 * USEC_PER_SEC);
    assert_int_equal(world->domains[room.base].unmakes, 1);
}

static void test_what_runs_when_the_daemon_starts_is_not_to_be_removed(struct world *world)
{
    struct room room = started_by_an_operator(world);

    world_restart_daemon(world);
    world_connect_all(world);
    world_pass(world, SETTLED);
    assert_int_equal(machine_rare(world_machine(world, room.base))->quarantined_until_us, 0);
    assert_int_equal(world->domains[room.base].unmakes, 1);
}

static void set_mode(struct world *world, enum mode mode)
{
    world->config.mode = mode;
    assert_int_equal(coordinator_configure(world->coordinator, &world->config), 0);
}

static void test_an_observer_removes_nothing(struct world *world)
{
    struct room room = furnish_connected(world);

    world->domains[room.base].start_error = -EIO;
    world->holds = 1u << ACTION_START;
    world_kill(world, room.a);
    world_drive(world);
    set_mode(world, MODE_OBSERVE);
    world_release(world);
    world_pass(world, 3600 * USEC_PER_SEC);
    assert_int_equal(world->asked[ACTION_UNMAKE], 0);
    assert_true(world->domains[room.base].has_parts);
    set_mode(world, MODE_AUTOMATIC);
    world_pass(world, world->config.discovery.resync_interval_us);
    assert_removed(world, &room, 1);
}

/* It became an observer between two tries. */
static void test_an_observer_does_not_try_again(struct world *world)
{
    struct room room = furnish_connected(world);

    world->domains[room.base].start_error = -EIO;
    world->domains[room.base].unmake_error = -EIO;
    world_kill(world, room.a);
    world_pass(world, SETTLED);
    assert_int_equal(world->domains[room.base].unmakes, 1);
    set_mode(world, MODE_OBSERVE);
    world_pass(world, 600 * USEC_PER_SEC);
    assert_int_equal(world->domains[room.base].unmakes, 1);
    world->domains[room.base].unmake_error = 0;
    set_mode(world, MODE_AUTOMATIC);
    world_pass(world, world->config.discovery.resync_interval_us);
    assert_removed(world, &room, 2);
}

/* ---- what has run ---- */

static void test_a_machine_that_serves_is_never_removed(struct world *world)
{
    struct room room = furnish_connected(world);

    world_kill(world, room.a);
    world_pass(world, SETTLED);
    assert_string_equal(world_expect(world, room.a, RECOVERY_RECOVERED)->replacement_name, "base");
    assert_false(may_leave_parts(world, room.a));
    world_shut_down(world, room.base);
    world_pass(world, LONG);
    assert_int_equal(world->asked[ACTION_UNMAKE], 0);
}

static void test_a_machine_that_ran_and_did_not_take_over_is_kept(struct world *world)
{
    struct room room = furnish_connected(world);

    world_kill(world, room.a);
    world_pass(world, USEC_PER_SEC);
    world_kill(world, room.base);
    world_pass(world, SETTLED);
    assert_string_equal(world_expect(world, room.a, RECOVERY_RECOVERED)->replacement_name, "c");
    assert_int_equal(world->domains[room.base].starts, 1);
    world_pass(world, LONG);
    assert_int_equal(world->asked[ACTION_UNMAKE], 0);
    assert_true(world->domains[room.base].has_parts);
}

/* ---- another one from the same template ---- */

/* Its host lists one more, as after one that came up has failed. */
static void test_a_slot_that_appears_later_is_in_the_quarantine_of_its_template(struct world *world)
{
    struct room room = replaced_by_c(world);
    unsigned later = world_add(world, "base.2", WEB, MACHINE_TEMPLATE);
    unsigned other = world_add(world, "other", WEB, MACHINE_TEMPLATE);

    world->domains[later].template = "base";
    world->domains[other].template = "other";
    world_disconnect(world, LOCAL);
    world_connect(world, LOCAL);
    world_drive(world);
    assert_true(machine_rare(world_machine(world, room.base))->quarantined_until_us > world->now.mono_us);
    assert_int_equal(machine_rare(world_machine(world, later))->quarantined_until_us,
                     machine_rare(world_machine(world, room.base))->quarantined_until_us);
    assert_int_equal(machine_rare(world_machine(world, other))->quarantined_until_us, 0);
}

/* ---- its name ---- */

static void test_what_was_made_is_told_of_by_its_own_name(struct world *world)
{
    struct room room = furnish_connected(world);
    const struct recovery *recovery, *stored;

    world->domains[room.base].made_name = "a-1a2b";
    world_kill(world, room.a);
    world_pass(world, SETTLED);
    recovery = world_expect(world, room.a, RECOVERY_RECOVERED);
    stored = world_read_recovery(world, recovery->id);
    assert_string_equal(recovery->replacement_name, "a-1a2b");
    assert_string_equal(recovery->attempts[0].name, "a-1a2b");
    assert_string_equal(stored->replacement_name, "a-1a2b");
    assert_string_equal(stored->attempts[0].name, "a-1a2b");
    assert_non_null(strstr(world->last_text[NOTICE_RECOVERED], "a-1a2b"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        world_test(test_parts_are_removed_after_a_failed_start),
        world_test(test_parts_are_removed_before_the_recovery_has_ended),
        world_test(test_parts_are_removed_where_there_is_no_other_candidate),
        world_test(test_no_machine_is_removed_that_was_not_to_be_made),
        world_test(test_what_is_being_removed_is_not_chosen),
        world_test(test_what_another_recovery_makes_meanwhile_is_not_removed),
        world_test(test_it_is_removed_when_the_other_recovery_has_failed_too),
        world_test(test_a_start_that_was_not_answered_is_waited_for),
        world_test(test_a_start_that_took_effect_late_leaves_what_its_hypervisor_keeps),
        world_test(test_it_is_waited_for_by_the_next_daemon_too),
        world_test(test_parts_that_a_dead_daemon_has_left),
        world_test(test_what_a_dead_daemon_has_begun_is_not_removed_while_its_recovery_goes_on),
        world_test(test_what_its_hypervisor_keeps_is_left_alone),
        world_test(test_what_cannot_be_removed_is_tried_again),
        world_test(test_what_could_not_be_removed_is_not_chosen),
        world_test(test_parts_are_asked_for_once),
        world_test(test_parts_of_two_templates),
        world_test(test_the_quarantine_of_a_template_is_not_shortened),
        world_test(test_what_is_made_ends_no_quarantine),
        world_test(test_what_is_about_to_be_made_is_not_to_be_removed),
        world_test(test_what_an_operator_has_started_is_not_asked_for),
        world_test(test_what_runs_when_the_daemon_starts_is_not_to_be_removed),
        world_test(test_an_observer_removes_nothing),
        world_test(test_an_observer_does_not_try_again),
        world_test(test_a_machine_that_serves_is_never_removed),
        world_test(test_a_machine_that_ran_and_did_not_take_over_is_kept),
        world_test(test_a_slot_that_appears_later_is_in_the_quarantine_of_its_template),
        world_test(test_what_was_made_is_told_of_by_its_own_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
