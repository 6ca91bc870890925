/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whether a machine that says it runs does: the heartbeat of guests and its second witness, verification of
 * replacements, and a clock that jumped.
 */
#include <errno.h>
#include <string.h>

#include "support.h"
#include "world.h"

#define BEAT (30 * USEC_PER_SEC)

/* Until the next heartbeat is answered. */
static void beat(struct world *world)
{
    world_pass(world, BEAT);
}

/* A guest with an agent that runs and has answered, and one that could take over. */
static unsigned add_guest(struct world *world)
{
    unsigned guest;

    world->config.failure.heartbeat.is_enabled = true;
    assert_int_equal(coordinator_configure(world->coordinator, &world->config), 0);
    guest = world_add(world, "a", WEB, MACHINE_RUNNING);
    world->domains[guest].has_agent = true;
    world_add(world, "b", WEB, MACHINE_SHUT_OFF);
    world_connect_all(world);
    world_pass(world, SETTLED);
    beat(world);
    return guest;
}

/* ---- heartbeat ---- */

static void test_a_guest_that_answers_is_left_alone(struct world *world)
{
    unsigned before;

    add_guest(world);
    before = world->asked[ACTION_CHECK_ALIVE];
    for (int i = 0; i < 20; i++)
        beat(world);
    assert_int_equal(world->asked[ACTION_CHECK_ALIVE], before + 20); /* of a alone: b is off */
    assert_int_equal(coordinator_recovery_count(world->coordinator), 0);
}

static void test_a_hung_guest_is_replaced_after_so_many_misses(struct world *world)
{
    unsigned a = add_guest(world), asked;

    world->domains[a].is_mute = true;
    asked = world->asked[ACTION_CHECK_ALIVE];
    while (coordinator_recovery_count(world->coordinator) == 0) {
        assert_true(world->asked[ACTION_CHECK_ALIVE] < asked + 3);
        beat(world);
    }
    assert_int_equal(world->asked[ACTION_CHECK_ALIVE], asked + 3);
    world_pass(world, SETTLED);
    assert_int_equal(world_expect(world, a, RECOVERY_RECOVERED)->cause, CAUSE_HUNG);
    assert_int_equal(world->domains[a].destroys, 1); /* its remains hold its disks: ended first */
    assert_int_equal(world->domains[a].state, MACHINE_SHUT_OFF);
    world_pass(world, 20 * BEAT);
    assert_int_equal(coordinator_recovery_count(world->coordinator), 1);
}

static void test_misses_must_come_in_a_row(struct world *world)
{
    unsigned a = add_guest(world);

    for (int i = 0; i < 30; i++) {
        world->domains[a].is_mute = i % 3 != 0; /* two misses, then an answer */
        beat(world);
    }
    assert_int_equal(coordinator_recovery_count(world->coordinator), 0);
}

/* The second witness: it reads its disk, so it lives, however slow its agent is. */
static void test_a_busy_guest_that_answers_slowly_is_not_replaced(struct world *world)
{
    unsigned a = add_guest(world);

    world->domains[a].is_mute = true;
    for (int i = 0; i < 30; i++) {
        world->domains[a].activity++;
        beat(world);
    }
    assert_int_equal(coordinator_recovery_count(world->coordinator), 0);
    for (int i = 0; i < 4; i++) /* then it falls silent */
        beat(world);
    assert_int_equal(coordinator_recovery_count(world->coordinator), 1);
}

static void test_activity_in_between_starts_the_count_anew(struct world *world)
{
    unsigned a = add_guest(world);

    world->domains[a].is_mute = true;
    for (int i = 0; i < 30; i++) {
        if (i % 2 == 0)
            world->domains[a].activity++; /* never silent for three in a row */
        beat(world);
    }
    assert_int_equal(coordinator_recovery_count(world->coordinator), 0);
}

static void test_a_hypervisor_that_does_not_answer_says_nothing_about_the_guest(struct world *world)
{
    static const int errors[] = {-ETIMEDOUT, -EIO, -ENOTCONN};
    unsigned a = add_guest(world);

    world->domains[a].is_mute = true;
    world->holds = 1u << ACTION_CHECK_ALIVE;
    for (unsigned i = 0; i < 15; i++) {
        beat(world);
        world_answer_error(world, world_find_pending(world, ACTION_CHECK_ALIVE), errors[i % ELEMENTS_OF(errors)]);
    }
    assert_int_equal(coordinator_recovery_count(world->coordinator), 0);
}

static void test_a_probe_under_way_is_not_asked_again(struct world *world)
{
    unsigned asked;

    add_guest(world);
    world->holds = 1u << ACTION_CHECK_ALIVE;
    asked = world->asked[ACTION_CHECK_ALIVE];
    world_pass(world, 10 * BEAT);
    assert_int_equal(world->asked[ACTION_CHECK_ALIVE], asked + 1);
    world_release(world);
    beat(world);
    assert_int_equal(world->asked[ACTION_CHECK_ALIVE], asked + 2);
}

static void test_no_guest_is_asked_over_a_lost_connection(struct world *world)
{
    unsigned a = add_guest(world), asked;

    world->domains[a].is_mute = true;
    world_disconnect(world, 0);
    asked = world->asked[ACTION_CHECK_ALIVE];
    world_pass(world, 10 * BEAT);
    assert_int_equal(world->asked[ACTION_CHECK_ALIVE], asked);
    assert_int_equal(coordinator_recovery_count(world->coordinator), 0);
    world->domains[a].is_mute = false;
    world_connect(world, 0);
    world_pass(world, 10 * BEAT);
    assert_true(world->asked[ACTION_CHECK_ALIVE] > asked);
    assert_int_equal(coordinator_recovery_count(world->coordinator), 0);
}

static void test_a_heartbeat_that_is_switched_off_acts_no_more(struct world *world)
{
    unsigned a = add_guest(world), asked;

    world->domains[a].is_mute = true;
    beat(world);
    beat(world);
    world->holds = 1u << ACTION_CHECK_ALIVE;
    beat(world); /* the third is under way */
    world->config.failure.heartbeat.is_enabled = false;
    assert_int_equal(coordinator_configure(world->coordinator, &world->config), 0);
    world_release(world);
    asked = world->asked[ACTION_CHECK_ALIVE];
    world_pass(world, 10 * BEAT);
    assert_int_equal(world->asked[ACTION_CHECK_ALIVE], asked);
    assert_int_equal(coordinator_recovery_count(world->coordinator), 0);
}

static void test_a_machine_that_is_paused_meanwhile_is_not_hung(struct world *world)
{
    unsigned a = add_guest(world);

    world->domains[a].is_mute = true;
    beat(world);
    beat(world);
    world->holds = 1u << ACTION_CHECK_ALIVE;
    beat(world);
    world_happen(world, a, EVENT_SUSPENDED_PAUSED);
    world_release(world);
    world_pass(world, 10 * BEAT);
    assert_int_equal(coordinator_recovery_count(world->coordinator), 0);
}

static void test_who_is_not_protected_or_has_no_agent_is_not_asked(struct world *world)
{
    unsigned a = add_guest(world), asked;

    world->domains[a].role = "standby";
    world_tell(world, a, EVENT_CHANGED);
    world->domains[world_add(world, "c", WEB, MACHINE_RUNNING)].is_mute = true;
    world_tell(world, 2, EVENT_DEFINED);
    world_drive(world);
    asked = world->asked[ACTION_CHECK_ALIVE];
    world_pass(world, 10 * BEAT);
    assert_int_equal(world->asked[ACTION_CHECK_ALIVE], asked);
    assert_int_equal(coordinator_recovery_count(world->coordinator), 0);
}

/* Its recovery was dropped because it was not looked at for a while: it is found anew. */
static void test_a_guest_that_hangs_on_after_a_lost_connection_is_replaced(struct world *world)
{
    unsigned a = add_guest(world);
    const struct recovery *last;

    world->domains[a].is_mute = true;
    world->holds = 1u << ACTION_DESTROY;
    while (world->asked[ACTION_DESTROY] == 0)
        beat(world);
    world_disconnect(world, 0);
    world_answer_error(world, 0, -ENOTCONN);
    world->holds = 0;
    world_connect(world, 0);
    world_pass(world, SETTLED);
    assert_int_equal(world_recoveries(world, a, &last), 1);
    assert_int_equal(last->state, RECOVERY_DISMISSED);
    for (int i = 0; i < 4; i++)
        beat(world);
    assert_int_equal(world_recoveries(world, a, &last), 2);
    assert_int_equal(last->state, RECOVERY_RECOVERED);
}

static void test_an_observer_tells_of_a_hung_guest_once(struct world *world)
{
    unsigned a;

    world->config.mode = MODE_OBSERVE;
    a = add_guest(world);
    world->domains[a].is_mute = true;
    world_pass(world, 20 * BEAT);
    world_expect(world, a, RECOVERY_OBSERVED);
    assert_int_equal(world->domains[a].destroys, 0);
    world->domains[a].is_mute = false;
    beat(world);
    world->domains[a].is_mute = true; /* it came to life in between: a new failure */
    world_pass(world, 20 * BEAT);
    assert_int_equal(coordinator_recovery_count(world->coordinator), 2);
}

/* Two healthy guests were declared hung, and destroyed, while they booted. */
static void test_an_agent_that_has_not_answered_yet_is_not_missed(struct world *world)
{
    unsigned a;

    world->config.failure.heartbeat.is_enabled = true;
    a = world_add(world, "a", WEB, MACHINE_RUNNING);
    world->domains[a].has_agent = world->domains[a].is_mute = true;
    world_add(world, "b", WEB, MACHINE_SHUT_OFF);
    assert_int_equal(coordinator_configure(world->coordinator, &world->config), 0);
    world_connect_all(world);
    world_pass(world, 20 * BEAT);
    assert_true(world->asked[ACTION_CHECK_ALIVE] >= 20);
    assert_int_equal(coordinator_recovery_count(world->coordinator), 0);
    world->domains[a].is_mute = false;
    beat(world);
    world->domains[a].is_mute = true;
    world_pass(world, 4 * BEAT);
    assert_int_equal(coordinator_recovery_count(world->coordinator), 1);
}

static void test_a_guest_that_reboots_has_to_answer_anew(struct world *world)
{
    unsigned a = add_guest(world);

    world->domains[a].is_mute = true;
    beat(world);
    beat(world);
    world_happen(world, a, EVENT_REBOOT);
    world_pass(world, 20 * BEAT);
    assert_int_equal(coordinator_recovery_count(world->coordinator), 0);
}

/* What an earlier life of it did not answer is not counted to this one. */
static void test_a_machine_that_is_started_anew_has_to_answer_anew(struct world *world)
{
    unsigned a = add_guest(world);

    world->domains[a].is_mute = true;
    beat(world);
    beat(world);
    world_happen(world, a, EVENT_STOPPED_SHUTDOWN);
    world_boot(world, a);
    world_pass(world, 20 * BEAT);
    assert_int_equal(coordinator_recovery_count(world->coordinator), 0);
}

/* Its guest may have been rebooted meanwhile. */
static void test_a_guest_that_was_out_of_reach_has_to_answer_anew(struct world *world)
{
    unsigned a = add_guest(world);

    world_disconnect(world, 0);
    world->domains[a].is_mute = true;
    world_connect(world, 0);
    world_pass(world, 20 * BEAT);
    assert_int_equal(coordinator_recovery_count(world->coordinator), 0);
}

/* A listing is no loss of the connection. */
static void test_a_guest_that_is_listed_again_has_answered(struct world *world)
{
    unsigned a = add_guest(world);

    world->config.discovery.resync_interval_us = 10 * USEC_PER_SEC;
    assert_int_equal(coordinator_configure(world->coordinator, &world->config), 0);
    world_pass(world, BEAT + BEAT / 2);
    world->domains[a].is_mute = true;
    world_pass(world, 4 * BEAT);
    assert_int_equal(coordinator_recovery_count(world->coordinator), 1);
}

static void test_a_guest_without_a_second_witness_never_hangs(struct world *world)
{
    unsigned a = add_guest(world);

    world->domains[a].is_mute = world->domains[a].has_no_counters = true;
    world_pass(world, 20 * BEAT);
    world->domains[a].is_stopped = true; /* it has no disk that would be silent */
    world_pass(world, 20 * BEAT);
    assert_int_equal(coordinator_recovery_count(world->coordinator), 0);
}

/* A QEMU that is stopped cannot say what its disks did. */
static void test_the_disks_of_a_machine_that_does_not_execute_are_silent(struct world *world)
{
    unsigned a = add_guest(world);

    world->domains[a].disk = "/images/a";
    world_tell(world, a, EVENT_CHANGED);
    world_pass(world, SETTLED);
    world->domains[a].is_mute = world->domains[a].has_no_counters = true;
    world_pass(world, 4 * BEAT); /* its monitor may be busy */
    assert_int_equal(coordinator_recovery_count(world->coordinator), 0);
    world->domains[a].is_stopped = true;
    world_pass(world, 4 * BEAT);
    assert_int_equal(coordinator_recovery_count(world->coordinator), 1);
}

/* ---- verification ---- */

static void test_recovered_is_said_when_the_agent_answers(struct world *world)
{
    unsigned a = world_add(world, "a", WEB, MACHINE_RUNNING), b = world_add(world, "b", WEB, MACHINE_SHUT_OFF);

    world->domains[b].has_agent = true;
    world->domains[b].is_mute = true; /* it boots */
    world_connect_all(world);
    world_kill(world, a);
    world_pass(world, 60 * USEC_PER_SEC);
    world_expect(world, a, RECOVERY_VERIFYING);
    assert_int_equal(world->told[NOTICE_STARTED], 1);
    assert_int_equal(world->told[NOTICE_RECOVERED], 0);
    world->domains[b].is_mute = false;
    world_pass(world, 2 * USEC_PER_SEC);
    world_expect(world, a, RECOVERY_RECOVERED);
    assert_int_equal(world->told[NOTICE_RECOVERED], 1);
}

static void test_a_replacement_that_never_answers_is_followed_by_the_next(struct world *world)
{
    unsigned a = world_add(world, "a", WEB, MACHINE_RUNNING), b = world_add(world, "b", WEB, MACHINE_SHUT_OFF);

    world->domains[b].has_agent = true;
    world->domains[b].is_mute = true;
    world_add(world, "c", WEB, MACHINE_SHUT_OFF);
    world_connect_all(world);
    world_kill(world, a);
    world_pass(world, 200 * USEC_PER_SEC);
    assert_string_equal(world_expect(world, a, RECOVERY_RECOVERED)->replacement_name, "c");
    assert_int_equal(world->domains[b].state, MACHINE_SHUT_OFF);
    assert_int_equal(coordinator_recovery_count(world->coordinator), 1);
}

/* ---- a clock that jumped ---- */

static void test_after_a_clock_jump_acting_waits_and_watching_goes_on(struct world *world)
{
    unsigned a = world_add(world, "a", WEB, MACHINE_RUNNING);

    world_add(world, "b", WEB, MACHINE_SHUT_OFF);
    world_connect_all(world);
    world->holds = 1u << ACTION_LIST;
    coordinator_handle_clock_jump(world->coordinator, world->now);
    world_drive(world);
    assert_int_equal(world->told[NOTICE_CLOCK_JUMPED], 1);
    world_kill(world, a);
    world_pass(world, SETTLED);
    assert_int_equal(world->told[NOTICE_FAILURE_DETECTED], 1);
    world_expect(world, a, RECOVERY_SELECTING);
    assert_int_equal(world->asked[ACTION_START], 0);
    world_release(world);
    world_pass(world, SETTLED);
    world_expect(world, a, RECOVERY_RECOVERED);
}

/* What happened while the host slept is in no event. */
static void test_a_candidate_that_was_started_while_the_host_slept(struct world *world)
{
    unsigned a = world_add(world, "a", WEB, MACHINE_RUNNING), b = world_add(world, "b", WEB, MACHINE_SHUT_OFF);
    unsigned c = world_add(world, "c", WEB, MACHINE_SHUT_OFF);

    world_connect_all(world);
    world->domains[b].state = MACHINE_RUNNING;
    world_kill_silently(world, a);
    coordinator_handle_clock_jump(world->coordinator, world->now);
    world_pass(world, SETTLED);
    world_expect(world, a, RECOVERY_RECOVERED);
    assert_int_equal(world->domains[b].starts, 0);
    assert_int_equal(world->domains[c].starts, 1);
}

static void test_a_listing_from_before_the_jump_is_not_the_new_one(struct world *world)
{
    unsigned a = world_add(world, "a", WEB, MACHINE_RUNNING);

    world_add(world, "b", WEB, MACHINE_SHUT_OFF);
    world_connect_all(world);
    world->holds = 1u << ACTION_LIST;
    world_pass(world, world->config.discovery.resync_interval_us); /* the usual one is under way */
    coordinator_handle_clock_jump(world->coordinator, world->now);
    world_drive(world);
    for (unsigned i = 0; i < world->n_hosts; i++)
        world_answer(world, 0, true);
    world_kill(world, a);
    world_pass(world, USEC_PER_SEC);
    assert_int_equal(world->asked[ACTION_START], 0);
    world_release(world);
    world_pass(world, SETTLED);
    world_expect(world, a, RECOVERY_RECOVERED);
}

static void test_a_decision_from_before_the_jump_is_not_carried_out_before_the_new_listing(struct world *world)
{
    unsigned a = world_add(world, "a", WEB, MACHINE_RUNNING);

    world_add(world, "b", WEB, MACHINE_SHUT_OFF);
    world_connect_all(world);
    world->holds = 1u << ACTION_RECORD | 1u << ACTION_LIST;
    world_kill(world, a);
    world_drive(world);
    world_expect(world, a, RECOVERY_RECORDING);
    coordinator_handle_clock_jump(world->coordinator, world->now);
    world_drive(world);
    world_answer(world, world_find_pending(world, ACTION_RECORD), false);
    world_pass(world, USEC_PER_SEC);
    assert_int_equal(world->asked[ACTION_START], 0);
    world_release(world);
    world_pass(world, SETTLED);
    world_expect(world, a, RECOVERY_RECOVERED);
}

/* Who there is is not known yet: the best may be in the listing. But a listing that never comes stops nothing. */
static void test_a_choice_waits_for_a_listing_and_not_for_ever(struct world *world)
{
    for (int comes = 0; comes < 2; comes++) {
        unsigned a;

        world_end(world);
        world_begin(world);
        a = world_add(world, "a", WEB, MACHINE_RUNNING);
        world_add(world, "b", "language/nodejs database/mysql", MACHINE_SHUT_OFF);
        world->domains[world_add(world, "best", WEB, MACHINE_SHUT_OFF)].hypervisor = 1;
        world_connect(world, 0);
        world->holds = 1u << ACTION_LIST;
        world_connect(world, 1);
        world_kill(world, a);
        world_pass(world, USEC_PER_SEC);
        assert_int_equal(world->asked[ACTION_START], 0);
        if (comes)
            world_release(world);
        world_pass(world, 2 * world->config.recovery.call_timeout_us + SETTLED);
        assert_string_equal(world_expect(world, a, RECOVERY_RECOVERED)->replacement_name, comes ? "best" : "b");
        world_release(world);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        world_test(test_a_guest_that_answers_is_left_alone),
        world_test(test_a_hung_guest_is_replaced_after_so_many_misses),
        world_test(test_misses_must_come_in_a_row),
        world_test(test_a_busy_guest_that_answers_slowly_is_not_replaced),
        world_test(test_activity_in_between_starts_the_count_anew),
        world_test(test_a_hypervisor_that_does_not_answer_says_nothing_about_the_guest),
        world_test(test_a_probe_under_way_is_not_asked_again),
        world_test(test_no_guest_is_asked_over_a_lost_connection),
        world_test(test_a_heartbeat_that_is_switched_off_acts_no_more),
        world_test(test_a_machine_that_is_paused_meanwhile_is_not_hung),
        world_test(test_who_is_not_protected_or_has_no_agent_is_not_asked),
        world_test(test_a_guest_that_hangs_on_after_a_lost_connection_is_replaced),
        world_test(test_an_observer_tells_of_a_hung_guest_once),
        world_test(test_an_agent_that_has_not_answered_yet_is_not_missed),
        world_test(test_a_guest_that_reboots_has_to_answer_anew),
        world_test(test_a_machine_that_is_started_anew_has_to_answer_anew),
        world_test(test_a_guest_that_was_out_of_reach_has_to_answer_anew),
        world_test(test_a_guest_that_is_listed_again_has_answered),
        world_test(test_a_guest_without_a_second_witness_never_hangs),
        world_test(test_the_disks_of_a_machine_that_does_not_execute_are_silent),
        world_test(test_recovered_is_said_when_the_agent_answers),
        world_test(test_a_replacement_that_never_answers_is_followed_by_the_next),
        world_test(test_after_a_clock_jump_acting_waits_and_watching_goes_on),
        world_test(test_a_candidate_that_was_started_while_the_host_slept),
        world_test(test_a_listing_from_before_the_jump_is_not_the_new_one),
        world_test(test_a_choice_waits_for_a_listing_and_not_for_ever),
        world_test(test_a_decision_from_before_the_jump_is_not_carried_out_before_the_new_listing),
    };

    return cmocka_run_group_tests_name("coordinator_alive", tests, NULL, NULL);
}
