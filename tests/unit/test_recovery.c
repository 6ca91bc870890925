/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One recovery as a state machine: its golden courses from detection to a replacement that runs, or to none. */
#include <errno.h>
#include <string.h>

#include "recovery_fixture.h"

/* ---- golden courses ---- */

static void test_the_happy_path(void **state)
{
    struct fixture *fixture = *state;

    assert_state(fixture, RECOVERY_DETECTED);
    say(fixture, RECOVERY_BEGIN);
    assert_state(fixture, RECOVERY_CONFIRMING);
    assert_action(fixture, ACTION_GET_STATE, &fixture->failed);
    pass(fixture, 1);
    answer_off(fixture);
    assert_int_equal(fixture->recovery->confirmed.mono_us, fixture->now.mono_us);
    assert_true(fixture->step.wants_candidate);
    assert_false(fixture->step.has_action);
    pass(fixture, 1);
    choose_candidate(fixture, 0);
    assert_int_equal(fixture->recovery->decided.mono_us, fixture->now.mono_us);
    assert_int_equal(fixture->recovery->recorded.mono_us, fixture->now.mono_us);
    assert_false(fixture->recovery->is_unrecorded);
    assert_action(fixture, ACTION_START, &fixture->candidates[0]);
    pass(fixture, 1);
    answer_ok(fixture);
    assert_state(fixture, RECOVERY_SETTLING);
    assert_int_equal(fixture->recovery->started.mono_us, fixture->now.mono_us);
    assert_int_equal(fixture->recovery->question.deadline_us,
                     fixture->now.mono_us + fixture->config.recovery.settle_us);
    wait_for_deadline(fixture);
    assert_action(fixture, ACTION_GET_STATE, &fixture->candidates[0]); /* verified, not assumed */
    answer_running(fixture);
    assert_ended(fixture, RECOVERY_RECOVERED);
    assert_false(fixture->step.releases_candidate);
    assert_string_equal(fixture->recovery->replacement_name, "b");
    assert_int_equal(fixture->recovery->n_attempts, 1);
    assert_null(fixture->recovery->attempts[0].error);
    assert_int_equal(fixture->recovery->ignored, 0);
    assert_int_equal(recovery_duration_us(fixture->recovery, fixture->now), 3 + fixture->config.recovery.settle_us);
    pass(fixture, USEC_PER_SEC);
    assert_int_equal(recovery_duration_us(fixture->recovery, fixture->now), 3 + fixture->config.recovery.settle_us);
}

static void test_no_candidate_is_left(void **state)
{
    struct fixture *fixture = *state;

    until_selecting(fixture);
    hand_in(fixture,
            (struct recovery_event){.kind = RECOVERY_NO_CANDIDATE, .detail = "no candidate is similar enough"});
    assert_ended(fixture, RECOVERY_EXHAUSTED);
    assert_non_null(strstr(fixture->recovery->detail, "no candidate is similar enough"));
    assert_int_equal(fixture->recovery->n_attempts, 0);
}

static void test_the_machine_runs_after_all(void **state)
{
    struct fixture *fixture = *state;

    say(fixture, RECOVERY_BEGIN);
    answer_running(fixture);
    assert_ended(fixture, RECOVERY_DISMISSED);
}

static void test_a_machine_that_no_longer_exists_is_dead(void **state)
{
    struct fixture *fixture = *state;

    say(fixture, RECOVERY_BEGIN);
    answer(fixture, -ENOENT, MACHINE_UNKNOWN, REASON_UNKNOWN);
    assert_state(fixture, RECOVERY_SELECTING);
}

static void test_remains_are_destroyed_before_a_replacement_starts(void **state)
{
    static const struct {
        enum machine_state state;
        enum machine_reason reason;
        enum failure_cause cause;
    } rows[] = {
        {MACHINE_CRASHED, REASON_PANICKED, CAUSE_PANIC_PRESERVED},
        {MACHINE_PAUSED, REASON_IO_ERROR, CAUSE_IO_ERROR},
        {MACHINE_PAUSED, REASON_WATCHDOG, CAUSE_WATCHDOG},
        {MACHINE_RUNNING, REASON_UNKNOWN, CAUSE_PANIC_LOOP},
        {MACHINE_RUNNING, REASON_UNKNOWN, CAUSE_HUNG},
    };
    struct fixture *fixture = *state;

    for (size_t i = 0; i < ELEMENTS_OF(rows); i++) {
        renew(fixture, rows[i].cause);
        say(fixture, RECOVERY_BEGIN);
        answer(fixture, 0, rows[i].state, rows[i].reason);
        assert_state(fixture, RECOVERY_DESTROYING);
        assert_action(fixture, ACTION_DESTROY, &fixture->failed);
        answer_ok(fixture);
        still_dead(fixture);
        assert_state(fixture, RECOVERY_SELECTING);
        assert_true(fixture->step.wants_candidate);
    }
}

/* The operator was quicker: whatever it failed by, it is not ended twice, and nothing is started beside it. */
static void test_it_is_started_by_the_operator_as_soon_as_its_remains_are_ended(void **state)
{
    static const enum failure_cause causes[] = {CAUSE_IO_ERROR, CAUSE_PANIC_LOOP, CAUSE_HUNG};
    struct fixture *fixture = *state;

    for (size_t i = 0; i < ELEMENTS_OF(causes); i++) {
        renew(fixture, causes[i]);
        say(fixture, RECOVERY_BEGIN);
        answer(fixture, 0, causes[i] == CAUSE_IO_ERROR ? MACHINE_PAUSED : MACHINE_RUNNING, REASON_IO_ERROR);
        assert_action(fixture, ACTION_DESTROY, &fixture->failed);
        answer_ok(fixture);
        assert_action(fixture, ACTION_GET_STATE, &fixture->failed);
        answer_running(fixture);
        assert_ended(fixture, RECOVERY_DISMISSED);
    }
}

static void test_it_is_started_by_the_operator_while_a_candidate_fails(void **state)
{
    struct fixture *fixture = *state;

    until_settling(fixture);
    say(fixture, RECOVERY_ORIGINAL_RUNS);
    say(fixture, RECOVERY_REPLACEMENT_STOPPED);
    assert_action(fixture, ACTION_DESTROY, &fixture->candidates[0]);
    answer_ok(fixture);
    assert_released(fixture, &fixture->candidates[0]);
    assert_action(fixture, ACTION_GET_STATE, &fixture->failed);
    answer_running(fixture);
    assert_ended(fixture, RECOVERY_DISMISSED);
}

/* Its hypervisor is away when the next candidate is to be chosen: it was seen dead, and nothing says otherwise. */
static void test_what_was_seen_dead_stays_so_while_its_hypervisor_is_away(void **state)
{
    struct fixture *fixture = *state;

    until_preparing(fixture);
    answer(fixture, -ECANCELED, MACHINE_UNKNOWN, REASON_UNKNOWN);
    answer(fixture, -ENOTCONN, MACHINE_UNKNOWN, REASON_UNKNOWN);
    assert_true(fixture->step.wants_candidate);

    renew(fixture, CAUSE_PROCESS_DIED);
    say(fixture, RECOVERY_BEGIN);
    answer(fixture, -ENOTCONN, MACHINE_UNKNOWN, REASON_UNKNOWN);
    assert_true(fixture->recovery->question.waits_for_connection); /* it was never seen dead */

    renew(fixture, CAUSE_PROCESS_DIED);
    until_starting(fixture);
    recovery_resume(fixture->recovery);
    assert_false(fixture->recovery->was_seen_dead);
}

/* The daemon, or the connection, was away: a guest that hung then and runs now is not ended on that. */
static void test_an_old_hang_is_no_reason_to_end_what_runs(void **state)
{
    struct fixture *fixture = *state;

    renew(fixture, CAUSE_HUNG);
    say(fixture, RECOVERY_BEGIN);
    recovery_resume(fixture->recovery);
    say(fixture, RECOVERY_RECONNECTED);
    answer_running(fixture);
    assert_ended(fixture, RECOVERY_DISMISSED);

    renew(fixture, CAUSE_PANIC_LOOP);
    say(fixture, RECOVERY_BEGIN);
    answer_running(fixture);
    assert_action(fixture, ACTION_DESTROY, &fixture->failed);
    answer(fixture, -ENOTCONN, MACHINE_UNKNOWN, REASON_UNKNOWN);
    say(fixture, RECOVERY_RECONNECTED);
    answer_running(fixture);
    assert_ended(fixture, RECOVERY_DISMISSED);
}

/* What waited to be carried out, for the brake or for a connection, is decided anew; what was handed out is not. */
static void test_an_old_decision_is_reconsidered(void **state)
{
    static void (*const courses[])(struct fixture *) = {until_destroying, until_recording, until_preparing,
                                                        until_starting};
    struct fixture *fixture = *state;

    for (size_t i = 0; i < ELEMENTS_OF(courses); i++) {
        renew(fixture, CAUSE_PANIC_PRESERVED);
        courses[i](fixture);
        fixture->recovery->question.is_handed_out = true;
        unsigned long ignored = fixture->recovery->ignored;
        say(fixture, RECOVERY_RECONSIDER);
        assert_int_equal(fixture->recovery->ignored, ignored + 1);
        fixture->recovery->question.is_handed_out = false;
        say(fixture, RECOVERY_RECONSIDER);
        assert_action(fixture, ACTION_GET_STATE, &fixture->failed);
        assert_int_equal(fixture->recovery->n_attempts, 0);
        assert_int_equal(fixture->step.is_withdrawn, i > 0);
    }
}

static void test_observing_from_now_on(void **state)
{
    static void (*const courses[])(struct fixture *) = {until_recording, until_preparing};
    struct fixture *fixture = *state;

    for (size_t i = 0; i < ELEMENTS_OF(courses); i++) {
        fixture->config.mode = MODE_AUTOMATIC;
        renew(fixture, CAUSE_PROCESS_DIED);
        courses[i](fixture);
        fixture->config.mode = MODE_OBSERVE;
        answer_ok(fixture);
        assert_ended(fixture, RECOVERY_OBSERVED);
    }
}

/* Remains that cannot be ended still hold the disks: nothing may start beside them. */
static void test_remains_that_cannot_be_destroyed_stop_the_recovery(void **state)
{
    struct fixture *fixture = *state;

    until_destroying(fixture);
    for (int i = 0; i < 100 && !fixture->step.ended; i++) {
        assert_false(fixture->step.wants_candidate);
        if (fixture->step.has_action)
            answer(fixture, -EIO, MACHINE_UNKNOWN, REASON_UNKNOWN);
        else
            wait_for_deadline(fixture);
    }
    assert_ended(fixture, RECOVERY_EXHAUSTED);
}

static void test_a_start_that_fails_leads_to_the_next(void **state)
{
    struct fixture *fixture = *state;

    until_starting(fixture);
    answer(fixture, -EIO, MACHINE_UNKNOWN, REASON_UNKNOWN);
    assert_false(fixture->step.wants_candidate); /* it may be half up */
    candidate_turns_out_off(fixture);
    assert_released(fixture, &fixture->candidates[0]);
    assert_true(fixture->step.wants_candidate);
    assert_true(fixture->step.quarantines);
    assert_null(fixture->recovery->replacement_name);
    assert_non_null(strstr(fixture->recovery->attempts[0].error, "the words of the hypervisor"));
    choose_candidate(fixture, 1);
    assert_action(fixture, ACTION_START, &fixture->candidates[1]);
    answer_ok(fixture);
    wait_for_deadline(fixture);
    answer_running(fixture);
    assert_ended(fixture, RECOVERY_RECOVERED);
    assert_string_equal(fixture->recovery->replacement_name, "c");
    assert_int_equal(fixture->recovery->n_attempts, 2);
    assert_string_equal(fixture->recovery->attempts[0].name, "b");
    assert_string_equal(fixture->recovery->attempts[1].name, "c");
}

static void test_attempts_are_used_up(void **state)
{
    struct fixture *fixture = *state;

    fixture->config.recovery.attempts = 2;
    until_selecting(fixture);
    for (unsigned i = 0; i < 2; i++) {
        assert_true(fixture->step.wants_candidate);
        choose_candidate(fixture, i);
        answer(fixture, -EIO, MACHINE_UNKNOWN, REASON_UNKNOWN);
        candidate_turns_out_off(fixture);
        assert_released(fixture, &fixture->candidates[i]);
    }
    assert_ended(fixture, RECOVERY_EXHAUSTED);
    assert_false(fixture->step.wants_candidate);
    assert_int_equal(fixture->recovery->n_attempts, 2);
}

static void test_the_operator_started_the_candidate(void **state)
{
    struct fixture *fixture = *state;

    until_starting(fixture);
    answer(fixture, -EALREADY, MACHINE_RUNNING, REASON_UNKNOWN);
    /* Not ours: it is left alone, neither taken for the replacement nor destroyed. */
    assert_released(fixture, &fixture->candidates[0]);
    still_dead(fixture);
    assert_false(fixture->step.quarantines); /* it came up, after all */
    assert_true(fixture->step.wants_candidate);
}

static void test_a_replacement_that_dies_while_settling_leads_to_the_next(void **state)
{
    struct fixture *fixture = *state;

    until_settling(fixture);
    say(fixture, RECOVERY_REPLACEMENT_STOPPED);
    candidate_turns_out_off(fixture);
    assert_released(fixture, &fixture->candidates[0]);
    assert_state(fixture, RECOVERY_SELECTING);
    assert_non_null(fixture->recovery->attempts[0].error);
}

static void test_a_replacement_found_dead_at_the_end_leads_to_the_next(void **state)
{
    struct fixture *fixture = *state;

    until_settling(fixture);
    wait_for_deadline(fixture);
    answer_off(fixture);
    candidate_turns_out_off(fixture);
    assert_released(fixture, &fixture->candidates[0]);
    assert_state(fixture, RECOVERY_SELECTING);
}

static void test_a_replacement_that_came_and_went_before_its_answer(void **state)
{
    struct fixture *fixture = *state;

    until_starting(fixture);
    say(fixture, RECOVERY_REPLACEMENT_STOPPED);
    answer_ok(fixture);
    candidate_turns_out_off(fixture);
    assert_released(fixture, &fixture->candidates[0]);
    assert_state(fixture, RECOVERY_SELECTING);
}

static void test_a_tick_too_early_changes_nothing(void **state)
{
    struct fixture *fixture = *state;

    until_settling(fixture);
    pass(fixture, fixture->config.recovery.settle_us - 1);
    say(fixture, RECOVERY_TICK);
    assert_state(fixture, RECOVERY_SETTLING);
    assert_false(fixture->step.has_action);
}

/* ---- connections and deadlines ---- */

static void test_the_connection_is_lost_while_starting_and_it_runs(void **state)
{
    struct fixture *fixture = *state;

    until_starting(fixture);
    answer(fixture, -ENOTCONN, MACHINE_UNKNOWN, REASON_UNKNOWN);
    assert_state(fixture, RECOVERY_RESOLVING);
    assert_false(fixture->step.has_action);
    assert_true(fixture->recovery->question.waits_for_connection);
    assert_string_equal(recovery_waits_for(fixture->recovery), "local");
    say(fixture, RECOVERY_RECONNECTED);
    assert_null(recovery_waits_for(fixture->recovery));
    assert_action(fixture, ACTION_GET_STATE, &fixture->candidates[0]);
    answer_running(fixture);
    assert_state(fixture, RECOVERY_SETTLING);
    wait_for_deadline(fixture);
    answer_running(fixture);
    assert_ended(fixture, RECOVERY_RECOVERED);
}

static void test_the_connection_is_lost_while_starting_and_it_does_not_run(void **state)
{
    struct fixture *fixture = *state;

    until_starting(fixture);
    answer(fixture, -ENOTCONN, MACHINE_UNKNOWN, REASON_UNKNOWN);
    say(fixture, RECOVERY_RECONNECTED);
    candidate_turns_out_off(fixture);
    assert_released(fixture, &fixture->candidates[0]);
    assert_state(fixture, RECOVERY_SELECTING);
}

static void test_the_connection_is_lost_in_every_question(void **state)
{
    static void (*const courses[])(struct fixture *) = {until_destroying, until_resolving};
    struct fixture *fixture = *state;

    say(fixture, RECOVERY_BEGIN);
    for (size_t i = 0;; i++) {
        answer(fixture, -ENOTCONN, MACHINE_UNKNOWN, REASON_UNKNOWN);
        assert_true(fixture->recovery->question.waits_for_connection);
        assert_false(fixture->step.has_action);
        assert_false(fixture->step.wants_candidate);
        say(fixture, RECOVERY_RECONNECTED);
        assert_true(fixture->step.has_action);
        assert_int_equal(fixture->step.action.kind == ACTION_START, 0);
        if (i == ELEMENTS_OF(courses))
            break;
        renew(fixture, CAUSE_PANIC_PRESERVED);
        courses[i](fixture);
    }
}

static void test_an_overdue_start_that_came_up_is_the_replacement(void **state)
{
    struct fixture *fixture = *state;

    until_resolving(fixture);
    assert_action(fixture, ACTION_GET_STATE, &fixture->candidates[0]);
    answer_running(fixture);
    assert_state(fixture, RECOVERY_SETTLING);
}

/* It is still under way: off now may be up in a second. Only a destroy that succeeded makes it sure. */
static void test_an_overdue_start_is_destroyed_before_the_next(void **state)
{
    struct fixture *fixture = *state;

    until_resolving(fixture);
    answer_off(fixture);
    assert_false(fixture->step.wants_candidate);
    assert_action(fixture, ACTION_DESTROY, &fixture->candidates[0]);
    answer_ok(fixture);
    assert_released(fixture, &fixture->candidates[0]);
    still_dead(fixture);
    assert_true(fixture->step.wants_candidate);
}

static void test_an_overdue_start_that_cannot_be_destroyed_ends_the_recovery(void **state)
{
    struct fixture *fixture = *state;

    until_resolving(fixture);
    answer_off(fixture);
    for (int i = 0; i < 100 && !fixture->step.ended; i++) {
        assert_false(fixture->step.wants_candidate);
        if (fixture->step.has_action)
            answer(fixture, -ETIMEDOUT, MACHINE_UNKNOWN, REASON_UNKNOWN);
        else
            wait_for_deadline(fixture);
    }
    assert_ended(fixture, RECOVERY_EXHAUSTED);
}

static void test_a_question_without_answer_is_not_asked_for_ever(void **state)
{
    struct fixture *fixture = *state;

    say(fixture, RECOVERY_BEGIN);
    for (int i = 0; i < 100 && !fixture->step.ended; i++) {
        assert_false(fixture->step.wants_candidate);
        if (fixture->step.has_action)
            answer(fixture, -ETIMEDOUT, MACHINE_UNKNOWN, REASON_UNKNOWN);
        else
            wait_for_deadline(fixture);
    }
    assert_ended(fixture, RECOVERY_EXHAUSTED);
}

/* ---- others act too ---- */

static void test_the_original_runs_again_before_anything_was_started(void **state)
{
    static void (*const courses[])(struct fixture *) = {until_selecting, until_recording, until_preparing,
                                                        until_waiting};
    struct fixture *fixture = *state;

    say(fixture, RECOVERY_BEGIN);
    say(fixture, RECOVERY_ORIGINAL_RUNS);
    assert_action(fixture, ACTION_GET_STATE, &fixture->failed);
    answer_running(fixture);
    assert_ended(fixture, RECOVERY_DISMISSED);
    for (size_t i = 0; i < ELEMENTS_OF(courses); i++) {
        renew(fixture, CAUSE_PROCESS_DIED);
        courses[i](fixture);
        say(fixture, RECOVERY_ORIGINAL_RUNS);
        assert_action(fixture, ACTION_GET_STATE, &fixture->failed);
        answer_running(fixture);
        assert_ended(fixture, RECOVERY_DISMISSED);
    }
}

/* A RESUMED that is older than the failure: nothing is dismissed on hearsay, and the candidate is free meanwhile. */
static void test_old_news_that_the_original_runs(void **state)
{
    static void (*const courses[])(struct fixture *) = {until_recording, until_preparing};
    struct fixture *fixture = *state;

    for (size_t i = 0; i < ELEMENTS_OF(courses); i++) {
        renew(fixture, CAUSE_PROCESS_DIED);
        courses[i](fixture);
        say(fixture, RECOVERY_ORIGINAL_RUNS);
        assert_released(fixture, &fixture->candidates[0]);
        assert_true(fixture->step.is_withdrawn);
        assert_int_equal(fixture->recovery->n_attempts, 0);
        answer_off(fixture);
        assert_true(fixture->step.wants_candidate);
        choose_candidate(fixture, 0);
        assert_action(fixture, ACTION_START, &fixture->candidates[0]);
    }
    renew(fixture, CAUSE_PROCESS_DIED);
    until_waiting(fixture);
    wait_for_deadline(fixture);
    hand_in(fixture, (struct recovery_event){.kind = RECOVERY_CHOSEN, .candidate = &fixture->failed});
    assert_int_equal(fixture->recovery->restarts, 1);
    say(fixture, RECOVERY_ORIGINAL_RUNS);
    assert_int_equal(fixture->recovery->restarts, 0); /* it was not begun */
    answer_off(fixture);
    assert_true(fixture->step.wants_candidate);
}

static void test_the_original_may_not_be_started_again(void **state)
{
    struct fixture *fixture = *state;

    until_waiting(fixture);
    wait_for_deadline(fixture);
    assert_true(fixture->step.wants_original);
    hand_in(fixture, (struct recovery_event){.kind = RECOVERY_NO_ORIGINAL, .detail = "its disk is in use"});
    assert_ended(fixture, RECOVERY_EXHAUSTED);
    assert_string_equal(fixture->recovery->detail, "no machine could take its place, and its disk is in use");
}

/* What is known of a start: it may take effect until it was answered, or seen to have done so. */
static void test_the_fate_of_a_start(void **state)
{
    static const struct {
        int error;
        enum start_fate fate;
    } cases[] = {
        {0, START_SETTLED},
        {-EIO, START_SETTLED},
        {-EALREADY, START_SETTLED},
        {-ETIMEDOUT, START_UNANSWERED},
        {-ENOTCONN, START_UNANSWERED},
    };
    struct fixture *fixture = *state;

    for (size_t i = 0; i < ELEMENTS_OF(cases); i++) {
        renew(fixture, CAUSE_PROCESS_DIED);
        until_preparing(fixture);
        assert_int_equal(fixture->recovery->attempts[0].fate, START_SETTLED);
        answer_ok(fixture);
        assert_int_equal(fixture->recovery->attempts[0].fate, START_UNANSWERED);
        answer(fixture, cases[i].error, MACHINE_UNKNOWN, REASON_UNKNOWN);
        assert_int_equal(fixture->recovery->attempts[0].fate, cases[i].fate);
    }
    say(fixture, RECOVERY_RECONNECTED);
    answer_running(fixture);
    assert_int_equal(fixture->recovery->attempts[0].fate, START_SETTLED);
}

static void test_a_daemon_that_died_may_have_asked_for_a_start(void **state)
{
    static void (*const courses[])(struct fixture *) = {until_recording, until_preparing, until_starting};
    struct fixture *fixture = *state;

    for (size_t i = 0; i < ELEMENTS_OF(courses); i++) {
        renew(fixture, CAUSE_PROCESS_DIED);
        courses[i](fixture);
        recovery_resume(fixture->recovery);
        assert_int_equal(fixture->recovery->attempts[0].fate, START_UNANSWERED);
        assert_true(fixture->recovery->attempts[0].is_void);
    }
    renew(fixture, CAUSE_PROCESS_DIED);
    until_settling(fixture);
    recovery_resume(fixture->recovery);
    assert_int_equal(fixture->recovery->attempts[0].fate, START_SETTLED);
}

static void test_a_looping_or_hung_machine_is_not_dismissed_for_running(void **state)
{
    static const enum failure_cause causes[] = {CAUSE_PANIC_LOOP, CAUSE_HUNG};
    struct fixture *fixture = *state;

    for (size_t i = 0; i < ELEMENTS_OF(causes); i++) {
        renew(fixture, causes[i]);
        say(fixture, RECOVERY_BEGIN);
        say(fixture, RECOVERY_ORIGINAL_RUNS);
        assert_state(fixture, RECOVERY_CONFIRMING);
        answer_running(fixture);
        assert_action(fixture, ACTION_DESTROY, &fixture->failed);
    }
}

static void test_a_recovery_may_be_abandoned_in_every_state(void **state)
{
    struct fixture *fixture = *state;

    for (int target = 0; target < RECOVERY_STATE_COUNT; target++) {
        if (recovery_state_is_final((enum recovery_state)target))
            continue;
        bring_to(fixture, (enum recovery_state)target);
        hand_in(fixture, (struct recovery_event){.kind = RECOVERY_ABANDON, .detail = "its hypervisor was removed"});
        /* A machine that serves, and was to be relieved, goes on. */
        assert_ended(fixture, fixture->recovery->relief != RELIEF_NONE ? RECOVERY_CALLED_OFF : RECOVERY_EXHAUSTED);
        assert_string_equal(fixture->recovery->detail, "its hypervisor was removed");
    }
}

static void test_observing_decides_and_starts_nothing(void **state)
{
    struct fixture *fixture = *state;

    fixture->config.mode = MODE_OBSERVE;
    until_selecting(fixture);
    pick(fixture, 0);
    assert_ended(fixture, RECOVERY_OBSERVED);
    assert_string_equal(fixture->recovery->replacement_name, "b");
}

static void test_observing_never_acts(void **state)
{
    static const enum failure_cause causes[] = {CAUSE_PANIC_PRESERVED, CAUSE_PANIC_LOOP, CAUSE_IO_ERROR};
    static const struct action_result found[] = {{.state = MACHINE_CRASHED, .reason = REASON_PANICKED},
                                                 {.state = MACHINE_RUNNING},
                                                 {.state = MACHINE_PAUSED, .reason = REASON_IO_ERROR}};
    struct fixture *fixture = *state;

    fixture->config.mode = MODE_OBSERVE;
    for (size_t i = 0; i < ELEMENTS_OF(causes); i++) {
        renew(fixture, causes[i]);
        say(fixture, RECOVERY_BEGIN);
        answer(fixture, 0, found[i].state, found[i].reason);
        assert_false(fixture->step.has_action && fixture->step.action.kind == ACTION_DESTROY);
        assert_true(fixture->step.wants_candidate);
        pick(fixture, 0);
        assert_ended(fixture, RECOVERY_OBSERVED);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        recovery_test(test_the_happy_path),
        recovery_test(test_no_candidate_is_left),
        recovery_test(test_the_machine_runs_after_all),
        recovery_test(test_a_machine_that_no_longer_exists_is_dead),
        recovery_test(test_remains_are_destroyed_before_a_replacement_starts),
        recovery_test(test_it_is_started_by_the_operator_as_soon_as_its_remains_are_ended),
        recovery_test(test_it_is_started_by_the_operator_while_a_candidate_fails),
        recovery_test(test_what_was_seen_dead_stays_so_while_its_hypervisor_is_away),
        recovery_test(test_an_old_hang_is_no_reason_to_end_what_runs),
        recovery_test(test_an_old_decision_is_reconsidered),
        recovery_test(test_observing_from_now_on),
        recovery_test(test_remains_that_cannot_be_destroyed_stop_the_recovery),
        recovery_test(test_a_start_that_fails_leads_to_the_next),
        recovery_test(test_attempts_are_used_up),
        recovery_test(test_the_operator_started_the_candidate),
        recovery_test(test_a_replacement_that_dies_while_settling_leads_to_the_next),
        recovery_test(test_a_replacement_found_dead_at_the_end_leads_to_the_next),
        recovery_test(test_a_replacement_that_came_and_went_before_its_answer),
        recovery_test(test_a_tick_too_early_changes_nothing),
        recovery_test(test_the_connection_is_lost_while_starting_and_it_runs),
        recovery_test(test_the_connection_is_lost_while_starting_and_it_does_not_run),
        recovery_test(test_the_connection_is_lost_in_every_question),
        recovery_test(test_an_overdue_start_that_came_up_is_the_replacement),
        recovery_test(test_an_overdue_start_is_destroyed_before_the_next),
        recovery_test(test_an_overdue_start_that_cannot_be_destroyed_ends_the_recovery),
        recovery_test(test_a_question_without_answer_is_not_asked_for_ever),
        recovery_test(test_the_original_runs_again_before_anything_was_started),
        recovery_test(test_old_news_that_the_original_runs),
        recovery_test(test_the_original_may_not_be_started_again),
        recovery_test(test_the_fate_of_a_start),
        recovery_test(test_a_daemon_that_died_may_have_asked_for_a_start),
        recovery_test(test_a_looping_or_hung_machine_is_not_dismissed_for_running),
        recovery_test(test_a_recovery_may_be_abandoned_in_every_state),
        recovery_test(test_observing_decides_and_starts_nothing),
        recovery_test(test_observing_never_acts),
    };

    return cmocka_run_group_tests_name("recovery", tests, NULL, NULL);
}
