/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The course of one recovery. Knows its own machine and the candidate it was given; nothing of the
 * pool, of similarity or of other recoveries.
 *
 *   detected ── begin ──▶ confirming ── it runs ─────────────────────────────▶ dismissed
 *                           │  │  ▲ └─ asked in vain, again and again ────────▶ exhausted
 *                           │  │  └── connection back, or still stopping
 *                           │  └── remains are left ──▶ destroying ── in vain ▶ exhausted
 *                           │ dead                          │ ended
 *                           ▼                               ▼
 *                       selecting ◀─────────────────────────┘
 *                        ▲  │  └── nobody ──▶ (give up)       observe mode ──▶ observed
 *                        │  │ chosen
 *                        │  ▼
 *                        │ recording ── cannot be written, and must be ──────▶ exhausted
 *                        │  │ the intent is on disk, or may be missing
 *                        │  ▼
 *                        │ preparing ── vetoed ───┐
 *                        │  │ hooks are done      │
 *                        │  ▼                     │
 *                        │ starting ── runs ──▶ settling ── stays up ──▶ verifying ── works ──▶ recovered
 *                        │  │ any doubt           │ │ stopped             │ │ stopped, or too late
 *                        │  ▼                     │ ▼                     │ ▼
 *                        │ resolving ── runs ──▶ (settling)  ·  (stopping) ·
 *                        │  │ off or half up      │
 *                        │  ▼                     │
 *                        │ stopping ── in vain ───┼──▶ exhausted
 *                        │  │ surely off          │
 *                        └──┴─────────────────────┘ next candidate, until attempts are used up
 *
 *   (give up): exhausted; or with when_exhausted restart ──▶ waiting ── pause is over ──▶ the failed
 *   machine itself is the next candidate, until restarts are used up.
 *
 * Until something was started, the failed machine running again ends it as dismissed. Every state but
 * the final ones ends as exhausted when the recovery is abandoned. A candidate is given up only when
 * the hypervisor says that it is off: nothing else may be started before. Whenever a connection is
 * missing, the question waits and is asked anew. That a host was lost and fenced is an answer, too: what
 * it had is off.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "failover/recovery.h"

/* A question without a clear answer is asked this often, with growing pauses, before it is given up. */
#define ASK_LIMIT         10
#define ASK_PAUSE_US      (500 * USEC_PER_MSEC)
#define STOPPING_PAUSE_US (200 * USEC_PER_MSEC)
/* libvirt gives a process that does not end 10 s after SIGTERM a SIGKILL, and waits for it up to 5 s more. */
#define DESTROY_US (20 * USEC_PER_SEC)
/* The pause before a restart is doubled at most so often. */
#define BACKOFF_DOUBLINGS_MAX 16

/* One step in the making. */
struct step {
    struct recovery *recovery;
    const struct recovery_event *event;
    const struct config *config;
    struct recovery_step *out;
};

/* One row for each state: what it asks the world, and who takes its events. */
struct state {
    bool asks;
    enum action_kind question;
    bool about_failed; /* the question is about the failed machine, not about the candidate */
    bool is_harmless;  /* nothing was started yet: the failed machine may come back */
    bool (*take)(struct step *step);
};

static const struct state states[RECOVERY_STATE_COUNT];

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
    step->recovery->is_changed = true;
}

static void finish(struct step *step, enum recovery_state state, char *detail)
{
    enter(step, state);
    free(step->recovery->detail);
    step->recovery->detail = detail;
    step->recovery->ended = step->event->now;
    step->out->ended = true;
}

static int64_t time_for(const struct config *config, enum action_kind question, enum verify_level level)
{
    switch (question) {
    case ACTION_START:
        return config->recovery.start_timeout_us;
    case ACTION_RECORD:
        return config->recovery.intent_timeout_us;
    case ACTION_HOOK:
        return config->hooks.timeout_us;
    case ACTION_VERIFY:
        return level == VERIFY_COMMAND ? config->hooks.timeout_us : config->recovery.call_timeout_us;
    case ACTION_DESTROY:
        return config->recovery.call_timeout_us > DESTROY_US ? config->recovery.call_timeout_us : DESTROY_US;
    case ACTION_LIST:
    case ACTION_INSPECT:
    case ACTION_INQUIRE:
    case ACTION_PROBE:
    case ACTION_REMEMBER:
    case ACTION_SUSPEND:
    case ACTION_SAVE:
    case ACTION_SET_CLOCK:
    case ACTION_WEIGH:
    case ACTION_FENCE:
    case ACTION_COUNT:
    default:
        return config->recovery.call_timeout_us;
    }
}

/* The question that the state is about, for the first time or once more. */
static void ask(struct step *step)
{
    struct recovery *recovery = step->recovery;
    const struct state *state = &states[recovery->state];

    recovery->deadline_us = USEC_INFINITY;
    recovery->waits_for_connection = false;
    recovery->is_asked = false;
    step->out->has_action = true;
    step->out->action = (struct action){
        .kind = state->question,
        .target = state->about_failed ? recovery->failed : recovery->replacement,
        .timeout_us = time_for(step->config, state->question, recovery->level),
        .level = recovery->level,
        .port = step->config->recovery.verify.port,
    };
    memcpy(step->out->action.recovery_id, recovery->id, sizeof(recovery->id));
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

    recovery->action_id = 0;
    if (step->event->result->error == -ENOTCONN) {
        recovery->waits_for_connection = true;
        return true;
    }
    if (++recovery->asked >= ASK_LIMIT)
        return false;
    recovery->deadline_us = step->event->now.mono_us + pause_us * recovery->asked;
    return true;
}

/* What every state with a question shares: asking it anew. */
static bool ask_again(struct step *step)
{
    struct recovery *recovery = step->recovery;
    bool is_due = step->event->kind == RECOVERY_TICK && step->event->now.mono_us >= recovery->deadline_us;
    bool is_back = step->event->kind == RECOVERY_RECONNECTED && recovery->waits_for_connection;

    if (is_due || is_back)
        ask(step);
    return is_due || is_back;
}

static void exhaust_unanswered(struct step *step, const char *what)
{
    finish(step, RECOVERY_EXHAUSTED,
           words("%s; nothing is started while that is not certain: %s", what, step->event->result->message));
}

/* Nobody is left to try: the failed machine itself is, if that is wished. */
static void give_up(struct step *step, char *detail)
{
    struct recovery *recovery = step->recovery;
    const struct config_recovery *config = &step->config->recovery;
    unsigned doublings = recovery->restarts < BACKOFF_DOUBLINGS_MAX ? recovery->restarts : BACKOFF_DOUBLINGS_MAX;

    if (step->config->mode == MODE_OBSERVE || config->when_exhausted != EXHAUSTED_RESTART ||
        recovery->restarts >= config->restart_attempts) {
        finish(step, RECOVERY_EXHAUSTED, detail);
        return;
    }
    enter(step, RECOVERY_WAITING);
    free(recovery->detail);
    recovery->detail = detail;
    recovery->deadline_us = step->event->now.mono_us + (config->restart_backoff_us << doublings);
}

static void see_dead(struct step *step)
{
    if (step->recovery->confirmed.real_us == 0)
        step->recovery->confirmed = step->event->now;
    step->recovery->was_seen_dead = true;
    step->recovery->belies_its_looks = false;
}

/* False: it was given up. */
static bool has_attempts_left(struct step *step)
{
    size_t n_attempts = recovery_attempt_count(step->recovery);

    if (n_attempts < step->config->recovery.attempts)
        return true;
    give_up(step, words("%zu candidates were tried and none came up; recovery.attempts allows no more", n_attempts));
    return false;
}

/* The failed machine is surely dead. */
static void want_candidate(struct step *step)
{
    see_dead(step);
    if (!has_attempts_left(step))
        return;
    enter(step, RECOVERY_SELECTING);
    step->out->wants_candidate = true;
}

static void release(struct step *step)
{
    struct recovery *recovery = step->recovery;

    step->out->releases_candidate = true;
    step->out->released = recovery->replacement;
    recovery->replacement = (struct machine_ref){0};
    recovery->is_restarting = false;
    free(recovery->replacement_name);
    recovery->replacement_name = NULL;
}

static void next_candidate(struct step *step)
{
    bool was_restart = step->recovery->is_restarting;

    release(step);
    if (was_restart)
        give_up(step, words("nobody could take its place, and it did not come up again itself"));
    else if (has_attempts_left(step))
        begin_asking(step, RECOVERY_CONFIRMING); /* somebody may have started the failed machine meanwhile */
}

static struct recovery_attempt *attempt_under_way(struct step *step)
{
    return &step->recovery->attempts[step->recovery->n_attempts - 1];
}

/* What went wrong with the candidate under way; the first word on it stands. */
static void blame(struct step *step, const char *error)
{
    struct recovery_attempt *attempt = attempt_under_way(step);

    if (attempt->error == NULL)
        attempt->error = strdup(error);
}

static bool is_up(const struct action_result *result)
{
    return result->error == 0 && (result->state == MACHINE_RUNNING || result->state == MACHINE_SUSPENDED);
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
    return recovery->belies_its_looks;
}

static void confirm(struct step *step)
{
    const struct action_result *result = step->event->result;

    /* What was seen dead stays so as far as anybody can tell, while its hypervisor is away. */
    /* NOLINTNEXTLINE(bugprone-branch-clone): dead, and not to be touched, are two things */
    if (is_gone_or_off(result) || (result->error == -ENOTCONN && step->recovery->was_seen_dead)) {
        want_candidate(step);
    } else if (result->error != 0 || result->state == MACHINE_STOPPING || result->state == MACHINE_UNKNOWN) {
        if (!ask_later(step, result->error != 0 ? ASK_PAUSE_US : STOPPING_PAUSE_US))
            exhaust_unanswered(step, "the hypervisor does not say whether it is off");
    } else if (!leaves_remains(step->recovery, result)) {
        finish(step, RECOVERY_DISMISSED, words("it is %s after all", machine_state_name(result->state)));
    } else if (step->config->mode == MODE_OBSERVE) {
        want_candidate(step);
    } else {
        begin_asking(step, RECOVERY_DESTROYING);
    }
}

/* Each state takes one event; false: the event means nothing in it. */

static bool in_detected(struct step *step)
{
    if (step->event->kind != RECOVERY_BEGIN)
        return false;
    begin_asking(step, RECOVERY_CONFIRMING);
    return true;
}

static bool in_confirming(struct step *step)
{
    if (step->event->kind == RECOVERY_RECONNECTED)
        step->recovery->belies_its_looks = false; /* nobody knows what was missed */
    if (step->event->kind != RECOVERY_ANSWER)
        return ask_again(step);
    confirm(step);
    return true;
}

static bool in_destroying(struct step *step)
{
    const struct action_result *result = step->event->result;

    if (step->event->kind == RECOVERY_RECONNECTED && step->recovery->waits_for_connection) {
        /* After a lost connection nobody knows what is left: look again. */
        step->recovery->belies_its_looks = false;
        begin_asking(step, RECOVERY_CONFIRMING);
        return true;
    }
    if (step->event->kind != RECOVERY_ANSWER)
        return ask_again(step);
    if (result->error == 0 || result->error == -ENOENT) {
        see_dead(step);
        begin_asking(step, RECOVERY_CONFIRMING); /* and if somebody was quicker, it runs again */
    } else if (!ask_later(step, ASK_PAUSE_US)) {
        exhaust_unanswered(step, "its remains could not be ended");
    }
    return true;
}

static enum verify_level level_for(const struct config *config, const struct machine *candidate)
{
    if (config->recovery.verify.level != VERIFY_AUTO)
        return config->recovery.verify.level;
    return candidate->description->has_agent_channel ? VERIFY_AGENT : VERIFY_RUNNING;
}

/* Room and words for the attempt are there before anything changes. */
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
    recovery->is_restarting = machine_ref_equal(&recovery->replacement, &recovery->failed);
    recovery->decided = step->event->now;
    recovery->warmth = step->event->warmth;
    recovery->takes_over = step->event->takes_over;
    recovery->level = level_for(step->config, candidate);
    if (recovery->is_restarting)
        recovery->restarts++;
    if (step->config->mode == MODE_OBSERVE)
        return 0;
    attempts[recovery->n_attempts++] = (struct recovery_attempt){
        .candidate = recovery->replacement,
        .name = steal_pointer(&attempt_name),
        .is_void = recovery->is_restarting, /* restarts are counted on their own */
        .decided = step->event->now,
    };
    return 0;
}

static int choose(struct step *step)
{
    int r = take_candidate(step);

    if (r < 0)
        return r;
    step->out->has_decided = true;
    if (step->config->mode == MODE_OBSERVE)
        finish(step, RECOVERY_OBSERVED, words("mode is observe: nothing was started"));
    else
        begin_asking(step, RECOVERY_RECORDING);
    return 0;
}

/* RECOVERY_CHOSEN, which may fail, is taken before: see choose. */
static bool in_selecting(struct step *step)
{
    if (step->event->kind != RECOVERY_NOBODY)
        return false;
    give_up(step, step->event->detail != NULL ? words("%s", step->event->detail) : NULL);
    return true;
}

static bool in_waiting(struct step *step)
{
    if (step->event->kind == RECOVERY_NOBODY) {
        finish(step, RECOVERY_EXHAUSTED, step->event->detail != NULL ? words("%s", step->event->detail) : NULL);
        return true;
    }
    if (step->event->kind != RECOVERY_TICK || step->event->now.mono_us < step->recovery->deadline_us)
        return false;
    step->recovery->deadline_us = USEC_INFINITY;
    step->out->wants_original = true;
    return true;
}

/* The configuration may have changed under way. */
static bool stays_observer(struct step *step)
{
    if (step->config->mode != MODE_OBSERVE)
        return false;
    finish(step, RECOVERY_OBSERVED, words("mode is observe: nothing was started"));
    return true;
}

static bool in_recording(struct step *step)
{
    const struct action_result *result = step->event->result;

    if (step->event->kind != RECOVERY_ANSWER)
        return false;
    if (result->error == 0) {
        step->recovery->recorded = step->event->now;
    } else if (!step->config->recovery.without_intent) {
        blame(step, "the intent could not be written");
        finish(step, RECOVERY_EXHAUSTED,
               words("the intent could not be written, and recovery.without_intent is false: %s", result->message));
        return true;
    } else {
        step->recovery->is_unrecorded = true;
        step->out->intent_failed = true;
    }
    if (!stays_observer(step))
        begin_asking(step, RECOVERY_PREPARING);
    return true;
}

static bool in_preparing(struct step *step)
{
    const struct action_result *result = step->event->result;

    if (step->event->kind != RECOVERY_ANSWER)
        return false;
    if (result->error == 0) {
        if (stays_observer(step))
            return true;
        begin_asking(step, RECOVERY_STARTING);
        attempt_under_way(step)->fate = START_LOOSE;
        return true;
    }
    blame(step, result->message);
    next_candidate(step);
    return true;
}

static void settle(struct step *step)
{
    struct recovery *recovery = step->recovery;

    recovery->started = step->event->now;
    enter(step, RECOVERY_SETTLING);
    recovery->deadline_us = step->event->now.mono_us + step->config->recovery.settle_us;
    step->out->has_started = true;
}

/* The start was cut off, or failed: what became of it? */
static void resolve(struct step *step)
{
    if (step->event->result->error == -ENOTCONN) {
        enter(step, RECOVERY_RESOLVING);
        step->recovery->waits_for_connection = true;
    } else {
        begin_asking(step, RECOVERY_RESOLVING);
    }
}

/* An earlier start of the same candidate, cut off or to keep it warm: if it runs already, that one took effect. */
static bool was_started_before(struct step *step)
{
    const struct recovery *recovery = step->recovery;

    if (recovery->takes_over)
        return true;
    for (size_t i = 0; i + 1 < recovery->n_attempts; i++)
        if (machine_ref_equal(&recovery->attempts[i].candidate, &recovery->replacement))
            return true;
    return false;
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

    if (result->error != -ETIMEDOUT && result->error != -ENOTCONN)
        attempt_under_way(step)->fate = START_SETTLED;
    if (result->error == 0 && attempt_under_way(step)->error == NULL) {
        settle(step);
    } else if (result->error == -EALREADY && step->recovery->is_restarting) {
        finish(step, RECOVERY_DISMISSED, words("it was started again by somebody else"));
    } else if (result->error == -EALREADY && !was_started_before(step)) {
        blame(step, "somebody else started it in the meantime");
        next_candidate(step);
    } else {
        if (result->error == -ETIMEDOUT)
            blame(step, "it did not start within recovery.start_timeout");
        else if (result->error != -ENOTCONN && result->error != -EALREADY && result->error != 0)
            blame(step, result->message);
        resolve(step);
    }
    return true;
}

static bool in_resolving(struct step *step)
{
    const struct action_result *result = step->event->result;

    if (step->event->kind != RECOVERY_ANSWER)
        return ask_again(step);

    if (is_up(result)) {
        struct recovery_attempt *attempt = attempt_under_way(step);

        free(attempt->error);
        attempt->error = NULL;
        /* One that was being kept warm runs whether the start took effect or not. */
        if (!step->recovery->takes_over)
            attempt->fate = START_SETTLED;
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
    if (result->error == 0 || result->error == -ENOENT) {
        step->out->was_stopped = true;
        step->out->quarantines = !attempt_under_way(step)->is_void;
        next_candidate(step);
    } else if (!ask_later(step, ASK_PAUSE_US)) {
        exhaust_unanswered(step, "the candidate that failed could not be stopped");
    }
    return true;
}

static void recover(struct step *step)
{
    const char *name = step->recovery->replacement_name;

    if (step->recovery->is_restarting)
        finish(step, RECOVERY_RECOVERED, words("nobody could take its place, and it was started again itself"));
    else
        finish(step, RECOVERY_RECOVERED, words("%s runs in its place", name));
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

    if (is_up(result)) {
        step->recovery->settled = step->event->now;
        if (step->recovery->level == VERIFY_RUNNING)
            recover(step);
        else
            begin_asking(step, RECOVERY_VERIFYING);
    } else if (result->error == 0 || result->error == -ENOENT) {
        blame(step, "it did not stay up");
        begin_asking(step, RECOVERY_STOPPING);
    } else if (!ask_later(step, ASK_PAUSE_US)) {
        exhaust_unanswered(step, "the hypervisor does not say whether the replacement stays up");
    }
    return true;
}

/* Not verified yet: again after the pause, or too late. */
static void verify_later(struct step *step)
{
    struct recovery *recovery = step->recovery;
    const struct config_verify *config = &step->config->recovery.verify;
    int64_t now_us = step->event->now.mono_us;
    _cleanup_(freep) char *error = NULL;

    recovery->action_id = 0;
    if (step->event->result->error == -ENOTCONN) {
        recovery->waits_for_connection = true;
        return;
    }
    if (now_us - recovery->started.mono_us < config->timeout_us) {
        recovery->deadline_us = now_us + config->interval_us;
        return;
    }
    error = words("it runs, but was not verified within recovery.verify.timeout: %s", step->event->result->message);
    blame(step, error != NULL ? error : "it was not verified in time");
    begin_asking(step, RECOVERY_STOPPING);
}

static bool in_verifying(struct step *step)
{
    if (step->event->kind == RECOVERY_REPLACEMENT_STOPPED) {
        blame(step, "it stopped again before it was verified");
        begin_asking(step, RECOVERY_STOPPING);
        return true;
    }
    if (step->event->kind != RECOVERY_ANSWER)
        return ask_again(step);
    if (step->event->result->error == 0)
        recover(step);
    else
        verify_later(step);
    return true;
}

/* clang-format off */
static const struct state states[RECOVERY_STATE_COUNT] = {
    /*                       asks   question        of the failed  harmless  */
    [RECOVERY_DETECTED]   = {false, 0,              false,         true,  in_detected},
    [RECOVERY_CONFIRMING] = {true,  ACTION_INQUIRE, true,          true,  in_confirming},
    [RECOVERY_DESTROYING] = {true,  ACTION_DESTROY, true,          false, in_destroying},
    [RECOVERY_SELECTING]  = {false, 0,              false,         true,  in_selecting},
    [RECOVERY_RECORDING]  = {true,  ACTION_RECORD,  false,         true,  in_recording},
    [RECOVERY_PREPARING]  = {true,  ACTION_HOOK,    false,         true,  in_preparing},
    [RECOVERY_STARTING]   = {true,  ACTION_START,   false,         false, in_starting},
    [RECOVERY_RESOLVING]  = {true,  ACTION_INQUIRE, false,         false, in_resolving},
    [RECOVERY_STOPPING]   = {true,  ACTION_DESTROY, false,         false, in_stopping},
    [RECOVERY_SETTLING]   = {true,  ACTION_INQUIRE, false,         false, in_settling},
    [RECOVERY_VERIFYING]  = {true,  ACTION_VERIFY,  false,         false, in_verifying},
    [RECOVERY_WAITING]    = {false, 0,              false,         true,  in_waiting},
};
/* clang-format on */

/* Nothing was asked of it yet: as if it had not been chosen. */
static void withdraw_candidate(struct step *step)
{
    struct recovery *recovery = step->recovery;
    struct recovery_attempt *attempt = &recovery->attempts[--recovery->n_attempts];

    free(attempt->name);
    free(attempt->error);
    if (recovery->is_restarting)
        recovery->restarts--;
    step->out->is_withdrawn = true;
    release(step);
}

/* Nothing was begun: back to the question whether the failed machine is dead at all. */
static void look_again(struct step *step)
{
    if (step->recovery->replacement_name != NULL)
        withdraw_candidate(step);
    begin_asking(step, RECOVERY_CONFIRMING);
}

/* What the state is about was handed out to nobody yet. */
static bool is_unbegun(const struct recovery *recovery)
{
    return recovery->action_id != 0 && !recovery->is_asked;
}

/* The failed machine is said to run before anything was started in its place. */
static bool comes_back(const struct step *step)
{
    const struct recovery *recovery = step->recovery;
    bool is_harmless =
        states[recovery->state].is_harmless ||
        ((recovery->state == RECOVERY_STARTING || recovery->state == RECOVERY_DESTROYING) && is_unbegun(recovery));

    return step->event->kind == RECOVERY_ORIGINAL_RUNS && is_harmless && !recovery->belies_its_looks;
}

/* A decision that waited too long to be carried out. */
static bool is_to_be_reconsidered(const struct step *step)
{
    const struct recovery *recovery = step->recovery;

    return step->event->kind == RECOVERY_RECONSIDER && is_unbegun(recovery) &&
           (recovery->state == RECOVERY_DESTROYING || recovery->state == RECOVERY_RECORDING ||
            recovery->state == RECOVERY_PREPARING || recovery->state == RECOVERY_STARTING);
}

/* What a host takes with it when it is lost: a question that only it could answer, or the candidate. */
static bool loses_host(struct step *step)
{
    struct recovery *recovery = step->recovery;
    bool has_candidate = recovery->state >= RECOVERY_RECORDING && recovery->state <= RECOVERY_VERIFYING;
    bool is_untouched = recovery->state == RECOVERY_RECORDING || recovery->state == RECOVERY_PREPARING ||
                        (recovery->state == RECOVERY_STARTING && !recovery->is_asked);
    bool is_fenced = step->event->kind == RECOVERY_CANDIDATE_FENCED;

    if (step->event->kind == RECOVERY_ORIGINAL_FENCED &&
        (recovery->state == RECOVERY_CONFIRMING || recovery->state == RECOVERY_DESTROYING)) {
        want_candidate(step);
        return true;
    }
    if (!(is_fenced && has_candidate) && !(step->event->kind == RECOVERY_CANDIDATE_LOST && is_untouched))
        return false;
    blame(step, "its host was lost");
    attempt_under_way(step)->is_void = true;
    /* Should the host come back with it, for all that its agent said, it is ended there. */
    attempt_under_way(step)->fate = is_untouched ? START_SETTLED : START_LOOSE;
    step->out->was_stopped = true;
    next_candidate(step);
    return true;
}

static bool is_choice(const struct step *step)
{
    return step->event->kind == RECOVERY_CHOSEN &&
           (step->recovery->state == RECOVERY_SELECTING || step->recovery->state == RECOVERY_WAITING);
}

static int dispatch(struct step *step, bool *ret_taken)
{
    *ret_taken = !recovery_state_is_final(step->recovery->state);
    if (!*ret_taken)
        return 0;
    if (is_choice(step))
        return choose(step);
    if (step->event->kind == RECOVERY_ABANDON)
        finish(step, RECOVERY_EXHAUSTED, step->event->detail != NULL ? words("%s", step->event->detail) : NULL);
    else if (loses_host(step))
        return 0;
    else if (comes_back(step) || is_to_be_reconsidered(step))
        look_again(step);
    else
        *ret_taken = states[step->recovery->state].take(step);
    return 0;
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
