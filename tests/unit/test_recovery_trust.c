/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What makes a recovery fit to be left alone: the intent, hooks that may veto, verification, the restart of the failed
 * machine itself, and a daemon that is started anew in the middle of it.
 */
#include <errno.h>
#include <string.h>

#include "recovery_fixture.h"

/* ---- the intent ---- */

static void test_the_intent_is_on_disk_before_anything_is_started(void **state)
{
    struct fixture *fixture = *state;

    until_recording(fixture);
    assert_true(fixture->step.has_decided);
    assert_action(fixture, ACTION_RECORD, &fixture->candidates[0]);
    assert_int_equal(fixture->recovery->n_attempts, 1); /* it is part of what is written */
    pass(fixture, 7);
    answer_ok(fixture);
    assert_int_equal(fixture->recovery->recorded.mono_us, fixture->now.mono_us);
    assert_false(fixture->step.intent_failed);
    assert_action(fixture, ACTION_HOOK, &fixture->candidates[0]);
    answer_ok(fixture);
    assert_action(fixture, ACTION_START, &fixture->candidates[0]);
}

static void test_an_intent_that_cannot_be_written_is_told_and_does_not_stop_it(void **state)
{
    static const int errors[] = {-ENOSPC, -EROFS, -EIO, -ETIMEDOUT};
    struct fixture *fixture = *state;

    for (size_t i = 0; i < ELEMENTS_OF(errors); i++) {
        renew(fixture, CAUSE_PROCESS_DIED);
        until_recording(fixture);
        answer(fixture, errors[i], MACHINE_UNKNOWN, REASON_UNKNOWN);
        assert_true(fixture->step.intent_failed);
        assert_true(fixture->recovery->is_unrecorded);
        assert_int_equal(fixture->recovery->recorded.mono_us, 0);
        assert_action(fixture, ACTION_HOOK, &fixture->candidates[0]);
        answer_ok(fixture);
        assert_false(fixture->step.intent_failed);
        assert_action(fixture, ACTION_START, &fixture->candidates[0]);
        answer_ok(fixture);
        wait_for_deadline(fixture);
        answer_running(fixture);
        assert_ended(fixture, RECOVERY_RECOVERED);
        assert_true(fixture->recovery->is_unrecorded); /* history says so */
    }
}

static void test_without_an_intent_nothing_is_started_where_it_must_be_written(void **state)
{
    struct fixture *fixture = *state;

    fixture->config.recovery.without_intent = false;
    until_recording(fixture);
    answer(fixture, -ENOSPC, MACHINE_UNKNOWN, REASON_UNKNOWN);
    assert_ended(fixture, RECOVERY_EXHAUSTED);
    assert_false(fixture->step.intent_failed);
    assert_non_null(strstr(fixture->recovery->detail, "the words of the hypervisor"));
    assert_int_equal(fixture->recovery->started.mono_us, 0);
}

/* The brake may be on, or the view old: decided, but not handed out. */
static void test_the_failed_machine_comes_back_while_a_start_is_held_back(void **state)
{
    struct fixture *fixture = *state;

    until_starting(fixture);
    fixture->recovery->question.is_handed_out = false;
    say(fixture, RECOVERY_ORIGINAL_RUNS);
    answer_running(fixture);
    assert_ended(fixture, RECOVERY_DISMISSED);
}

/* What is off needs no end, which a hold would forbid; what is paused is not off. */
static void test_a_candidate_of_a_held_machine_is_given_up_once_it_is_off(void **state)
{
    struct fixture *fixture = *state;
    static const enum machine_state states[] = {MACHINE_SHUT_OFF, MACHINE_PAUSED};

    for (size_t i = 0; i < ELEMENTS_OF(states); i++) {
        renew(fixture, CAUSE_PROCESS_DIED);
        until_resolving(fixture);
        hand_in(fixture, (struct recovery_event){.kind = RECOVERY_HOLD, .detail = "it is held"});
        answer(fixture, 0, states[i], REASON_UNKNOWN);
        if (states[i] == MACHINE_PAUSED)
            assert_action(fixture, ACTION_DESTROY, &fixture->candidates[0]);
        else
            assert_released(fixture, &fixture->candidates[0]);
    }
}

/* The check is at fault, and not the machine; a check that says no is another thing. */
static void test_what_cannot_be_verified_is_left_running(void **state)
{
    struct fixture *fixture = *state;
    static const int errors[] = {-ENOEXEC, -ECANCELED};

    for (size_t i = 0; i < ELEMENTS_OF(errors); i++) {
        renew(fixture, CAUSE_PROCESS_DIED);
        until_verifying(fixture);
        pass(fixture, fixture->config.recovery.verify.timeout_us);
        answer(fixture, errors[i], MACHINE_UNKNOWN, REASON_UNKNOWN);
        if (errors[i] == -ENOEXEC) {
            assert_ended(fixture, RECOVERY_RECOVERED);
            assert_non_null(strstr(fixture->recovery->detail, "NOT VERIFIED"));
        } else {
            assert_action(fixture, ACTION_DESTROY, &fixture->candidates[0]);
        }
    }
}

/* ---- hooks ---- */

static void test_a_veto_leads_to_the_next(void **state)
{
    struct fixture *fixture = *state;

    until_preparing(fixture);
    answer(fixture, -ECANCELED, MACHINE_UNKNOWN, REASON_UNKNOWN);
    assert_released(fixture, &fixture->candidates[0]);
    assert_false(fixture->step.quarantines); /* it never had the chance to come up */
    still_dead(fixture);                     /* nor is it destroyed: it was never started */
    assert_true(fixture->step.wants_candidate);
    assert_non_null(strstr(fixture->recovery->attempts[0].error, "the words of the hypervisor"));
    choose_candidate(fixture, 1);
    assert_action(fixture, ACTION_START, &fixture->candidates[1]);
}

static void test_vetoes_use_up_no_attempts(void **state)
{
    struct fixture *fixture = *state;

    fixture->config.recovery.attempts = 1;
    until_selecting(fixture);
    for (unsigned i = 0; i < 2; i++) {
        pick(fixture, i);
        answer_ok(fixture);
        answer(fixture, -ECANCELED, MACHINE_UNKNOWN, REASON_UNKNOWN);
        still_dead(fixture);
        assert_true(fixture->step.wants_candidate);
    }
    assert_int_equal(recovery_attempt_count(fixture->recovery), 0);
    assert_true(fixture->recovery->attempts[0].is_vetoed && fixture->recovery->attempts[1].is_vetoed);
}

/* ---- verification ---- */

static void settle(struct fixture *fixture)
{
    until_settling(fixture);
    wait_for_deadline(fixture);
    answer_running(fixture);
}

static void test_the_level_follows_the_channel(void **state)
{
    struct fixture *fixture = *state;

    settle(fixture);
    assert_ended(fixture, RECOVERY_RECOVERED);
    assert_int_equal(fixture->recovery->level, VERIFY_RUNNING);

    fixture->descriptions[1].has_agent_channel = true;
    renew(fixture, CAUSE_PROCESS_DIED);
    settle(fixture);
    assert_state(fixture, RECOVERY_VERIFYING);
    assert_action(fixture, ACTION_VERIFY, &fixture->candidates[0]);
    assert_int_equal(fixture->step.action.level, VERIFY_AGENT);
}

static void test_the_level_that_was_asked_for(void **state)
{
    static const enum verify_level levels[] = {VERIFY_AGENT, VERIFY_TCP, VERIFY_COMMAND};
    struct fixture *fixture = *state;

    for (size_t i = 0; i < ELEMENTS_OF(levels); i++) {
        renew(fixture, CAUSE_PROCESS_DIED);
        fixture->config.recovery.verify.level = levels[i];
        fixture->config.recovery.verify.port = 8080;
        settle(fixture);
        assert_state(fixture, RECOVERY_VERIFYING);
        assert_int_equal(fixture->step.action.kind, ACTION_VERIFY);
        assert_int_equal(fixture->step.action.level, levels[i]);
        assert_int_equal(fixture->step.action.timeout_us, levels[i] == VERIFY_COMMAND
                                                              ? fixture->config.hooks.timeout_us
                                                              : fixture->config.recovery.call_timeout_us);
        if (levels[i] == VERIFY_TCP)
            assert_int_equal(fixture->step.action.port, 8080);
    }
    renew(fixture, CAUSE_PROCESS_DIED);
    fixture->config.recovery.verify.level = VERIFY_RUNNING;
    fixture->descriptions[1].has_agent_channel = true;
    settle(fixture);
    assert_ended(fixture, RECOVERY_RECOVERED);
}

static void test_verified_late_is_recovered(void **state)
{
    struct fixture *fixture = *state;
    int asked = 1;

    until_verifying(fixture);
    while (fixture->now.mono_us - fixture->recovery->started.mono_us <
           fixture->config.recovery.verify.timeout_us - 2 * fixture->config.recovery.verify.interval_us) {
        answer(fixture, -EIO, MACHINE_UNKNOWN, REASON_UNKNOWN);
        assert_state(fixture, RECOVERY_VERIFYING);
        assert_int_equal(fixture->recovery->question.deadline_us,
                         fixture->now.mono_us + fixture->config.recovery.verify.interval_us);
        wait_for_deadline(fixture);
        assert_action(fixture, ACTION_VERIFY, &fixture->candidates[0]);
        asked++;
    }
    assert_true(asked > 100);
    answer_ok(fixture);
    assert_ended(fixture, RECOVERY_RECOVERED);
    assert_null(fixture->recovery->attempts[0].error);
}

static void test_never_verified_leads_to_the_next(void **state)
{
    struct fixture *fixture = *state;

    until_verifying(fixture);
    while (fixture->step.action.kind == ACTION_VERIFY) {
        assert_true(fixture->now.mono_us - fixture->recovery->started.mono_us <=
                    fixture->config.recovery.verify.timeout_us + fixture->config.recovery.verify.interval_us);
        answer(fixture, -ETIMEDOUT, MACHINE_UNKNOWN, REASON_UNKNOWN);
        if (!fixture->step.has_action)
            wait_for_deadline(fixture);
    }
    assert_true(fixture->now.mono_us - fixture->recovery->started.mono_us >=
                fixture->config.recovery.verify.timeout_us);
    assert_action(fixture, ACTION_DESTROY, &fixture->candidates[0]); /* it runs: not beside the next one */
    answer_ok(fixture);
    assert_released(fixture, &fixture->candidates[0]);
    assert_true(fixture->step.quarantines);
    still_dead(fixture);
    assert_true(fixture->step.wants_candidate);
    assert_non_null(strstr(fixture->recovery->attempts[0].error, "recovery.verify.timeout"));
}

static void test_a_replacement_that_stops_while_it_is_verified(void **state)
{
    struct fixture *fixture = *state;

    until_verifying(fixture);
    say(fixture, RECOVERY_REPLACEMENT_STOPPED);
    candidate_turns_out_off(fixture);
    assert_released(fixture, &fixture->candidates[0]);
    assert_true(fixture->step.wants_candidate);
}

static void test_the_connection_is_lost_while_it_is_verified(void **state)
{
    struct fixture *fixture = *state;

    until_verifying(fixture);
    answer(fixture, -ENOTCONN, MACHINE_UNKNOWN, REASON_UNKNOWN);
    assert_string_equal(recovery_waits_for(fixture->recovery), "local");
    say(fixture, RECOVERY_RECONNECTED);
    assert_action(fixture, ACTION_VERIFY, &fixture->candidates[0]);
    answer_ok(fixture);
    assert_ended(fixture, RECOVERY_RECOVERED);
}

/* ---- the failed machine itself ---- */

/* Lets the pause pass and the failed machine be started again. */
static void restart(struct fixture *fixture)
{
    wait_for_deadline(fixture);
    assert_true(fixture->step.wants_original);
    hand_in(fixture, (struct recovery_event){.kind = RECOVERY_CHOSEN, .candidate = &fixture->failed});
    assert_true(fixture->recovery->is_restarting);
    assert_action(fixture, ACTION_RECORD, &fixture->failed); /* as every start */
    answer_ok(fixture);
    assert_action(fixture, ACTION_HOOK, &fixture->failed);
    answer_ok(fixture);
    assert_action(fixture, ACTION_START, &fixture->failed);
}

static void test_the_failed_machine_is_started_again_when_no_candidate_is_left(void **state)
{
    struct fixture *fixture = *state;

    until_waiting(fixture);
    assert_false(fixture->step.ended);
    assert_int_equal(fixture->recovery->question.deadline_us,
                     fixture->now.mono_us + fixture->config.recovery.restart_backoff_us);
    restart(fixture);
    answer_ok(fixture);
    wait_for_deadline(fixture);
    answer_running(fixture);
    assert_ended(fixture, RECOVERY_RECOVERED);
    assert_string_equal(fixture->recovery->replacement_name, "failed");
    assert_int_equal(fixture->recovery->restarts, 1);
}

static void test_used_up_attempts_lead_to_a_restart_too(void **state)
{
    struct fixture *fixture = *state;

    fixture->config.recovery.attempts = 1;
    fixture->config.recovery.when_exhausted = EXHAUSTED_RESTART;
    until_starting(fixture);
    answer(fixture, -EIO, MACHINE_UNKNOWN, REASON_UNKNOWN);
    candidate_turns_out_off(fixture);
    assert_released(fixture, &fixture->candidates[0]);
    assert_state(fixture, RECOVERY_WAITING);
    restart(fixture);
}

static void test_the_pause_before_each_restart_is_doubled(void **state)
{
    struct fixture *fixture = *state;
    int64_t pause_us = fixture->config.recovery.restart_backoff_us;

    until_waiting(fixture);
    for (unsigned i = 1; i <= fixture->config.recovery.restart_attempts; i++) {
        assert_state(fixture, RECOVERY_WAITING);
        assert_int_equal(fixture->recovery->question.deadline_us, fixture->now.mono_us + pause_us);
        pause_us *= 2;
        restart(fixture);
        assert_int_equal(fixture->recovery->restarts, i);
        answer(fixture, -EIO, MACHINE_UNKNOWN, REASON_UNKNOWN);
        candidate_turns_out_off(fixture);
    }
    assert_ended(fixture, RECOVERY_EXHAUSTED);
    assert_released(fixture, &fixture->failed);
    assert_int_equal(recovery_attempt_count(fixture->recovery), 0);
}

static void test_the_longest_pause_is_still_one(void **state)
{
    struct fixture *fixture = *state;

    fixture->config.recovery.restart_attempts = 100; /* as many as can be configured, and the longest pause */
    fixture->config.recovery.restart_backoff_us = 24 * 3600 * USEC_PER_SEC;
    until_waiting(fixture);
    for (unsigned i = 0; i < 100; i++) {
        assert_true(fixture->recovery->question.deadline_us > fixture->now.mono_us);
        restart(fixture);
        answer(fixture, -EIO, MACHINE_UNKNOWN, REASON_UNKNOWN);
        candidate_turns_out_off(fixture);
    }
    assert_ended(fixture, RECOVERY_EXHAUSTED);
}

static void test_a_restart_that_dies_again_counts(void **state)
{
    struct fixture *fixture = *state;

    fixture->config.recovery.restart_attempts = 1;
    until_waiting(fixture);
    restart(fixture);
    answer_ok(fixture);
    assert_state(fixture, RECOVERY_SETTLING);
    say(fixture, RECOVERY_REPLACEMENT_STOPPED);
    candidate_turns_out_off(fixture);
    assert_ended(fixture, RECOVERY_EXHAUSTED);
}

/* It runs: by whatever hands, there is nothing left to recover. */
static void test_the_operator_starts_the_failed_machine_before_its_restart(void **state)
{
    struct fixture *fixture = *state;

    until_waiting(fixture);
    restart(fixture);
    answer(fixture, -EALREADY, MACHINE_RUNNING, REASON_UNKNOWN);
    assert_ended(fixture, RECOVERY_DISMISSED);
}

static void test_observing_restarts_nothing(void **state)
{
    struct fixture *fixture = *state;

    fixture->config.mode = MODE_OBSERVE;
    fixture->config.recovery.when_exhausted = EXHAUSTED_RESTART;
    until_selecting(fixture);
    hand_in(fixture, (struct recovery_event){.kind = RECOVERY_NO_CANDIDATE, .detail = "no candidate"});
    assert_ended(fixture, RECOVERY_EXHAUSTED);
}

/* ---- started anew ---- */

static void test_each_state_goes_on_after_a_restart_of_the_daemon(void **state)
{
    static const struct {
        enum recovery_state before, after;
    } rows[] = {
        {RECOVERY_DETECTED, RECOVERY_CONFIRMING},
        {RECOVERY_CONFIRMING, RECOVERY_CONFIRMING},
        {RECOVERY_DESTROYING, RECOVERY_CONFIRMING},
        {RECOVERY_SELECTING, RECOVERY_CONFIRMING},
        {RECOVERY_WAITING, RECOVERY_CONFIRMING},
        {RECOVERY_RECORDING, RECOVERY_RESOLVING},
        {RECOVERY_PREPARING, RECOVERY_RESOLVING},
        {RECOVERY_STARTING, RECOVERY_RESOLVING},
        {RECOVERY_RESOLVING, RECOVERY_RESOLVING},
        {RECOVERY_STOPPING, RECOVERY_RESOLVING},
        {RECOVERY_SETTLING, RECOVERY_RESOLVING},
        {RECOVERY_VERIFYING, RECOVERY_RESOLVING},
        {RECOVERY_RECOVERED, RECOVERY_RECOVERED},
        {RECOVERY_EXHAUSTED, RECOVERY_EXHAUSTED},
        {RECOVERY_DISMISSED, RECOVERY_DISMISSED},
        {RECOVERY_OBSERVED, RECOVERY_OBSERVED},
        {RECOVERY_HELD, RECOVERY_HELD},
    };
    struct fixture *fixture = *state;

    for (size_t i = 0; i < ELEMENTS_OF(rows); i++) {
        bool about_candidate = rows[i].after == RECOVERY_RESOLVING;

        bring_to(fixture, rows[i].before);
        recovery_resume(fixture->recovery);
        assert_state(fixture, rows[i].after);
        assert_int_equal(fixture->recovery->question.action_id, 0);
        assert_int_equal(fixture->recovery->question.deadline_us, USEC_INFINITY);
        if (recovery_state_is_final(rows[i].after)) {
            assert_null(recovery_waits_for(fixture->recovery));
            continue;
        }
        assert_string_equal(recovery_waits_for(fixture->recovery), "local");
        assert_true(fixture->recovery->is_changed);
        say(fixture, RECOVERY_TICK); /* time alone does nothing */
        assert_false(fixture->step.has_action);
        say(fixture, RECOVERY_RECONNECTED);
        assert_action(fixture, ACTION_GET_STATE, about_candidate ? &fixture->candidates[0] : &fixture->failed);
    }
}

static void test_an_attempt_that_we_interrupted_does_not_count(void **state)
{
    struct fixture *fixture = *state;

    fixture->config.recovery.attempts = 1;
    until_starting(fixture);
    recovery_resume(fixture->recovery);
    assert_int_equal(fixture->recovery->n_attempts, 1);
    assert_int_equal(recovery_attempt_count(fixture->recovery), 0);
    say(fixture, RECOVERY_RECONNECTED);
    candidate_turns_out_off(fixture);
    assert_released(fixture, &fixture->candidates[0]);
    assert_false(fixture->step.quarantines); /* nor is it the candidate's fault */
    assert_true(fixture->step.wants_candidate);
    choose_candidate(fixture, 0); /* and it may be tried again */
    answer_ok(fixture);
    wait_for_deadline(fixture);
    answer_running(fixture);
    assert_ended(fixture, RECOVERY_RECOVERED);
    assert_int_equal(recovery_attempt_count(fixture->recovery), 1);
}

/* The first start took effect after all, late: the candidate that runs was started by this recovery. */
static void test_a_start_from_before_that_takes_effect_late(void **state)
{
    struct fixture *fixture = *state;

    until_starting(fixture);
    recovery_resume(fixture->recovery);
    say(fixture, RECOVERY_RECONNECTED);
    candidate_turns_out_off(fixture);
    choose_candidate(fixture, 0);
    answer(fixture, -EALREADY, MACHINE_RUNNING, REASON_UNKNOWN);
    assert_false(fixture->step.wants_candidate);
    assert_action(fixture, ACTION_GET_STATE, &fixture->candidates[0]);
    answer_running(fixture);
    assert_state(fixture, RECOVERY_SETTLING);
    wait_for_deadline(fixture);
    answer_running(fixture);
    assert_ended(fixture, RECOVERY_RECOVERED);
    assert_null(fixture->recovery->attempts[1].error);
}

static void test_a_replacement_that_came_up_meanwhile_is_verified(void **state)
{
    struct fixture *fixture = *state;

    until_verifying(fixture);
    recovery_resume(fixture->recovery);
    say(fixture, RECOVERY_RECONNECTED);
    answer_running(fixture);
    assert_state(fixture, RECOVERY_SETTLING);
    wait_for_deadline(fixture);
    answer_running(fixture);
    assert_action(fixture, ACTION_VERIFY, &fixture->candidates[0]);
    assert_int_equal(fixture->step.action.level, VERIFY_AGENT);
    answer_ok(fixture);
    assert_ended(fixture, RECOVERY_RECOVERED);
}

static void test_restarts_are_counted_across_a_restart_of_the_daemon(void **state)
{
    struct fixture *fixture = *state;

    fixture->config.recovery.restart_attempts = 1;
    until_waiting(fixture);
    restart(fixture);
    recovery_resume(fixture->recovery);
    say(fixture, RECOVERY_RECONNECTED);
    assert_action(fixture, ACTION_GET_STATE, &fixture->failed);
    candidate_turns_out_off(fixture);
    assert_ended(fixture, RECOVERY_EXHAUSTED);
    assert_int_equal(fixture->recovery->restarts, 1);
}

/* ---- a machine that is to be relieved and that is missed ---- */

/* What another host has to say is not known when the time of the guest, and a minute more, is over. */
static void is_missed_too_long(struct fixture *fixture)
{
    answer(fixture, -EINPROGRESS, MACHINE_UNKNOWN, REASON_UNKNOWN);
    pass(fixture, fixture->config.recovery.shutdown_timeout_us + 60 * USEC_PER_SEC);
    say(fixture, RECOVERY_TICK);
    assert_true(fixture->step.has_action);
    answer(fixture, -EINPROGRESS, MACHINE_UNKNOWN, REASON_UNKNOWN);
}

static void test_an_order_that_cannot_know_where_the_machine_is_ends(void **state)
{
    static const enum recovery_state relieving[] = {RECOVERY_RELIEVING, RECOVERY_LEAVING, RECOVERY_ENDING};
    struct fixture *fixture = *state;

    for (size_t i = 0; i < ELEMENTS_OF(relieving); i++) {
        bring_to(fixture, relieving[i]);
        is_missed_too_long(fixture);
        assert_ended(fixture, RECOVERY_CALLED_OFF);
        assert_released(fixture, &fixture->candidates[0]);
        assert_true(moment_has_come(fixture->recovery->relieved));
    }
}

static void test_what_has_taken_over_runs_on_while_the_machine_is_missed(void **state)
{
    struct fixture *fixture = *state;

    until_verified(fixture);
    answer_ok(fixture);
    assert_action(fixture, ACTION_SHUTDOWN, &fixture->failed);
    answer_running(fixture);
    is_missed_too_long(fixture);
    assert_state(fixture, RECOVERY_LEAVING);
    say(fixture, RECOVERY_ORIGINAL_FENCED);
    assert_state(fixture, RECOVERY_SETTLING);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        recovery_test(test_the_intent_is_on_disk_before_anything_is_started),
        recovery_test(test_an_intent_that_cannot_be_written_is_told_and_does_not_stop_it),
        recovery_test(test_without_an_intent_nothing_is_started_where_it_must_be_written),
        recovery_test(test_what_cannot_be_verified_is_left_running),
        recovery_test(test_a_candidate_of_a_held_machine_is_given_up_once_it_is_off),
        recovery_test(test_the_failed_machine_comes_back_while_a_start_is_held_back),
        recovery_test(test_a_veto_leads_to_the_next),
        recovery_test(test_vetoes_use_up_no_attempts),
        recovery_test(test_the_level_follows_the_channel),
        recovery_test(test_the_level_that_was_asked_for),
        recovery_test(test_verified_late_is_recovered),
        recovery_test(test_never_verified_leads_to_the_next),
        recovery_test(test_a_replacement_that_stops_while_it_is_verified),
        recovery_test(test_the_connection_is_lost_while_it_is_verified),
        recovery_test(test_the_failed_machine_is_started_again_when_no_candidate_is_left),
        recovery_test(test_used_up_attempts_lead_to_a_restart_too),
        recovery_test(test_the_pause_before_each_restart_is_doubled),
        recovery_test(test_the_longest_pause_is_still_one),
        recovery_test(test_a_restart_that_dies_again_counts),
        recovery_test(test_the_operator_starts_the_failed_machine_before_its_restart),
        recovery_test(test_observing_restarts_nothing),
        recovery_test(test_each_state_goes_on_after_a_restart_of_the_daemon),
        recovery_test(test_an_attempt_that_we_interrupted_does_not_count),
        recovery_test(test_a_start_from_before_that_takes_effect_late),
        recovery_test(test_a_replacement_that_came_up_meanwhile_is_verified),
        recovery_test(test_restarts_are_counted_across_a_restart_of_the_daemon),
        recovery_test(test_an_order_that_cannot_know_where_the_machine_is_ends),
        recovery_test(test_what_has_taken_over_runs_on_while_the_machine_is_missed),
    };

    return cmocka_run_group_tests_name("recovery_trust", tests, NULL, NULL);
}
