/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One recovery as a state machine: its golden courses, every pair of state and event, and over random
 * courses the promises that must hold whatever the world answers.
 */
#include "failover/recovery.h"

#include <errno.h>
#include <string.h>

#include "support.h"

struct fixture {
    struct config config;
    struct machine failed, candidates[4];
    struct recovery *recovery;
    struct recovery_step step; /* of the last event */
    struct moment now;
};

static char names[][8] = {"failed", "b", "c", "d", "e"};
static char local[] = "local";

static void make_machine(struct machine *machine, unsigned number)
{
    *machine = (struct machine){.hypervisor = local, .name = names[number], .state = MACHINE_SHUT_OFF};
    uuid_from(number, machine->uuid);
}

static void renew(struct fixture *fixture, enum failure_cause cause)
{
    recovery_free(fixture->recovery);
    fixture->recovery = NULL;
    fixture->step = (struct recovery_step){0};
    assert_int_equal(recovery_new("20261122-145400-1", &fixture->failed, cause, fixture->now, &fixture->recovery), 0);
}

static int set_up(void **state)
{
    static struct fixture fixture;

    fixture = (struct fixture){.config = default_config(), .now = {1000 * USEC_PER_SEC, 1700000000 * USEC_PER_SEC}};
    make_machine(&fixture.failed, 0);
    for (unsigned i = 0; i < ELEMENTS_OF(fixture.candidates); i++)
        make_machine(&fixture.candidates[i], i + 1);
    renew(&fixture, CAUSE_PROCESS_DIED);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    recovery_free(fixture->recovery);
    return 0;
}

static uint64_t next_id = 100;

static void send(struct fixture *fixture, struct recovery_event event)
{
    event.now = fixture->now;
    assert_int_equal(recovery_handle(fixture->recovery, &event, &fixture->config, &fixture->step), 0);
    if (fixture->step.has_action)
        fixture->recovery->action_id = fixture->step.action.id = next_id++;
}

static void say(struct fixture *fixture, enum recovery_event_kind kind)
{
    send(fixture, (struct recovery_event){.kind = kind});
}

static void answer(struct fixture *fixture, int error, enum machine_state state, enum machine_reason reason)
{
    struct action_result result = {
        .id = fixture->recovery->action_id, .error = error, .state = state, .reason = reason};

    if (error != 0)
        strcpy(result.message, "the words of the hypervisor");
    send(fixture, (struct recovery_event){.kind = RECOVERY_ANSWER, .result = &result});
}

static void answer_ok(struct fixture *fixture)
{
    answer(fixture, 0, MACHINE_UNKNOWN, REASON_UNKNOWN);
}

static void answer_off(struct fixture *fixture)
{
    answer(fixture, 0, MACHINE_SHUT_OFF, REASON_CRASHED);
}

static void answer_running(struct fixture *fixture)
{
    answer(fixture, 0, MACHINE_RUNNING, REASON_UNKNOWN);
}

static void choose(struct fixture *fixture, unsigned candidate)
{
    send(fixture, (struct recovery_event){.kind = RECOVERY_CHOSEN, .candidate = &fixture->candidates[candidate]});
}

static void pass(struct fixture *fixture, int64_t duration_us)
{
    fixture->now.mono_us += duration_us;
    fixture->now.real_us += duration_us;
}

/* Lets the time come that the recovery waits for. */
static void wait_for_deadline(struct fixture *fixture)
{
    assert_true(fixture->recovery->deadline_us < USEC_INFINITY);
    pass(fixture, fixture->recovery->deadline_us - fixture->now.mono_us);
    say(fixture, RECOVERY_TICK);
}

static void assert_state(const struct fixture *fixture, enum recovery_state state)
{
    assert_string_equal(recovery_state_name(fixture->recovery->state), recovery_state_name(state));
}

static void assert_action(const struct fixture *fixture, enum action_kind kind, const struct machine *target)
{
    struct machine_ref ref = machine_ref_of(target);

    assert_true(fixture->step.has_action);
    assert_int_equal(fixture->step.action.kind, kind);
    assert_true(machine_ref_equal(&fixture->step.action.target, &ref));
    assert_string_equal(fixture->step.action.recovery_id, fixture->recovery->id);
    assert_int_equal(fixture->step.action.timeout_us, kind == ACTION_START ? fixture->config.recovery.start_timeout_us
                                                                           : fixture->config.recovery.call_timeout_us);
}

static void assert_released(const struct fixture *fixture, const struct machine *candidate)
{
    struct machine_ref ref = machine_ref_of(candidate);

    assert_true(fixture->step.releases_candidate);
    assert_true(machine_ref_equal(&fixture->step.released, &ref));
}

static void assert_ended(const struct fixture *fixture, enum recovery_state outcome)
{
    assert_state(fixture, outcome);
    assert_true(recovery_state_is_final(outcome));
    assert_true(fixture->step.ended);
    assert_false(fixture->step.has_action);
    assert_int_equal(fixture->recovery->ended.mono_us, fixture->now.mono_us);
    assert_int_equal(fixture->recovery->deadline_us, USEC_INFINITY);
    assert_non_null(fixture->recovery->detail);
}

/* ---- up to a state ---- */

static void until_selecting(struct fixture *fixture)
{
    say(fixture, RECOVERY_BEGIN);
    answer_off(fixture);
    assert_state(fixture, RECOVERY_SELECTING);
    assert_true(fixture->step.wants_candidate);
}

static void until_starting(struct fixture *fixture)
{
    until_selecting(fixture);
    choose(fixture, 0);
    assert_state(fixture, RECOVERY_STARTING);
}

static void until_settling(struct fixture *fixture)
{
    until_starting(fixture);
    answer_ok(fixture);
    assert_state(fixture, RECOVERY_SETTLING);
}

static void until_resolving(struct fixture *fixture)
{
    until_starting(fixture);
    answer(fixture, -ETIMEDOUT, MACHINE_UNKNOWN, REASON_UNKNOWN);
    assert_state(fixture, RECOVERY_RESOLVING);
}

static void until_destroying(struct fixture *fixture)
{
    say(fixture, RECOVERY_BEGIN);
    answer(fixture, 0, MACHINE_CRASHED, REASON_PANICKED);
    assert_state(fixture, RECOVERY_DESTROYING);
}

/* The candidate under way failed: whatever is asked about it, it is off. Ends where the next step is decided. */
static void candidate_turns_out_off(struct fixture *fixture)
{
    for (int i = 0; i < 10 && fixture->step.has_action; i++) {
        struct machine_ref target = fixture->step.action.target;

        assert_true(machine_ref_equal(&target, &fixture->recovery->replacement));
        assert_int_not_equal(fixture->step.action.kind, ACTION_START);
        answer_off(fixture);
    }
}

/* ---- golden courses ---- */

static void test_the_happy_path(void **state)
{
    struct fixture *fixture = *state;

    assert_state(fixture, RECOVERY_DETECTED);
    say(fixture, RECOVERY_BEGIN);
    assert_state(fixture, RECOVERY_CONFIRMING);
    assert_action(fixture, ACTION_INQUIRE, &fixture->failed);
    pass(fixture, 1);
    answer_off(fixture);
    assert_int_equal(fixture->recovery->confirmed.mono_us, fixture->now.mono_us);
    assert_true(fixture->step.wants_candidate);
    assert_false(fixture->step.has_action);
    pass(fixture, 1);
    choose(fixture, 0);
    assert_int_equal(fixture->recovery->decided.mono_us, fixture->now.mono_us);
    assert_action(fixture, ACTION_START, &fixture->candidates[0]);
    pass(fixture, 1);
    answer_ok(fixture);
    assert_state(fixture, RECOVERY_SETTLING);
    assert_int_equal(fixture->recovery->started.mono_us, fixture->now.mono_us);
    assert_int_equal(fixture->recovery->deadline_us, fixture->now.mono_us + fixture->config.recovery.settle_us);
    wait_for_deadline(fixture);
    assert_action(fixture, ACTION_INQUIRE, &fixture->candidates[0]); /* verified, not assumed */
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

static void test_nobody_is_left(void **state)
{
    struct fixture *fixture = *state;

    until_selecting(fixture);
    send(fixture, (struct recovery_event){.kind = RECOVERY_NOBODY, .detail = "nobody is similar enough"});
    assert_ended(fixture, RECOVERY_EXHAUSTED);
    assert_non_null(strstr(fixture->recovery->detail, "nobody is similar enough"));
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
    };
    struct fixture *fixture = *state;

    for (size_t i = 0; i < ELEMENTS_OF(rows); i++) {
        renew(fixture, rows[i].cause);
        say(fixture, RECOVERY_BEGIN);
        answer(fixture, 0, rows[i].state, rows[i].reason);
        assert_state(fixture, RECOVERY_DESTROYING);
        assert_action(fixture, ACTION_DESTROY, &fixture->failed);
        answer_ok(fixture);
        assert_state(fixture, RECOVERY_SELECTING);
        assert_true(fixture->step.wants_candidate);
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
    assert_null(fixture->recovery->replacement_name);
    assert_non_null(strstr(fixture->recovery->attempts[0].error, "the words of the hypervisor"));
    choose(fixture, 1);
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
        choose(fixture, i);
        answer(fixture, -EIO, MACHINE_UNKNOWN, REASON_UNKNOWN);
        candidate_turns_out_off(fixture);
        assert_released(fixture, &fixture->candidates[i]);
    }
    assert_ended(fixture, RECOVERY_EXHAUSTED);
    assert_false(fixture->step.wants_candidate);
    assert_int_equal(fixture->recovery->n_attempts, 2);
}

static void test_somebody_else_started_the_candidate(void **state)
{
    struct fixture *fixture = *state;

    until_starting(fixture);
    answer(fixture, -EALREADY, MACHINE_RUNNING, REASON_UNKNOWN);
    /* Not ours: it is left alone, neither taken for the replacement nor destroyed. */
    assert_false(fixture->step.has_action);
    assert_released(fixture, &fixture->candidates[0]);
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
    assert_true(fixture->recovery->waits_for_connection);
    assert_string_equal(recovery_waits_for(fixture->recovery), "local");
    say(fixture, RECOVERY_RECONNECTED);
    assert_null(recovery_waits_for(fixture->recovery));
    assert_action(fixture, ACTION_INQUIRE, &fixture->candidates[0]);
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
        assert_true(fixture->recovery->waits_for_connection);
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
    assert_action(fixture, ACTION_INQUIRE, &fixture->candidates[0]);
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
    static void (*const courses[])(struct fixture *) = {until_selecting};
    struct fixture *fixture = *state;

    say(fixture, RECOVERY_BEGIN);
    say(fixture, RECOVERY_ORIGINAL_RUNS);
    assert_ended(fixture, RECOVERY_DISMISSED);
    for (size_t i = 0; i < ELEMENTS_OF(courses); i++) {
        renew(fixture, CAUSE_PROCESS_DIED);
        courses[i](fixture);
        say(fixture, RECOVERY_ORIGINAL_RUNS);
        assert_ended(fixture, RECOVERY_DISMISSED);
    }
}

static void test_a_looping_machine_is_not_dismissed_for_running(void **state)
{
    struct fixture *fixture = *state;

    renew(fixture, CAUSE_PANIC_LOOP);
    say(fixture, RECOVERY_BEGIN);
    say(fixture, RECOVERY_ORIGINAL_RUNS);
    assert_state(fixture, RECOVERY_CONFIRMING);
    answer_running(fixture);
    assert_action(fixture, ACTION_DESTROY, &fixture->failed);
}

static void test_a_recovery_may_be_abandoned_in_every_state(void **state)
{
    struct fixture *fixture = *state;

    until_settling(fixture);
    send(fixture, (struct recovery_event){.kind = RECOVERY_ABANDON, .detail = "its hypervisor was removed"});
    assert_ended(fixture, RECOVERY_EXHAUSTED);
    assert_string_equal(fixture->recovery->detail, "its hypervisor was removed");
}

static void test_observing_decides_and_starts_nothing(void **state)
{
    struct fixture *fixture = *state;

    fixture->config.mode = MODE_OBSERVE;
    until_selecting(fixture);
    choose(fixture, 0);
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
        choose(fixture, 0);
        assert_ended(fixture, RECOVERY_OBSERVED);
    }
}

/* ---- every pair ---- */

static void bring_to(struct fixture *fixture, enum recovery_state target)
{
    fixture->config.mode = MODE_AUTOMATIC;
    renew(fixture, CAUSE_PROCESS_DIED);
    switch (target) {
    case RECOVERY_DETECTED:
        break;
    case RECOVERY_CONFIRMING:
        say(fixture, RECOVERY_BEGIN);
        break;
    case RECOVERY_DESTROYING:
        until_destroying(fixture);
        break;
    case RECOVERY_SELECTING:
        until_selecting(fixture);
        break;
    case RECOVERY_STARTING:
        until_starting(fixture);
        break;
    case RECOVERY_RESOLVING:
        until_resolving(fixture);
        break;
    case RECOVERY_STOPPING:
        until_resolving(fixture);
        answer_off(fixture);
        break;
    case RECOVERY_SETTLING:
        until_settling(fixture);
        break;
    case RECOVERY_RECOVERED:
        until_settling(fixture);
        wait_for_deadline(fixture);
        answer_running(fixture);
        break;
    case RECOVERY_EXHAUSTED:
        until_selecting(fixture);
        say(fixture, RECOVERY_NOBODY);
        break;
    case RECOVERY_DISMISSED:
        say(fixture, RECOVERY_BEGIN);
        answer_running(fixture);
        break;
    case RECOVERY_OBSERVED:
        until_selecting(fixture);
        fixture->config.mode = MODE_OBSERVE;
        choose(fixture, 0);
        break;
    case RECOVERY_STATE_COUNT:
    default:
        fail();
    }
    assert_state(fixture, target);
}

/* What each state takes; everything else must be counted as ignored and change nothing. */
static const unsigned takes[RECOVERY_STATE_COUNT] = {
    [RECOVERY_DETECTED] = 1u << RECOVERY_BEGIN | 1u << RECOVERY_ABANDON,
    [RECOVERY_CONFIRMING] = 1u << RECOVERY_ANSWER | 1u << RECOVERY_ORIGINAL_RUNS | 1u << RECOVERY_ABANDON,
    [RECOVERY_DESTROYING] = 1u << RECOVERY_ANSWER | 1u << RECOVERY_ABANDON,
    [RECOVERY_SELECTING] =
        1u << RECOVERY_CHOSEN | 1u << RECOVERY_NOBODY | 1u << RECOVERY_ORIGINAL_RUNS | 1u << RECOVERY_ABANDON,
    [RECOVERY_STARTING] = 1u << RECOVERY_ANSWER | 1u << RECOVERY_REPLACEMENT_STOPPED | 1u << RECOVERY_ABANDON,
    [RECOVERY_RESOLVING] = 1u << RECOVERY_ANSWER | 1u << RECOVERY_ABANDON,
    [RECOVERY_STOPPING] = 1u << RECOVERY_ANSWER | 1u << RECOVERY_ABANDON,
    [RECOVERY_SETTLING] = 1u << RECOVERY_TICK | 1u << RECOVERY_REPLACEMENT_STOPPED | 1u << RECOVERY_ABANDON,
};

static void test_every_event_in_every_state(void **state)
{
    struct fixture *fixture = *state;

    for (int target = 0; target < RECOVERY_STATE_COUNT; target++)
        for (int kind = 0; kind < RECOVERY_EVENT_COUNT; kind++) {
            struct action_result result = {.state = MACHINE_SHUT_OFF, .reason = REASON_CRASHED};

            bring_to(fixture, (enum recovery_state)target);
            if (kind == RECOVERY_ANSWER && fixture->recovery->action_id == 0)
                continue; /* nothing was asked: the coordinator has no answer to hand on */
            if (fixture->recovery->deadline_us != USEC_INFINITY)
                pass(fixture, fixture->recovery->deadline_us - fixture->now.mono_us);
            unsigned long ignored = fixture->recovery->ignored;
            send(fixture, (struct recovery_event){.kind = (enum recovery_event_kind)kind,
                                                  .result = &result,
                                                  .candidate = &fixture->candidates[1],
                                                  .detail = "for a reason"});
            bool taken = (takes[target] & 1u << kind) != 0;
            assert_int_equal(fixture->recovery->ignored, ignored + !taken);
            if (taken)
                continue;
            assert_state(fixture, (enum recovery_state)target);
            assert_false(fixture->step.has_action || fixture->step.wants_candidate ||
                         fixture->step.releases_candidate || fixture->step.ended);
        }
}

static void test_every_state_and_event_has_a_name(void **state)
{
    (void)state;
    for (int i = 0; i < RECOVERY_STATE_COUNT; i++)
        for (int n = 0; n < i; n++)
            assert_string_not_equal(recovery_state_name((enum recovery_state)i),
                                    recovery_state_name((enum recovery_state)n));
    for (int i = 0; i < RECOVERY_EVENT_COUNT; i++)
        for (int n = 0; n < i; n++)
            assert_string_not_equal(recovery_event_name((enum recovery_event_kind)i),
                                    recovery_event_name((enum recovery_event_kind)n));
    assert_string_equal(recovery_state_name(RECOVERY_RECOVERED), "recovered");
}

/* ---- random courses ---- */

/* May a candidate be up, as far as anybody can know? */
struct course {
    bool may_live[4];
    unsigned chosen; /* candidates chosen so far */
    bool failed_may_live;
};

static void random_answer(struct fixture *fixture, struct course *course, uint64_t *seed)
{
    static const int errors[] = {0, 0, 0, 0, -EIO, -ETIMEDOUT, -ENOTCONN, -ENOENT};
    static const struct {
        enum machine_state state;
        enum machine_reason reason;
    } states[] = {
        {MACHINE_SHUT_OFF, REASON_CRASHED}, {MACHINE_SHUT_OFF, REASON_FAILED},  {MACHINE_RUNNING, REASON_UNKNOWN},
        {MACHINE_PAUSED, REASON_IO_ERROR},  {MACHINE_CRASHED, REASON_PANICKED}, {MACHINE_STOPPING, REASON_UNKNOWN},
        {MACHINE_UNKNOWN, REASON_UNKNOWN},  {MACHINE_PAUSED, REASON_USER},
    };
    enum action_kind kind = fixture->step.action.kind;
    int error = errors[random_below(seed, ELEMENTS_OF(errors))];
    size_t s = random_below(seed, ELEMENTS_OF(states));

    if (kind == ACTION_DESTROY && (error == 0 || error == -ENOENT)) {
        struct machine_ref target = fixture->step.action.target;

        for (unsigned i = 0; i < ELEMENTS_OF(fixture->candidates); i++) {
            struct machine_ref ref = machine_ref_of(&fixture->candidates[i]);

            if (machine_ref_equal(&target, &ref))
                course->may_live[i] = false;
        }
    }
    answer(fixture, error, states[s].state, states[s].reason);
}

static void choose_at_random(struct fixture *fixture, struct course *course, uint64_t *seed)
{
    if (course->chosen == ELEMENTS_OF(fixture->candidates) || random_below(seed, 10) == 0) {
        send(fixture, (struct recovery_event){.kind = RECOVERY_NOBODY, .detail = "nobody"});
        return;
    }
    for (unsigned i = 0; i < course->chosen; i++)
        assert_false(course->may_live[i]); /* promise 1 */
    choose(fixture, course->chosen);
    assert_int_equal(fixture->step.action.kind, ACTION_START);
    course->may_live[course->chosen++] = true;
}

/* One event that fits, or one that does not. */
static void random_event(struct fixture *fixture, struct course *course, uint64_t *seed)
{
    static const enum recovery_event_kind others[] = {RECOVERY_TICK, RECOVERY_RECONNECTED, RECOVERY_REPLACEMENT_STOPPED,
                                                      RECOVERY_ORIGINAL_RUNS};

    if (random_below(seed, 4) == 0)
        say(fixture, others[random_below(seed, ELEMENTS_OF(others) - (random_below(seed, 10) != 0))]);
    else if (fixture->recovery->action_id != 0)
        random_answer(fixture, course, seed);
    else if (fixture->recovery->waits_for_connection)
        say(fixture, RECOVERY_RECONNECTED);
    else if (fixture->recovery->deadline_us != USEC_INFINITY)
        wait_for_deadline(fixture);
}

static void test_random_courses_keep_the_promises(void **state)
{
    struct fixture *fixture = *state;
    unsigned outcomes[RECOVERY_STATE_COUNT] = {0};

    for (uint64_t round = 1; round <= 20000; round++) {
        uint64_t seed = round * UINT64_C(0x9e3779b97f4a7c15);
        struct course course = {0};
        int steps = 0;

        renew(fixture, (enum failure_cause)(1 + random_below(&seed, CAUSE_COUNT - 1)));
        say(fixture, RECOVERY_BEGIN);
        while (!recovery_state_is_final(fixture->recovery->state)) {
            struct recovery_step before = fixture->step;

            assert_true(++steps < 2000); /* every course ends */
            if (before.wants_candidate)
                choose_at_random(fixture, &course, &seed);
            else
                random_event(fixture, &course, &seed);
            if (!fixture->step.has_action && fixture->recovery->action_id != 0)
                fixture->step.action = before.action; /* still under way */
        }
        assert_true(fixture->step.ended);
        assert_true(fixture->recovery->n_attempts <= fixture->config.recovery.attempts);
        if (fixture->recovery->state == RECOVERY_RECOVERED)
            assert_non_null(fixture->recovery->replacement_name);
        outcomes[fixture->recovery->state]++;
    }
    assert_true(outcomes[RECOVERY_RECOVERED] > 100 && outcomes[RECOVERY_EXHAUSTED] > 100 &&
                outcomes[RECOVERY_DISMISSED] > 100);
}

#define recovery_test(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        recovery_test(test_the_happy_path),
        recovery_test(test_nobody_is_left),
        recovery_test(test_the_machine_runs_after_all),
        recovery_test(test_a_machine_that_no_longer_exists_is_dead),
        recovery_test(test_remains_are_destroyed_before_a_replacement_starts),
        recovery_test(test_remains_that_cannot_be_destroyed_stop_the_recovery),
        recovery_test(test_a_start_that_fails_leads_to_the_next),
        recovery_test(test_attempts_are_used_up),
        recovery_test(test_somebody_else_started_the_candidate),
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
        recovery_test(test_a_looping_machine_is_not_dismissed_for_running),
        recovery_test(test_a_recovery_may_be_abandoned_in_every_state),
        recovery_test(test_observing_decides_and_starts_nothing),
        recovery_test(test_observing_never_acts),
        recovery_test(test_every_event_in_every_state),
        recovery_test(test_every_state_and_event_has_a_name),
        recovery_test(test_random_courses_keep_the_promises),
    };

    return cmocka_run_group_tests_name("recovery", tests, NULL, NULL);
}
