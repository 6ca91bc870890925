/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The course of one standby that is kept warm. Knows its machine only; nothing of the pool or of recoveries.
 *
 *   (new) ── begin ──▶ recording ── cannot be written ──▶ over, failed; one that stood stands on
 *                        │ on disk: it is kept
 *                        ▼
 *   standing ─ begin ─▶ starting ── an operator was faster ──▶ over, disowned
 *      ▲                 │   │ blocked ──▶ over, failed; one that stood stands on
 *      │                 │   │ any doubt
 *      │                 │   ▼
 *      │                 │  resolving ── off ──▶ over, failed      ── half up ──▶ (stopping)
 *      │                 │   │   │ suspended or saved after all ──▶ standing
 *      │                 ▼   ▼
 *      │               settling ── down, or wrong ──▶ (stopping)   ── an operator paused it ──▶ over, disowned
 *      │                 │ stayed up; at level running, and its CPU is quiet or standby.boot_timeout is over: (suspending)
 *      │                 ▼
 *      │               verifying ── too late ──▶ (stopping)
 *      │                 │ works
 *      │                 ▼
 *      └── done ── suspending ── any doubt ──▶ (resolving) ── runs, again and again ──▶ (stopping)
 *
 *   standing ── told or listed otherwise ──▶ checking ── old news ──▶ standing
 *      │                              │  └── off ──▶ over, failed
 *      │                              └── runs ──▶ over, disowned
 *      └── release ──▶ (stopping); over if it is saved
 *
 *   (stopping) of one that is warm by its mark alone, and was not started since ──▶ over, left
 *
 *   starting, suspending, stopping ── outlived their deadline ──▶ stuck ── came back, or reconnected ──▶ (stopping)
 *
 *   (stopping) ── surely off ──▶ looking ──▶ over, failed or released; or, while a start may still bring it up,
 *                                            may come up ── too late for that ──▶ over
 *                                                  └── runs ──▶ (stopping)
 *
 * A release ends every other course in (stopping), once the call under way was answered. A recovery that
 * wants the machine takes it between two calls, and the course ends without a word of its own.
 */
#include "workflow/warming.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define SUSPEND_FAILURES_MAX 3
/*
 * The guest of a machine that nothing can be asked of is up when its CPUs are quiet: in so many looks in a row, so far apart
 * or farther, the machine used less than so much CPU time between two of them. That is 5 % of one CPU; a guest that boots
 * uses far more, and waits for devices and addresses for shorter times.
 */
#define QUIET_LOOKS   5
#define QUIET_LOOK_US USEC_PER_SEC
#define QUIET_CPU_US  (50 * USEC_PER_MSEC)

struct step {
    struct warming *warming;
    const struct warming_event *event;
    const struct config *config;
    struct warming_step *out;
};

/* One row for each state: what it asks the world, and which function takes its events. */
struct state {
    enum action_kind question;
    bool changes; /* the question changes the machine: no recovery takes it before the answer */
    bool (*take)(struct step *step);
};

static const struct state states[WARMING_STATE_COUNT];

static void enter(struct step *step, enum warming_state state)
{
    step->warming->state = state;
    question_clear(&step->warming->question);
}

/* The first word on it stands. */
static void blame(struct step *step, const char *format, ...) _printf_(2, 3);

static void blame(struct step *step, const char *format, ...)
{
    va_list arguments;

    if (step->warming->detail != NULL)
        return;
    va_start(arguments, format);
    step->warming->detail = text_vprint(format, arguments);
    va_end(arguments);
}

static void end(struct step *step, enum warming_end how)
{
    enter(step, WARMING_OVER);
    step->warming->end = how;
}

/* The machine is off. If a start of this course may still bring it up, that is waited for. */
static void end_off(struct step *step, enum warming_end how)
{
    struct warming *warming = step->warming;

    if (warming->may_start_until_us <= step->event->now.mono_us) {
        end(step, how);
        return;
    }
    enter(step, WARMING_MAY_COME_UP);
    warming->is_failing = how == WARMING_END_FAILED;
    warming->question.deadline_us = warming->may_start_until_us;
}

static void ask(struct step *step)
{
    struct warming *warming = step->warming;
    enum action_kind question = states[warming->state].question;

    if (warming->state == WARMING_SUSPENDING && step->config->standby.warmth == KEEP_SAVED)
        question = ACTION_SAVE;
    if (states[warming->state].changes)
        warming->last = question;
    step->out->has_action = true;
    step->out->action =
        question_ask(&warming->question, question, &warming->ref, warming->level, warming->id, step->config);
}

static void begin_asking(struct step *step, enum warming_state state)
{
    enter(step, state);
    ask(step);
}

/* No clear answer: when the connection is back, or after a pause. What may be up is never let go of unasked. */
static void ask_later(struct step *step)
{
    question_ask_later(&step->warming->question, step->event->result, QUESTION_PAUSE_US, step->event->now);
}

static bool ask_again(struct step *step)
{
    const struct warming_event *event = step->event;

    if (!question_is_to_be_repeated(&step->warming->question, event->kind == WARMING_TICK,
                                    event->kind == WARMING_RECONNECTED, event->now))
        return false;
    ask(step);
    return true;
}

static void stop(struct step *step)
{
    if (step->warming->is_by_mark)
        end(step, WARMING_END_LEFT);
    else
        begin_asking(step, WARMING_STOPPING);
}

/* By its own fault. */
static void fail(struct step *step)
{
    step->warming->is_failing = true;
    stop(step);
}

static void settle(struct step *step)
{
    struct warming *warming = step->warming;

    enter(step, WARMING_SETTLING);
    warming->may_start_until_us = 0;
    warming->started = step->event->now;
    warming->proof = PROOF_NONE;
    warming->cpu_time_us = warming->quiet_looks = 0;
    question_settle(&warming->question, step->config, step->event->now);
    step->out->has_started = true;
}

static void stand(struct step *step, enum keep_warm form)
{
    struct warming *warming = step->warming;

    enter(step, WARMING_STANDING);
    warming->form = form;
    warming->standing = step->event->now;
    warming->suspend_failures = 0;
    free(warming->detail);
    warming->detail = NULL;
    step->out->stands = true;
}

/* What was cut off, or failed: what became of it? */
static void resolve(struct step *step)
{
    if (step->event->result->error == -ENOTCONN) {
        enter(step, WARMING_RESOLVING);
        step->warming->question.waits_for_connection = true;
    } else {
        begin_asking(step, WARMING_RESOLVING);
    }
}

/* The answer to a call will never come: a start may take effect all the same, by and by. */
static void lose(struct step *step)
{
    if (step->warming->last == ACTION_START)
        step->warming->may_start_until_us = step->event->now.mono_us + step->config->recovery.late_start_us;
}

/* A call that changes something did not do so clearly. */
static void doubt(struct step *step, const char *what)
{
    int error = step->event->result->error;

    if (error == -ENOTCONN)
        lose(step);
    if (error == -ETIMEDOUT) {
        blame(step, "%s did not end in time", what);
        enter(step, WARMING_STUCK);
        return;
    }
    if (error != -ENOTCONN)
        blame(step, "%s failed: %s", what, step->event->result->message);
    resolve(step);
}

static bool is_paused(const struct action_result *result)
{
    return result->error == 0 && result->state == MACHINE_PAUSED && result->reason == REASON_USER;
}

/* Neither up nor standing: it has failed, is in the way, or nothing is known of it yet. */
static void end_unfit(struct step *step, const char *why_off)
{
    const struct action_result *result = step->event->result;

    if (answer_is_off(result)) {
        blame(step, "%s", why_off);
        end_off(step, WARMING_END_FAILED);
    } else if (result->error == 0) {
        blame(step, "it was left %s", machine_state_name(result->state));
        fail(step);
    } else {
        ask_later(step);
    }
}

/* Each state takes one event; false: the event means nothing in it. */

static bool in_recording(struct step *step)
{
    struct warming *warming = step->warming;

    if (step->event->kind == WARMING_BEGIN) {
        ask(step);
        return true;
    }
    if (step->event->kind == WARMING_UP && !warming->was_warm) {
        end(step, WARMING_END_DISOWNED);
        return true;
    }
    if (step->event->kind == WARMING_UP || (step->event->kind == WARMING_OFF && warming->was_warm)) {
        begin_asking(step, WARMING_CHECKING);
        return true;
    }
    if (step->event->kind != WARMING_ANSWER)
        return false;
    if (step->event->result->error == 0) {
        begin_asking(step, WARMING_STARTING);
    } else if (warming->was_warm) {
        enter(step, WARMING_STANDING);
        warming->standing = step->event->now; /* tried again when the next refresh is due */
    } else {
        blame(step, "its state cannot be written to disk: %s", step->event->result->message);
        end(step, WARMING_END_FAILED);
    }
    return true;
}

static bool in_starting(struct step *step)
{
    const struct action_result *result = step->event->result;

    if (step->event->kind == WARMING_OFF || step->event->kind == WARMING_FAILED) {
        /* The answer will lead to resolving. */
        blame(step, "%s", step->event->detail != NULL ? step->event->detail : "it stopped while it was being started");
        return true;
    }
    if (step->event->kind == WARMING_BLOCKED && step->warming->was_warm) {
        enter(step, WARMING_STANDING);
        return true;
    }
    if (step->event->kind == WARMING_BLOCKED) {
        blame(step, "%s", step->event->detail);
        end(step, WARMING_END_FAILED);
        return true;
    }
    if (step->event->kind != WARMING_ANSWER)
        return false;
    if (result->error == 0 && step->warming->detail == NULL)
        settle(step);
    else if (result->error == 0 ||
             (result->error == -EALREADY && step->event->now.mono_us < step->warming->may_start_until_us))
        resolve(step); /* it runs by our own start before this one, late */
    else if (result->error == -EALREADY)
        end(step, WARMING_END_DISOWNED);
    else
        doubt(step, "its start");
    return true;
}

/* A resume that was refused leaves it as it stood; a suspend or save that was cut off may have been done. */
static bool is_suspended_or_saved(const struct warming *warming, const struct action_result *result,
                                  enum keep_warm *ret_form)
{
    *ret_form = is_paused(result) ? KEEP_PAUSED : KEEP_SAVED;
    if (is_paused(result))
        return warming->was_warm || warming->last == ACTION_SUSPEND;
    return result->error == 0 && result->state == MACHINE_SHUT_OFF && result->has_managed_save &&
           (warming->was_warm || warming->last == ACTION_SAVE);
}

static void give_up_suspending(struct step *step)
{
    step->warming->is_failing = true;
    stop(step);
}

static bool in_resolving(struct step *step)
{
    const struct action_result *result = step->event->result;
    struct warming *warming = step->warming;
    enum keep_warm form;

    if (step->event->kind != WARMING_ANSWER)
        return ask_again(step);
    if (answer_is_up(result)) {
        if (warming->last != ACTION_START && ++warming->suspend_failures >= SUSPEND_FAILURES_MAX)
            give_up_suspending(step);
        else
            settle(step);
    } else if (is_suspended_or_saved(warming, result, &form)) {
        stand(step, form);
    } else {
        end_unfit(step, "it did not come up");
    }
    return true;
}

/* What both states have in common in which it runs: true if the event was of that kind. */
static bool goes_wrong(struct step *step, const char *when)
{
    if (step->event->kind != WARMING_OFF && step->event->kind != WARMING_FAILED)
        return false;
    if (step->event->detail != NULL)
        blame(step, "%s", step->event->detail);
    blame(step, "it stopped again before %s", when);
    fail(step);
    return true;
}

/* One look at the CPU time of a machine that runs. */
static bool has_become_quiet(struct warming *warming, uint64_t cpu_time_us)
{
    bool is_known = warming->cpu_time_us != 0 && cpu_time_us >= warming->cpu_time_us;

    if (is_known && cpu_time_us - warming->cpu_time_us < QUIET_CPU_US)
        warming->quiet_looks++;
    else
        warming->quiet_looks = 0;
    warming->cpu_time_us = cpu_time_us;
    return warming->quiet_looks >= QUIET_LOOKS;
}

/* It stayed up, and nothing can be asked of its guest. One that never becomes quiet had time to boot, which proves nothing. */
static void await_quiet(struct step *step)
{
    struct warming *warming = step->warming;
    int64_t now_us = step->event->now.mono_us;

    if (has_become_quiet(warming, step->event->result->cpu_time_us)) {
        warming->proof = PROOF_QUIET;
        begin_asking(step, WARMING_SUSPENDING);
    } else if (now_us - warming->started.mono_us >= step->config->standby.boot_timeout_us) {
        begin_asking(step, WARMING_SUSPENDING);
    } else {
        question_clear(&warming->question);
        warming->question.deadline_us = now_us + QUIET_LOOK_US;
    }
}

static bool in_settling(struct step *step)
{
    const struct action_result *result = step->event->result;

    if (goes_wrong(step, "its guest was up"))
        return true;
    if (step->event->kind != WARMING_ANSWER)
        return ask_again(step);
    if (answer_is_up(result) && step->warming->level == VERIFY_RUNNING) {
        await_quiet(step);
    } else if (answer_is_up(result)) {
        begin_asking(step, WARMING_VERIFYING);
    } else if (is_paused(result)) {
        end(step, WARMING_END_DISOWNED);
    } else if (result->error == 0 || result->error == -ENOENT) {
        blame(step, "it did not stay up");
        fail(step);
    } else {
        ask_later(step);
    }
    return true;
}

/* What an answer without error to ACTION_VERIFY has shown. A message with it says why ports could not be looked at. */
static enum warm_proof proof_of(const struct warming *warming, const struct action_result *result)
{
    if (warming->level == VERIFY_COMMAND)
        return PROOF_COMMAND;
    if (warming->level == VERIFY_TCP || (warming->has_ports && result->message[0] == '\0'))
        return PROOF_PORTS;
    return PROOF_AGENT;
}

static bool in_verifying(struct step *step)
{
    const struct action_result *result = step->event->result;
    struct warming *warming = step->warming;

    if (goes_wrong(step, "it was verified"))
        return true;
    if (step->event->kind != WARMING_ANSWER)
        return ask_again(step);
    if (result->error == 0) {
        warming->proof = proof_of(warming, result);
        begin_asking(step, WARMING_SUSPENDING);
        return true;
    }
    if (question_verify_later(&warming->question, result, warming->started, step->config, step->event->now))
        return true;
    if (result->error == -ENOEXEC) { /* the check cannot be run, which says nothing of the machine */
        begin_asking(step, WARMING_SUSPENDING);
    } else {
        blame(step, "it runs, but was not verified within recovery.verify.timeout: %s", result->message);
        fail(step);
    }
    return true;
}

static bool in_suspending(struct step *step)
{
    if (step->event->kind == WARMING_FAILED) {
        step->warming->is_failing = true;
        blame(step, "%s", step->event->detail);
        return true;
    }
    if (step->event->kind != WARMING_ANSWER)
        return false;
    if (step->event->result->error != 0)
        doubt(step, "suspending or saving it");
    else if (step->warming->is_failing)
        stop(step);
    else
        stand(step, step->warming->last == ACTION_SAVE ? KEEP_SAVED : KEEP_PAUSED);
    return true;
}

static bool in_standing(struct step *step)
{
    struct warming *warming = step->warming;

    switch (step->event->kind) {
    case WARMING_BEGIN:
        warming->was_warm = true;
        begin_asking(step, WARMING_RECORDING);
        return true;
    case WARMING_OFF:
        if (warming->form == KEEP_SAVED)
            return false;
        begin_asking(step, WARMING_CHECKING);
        return true;
    case WARMING_UP:
    case WARMING_UNLIKE:
        begin_asking(step, WARMING_CHECKING);
        return true;
    case WARMING_FAILED:
        blame(step, "%s", step->event->detail);
        begin_asking(step, WARMING_CHECKING);
        return true;
    case WARMING_ANSWER:
    case WARMING_CAME_BACK:
    case WARMING_RECONNECTED:
    case WARMING_HOST_OFF:
    case WARMING_BLOCKED:
    case WARMING_RELEASE:
    case WARMING_TICK:
    case WARMING_EVENT_COUNT:
    default:
        return false;
    }
}

/* News that is older than the call that laid it down is no news. */
static bool in_checking(struct step *step)
{
    const struct action_result *result = step->event->result;
    int64_t now_us = step->event->now.mono_us;
    struct warming *warming = step->warming;

    if (step->event->kind == WARMING_FAILED) {
        blame(step, "%s", step->event->detail);
        return true;
    }
    if (step->event->kind != WARMING_ANSWER)
        return ask_again(step);
    if (answer_is_up(result) && now_us < warming->may_start_until_us) {
        settle(step); /* by our own start, late */
    } else if (answer_is_up(result)) {
        end(step, WARMING_END_DISOWNED);
    } else if (is_paused(result) ? warming->form == KEEP_PAUSED
                                 : result->error == 0 && result->has_managed_save && warming->form == KEEP_SAVED) {
        enter(step, WARMING_STANDING);
    } else {
        end_unfit(step, warming->form == KEEP_SAVED ? "its saved image is gone" : "it stopped while it was warm");
    }
    return true;
}

static bool in_stuck(struct step *step)
{
    if (step->event->kind != WARMING_CAME_BACK && step->event->kind != WARMING_RECONNECTED)
        return false;
    if (step->event->kind == WARMING_RECONNECTED)
        lose(step);
    step->warming->is_failing = true;
    stop(step);
    return true;
}

static bool in_stopping(struct step *step)
{
    const struct action_result *result = step->event->result;

    /* The machine stood warm while its hypervisor was away: an operator may have started it since. */
    if (step->event->kind == WARMING_RECONNECTED && step->warming->question.waits_for_connection &&
        !step->warming->is_failing && step->warming->standing.real_us != 0) {
        begin_asking(step, WARMING_CHECKING);
        return true;
    }
    if (step->event->kind != WARMING_ANSWER)
        return ask_again(step);
    if (result->error == 0 || result->error == -ENOENT)
        begin_asking(step, WARMING_LOOKING);
    else if (result->error == -ETIMEDOUT)
        enter(step, WARMING_STUCK);
    else
        ask_later(step);
    return true;
}

/* Whatever the answer is: it was off. */
static bool in_looking(struct step *step)
{
    if (step->event->kind == WARMING_UP) {
        stop(step);
        return true;
    }
    if (step->event->kind != WARMING_ANSWER)
        return false;
    end_off(step, step->warming->is_failing ? WARMING_END_FAILED : WARMING_END_RELEASED);
    return true;
}

/* A machine that comes up now is ended again: no course waits for it any more. */
static bool in_may_come_up(struct step *step)
{
    struct warming *warming = step->warming;

    if (step->event->kind == WARMING_UP) {
        stop(step);
        return true;
    }
    if (step->event->kind != WARMING_TICK || step->event->now.mono_us < warming->question.deadline_us)
        return false;
    end(step, warming->is_failing ? WARMING_END_FAILED : WARMING_END_RELEASED);
    return true;
}

/* clang-format off */
static const struct state states[WARMING_STATE_COUNT] = {
    /*                       question           changes */
    [WARMING_RECORDING]   = {ACTION_REMEMBER,   false, in_recording},
    [WARMING_STARTING]    = {ACTION_START,      true,  in_starting},
    [WARMING_RESOLVING]   = {ACTION_GET_STATE,  false, in_resolving},
    [WARMING_SETTLING]    = {ACTION_GET_STATE,  false, in_settling},
    [WARMING_VERIFYING]   = {ACTION_VERIFY,     false, in_verifying},
    [WARMING_SUSPENDING]  = {ACTION_SUSPEND,    true,  in_suspending},
    [WARMING_STANDING]    = {0,                 false, in_standing},
    [WARMING_CHECKING]    = {ACTION_GET_STATE,  false, in_checking},
    [WARMING_STUCK]       = {0,                 false, in_stuck},
    [WARMING_STOPPING]    = {ACTION_DESTROY,    true,  in_stopping},
    [WARMING_LOOKING]     = {ACTION_GET_STATE,  false, in_looking},
    [WARMING_MAY_COME_UP] = {0,                 false, in_may_come_up},
};
/* clang-format on */

/* The machine is to be off, and no longer kept. What is under way comes to its end first. */
static bool release(struct step *step)
{
    struct warming *warming = step->warming;
    bool is_unasked =
        warming->state == WARMING_RECORDING || (warming->state == WARMING_STARTING && !warming->question.is_handed_out);
    bool was_off = is_unasked && !warming->was_warm;
    bool stands = warming->state == WARMING_STANDING || (is_unasked && warming->was_warm);
    bool is_saved = warming->form == KEEP_SAVED;

    if (was_off || (stands && is_saved))
        end_off(step, WARMING_END_RELEASED);
    else if (stands || warming->state == WARMING_SETTLING || warming->state == WARMING_VERIFYING)
        stop(step);
    else if (warming->state != WARMING_MAY_COME_UP)
        warming->is_releasing = true;
    return true;
}

static bool dispatch(struct step *step)
{
    struct warming *warming = step->warming;

    if (warming->state == WARMING_OVER)
        return false;
    if (step->event->kind == WARMING_RELEASE)
        return release(step);
    return states[warming->state].take(step);
}

/* Whatever was under way there is over; only a saved image outlives it. */
static bool lose_host(struct step *step)
{
    struct warming *warming = step->warming;

    if (warming->state == WARMING_OVER || (warming->state == WARMING_STANDING && warming->form == KEEP_SAVED))
        return false;
    blame(step, "its host was lost");
    end(step, WARMING_END_FAILED);
    return true;
}

void warming_handle(struct warming *warming, const struct warming_event *event, const struct config *config,
                    struct warming_step *ret_step)
{
    struct warming_step out = {0};
    struct step step = {warming, event, config, &out};

    if (!(event->kind == WARMING_HOST_OFF ? lose_host(&step) : dispatch(&step)))
        warming->ignored++;
    /* A release that had to wait for the call under way. */
    if (warming->is_releasing && (warming->state == WARMING_STANDING || warming->state == WARMING_SETTLING)) {
        warming->is_releasing = false;
        out = (struct warming_step){.has_started = out.has_started};
        release(&step);
    }
    *ret_step = out;
}
