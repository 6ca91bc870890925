/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The course of one recovery. Knows its own machine and the candidate it was given; nothing of the
 * pool, of similarity or of other recoveries.
 *
 *   detected ── begin ──▶ confirming ── it runs ────────────────────────────▶ dismissed
 *                           │  │  ▲ └─ cannot be asked, or again and again ──▶ exhausted
 *                           │  │  └── connection back, or still stopping
 *                           │  └── remains are left ──▶ destroying ── failed ▶ exhausted
 *                           │ dead                          │ ended
 *                           ▼                               ▼
 *                       selecting ◀─────────────────────────┘
 *                        ▲  │  └── nobody ──▶ exhausted      (observe mode ──▶ observed)
 *                        │  │ chosen
 *                        │  ▼
 *                        │ starting ── runs ──▶ settling ── still runs at the deadline ──▶ recovered
 *                        │  │ any doubt            │ stopped
 *                        │  ▼                      │
 *                        │ resolving ── runs ──▶ (settling)
 *                        │  │ off or half up       │
 *                        │  ▼                      │
 *                        │ stopping ── failed ─────┼──▶ exhausted
 *                        │  │ surely off           │
 *                        └──┴──────────────────────┘  next candidate, until attempts are used up
 *
 * Every state but the final ones ends as exhausted when the recovery is abandoned.
 *
 * A candidate is given up only when the hypervisor says that it is off: nothing else may be started
 * before. Whenever a connection is missing, the question waits and is asked anew.
 */
#include "failover/recovery.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A question without a clear answer is asked this often, with growing pauses, before it is given up. */
#define ASK_LIMIT         10
#define ASK_PAUSE_US      (500 * USEC_PER_MSEC)
#define STOPPING_PAUSE_US (200 * USEC_PER_MSEC)

static const char *const state_names[RECOVERY_STATE_COUNT] = {
    [RECOVERY_DETECTED] = "detected",   [RECOVERY_CONFIRMING] = "confirming", [RECOVERY_DESTROYING] = "destroying",
    [RECOVERY_SELECTING] = "selecting", [RECOVERY_STARTING] = "starting",     [RECOVERY_RESOLVING] = "resolving",
    [RECOVERY_STOPPING] = "stopping",   [RECOVERY_SETTLING] = "settling",     [RECOVERY_RECOVERED] = "recovered",
    [RECOVERY_EXHAUSTED] = "exhausted", [RECOVERY_DISMISSED] = "dismissed",   [RECOVERY_OBSERVED] = "observed",
};

static const char *const event_names[RECOVERY_EVENT_COUNT] = {
    [RECOVERY_BEGIN] = "begin",
    [RECOVERY_ANSWER] = "answer",
    [RECOVERY_CHOSEN] = "chosen",
    [RECOVERY_NOBODY] = "nobody",
    [RECOVERY_ORIGINAL_RUNS] = "original-runs",
    [RECOVERY_REPLACEMENT_STOPPED] = "replacement-stopped",
    [RECOVERY_RECONNECTED] = "reconnected",
    [RECOVERY_TICK] = "tick",
    [RECOVERY_ABANDON] = "abandon",
};

const char *recovery_state_name(enum recovery_state state)
{
    return state_names[state];
}

const char *recovery_event_name(enum recovery_event_kind kind)
{
    return event_names[kind];
}

bool recovery_state_is_final(enum recovery_state state)
{
    return state >= RECOVERY_RECOVERED;
}

int recovery_new(const char *id, const struct machine *failed, enum failure_cause cause, struct moment detected,
                 struct recovery **ret)
{
    _cleanup_(recovery_freep) struct recovery *recovery = calloc(1, sizeof(*recovery));

    if (recovery == NULL)
        return -ENOMEM;
    recovery->failed_name = strdup(failed->name);
    if (recovery->failed_name == NULL)
        return -ENOMEM;
    strncpy(recovery->id, id, sizeof(recovery->id) - 1);
    recovery->failed = machine_ref_of(failed);
    recovery->cause = cause;
    recovery->priority = failed->priority;
    recovery->detected = detected;
    recovery->deadline_us = USEC_INFINITY;
    *ret = steal_pointer(&recovery);
    return 0;
}

void recovery_free(struct recovery *recovery)
{
    if (recovery == NULL)
        return;
    for (size_t i = 0; i < recovery->n_attempts; i++) {
        free(recovery->attempts[i].name);
        free(recovery->attempts[i].error);
    }
    free(recovery->attempts);
    free(recovery->failed_name);
    free(recovery->replacement_name);
    free(recovery->detail);
    explanation_free(recovery->explanation);
    free(recovery);
}

/* One step in the making. */
struct step {
    struct recovery *recovery;
    const struct recovery_event *event;
    const struct config *config;
    struct recovery_step *out;
};

/* For words that may be missing when memory is short. */
static char *words(const char *format, ...) _printf_(1, 2);

static char *words(const char *format, ...)
{
    char *text = NULL;
    va_list arguments;
    int length;

    va_start(arguments, format);
    length = vasprintf(&text, format, arguments);
    va_end(arguments);
    return length < 0 ? NULL : text;
}

static void enter(struct step *step, enum recovery_state state)
{
    step->recovery->state = state;
    step->recovery->asked = 0;
    step->recovery->action_id = 0;
    step->recovery->waits_for_connection = false;
    step->recovery->deadline_us = USEC_INFINITY;
}

static void finish(struct step *step, enum recovery_state state, char *detail)
{
    enter(step, state);
    free(step->recovery->detail);
    step->recovery->detail = detail;
    step->recovery->ended = step->event->now;
    step->out->ended = true;
}

static void act(struct step *step, enum action_kind kind, const struct machine_ref *target)
{
    struct recovery_step *out = step->out;

    out->has_action = true;
    out->action = (struct action){
        .kind = kind,
        .target = *target,
        .timeout_us =
            kind == ACTION_START ? step->config->recovery.start_timeout_us : step->config->recovery.call_timeout_us,
    };
    memcpy(out->action.recovery_id, step->recovery->id, sizeof(out->action.recovery_id));
}

/* The action that the state is about, for the first time or once more. */
static void ask(struct step *step)
{
    struct recovery *recovery = step->recovery;

    recovery->deadline_us = USEC_INFINITY;
    recovery->waits_for_connection = false;
    switch (recovery->state) {
    case RECOVERY_CONFIRMING:
        act(step, ACTION_INQUIRE, &recovery->failed);
        break;
    case RECOVERY_DESTROYING:
        act(step, ACTION_DESTROY, &recovery->failed);
        break;
    case RECOVERY_STARTING:
        act(step, ACTION_START, &recovery->replacement);
        break;
    case RECOVERY_STOPPING:
        act(step, ACTION_DESTROY, &recovery->replacement);
        break;
    case RECOVERY_RESOLVING:
    case RECOVERY_SETTLING:
        act(step, ACTION_INQUIRE, &recovery->replacement);
        break;
    case RECOVERY_DETECTED:
    case RECOVERY_SELECTING:
    case RECOVERY_RECOVERED:
    case RECOVERY_EXHAUSTED:
    case RECOVERY_DISMISSED:
    case RECOVERY_OBSERVED:
    case RECOVERY_STATE_COUNT:
    default:
        break;
    }
}

static void begin_asking(struct step *step, enum recovery_state state)
{
    enter(step, state);
    ask(step);
}

/*
 * The question got no clear answer. Waits for the connection if that is what is missing, else asks
 * again after a pause. False: it was asked too often.
 */
static bool ask_later(struct step *step, int64_t pause_us)
{
    struct recovery *recovery = step->recovery;
    const struct action_result *result = step->event->result;

    recovery->action_id = 0;
    if (result->error == -ENOTCONN) {
        recovery->waits_for_connection = true;
        return true;
    }
    if (++recovery->asked >= ASK_LIMIT)
        return false;
    recovery->deadline_us = step->event->now.mono_us + pause_us * recovery->asked;
    return true;
}

static void exhaust_unanswered(struct step *step, const char *what)
{
    finish(step, RECOVERY_EXHAUSTED,
           words("%s; nothing is started while that is not certain: %s", what, step->event->result->message));
}

static void want_candidate(struct step *step)
{
    struct recovery *recovery = step->recovery;

    if (recovery->confirmed.mono_us == 0)
        recovery->confirmed = step->event->now;
    enter(step, RECOVERY_SELECTING);
    step->out->wants_candidate = true;
}

/* The candidate is surely off: on to the next, if another attempt is left. */
static void next_candidate(struct step *step)
{
    struct recovery *recovery = step->recovery;

    step->out->releases_candidate = true;
    step->out->released = recovery->replacement;
    recovery->replacement = (struct machine_ref){0};
    free(recovery->replacement_name);
    recovery->replacement_name = NULL;
    if (recovery->n_attempts >= step->config->recovery.attempts)
        finish(step, RECOVERY_EXHAUSTED,
               words("%zu candidates were tried and none came up; recovery.attempts allows no more",
                     recovery->n_attempts));
    else
        want_candidate(step);
}

/* What went wrong with the candidate under way; the first word on it stands. */
static void blame(struct step *step, const char *error)
{
    struct recovery_attempt *attempt = &step->recovery->attempts[step->recovery->n_attempts - 1];

    if (attempt->error == NULL)
        attempt->error = strdup(error);
}

static bool is_gone_or_off(const struct action_result *result)
{
    return result->error == -ENOENT ||
           (result->error == 0 && (result->state == MACHINE_SHUT_OFF || result->state == MACHINE_GONE));
}

/* What is left of it still holds its disks, and will not run again by itself. */
static bool leaves_remains(const struct recovery *recovery, const struct action_result *result)
{
    if (result->state == MACHINE_CRASHED)
        return true;
    if (result->state == MACHINE_PAUSED)
        return result->reason == REASON_IO_ERROR || result->reason == REASON_WATCHDOG ||
               result->reason == REASON_PANICKED;
    return recovery->cause == CAUSE_PANIC_LOOP;
}

static void confirm(struct step *step)
{
    const struct action_result *result = step->event->result;

    if (is_gone_or_off(result)) {
        want_candidate(step);
        return;
    }
    if (result->error != 0 || result->state == MACHINE_STOPPING || result->state == MACHINE_UNKNOWN) {
        if (!ask_later(step, result->error != 0 ? ASK_PAUSE_US : STOPPING_PAUSE_US))
            exhaust_unanswered(step, "the hypervisor does not say whether it is off");
        return;
    }
    if (leaves_remains(step->recovery, result) && step->config->mode == MODE_OBSERVE)
        want_candidate(step);
    else if (leaves_remains(step->recovery, result))
        begin_asking(step, RECOVERY_DESTROYING);
    else
        finish(step, RECOVERY_DISMISSED, words("it is %s after all", machine_state_name(result->state)));
}

/* Each state takes one event; false: the event means nothing in it. */

static bool in_detected(struct step *step)
{
    if (step->event->kind != RECOVERY_BEGIN)
        return false;
    begin_asking(step, RECOVERY_CONFIRMING);
    return true;
}

/* What every state with a question shares: asking it anew. */
static bool ask_again(struct step *step)
{
    struct recovery *recovery = step->recovery;

    if (step->event->kind == RECOVERY_TICK && step->event->now.mono_us >= recovery->deadline_us) {
        ask(step);
        return true;
    }
    if (step->event->kind == RECOVERY_RECONNECTED && recovery->waits_for_connection) {
        ask(step);
        return true;
    }
    return false;
}

static bool dismiss(struct step *step)
{
    if (step->event->kind != RECOVERY_ORIGINAL_RUNS)
        return false;
    finish(step, RECOVERY_DISMISSED, words("it was started again by somebody else"));
    return true;
}

static bool in_confirming(struct step *step)
{
    if (step->event->kind == RECOVERY_ANSWER) {
        confirm(step);
        return true;
    }
    /* A panic loop runs between its panics: only an answer can say that it is over. */
    if (step->event->kind == RECOVERY_ORIGINAL_RUNS && step->recovery->cause == CAUSE_PANIC_LOOP)
        return false;
    return dismiss(step) || ask_again(step);
}

static bool in_destroying(struct step *step)
{
    const struct action_result *result = step->event->result;

    if (step->event->kind != RECOVERY_ANSWER) {
        /* After a lost connection nobody knows what is left: look again. */
        if (step->event->kind == RECOVERY_RECONNECTED && step->recovery->waits_for_connection) {
            begin_asking(step, RECOVERY_CONFIRMING);
            return true;
        }
        return ask_again(step);
    }
    if (result->error == 0 || result->error == -ENOENT)
        want_candidate(step);
    else if (!ask_later(step, ASK_PAUSE_US))
        exhaust_unanswered(step, "its remains could not be ended");
    return true;
}

static int take_candidate(struct step *step)
{
    struct recovery *recovery = step->recovery;
    const struct machine *candidate = step->event->candidate;
    _cleanup_(freep) char *name = strdup(candidate->name);
    _cleanup_(freep) char *attempt_name = strdup(candidate->name);
    struct recovery_attempt *attempts =
        reallocarray(recovery->attempts, recovery->n_attempts + 1, sizeof(*recovery->attempts));

    if (attempts != NULL)
        recovery->attempts = attempts;
    if (attempts == NULL || name == NULL || attempt_name == NULL)
        return -ENOMEM;
    free(recovery->replacement_name);
    recovery->replacement_name = steal_pointer(&name);
    recovery->replacement = machine_ref_of(candidate);
    recovery->decided = step->event->now;
    if (step->config->mode == MODE_OBSERVE)
        return 0;
    attempts[recovery->n_attempts++] = (struct recovery_attempt){
        .candidate = recovery->replacement,
        .name = steal_pointer(&attempt_name),
    };
    return 0;
}

static int in_selecting(struct step *step, bool *ret_taken)
{
    int r;

    *ret_taken = true;
    switch (step->event->kind) {
    case RECOVERY_CHOSEN:
        r = take_candidate(step);
        if (r < 0)
            return r;
        if (step->config->mode == MODE_OBSERVE)
            finish(step, RECOVERY_OBSERVED, words("mode is observe: nothing was started"));
        else
            begin_asking(step, RECOVERY_STARTING);
        return 0;
    case RECOVERY_NOBODY:
        finish(step, RECOVERY_EXHAUSTED, step->event->detail != NULL ? words("%s", step->event->detail) : NULL);
        return 0;
    case RECOVERY_ORIGINAL_RUNS:
        dismiss(step);
        return 0;
    case RECOVERY_BEGIN:
    case RECOVERY_ANSWER:
    case RECOVERY_REPLACEMENT_STOPPED:
    case RECOVERY_RECONNECTED:
    case RECOVERY_TICK:
    case RECOVERY_ABANDON:
    case RECOVERY_EVENT_COUNT:
    default:
        *ret_taken = false;
        return 0;
    }
}

static void settle(struct step *step)
{
    struct recovery *recovery = step->recovery;

    recovery->started = step->event->now;
    enter(step, RECOVERY_SETTLING);
    recovery->deadline_us = step->event->now.mono_us + step->config->recovery.settle_us;
}

static bool in_starting(struct step *step)
{
    const struct action_result *result = step->event->result;

    if (step->event->kind == RECOVERY_REPLACEMENT_STOPPED) {
        /* It came up and died before the answer to its start: the answer will lead to resolving. */
        blame(step, "it stopped while it was being started");
        return true;
    }
    if (step->event->kind != RECOVERY_ANSWER)
        return false;

    if (result->error == 0 && step->recovery->attempts[step->recovery->n_attempts - 1].error == NULL) {
        settle(step);
    } else if (result->error == -EALREADY) {
        blame(step, "somebody else started it in the meantime");
        next_candidate(step);
    } else {
        if (result->error == -ETIMEDOUT)
            blame(step, "it did not start within recovery.start_timeout");
        else if (result->error != -ENOTCONN && result->error != 0)
            blame(step, result->message);
        begin_asking(step, RECOVERY_RESOLVING);
        if (result->error == -ENOTCONN) {
            step->out->has_action = false;
            step->recovery->waits_for_connection = true;
        }
    }
    return true;
}

/* What became of a start that was cut off, or failed. */
static bool in_resolving(struct step *step)
{
    const struct action_result *result = step->event->result;

    if (step->event->kind != RECOVERY_ANSWER)
        return ask_again(step);

    if (result->error == 0 && (result->state == MACHINE_RUNNING || result->state == MACHINE_SUSPENDED)) {
        struct recovery_attempt *attempt = &step->recovery->attempts[step->recovery->n_attempts - 1];

        free(attempt->error);
        attempt->error = NULL;
        settle(step);
    } else if (result->error == 0 || result->error == -ENOENT) {
        blame(step, "its start was cut off and it did not come up");
        begin_asking(step, RECOVERY_STOPPING);
    } else if (!ask_later(step, ASK_PAUSE_US)) {
        exhaust_unanswered(step, "the hypervisor does not say what became of the candidate's start");
    }
    return true;
}

static bool in_stopping(struct step *step)
{
    const struct action_result *result = step->event->result;

    if (step->event->kind != RECOVERY_ANSWER)
        return ask_again(step);
    if (result->error == 0 || result->error == -ENOENT)
        next_candidate(step);
    else if (!ask_later(step, ASK_PAUSE_US))
        exhaust_unanswered(step, "the candidate that failed could not be stopped");
    return true;
}

static bool in_settling(struct step *step)
{
    const struct action_result *result = step->event->result;

    if (step->event->kind == RECOVERY_REPLACEMENT_STOPPED) {
        blame(step, "it stopped again before recovery.settle was over");
        begin_asking(step, RECOVERY_STOPPING);
        return true;
    }
    if (step->event->kind != RECOVERY_ANSWER)
        return ask_again(step);

    if (result->error == 0 && (result->state == MACHINE_RUNNING || result->state == MACHINE_SUSPENDED)) {
        finish(step, RECOVERY_RECOVERED, words("%s runs in its place", step->recovery->replacement_name));
    } else if (result->error == 0 || result->error == -ENOENT) {
        blame(step, "it did not stay up");
        begin_asking(step, RECOVERY_STOPPING);
    } else if (!ask_later(step, ASK_PAUSE_US)) {
        exhaust_unanswered(step, "the hypervisor does not say whether the replacement stays up");
    }
    return true;
}

static int dispatch(struct step *step, bool *ret_taken)
{
    if (step->event->kind == RECOVERY_ABANDON && !recovery_state_is_final(step->recovery->state)) {
        *ret_taken = true;
        finish(step, RECOVERY_EXHAUSTED, step->event->detail != NULL ? words("%s", step->event->detail) : NULL);
        return 0;
    }
    switch (step->recovery->state) {
    case RECOVERY_DETECTED:
        *ret_taken = in_detected(step);
        return 0;
    case RECOVERY_CONFIRMING:
        *ret_taken = in_confirming(step);
        return 0;
    case RECOVERY_DESTROYING:
        *ret_taken = in_destroying(step);
        return 0;
    case RECOVERY_SELECTING:
        return in_selecting(step, ret_taken);
    case RECOVERY_STARTING:
        *ret_taken = in_starting(step);
        return 0;
    case RECOVERY_RESOLVING:
        *ret_taken = in_resolving(step);
        return 0;
    case RECOVERY_STOPPING:
        *ret_taken = in_stopping(step);
        return 0;
    case RECOVERY_SETTLING:
        *ret_taken = in_settling(step);
        return 0;
    case RECOVERY_RECOVERED:
    case RECOVERY_EXHAUSTED:
    case RECOVERY_DISMISSED:
    case RECOVERY_OBSERVED:
    case RECOVERY_STATE_COUNT:
    default:
        *ret_taken = false;
        return 0;
    }
}

int recovery_handle(struct recovery *recovery, const struct recovery_event *event, const struct config *config,
                    struct recovery_step *ret_step)
{
    struct recovery_step out = {0};
    struct step step = {recovery, event, config, &out};
    bool taken = false;
    int r = dispatch(&step, &taken);

    if (r < 0)
        return r;
    if (!taken)
        recovery->ignored++;
    *ret_step = out;
    return 0;
}

const char *recovery_waits_for(const struct recovery *recovery)
{
    if (!recovery->waits_for_connection)
        return NULL;
    if (recovery->state == RECOVERY_CONFIRMING || recovery->state == RECOVERY_DESTROYING)
        return recovery->failed.hypervisor;
    return recovery->replacement.hypervisor;
}

int64_t recovery_duration_us(const struct recovery *recovery, struct moment now)
{
    int64_t end_us = recovery_state_is_final(recovery->state) ? recovery->ended.mono_us : now.mono_us;

    return end_us - recovery->detected.mono_us;
}
