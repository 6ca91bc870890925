/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The course of a standby that is kept warm: its ways, and every event in every state. */
#include <errno.h>
#include <string.h>

#include "support.h"
#include "workflow/warming.h"

static struct config config;
static struct machine machine;
static struct domain_description description;
static struct warming warming;
static struct warming_step step;
static struct moment now;

static int set_up(void **state)
{
    (void)state;
    config = default_config();
    config.standby.warm = 1;
    description = (struct domain_description){.has_agent_channel = true};
    description.uuid[UUID_SIZE - 1] = 1;
    machine = (struct machine){.hypervisor = "local", .name = "best", .description = &description};
    now = (struct moment){.mono_us = 1000 * USEC_PER_SEC, .real_us = 5000 * USEC_PER_SEC};
    warming_init(&warming, "warm-1", &machine, &config);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    warming_done(&warming);
    return 0;
}

static void tell(enum warming_event_kind kind)
{
    struct warming_event event = {.kind = kind, .now = now, .detail = kind == WARMING_FAILED ? "it panicked" : NULL};

    warming_handle(&warming, &event, &config, &step);
}

static void answer_full(int error, enum machine_state state, enum machine_reason reason, bool is_saved)
{
    struct action_result result = {
        .error = error, .state = state, .reason = reason, .has_managed_save = is_saved, .message = "words"};
    struct warming_event event = {.kind = WARMING_ANSWER, .now = now, .result = &result};

    warming_handle(&warming, &event, &config, &step);
}

static void answer(int error)
{
    answer_full(error, MACHINE_RUNNING, REASON_UNKNOWN, false);
}

static void assert_asks(enum warming_state state, enum action_kind kind)
{
    assert_string_equal(warming_state_name(warming.state), warming_state_name(state));
    assert_true(step.has_action);
    assert_string_equal(action_kind_name(step.action.kind), action_kind_name(kind));
    assert_string_equal(step.action.recovery_id, "warm-1");
}

static void assert_over(enum warming_end end)
{
    assert_string_equal(warming_state_name(warming.state), "over");
    assert_int_equal(warming.end, end);
}

static void wait_out(void)
{
    assert_true(warming.question.deadline_us != USEC_INFINITY);
    now.mono_us = warming.question.deadline_us;
    tell(WARMING_TICK);
}

/* Up to a state, on the straight way. */
static void go_to(enum warming_state state)
{
    tell(WARMING_BEGIN);
    if (state >= WARMING_STARTING)
        answer(0);
    if (state >= WARMING_SETTLING)
        answer(0);
    if (state >= WARMING_VERIFYING) {
        wait_out();
        answer(0);
    }
    if (state >= WARMING_SUSPENDING)
        answer(0);
    if (state >= WARMING_STANDING)
        answer(0);
    assert_string_equal(warming_state_name(warming.state), warming_state_name(state));
}

static void the_straight_way(void **state)
{
    (void)state;
    tell(WARMING_BEGIN);
    assert_asks(WARMING_RECORDING, ACTION_REMEMBER);
    answer(0);
    assert_asks(WARMING_STARTING, ACTION_START);
    answer(0);
    assert_true(step.has_started);
    assert_false(step.has_action);
    wait_out();
    assert_asks(WARMING_SETTLING, ACTION_GET_STATE);
    answer(0);
    assert_asks(WARMING_VERIFYING, ACTION_VERIFY);
    answer(-EIO);
    wait_out();
    assert_asks(WARMING_VERIFYING, ACTION_VERIFY);
    answer(0);
    assert_asks(WARMING_SUSPENDING, ACTION_SUSPEND);
    answer(0);
    assert_true(step.stands);
    assert_int_equal(warming.state, WARMING_STANDING);
    assert_int_equal(warming.form, KEEP_PAUSED);
    assert_true(warming.question.deadline_us == USEC_INFINITY);
}

static void it_is_saved_where_that_is_wished(void **state)
{
    (void)state;
    config.standby.warmth = KEEP_SAVED;
    go_to(WARMING_VERIFYING);
    answer(0);
    assert_asks(WARMING_SUSPENDING, ACTION_SAVE);
    answer(0);
    assert_int_equal(warming.form, KEEP_SAVED);
    tell(WARMING_RELEASE);
    assert_over(WARMING_END_RELEASED);
}

/* ---- without an agent: CPU time ---- */

#define QUIET_LOOKS 5

static void go_without_an_agent(void)
{
    description.has_agent_channel = false;
    config.standby.boot_timeout_us = 60 * USEC_PER_SEC;
    warming_init(&warming, "warm-1", &machine, &config);
    go_to(WARMING_SETTLING);
}

/* One look, when it is due; 0: its CPU time is not known. */
static void look(uint64_t cpu_time_us)
{
    struct action_result result = {.state = MACHINE_RUNNING, .cpu_time_us = cpu_time_us};
    struct warming_event event = {.kind = WARMING_ANSWER, .now = now, .result = &result};

    wait_out();
    assert_asks(WARMING_SETTLING, ACTION_GET_STATE);
    event.now = now;
    warming_handle(&warming, &event, &config, &step);
}

/* So many looks between each two of which so much CPU time is used; the machine still runs. */
static void look_often(unsigned looks, uint64_t *cpu_time_us, uint64_t used_us)
{
    for (unsigned i = 0; i < looks; i++) {
        look(*cpu_time_us += used_us);
        assert_int_equal(warming.state, WARMING_SETTLING);
        assert_false(step.has_action);
    }
}

static void without_an_agent_its_cpu_must_be_quiet(void **state)
{
    uint64_t cpu_time_us = USEC_PER_SEC;

    (void)state;
    go_without_an_agent();
    look_often(10, &cpu_time_us, USEC_PER_SEC);
    look_often(QUIET_LOOKS - 1, &cpu_time_us, 49 * USEC_PER_MSEC);
    look(cpu_time_us + 49 * USEC_PER_MSEC);
    assert_asks(WARMING_SUSPENDING, ACTION_SUSPEND);
    assert_int_equal(warming.proof, PROOF_QUIET);
}

/* Quiet for some seconds, as while it waits for an address, and then busy again. */
static void a_pause_in_its_boot_is_not_its_end(void **state)
{
    uint64_t cpu_time_us = USEC_PER_SEC;

    (void)state;
    go_without_an_agent();
    look_often(2, &cpu_time_us, USEC_PER_SEC);
    look_often(QUIET_LOOKS - 1, &cpu_time_us, 0);
    look_often(1, &cpu_time_us, 50 * USEC_PER_MSEC);
    look_often(QUIET_LOOKS - 1, &cpu_time_us, 0);
    look(cpu_time_us);
    assert_asks(WARMING_SUSPENDING, ACTION_SUSPEND);
}

/* A time that is not known, or smaller than before, is no quiet one. */
static void cpu_time_that_is_not_known_proves_nothing(void **state)
{
    uint64_t cpu_time_us = USEC_PER_SEC, none = 0;

    (void)state;
    go_without_an_agent();
    look_often(QUIET_LOOKS + 2, &none, 0);
    look_often(QUIET_LOOKS, &cpu_time_us, 0);
    cpu_time_us -= 10;
    look_often(QUIET_LOOKS, &cpu_time_us, 0);
    look(cpu_time_us);
    assert_asks(WARMING_SUSPENDING, ACTION_SUSPEND);
}

/* Looks that got no answer do not bring two that did nearer to each other. */
static void a_look_without_an_answer_is_no_look(void **state)
{
    uint64_t cpu_time_us = USEC_PER_SEC;

    (void)state;
    go_without_an_agent();
    look_often(1, &cpu_time_us, 0);
    for (int i = 0; i < 3; i++) {
        wait_out();
        answer(-EIO);
        assert_int_equal(warming.state, WARMING_SETTLING);
    }
    look_often(QUIET_LOOKS - 1, &cpu_time_us, 0);
    look(cpu_time_us);
    assert_asks(WARMING_SUSPENDING, ACTION_SUSPEND);
}

static void one_that_is_never_quiet_has_boot_timeout(void **state)
{
    uint64_t cpu_time_us = USEC_PER_SEC;
    struct moment begun;

    (void)state;
    go_without_an_agent();
    begun = now;
    for (int i = 0; i < 1000 && warming.state == WARMING_SETTLING; i++)
        look(cpu_time_us += USEC_PER_SEC);
    assert_asks(WARMING_SUSPENDING, ACTION_SUSPEND);
    assert_int_equal(warming.proof, PROOF_NONE);
    assert_true(now.mono_us - begun.mono_us >= config.standby.boot_timeout_us);
    assert_true(now.mono_us - begun.mono_us < config.standby.boot_timeout_us + 2 * USEC_PER_SEC);
}

/* What was shown before it was suspended last holds until it runs again. */
static void a_refresh_begins_to_look_anew(void **state)
{
    uint64_t cpu_time_us = USEC_PER_SEC;

    (void)state;
    go_without_an_agent();
    look_often(QUIET_LOOKS, &cpu_time_us, 0);
    look(cpu_time_us);
    answer(0);
    assert_int_equal(warming.state, WARMING_STANDING);
    tell(WARMING_BEGIN);
    assert_int_equal(warming.proof, PROOF_QUIET);
    answer(0);
    answer(0);
    assert_int_equal(warming.proof, PROOF_NONE);
    look_often(QUIET_LOOKS, &cpu_time_us, 0);
    look(cpu_time_us);
    assert_asks(WARMING_SUSPENDING, ACTION_SUSPEND);
}

/* ---- what was proved ---- */

static void answer_with(const char *message)
{
    struct action_result result = {.state = MACHINE_RUNNING};
    struct warming_event event = {.kind = WARMING_ANSWER, .now = now, .result = &result};

    strcpy(result.message, message);
    warming_handle(&warming, &event, &config, &step);
}

static void what_verified_it_is_the_proof(void **state)
{
    static const struct {
        enum verify_level level;
        bool has_ports;
        const char *message;
        enum warm_proof proof;
    } rows[] = {
        {VERIFY_AGENT, false, "", PROOF_AGENT},
        {VERIFY_AGENT, true, "", PROOF_PORTS},
        {VERIFY_AGENT, true, "its agent must not be asked", PROOF_AGENT},
        {VERIFY_TCP, false, "", PROOF_PORTS},
        {VERIFY_COMMAND, false, "", PROOF_COMMAND},
    };

    (void)state;
    for (size_t i = 0; i < ELEMENTS_OF(rows); i++) {
        config.recovery.verify.level = rows[i].level;
        warming_init(&warming, "warm-1", &machine, &config);
        go_to(WARMING_VERIFYING);
        warming.has_ports = rows[i].has_ports;
        answer_with(rows[i].message);
        assert_int_equal(warming.state, WARMING_SUSPENDING);
        assert_int_equal(warming.proof, rows[i].proof);
    }
}

static void what_is_not_written_is_not_started(void **state)
{
    (void)state;
    tell(WARMING_BEGIN);
    answer(-ENOSPC);
    assert_over(WARMING_END_FAILED);
    assert_false(warming.is_failing);
}

static void the_operator_was_faster(void **state)
{
    (void)state;
    go_to(WARMING_STARTING);
    answer(-EALREADY);
    assert_over(WARMING_END_DISOWNED);
}

/* It refreshes one that an earlier daemon was starting when it died. */
static void its_own_start_that_came_late_is_no_operator(void **state)
{
    (void)state;
    go_to(WARMING_STARTING);
    warming.may_start_until_us = now.mono_us + USEC_PER_SEC;
    answer(-EALREADY);
    assert_asks(WARMING_RESOLVING, ACTION_GET_STATE);
    answer(0);
    assert_int_equal(warming.state, WARMING_SETTLING);
}

static void one_that_is_blocked_is_not_started(void **state)
{
    struct warming_event event = {.kind = WARMING_BLOCKED, .now = now, .detail = "its disk is in use"};

    (void)state;
    go_to(WARMING_STARTING);
    warming_handle(&warming, &event, &config, &step);
    assert_over(WARMING_END_FAILED);
    assert_false(warming.is_failing);
    assert_string_equal(warming.detail, "its disk is in use");
}

static void a_start_that_is_cut_off_is_looked_into(void **state)
{
    (void)state;
    go_to(WARMING_STARTING);
    answer(-ENOTCONN);
    assert_int_equal(warming.state, WARMING_RESOLVING);
    assert_false(step.has_action);
    tell(WARMING_RECONNECTED);
    assert_asks(WARMING_RESOLVING, ACTION_GET_STATE);
    answer(0);
    assert_int_equal(warming.state, WARMING_SETTLING);
}

static void a_start_that_failed_leaves_nothing_behind(void **state)
{
    (void)state;
    go_to(WARMING_STARTING);
    answer(-EIO);
    answer_full(0, MACHINE_PAUSED, REASON_IO_ERROR, false);
    assert_asks(WARMING_STOPPING, ACTION_DESTROY);
    answer(0);
    assert_asks(WARMING_LOOKING, ACTION_GET_STATE);
    answer_full(0, MACHINE_SHUT_OFF, REASON_DESTROYED, false);
    assert_over(WARMING_END_FAILED);
    assert_true(warming.is_failing);
    assert_string_equal(warming.detail, "its start failed: words");
}

static void a_call_that_hangs_is_waited_for(void **state)
{
    (void)state;
    go_to(WARMING_SUSPENDING);
    answer(-ETIMEDOUT);
    assert_int_equal(warming.state, WARMING_STUCK);
    assert_true(warming.question.deadline_us == USEC_INFINITY);
    assert_false(warming_may_yield(&warming));
    tell(WARMING_TICK);
    assert_int_equal(warming.state, WARMING_STUCK);
    tell(WARMING_CAME_BACK);
    assert_asks(WARMING_STOPPING, ACTION_DESTROY);
}

static void one_that_cannot_be_laid_down_is_stopped_in_the_end(void **state)
{
    unsigned rounds = 0;

    (void)state;
    go_to(WARMING_SUSPENDING);
    while (warming.state == WARMING_SUSPENDING) {
        assert_true(++rounds < 10);
        answer(-EIO);
        assert_asks(WARMING_RESOLVING, ACTION_GET_STATE);
        answer(0);
        if (warming.state != WARMING_SETTLING)
            break;
        wait_out();
        answer(0);
        answer(0);
    }
    assert_asks(WARMING_STOPPING, ACTION_DESTROY);
}

static void a_suspend_that_errs_but_acts_counts(void **state)
{
    (void)state;
    go_to(WARMING_SUSPENDING);
    answer(-EIO);
    answer_full(0, MACHINE_PAUSED, REASON_USER, false);
    assert_true(step.stands);
    assert_null(warming.detail);
}

/* What would be stopped again is not started. */
static void one_that_is_released_before_its_start_was_asked_for_is_not_started(void **state)
{
    (void)state;
    go_to(WARMING_STARTING);
    tell(WARMING_RELEASE);
    assert_over(WARMING_END_RELEASED);
}

static void one_that_is_not_verified_in_time_is_stopped(void **state)
{
    (void)state;
    go_to(WARMING_VERIFYING);
    now.mono_us += config.recovery.verify.timeout_us;
    answer(-EIO);
    assert_asks(WARMING_STOPPING, ACTION_DESTROY);
    assert_true(warming.is_failing);
}

static void one_that_cannot_be_verified_is_warmed(void **state)
{
    (void)state;
    go_to(WARMING_VERIFYING);
    now.mono_us += config.recovery.verify.timeout_us;
    answer(-ENOEXEC);
    assert_asks(WARMING_SUSPENDING, ACTION_SUSPEND);
    assert_int_equal(warming.proof, PROOF_NONE);
}

static void a_panic_ends_it(void **state)
{
    (void)state;
    go_to(WARMING_SETTLING);
    tell(WARMING_FAILED);
    assert_asks(WARMING_STOPPING, ACTION_DESTROY);
    assert_string_equal(warming.detail, "it panicked");
}

static void a_panic_while_it_is_suspended_is_not_forgotten(void **state)
{
    (void)state;
    go_to(WARMING_SUSPENDING);
    tell(WARMING_FAILED);
    assert_int_equal(warming.state, WARMING_SUSPENDING);
    answer(0);
    assert_asks(WARMING_STOPPING, ACTION_DESTROY);
}

static void one_that_the_operator_paused_is_left_alone(void **state)
{
    (void)state;
    go_to(WARMING_SETTLING);
    wait_out();
    answer_full(0, MACHINE_PAUSED, REASON_USER, false);
    assert_over(WARMING_END_DISOWNED);
}

static void old_news_does_not_cost_it_its_warmth(void **state)
{
    (void)state;
    go_to(WARMING_STANDING);
    tell(WARMING_UP);
    assert_asks(WARMING_CHECKING, ACTION_GET_STATE);
    answer_full(0, MACHINE_PAUSED, REASON_USER, false);
    assert_int_equal(warming.state, WARMING_STANDING);
    assert_false(step.stands);
}

static void one_that_the_operator_runs_is_left_alone(void **state)
{
    (void)state;
    go_to(WARMING_STANDING);
    tell(WARMING_UP);
    answer(0);
    assert_over(WARMING_END_DISOWNED);
}

static void one_that_died_standing_is_over_without_blame(void **state)
{
    (void)state;
    go_to(WARMING_STANDING);
    tell(WARMING_OFF);
    answer_full(0, MACHINE_SHUT_OFF, REASON_CRASHED, false);
    assert_over(WARMING_END_FAILED);
    assert_false(warming.is_failing);
}

static void a_refresh_goes_the_same_way(void **state)
{
    (void)state;
    go_to(WARMING_STANDING);
    now.mono_us += USEC_PER_SEC;
    go_to(WARMING_STANDING);
    assert_true(warming.was_warm);
    assert_true(step.stands);
    assert_true(warming.standing.mono_us == now.mono_us);
}

static void a_refresh_that_is_refused_leaves_it_standing(void **state)
{
    (void)state;
    go_to(WARMING_STANDING);
    tell(WARMING_BEGIN);
    answer(0);
    answer(-EIO);
    answer_full(0, MACHINE_PAUSED, REASON_USER, false);
    assert_int_equal(warming.state, WARMING_STANDING);
}

static void a_refresh_that_cannot_be_written_waits_for_the_next(void **state)
{
    (void)state;
    go_to(WARMING_STANDING);
    tell(WARMING_BEGIN);
    answer(-EIO);
    assert_int_equal(warming.state, WARMING_STANDING);
}

static void a_release_waits_for_the_call_under_way(void **state)
{
    (void)state;
    go_to(WARMING_STARTING);
    warming.question.is_handed_out = true;
    tell(WARMING_RELEASE);
    assert_false(step.has_action);
    answer(0);
    assert_asks(WARMING_STOPPING, ACTION_DESTROY);
    answer(0);
    answer_full(0, MACHINE_SHUT_OFF, REASON_DESTROYED, false);
    assert_over(WARMING_END_RELEASED);
}

static void what_may_be_up_is_asked_about_for_ever(void **state)
{
    (void)state;
    go_to(WARMING_SETTLING);
    tell(WARMING_RELEASE);
    for (int i = 0; i < 100; i++) {
        answer(-EIO);
        assert_int_equal(warming.state, WARMING_STOPPING);
        wait_out();
        assert_true(step.has_action);
    }
}

static void it_yields_between_calls_only(void **state)
{
    static const bool can[WARMING_STATE_COUNT] = {[WARMING_RECORDING] = true,
                                                  [WARMING_SETTLING] = true,
                                                  [WARMING_VERIFYING] = true,
                                                  [WARMING_STANDING] = true,
                                                  [WARMING_CHECKING] = true};
    static const bool may[WARMING_STATE_COUNT] = {
        [WARMING_RECORDING] = true, [WARMING_STARTING] = true,   [WARMING_RESOLVING] = true, [WARMING_SETTLING] = true,
        [WARMING_VERIFYING] = true, [WARMING_SUSPENDING] = true, [WARMING_STANDING] = true,  [WARMING_CHECKING] = true};

    (void)state;
    for (int i = 0; i < WARMING_STATE_COUNT; i++) {
        warming.state = (enum warming_state)i;
        assert_int_equal(warming_can_yield(&warming), can[i]);
        assert_int_equal(warming_may_yield(&warming), may[i]);
        warming.is_failing = true;
        assert_false(warming_may_yield(&warming));
        warming.is_failing = false;
    }
}

/* Nothing crashes, nothing is asked twice at a time, and what is let go of while it may be up was disowned. */
static void every_event_in_every_state(void **state)
{
    static const int errors[] = {0, -EIO, -ENOTCONN, -ENOENT, -ETIMEDOUT, -EALREADY};

    (void)state;
    for (int s = 0; s < WARMING_STATE_COUNT; s++)
        for (int e = 0; e < WARMING_EVENT_COUNT; e++)
            for (size_t k = 0; k < ELEMENTS_OF(errors); k++)
                for (int m = 0; m < MACHINE_STATE_COUNT; m++) {
                    struct action_result result = {.error = errors[k], .state = (enum machine_state)m};
                    struct warming_event event = {
                        .kind = (enum warming_event_kind)e, .now = now, .result = &result, .detail = "it failed"};

                    warming_done(&warming);
                    warming_init(&warming, "warm-1", &machine, &config);
                    warming.state = (enum warming_state)s;
                    warming.last = ACTION_START;
                    warming.question.deadline_us = now.mono_us;
                    warming_handle(&warming, &event, &config, &step);
                    if (warming.state == WARMING_OVER && s != WARMING_OVER)
                        assert_int_not_equal(warming.end, WARMING_GOES_ON);
                    if (warming.state == WARMING_OVER)
                        assert_false(step.has_action);
                    if (warming.state == WARMING_STANDING || warming.state == WARMING_OVER)
                        assert_true(warming.question.deadline_us == USEC_INFINITY || warming.ignored > 0);
                }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(the_straight_way),
        TEST(it_is_saved_where_that_is_wished),
        TEST(without_an_agent_its_cpu_must_be_quiet),
        TEST(a_pause_in_its_boot_is_not_its_end),
        TEST(cpu_time_that_is_not_known_proves_nothing),
        TEST(a_look_without_an_answer_is_no_look),
        TEST(one_that_is_never_quiet_has_boot_timeout),
        TEST(a_refresh_begins_to_look_anew),
        TEST(what_verified_it_is_the_proof),
        TEST(what_is_not_written_is_not_started),
        TEST(the_operator_was_faster),
        TEST(its_own_start_that_came_late_is_no_operator),
        TEST(one_that_is_blocked_is_not_started),
        TEST(a_start_that_is_cut_off_is_looked_into),
        TEST(a_start_that_failed_leaves_nothing_behind),
        TEST(a_call_that_hangs_is_waited_for),
        TEST(one_that_cannot_be_laid_down_is_stopped_in_the_end),
        TEST(a_suspend_that_errs_but_acts_counts),
        TEST(one_that_is_released_before_its_start_was_asked_for_is_not_started),
        TEST(one_that_is_not_verified_in_time_is_stopped),
        TEST(one_that_cannot_be_verified_is_warmed),
        TEST(a_panic_ends_it),
        TEST(a_panic_while_it_is_suspended_is_not_forgotten),
        TEST(one_that_the_operator_paused_is_left_alone),
        TEST(old_news_does_not_cost_it_its_warmth),
        TEST(one_that_the_operator_runs_is_left_alone),
        TEST(one_that_died_standing_is_over_without_blame),
        TEST(a_refresh_goes_the_same_way),
        TEST(a_refresh_that_is_refused_leaves_it_standing),
        TEST(a_refresh_that_cannot_be_written_waits_for_the_next),
        TEST(a_release_waits_for_the_call_under_way),
        TEST(what_may_be_up_is_asked_about_for_ever),
        TEST(it_yields_between_calls_only),
        TEST(every_event_in_every_state),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
