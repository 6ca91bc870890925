/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One recovery as a state machine: every pair of state and event, and over random courses the promises that must hold
 * whatever the world answers.
 */
#include <errno.h>
#include <string.h>

#include "recovery_fixture.h"

/* What each state takes; everything else must be counted as ignored and change nothing. */
static const unsigned takes[RECOVERY_STATE_COUNT] = {
    [RECOVERY_DETECTED] =
        1u << RECOVERY_BEGIN | 1u << RECOVERY_ORIGINAL_RUNS | 1u << RECOVERY_ABANDON | 1u << RECOVERY_SERVED,
    [RECOVERY_CONFIRMING] = 1u << RECOVERY_ANSWER | 1u << RECOVERY_ORIGINAL_RUNS | 1u << RECOVERY_ORIGINAL_FENCED |
                            1u << RECOVERY_ABANDON | 1u << RECOVERY_SERVED,
    [RECOVERY_DESTROYING] = 1u << RECOVERY_ANSWER | 1u << RECOVERY_ORIGINAL_FENCED | 1u << RECOVERY_ABANDON,
    [RECOVERY_SELECTING] = 1u << RECOVERY_CHOSEN | 1u << RECOVERY_NO_CANDIDATE | 1u << RECOVERY_NO_ORIGINAL |
                           1u << RECOVERY_ORIGINAL_RUNS | 1u << RECOVERY_ABANDON | 1u << RECOVERY_SERVED,
    [RECOVERY_RECORDING] = 1u << RECOVERY_ANSWER | 1u << RECOVERY_ORIGINAL_RUNS | 1u << RECOVERY_CANDIDATE_LOST |
                           1u << RECOVERY_CANDIDATE_FENCED | 1u << RECOVERY_ABANDON | 1u << RECOVERY_SERVED,
    [RECOVERY_PREPARING] = 1u << RECOVERY_ANSWER | 1u << RECOVERY_ORIGINAL_RUNS | 1u << RECOVERY_CANDIDATE_LOST |
                           1u << RECOVERY_CANDIDATE_FENCED | 1u << RECOVERY_ABANDON | 1u << RECOVERY_SERVED,
    [RECOVERY_VERIFYING] = 1u << RECOVERY_ANSWER | 1u << RECOVERY_REPLACEMENT_STOPPED |
                           1u << RECOVERY_CANDIDATE_FENCED | 1u << RECOVERY_ABANDON | 1u << RECOVERY_CANDIDATE_UNFIT,
    [RECOVERY_WAITING] = 1u << RECOVERY_TICK | 1u << RECOVERY_CHOSEN | 1u << RECOVERY_NO_ORIGINAL |
                         1u << RECOVERY_ORIGINAL_RUNS | 1u << RECOVERY_ABANDON | 1u << RECOVERY_SERVED,
    [RECOVERY_STARTING] = 1u << RECOVERY_ANSWER | 1u << RECOVERY_REPLACEMENT_STOPPED | 1u << RECOVERY_CANDIDATE_FENCED |
                          1u << RECOVERY_ABANDON,
    [RECOVERY_ANNOUNCING] = 1u << RECOVERY_ANSWER | 1u << RECOVERY_ORIGINAL_FAILED | 1u << RECOVERY_CANDIDATE_LOST |
                            1u << RECOVERY_CANDIDATE_FENCED | 1u << RECOVERY_SERVED | 1u << RECOVERY_ABANDON,
    [RECOVERY_RELIEVING] = 1u << RECOVERY_ANSWER | 1u << RECOVERY_ORIGINAL_FAILED | 1u << RECOVERY_ORIGINAL_FENCED |
                           1u << RECOVERY_CANDIDATE_LOST | 1u << RECOVERY_CANDIDATE_FENCED | 1u << RECOVERY_SERVED |
                           1u << RECOVERY_ABANDON,
    [RECOVERY_LEAVING] = 1u << RECOVERY_ANSWER | 1u << RECOVERY_ORIGINAL_FAILED | 1u << RECOVERY_ORIGINAL_FENCED |
                         1u << RECOVERY_CANDIDATE_LOST | 1u << RECOVERY_CANDIDATE_FENCED | 1u << RECOVERY_SERVED |
                         1u << RECOVERY_ABANDON,
    [RECOVERY_ENDING] = 1u << RECOVERY_ANSWER | 1u << RECOVERY_ORIGINAL_FAILED | 1u << RECOVERY_ORIGINAL_FENCED |
                        1u << RECOVERY_CANDIDATE_FENCED | 1u << RECOVERY_SERVED | 1u << RECOVERY_ABANDON,
    [RECOVERY_RESOLVING] = 1u << RECOVERY_ANSWER | 1u << RECOVERY_CANDIDATE_FENCED | 1u << RECOVERY_ABANDON,
    [RECOVERY_STOPPING] = 1u << RECOVERY_ANSWER | 1u << RECOVERY_CANDIDATE_FENCED | 1u << RECOVERY_ABANDON,
    [RECOVERY_SETTLING] = 1u << RECOVERY_TICK | 1u << RECOVERY_REPLACEMENT_STOPPED | 1u << RECOVERY_CANDIDATE_FENCED |
                          1u << RECOVERY_ABANDON | 1u << RECOVERY_CANDIDATE_UNFIT,
};

static void test_every_event_in_every_state(void **state)
{
    struct fixture *fixture = *state;

    for (int target = 0; target < RECOVERY_STATE_COUNT; target++)
        for (int kind = 0; kind < RECOVERY_EVENT_COUNT; kind++) {
            struct action_result result = {.state = MACHINE_SHUT_OFF, .reason = REASON_CRASHED};

            bring_to(fixture, (enum recovery_state)target);
            if (kind == RECOVERY_ANSWER && fixture->recovery->question.action_id == 0)
                continue; /* nothing was asked: the coordinator has no answer to hand on */
            if (fixture->recovery->question.deadline_us != USEC_INFINITY)
                pass(fixture, fixture->recovery->question.deadline_us - fixture->now.mono_us);
            unsigned long ignored = fixture->recovery->ignored;
            hand_in(fixture, (struct recovery_event){.kind = (enum recovery_event_kind)kind,
                                                     .result = &result,
                                                     .candidate = &fixture->candidates[1],
                                                     .detail = "for a reason"});
            bool taken = (takes[target] & 1u << kind) != 0 ||
                         (kind == RECOVERY_HOLD && !recovery_state_is_final((enum recovery_state)target));
            assert_int_equal(fixture->recovery->ignored, ignored + !taken);
            if (taken)
                continue;
            assert_state(fixture, (enum recovery_state)target);
            assert_false(fixture->step.has_action || fixture->step.wants_candidate ||
                         fixture->step.releases_candidate || fixture->step.ended || fixture->step.wants_original ||
                         fixture->step.wants_named || fixture->step.has_decided || fixture->step.has_started);
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

#define FAILED_ITSELF 4

/* What may be up as far as can be known, by number of candidate. */
struct course {
    bool may_live[FAILED_ITSELF + 1];
    unsigned chosen;  /* candidates chosen so far */
    unsigned resumed; /* how often the daemon was started anew */
    bool may_be_held;
};

static unsigned number_of(const struct fixture *fixture, const struct machine_ref *target)
{
    for (unsigned i = 0; i < ELEMENTS_OF(fixture->candidates); i++) {
        struct machine_ref ref = machine_ref_of(&fixture->candidates[i]);

        if (machine_ref_equal(target, &ref))
            return i;
    }
    return FAILED_ITSELF;
}

static void random_answer(struct fixture *fixture, struct course *course, uint64_t *seed)
{
    static const int errors[] = {0, 0, 0, 0, 0, -EIO, -ETIMEDOUT, -ENOTCONN, -ENOENT, -EALREADY};
    static const struct {
        enum machine_state state;
        enum machine_reason reason;
    } states[] = {
        {MACHINE_SHUT_OFF, REASON_CRASHED}, {MACHINE_SHUT_OFF, REASON_FAILED},  {MACHINE_RUNNING, REASON_UNKNOWN},
        {MACHINE_PAUSED, REASON_IO_ERROR},  {MACHINE_CRASHED, REASON_PANICKED}, {MACHINE_STOPPING, REASON_UNKNOWN},
        {MACHINE_UNKNOWN, REASON_UNKNOWN},  {MACHINE_PAUSED, REASON_USER},
    };
    const struct action asked = fixture->step.action;
    int error = errors[random_below(seed, ELEMENTS_OF(errors) - (asked.kind != ACTION_START))];
    size_t s = random_below(seed, ELEMENTS_OF(states));

    if (asked.kind == ACTION_DESTROY && (error == 0 || error == -ENOENT))
        course->may_live[number_of(fixture, &asked.target)] = false;
    if (asked.kind == ACTION_START && error == -EALREADY)
        course->may_live[number_of(fixture, &asked.target)] = false; /* not by us */
    /* Who was seen dead stays so, as a rule. */
    if (asked.kind == ACTION_GET_STATE && number_of(fixture, &asked.target) == FAILED_ITSELF &&
        fixture->recovery->was_seen_dead && random_below(seed, 5) != 0)
        answer_off(fixture);
    else
        answer(fixture, error, states[s].state, states[s].reason);
}

/* Promise 1, whatever led there. */
static void check_start(const struct fixture *fixture, struct course *course)
{
    unsigned number = number_of(fixture, &fixture->step.action.target);

    for (unsigned i = 0; i < ELEMENTS_OF(course->may_live); i++)
        assert_false(course->may_live[i]);
    assert_int_equal(fixture->config.mode, MODE_AUTOMATIC);
    assert_true(fixture->recovery->recorded.mono_us != 0 || fixture->recovery->is_unrecorded);
    course->may_live[number] = true;
}

static void choose_at_random(struct fixture *fixture, struct course *course, uint64_t *seed)
{
    if (course->chosen == ELEMENTS_OF(fixture->candidates) || random_below(seed, 10) == 0) {
        hand_in(fixture, (struct recovery_event){.kind = RECOVERY_NO_CANDIDATE, .detail = "no candidate"});
        return;
    }
    pick(fixture, course->chosen++);
    assert_int_equal(fixture->step.action.kind, ACTION_RECORD);
}

/* The daemon is started anew: what was under way is not known any more. */
static void begin_anew(struct fixture *fixture, struct course *course)
{
    course->resumed++;
    recovery_resume(fixture->recovery);
    fixture->step = (struct recovery_step){0};
    assert_int_equal(fixture->recovery->question.action_id, 0);
    assert_true(fixture->recovery->question.waits_for_connection);
}

/* One event that fits, or one that does not. */
static void random_event(struct fixture *fixture, struct course *course, uint64_t *seed)
{
    static const enum recovery_event_kind others[] = {RECOVERY_TICK, RECOVERY_RECONNECTED, RECOVERY_REPLACEMENT_STOPPED,
                                                      RECOVERY_ORIGINAL_RUNS};

    if (course->resumed < 3 && random_below(seed, 40) == 0)
        begin_anew(fixture, course);
    else if (course->may_be_held && random_below(seed, 20) == 0)
        hand_in(fixture, (struct recovery_event){.kind = RECOVERY_HOLD, .detail = "it is held"});
    else if (random_below(seed, 4) == 0)
        say(fixture, others[random_below(seed, ELEMENTS_OF(others) - (random_below(seed, 10) != 0))]);
    else if (fixture->recovery->question.action_id != 0)
        random_answer(fixture, course, seed);
    else if (fixture->recovery->question.waits_for_connection)
        say(fixture, RECOVERY_RECONNECTED);
    else if (fixture->recovery->question.deadline_us != USEC_INFINITY)
        wait_for_deadline(fixture);
}

static void random_step(struct fixture *fixture, struct course *course, uint64_t *seed)
{
    struct recovery_step before = fixture->step;
    bool was_held = fixture->recovery->is_held;

    if (before.wants_candidate)
        choose_at_random(fixture, course, seed);
    else if (before.wants_original)
        hand_in(fixture, random_below(seed, 5) != 0
                             ? (struct recovery_event){.kind = RECOVERY_CHOSEN, .candidate = &fixture->failed}
                             : (struct recovery_event){.kind = RECOVERY_NO_ORIGINAL, .detail = "it is gone"});
    else
        random_event(fixture, course, seed);
    if (fixture->step.has_action && fixture->step.action.kind == ACTION_START)
        check_start(fixture, course);
    /* Nothing further is begun; what is to be stopped then waits for the end of the hold. */
    if (was_held && fixture->step.has_action)
        assert_true(fixture->step.action.kind == ACTION_GET_STATE || fixture->step.action.kind == ACTION_VERIFY ||
                    fixture->recovery->state == RECOVERY_STOPPING);
    assert_false(was_held && (fixture->step.wants_candidate || fixture->step.wants_original));
    if (!fixture->step.has_action && fixture->recovery->question.action_id != 0)
        fixture->step.action = before.action; /* still under way */
}

static void random_course(struct fixture *fixture, uint64_t seed)
{
    struct config_recovery *config = &fixture->config.recovery;
    struct course course = {0};
    int steps = 0;

    course.may_be_held = random_below(&seed, 4) == 0;
    renew(fixture, (enum failure_cause)(1 + random_below(&seed, CAUSE_COUNT - 1)));
    config->when_exhausted = random_below(&seed, 2) == 0 ? EXHAUSTED_RESTART : EXHAUSTED_ALERT;
    config->order = (enum recovery_order)random_below(&seed, 3);
    fixture->recovery->restarts_before = (unsigned)random_below(&seed, 2);
    config->without_intent = random_below(&seed, 2) == 0;
    for (size_t i = 0; i < ELEMENTS_OF(fixture->descriptions); i++)
        fixture->descriptions[i].has_agent_channel = random_below(&seed, 2) == 0;
    say(fixture, RECOVERY_BEGIN);
    while (!recovery_state_is_final(fixture->recovery->state)) {
        assert_true(++steps < 5000); /* every course ends */
        random_step(fixture, &course, &seed);
    }
    assert_true(fixture->step.ended);
    assert_true(recovery_attempt_count(fixture->recovery) <= config->attempts);
    assert_true(fixture->recovery->restarts <= config->restart_attempts);
}

static void test_random_courses_keep_the_promises(void **state)
{
    struct fixture *fixture = *state;
    unsigned outcomes[RECOVERY_STATE_COUNT] = {0}, restarted = 0;

    for (uint64_t round = 1; round <= 60000; round++) {
        random_course(fixture, round * UINT64_C(0x9e3779b97f4a7c15));
        outcomes[fixture->recovery->state]++;
        if (fixture->recovery->state == RECOVERY_RECOVERED) {
            assert_non_null(fixture->recovery->replacement_name);
            restarted += fixture->recovery->restarts > 0;
        }
    }
    assert_true(outcomes[RECOVERY_RECOVERED] > 100 && outcomes[RECOVERY_EXHAUSTED] > 100 &&
                outcomes[RECOVERY_DISMISSED] > 100 && outcomes[RECOVERY_HELD] > 100 && restarted > 100);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        recovery_test(test_every_event_in_every_state),
        recovery_test(test_every_state_and_event_has_a_name),
        recovery_test(test_random_courses_keep_the_promises),
    };

    return cmocka_run_group_tests_name("recovery_pairs", tests, NULL, NULL);
}
