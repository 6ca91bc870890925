/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The course of one recovery. Knows its own machine and the candidate it was given; nothing of the
 * pool, of similarity or of other recoveries.
 *
 *   detected ── begin, and its QEMU is known to have ended ──▶ selecting
 *   detected ── begin ──▶ confirming ── it runs ─────────────────────────────▶ dismissed
 *                           │  │  ▲ └─ asked in vain, again and again ────────▶ exhausted
 *                           │  │  └── connection back, or still stopping
 *                           │  └── remains are left ──▶ destroying ── in vain ▶ exhausted
 *                           │ dead                          │ ended
 *                           ▼                               ▼
 *                       selecting ◀─────────────────────────┘
 *                        ▲  │  └── none left ──▶ (give up)    observe mode ──▶ observed
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
 *   With recovery.order original, the failed machine itself is the first candidate that selecting asks for, once; with
 *   original-only it is the only one, and (give up) leads to waiting.
 *
 * What is read of the candidate beside this may say that it must not run: in starting, while that was not begun, the
 * next candidate follows; in settling and verifying it is stopped first.
 * A hold that comes over it ends it as held where nothing was begun, and else where the next thing would be begun: a start
 * that was asked for is followed to its end. What is to be stopped then waits for the end of the hold, and is looked at
 * anew first.
 *
 * Until something was started, the failed machine running again ends it as dismissed. Every state but
 * the final ones ends as exhausted when the recovery is abandoned. A candidate is given up only when
 * the hypervisor says that it is off: nothing else may be started before. Whenever a connection is
 * missing, the question waits and is asked anew. That a host was lost and fenced is an answer, too: what
 * it had is off.
 */
#include "workflow/recovery_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Between two looks at one that is on its way down. */
#define STOPPING_PAUSE_US (200 * USEC_PER_MSEC)

/* What is left of it still holds its disks, and will not run again by itself. */
static bool leaves_remains(const struct recovery *recovery, const struct action_result *result)
{
    if (result->state == MACHINE_CRASHED)
        return true;
    if (result->state == MACHINE_PAUSED)
        return result->reason == REASON_IO_ERROR || result->reason == REASON_WATCHDOG ||
               result->reason == REASON_PANICKED;
    return recovery->state_is_unreliable;
}

static void confirm(struct step *step)
{
    const struct action_result *result = step->event->result;

    if (step_is_relief(step)) {
        step_confirm_relief(step, leaves_remains(step->recovery, result));
        return;
    }
    /* A machine that was seen dead counts as dead while its hypervisor is away. */
    /* NOLINTNEXTLINE(bugprone-branch-clone): dead, and not to be touched, are two things */
    if (answer_is_off(result) || (result->error == -ENOTCONN && step->recovery->was_seen_dead)) {
        step->out->found_off = answer_is_off(result);
        step_want_candidate(step);
    } else if (result->error != 0 || result->state == MACHINE_STOPPING || result->state == MACHINE_UNKNOWN) {
        if (!step_ask_later(step, result->error != 0 ? QUESTION_PAUSE_US : STOPPING_PAUSE_US))
            step_exhaust_unanswered(step, "the hypervisor does not tell whether the machine is off");
    } else if (!leaves_remains(step->recovery, result)) {
        step_finish(step, RECOVERY_DISMISSED, text_print("it is %s after all", machine_state_name(result->state)));
    } else if (step->config->mode == MODE_OBSERVE) {
        step_want_candidate(step);
    } else if (step->recovery->is_held) {
        step_leave_to_operator(step);
    } else {
        step_begin_asking(step, RECOVERY_DESTROYING);
    }
}

/* What the state is about was not handed out yet. */
static bool is_unbegun(const struct recovery *recovery)
{
    return recovery->question.action_id != 0 && !recovery->question.is_handed_out;
}

/* Each state takes one event; false: the event means nothing in it. */

static bool in_detected(struct step *step)
{
    if (step->event->kind != RECOVERY_BEGIN)
        return false;
    /* Nothing that could be started is allowed. */
    if (step->recovery->is_beyond_limit && step->config->recovery.order != ORDER_ORIGINAL_ONLY &&
        !step_starts_original(step))
        step_refuse(step);
    else if (step->recovery->was_seen_dead)
        step_want_candidate(step);
    else
        step_begin_asking(step, RECOVERY_CONFIRMING);
    return true;
}

static bool in_confirming(struct step *step)
{
    if (step->event->kind == RECOVERY_RECONNECTED)
        step->recovery->state_is_unreliable = false; /* what was missed meanwhile is not known */
    if (step->event->kind != RECOVERY_ANSWER)
        return step_ask_again(step);
    confirm(step);
    return true;
}

static bool in_destroying(struct step *step)
{
    const struct action_result *result = step->event->result;

    if (step->event->kind == RECOVERY_RECONNECTED && step->recovery->question.waits_for_connection) {
        /* After a lost connection it is not known what is left: look again. */
        step->recovery->state_is_unreliable = false;
        step_begin_asking(step, RECOVERY_CONFIRMING);
        return true;
    }
    if (step->event->kind != RECOVERY_ANSWER)
        return step_ask_again(step);
    if (step->recovery->is_held && result->error != 0) {
        step_begin_asking(step, RECOVERY_CONFIRMING); /* nothing further is done to it */
    } else if (result->error == 0 || result->error == -ENOENT) {
        step_see_dead(step);
        step_begin_asking(step, RECOVERY_CONFIRMING); /* and if an operator was quicker, it runs again */
    } else if (!step_ask_later(step, QUESTION_PAUSE_US)) {
        step_exhaust_unanswered(step, "the remains of the machine could not be destroyed");
    }
    return true;
}

/* Nothing is started. But what understudyd has stopped itself does not stay off. */
static bool observes(const struct step *step)
{
    return step->config->mode == MODE_OBSERVE && !(step_is_relief(step) && step->recovery->was_seen_dead);
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
    recovery->is_unfit = false;
    recovery->level = question_verify_level(candidate, step->config);
    recovery->ports = step->event->ports;
    free(recovery->ports_unasked);
    recovery->ports_unasked = NULL;
    if (observes(step))
        return 0;
    if (recovery->is_restarting)
        recovery->restarts++;
    attempts[recovery->n_attempts++] = (struct recovery_attempt){
        .candidate = recovery->replacement,
        .name = steal_pointer(&attempt_name),
        .is_void = recovery->is_restarting, /* restarts are counted on their own */
        .may_leave_parts = candidate->state == MACHINE_TEMPLATE,
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
    if (observes(step))
        step_finish(step, RECOVERY_OBSERVED, text_print("mode is observe: nothing was started"));
    else
        step_begin_asking(step, RECOVERY_RECORDING);
    return 0;
}

/* RECOVERY_CHOSEN, which may fail, is taken before: see choose. */
static bool in_selecting(struct step *step)
{
    if (step->event->kind == RECOVERY_NO_ORIGINAL) {
        if (step->config->recovery.order == ORDER_ORIGINAL_ONLY)
            step_finish(step, RECOVERY_EXHAUSTED,
                        text_print("%s, and recovery.order is original-only", step->event->detail));
        else
            step_want_replacement(step);
        return true;
    }
    if (step->event->kind != RECOVERY_NO_CANDIDATE)
        return false;
    if (step_is_relief(step))
        step_lack_named(step, step->event->detail != NULL ? text_print("%s", step->event->detail) : NULL);
    else
        step_give_up(step, step->event->detail != NULL ? text_print("%s", step->event->detail) : NULL);
    return true;
}

static bool in_waiting(struct step *step)
{
    bool is_only = step->config->recovery.order == ORDER_ORIGINAL_ONLY;

    if (step->event->kind == RECOVERY_NO_ORIGINAL && step_is_relief(step)) {
        step_try_others(step);
        return true;
    }
    if (step->event->kind == RECOVERY_NO_ORIGINAL) {
        step_finish(step, RECOVERY_EXHAUSTED,
                    text_print("%s%s", is_only ? "" : "no machine could take its place, and ", step->event->detail));
        return true;
    }
    if (step->event->kind != RECOVERY_TICK || step->event->now.mono_us < step->recovery->question.deadline_us)
        return false;
    step->recovery->question.deadline_us = USEC_INFINITY;
    step->out->wants_original = true;
    return true;
}

/* The configuration may have changed under way. */
static bool stays_observer(struct step *step)
{
    if (!observes(step))
        return false;
    step_finish(step, RECOVERY_OBSERVED, text_print("mode is observe: nothing was started"));
    return true;
}

/* A hold came while the intent was written, or the hooks ran: nothing was asked of the candidate. */
static bool stays_held(struct step *step)
{
    if (!step->recovery->is_held)
        return false;
    step_withdraw_candidate(step);
    step_leave_to_operator(step);
    return true;
}

/* The machine that served is started again: whatever stands against it, nothing else brings its service back. */
static bool is_return(const struct step *step)
{
    return step_is_relief(step) && step->recovery->is_restarting;
}

static bool in_recording(struct step *step)
{
    const struct action_result *result = step->event->result;

    if (step->event->kind != RECOVERY_ANSWER)
        return false;
    if (result->error == 0) {
        step->recovery->recorded = step->event->now;
    } else if (step_can_be_called_off(step)) {
        step_withdraw_candidate(step);
        step_lack_named(step, text_print("the intent could not be written: %s", result->message));
        return true;
    } else if (!step->config->recovery.without_intent && !is_return(step)) {
        step_blame(step, "the intent could not be written");
        step_finish(
            step, RECOVERY_EXHAUSTED,
            text_print("the intent could not be written, and recovery.without_intent is false: %s", result->message));
        return true;
    } else {
        step->recovery->is_unrecorded = true;
        step->out->intent_failed = true;
    }
    if (!stays_observer(step) && !stays_held(step))
        step_begin_asking(step, step_is_to_relieve_now(step) ? RECOVERY_ANNOUNCING : RECOVERY_PREPARING);
    return true;
}

static bool in_preparing(struct step *step)
{
    const struct action_result *result = step->event->result;

    if (step->event->kind != RECOVERY_ANSWER)
        return false;
    if (result->error == 0 || is_return(step)) {
        if (stays_observer(step) || stays_held(step))
            return true;
        step_begin_asking(step, RECOVERY_STARTING);
        step_attempt(step)->fate = START_UNANSWERED;
        step_attempt(step)->hangs = true;
        return true;
    }
    step_blame(step, result->message);
    step_attempt(step)->is_vetoed = true;
    step->recovery->is_returning = step_is_relief(step);
    step_next_candidate(step);
    return true;
}

static void settle(struct step *step)
{
    struct recovery *recovery = step->recovery;

    recovery->started = step->event->now;
    step_enter(step, RECOVERY_SETTLING);
    question_settle(&recovery->question, step->config, step->event->now);
    step->out->has_started = true;
}

/* The start was cut off, or failed: what became of it? */
static void resolve(struct step *step)
{
    if (step->event->result->error == -ENOTCONN) {
        step_enter(step, RECOVERY_RESOLVING);
        step->recovery->question.waits_for_connection = true;
    } else {
        step_begin_asking(step, RECOVERY_RESOLVING);
    }
}

/* An earlier start of the same candidate was cut off, and may take effect yet. */
static bool was_tried_before(const struct recovery *recovery)
{
    for (size_t i = 0; i + 1 < recovery->n_attempts; i++)
        if (machine_ref_equal(&recovery->attempts[i].candidate, &recovery->replacement))
            return true;
    return false;
}

/* Or one to keep it warm: if it runs already, that one took effect. */
static bool was_started_before(const struct step *step)
{
    return step->recovery->takes_over || was_tried_before(step->recovery);
}

static bool in_starting(struct step *step)
{
    const struct action_result *result = step->event->result;

    if (step->event->kind == RECOVERY_REPLACEMENT_STOPPED) {
        /* The candidate came up and died before the answer to its start: the answer will lead to resolving. */
        step_blame(step, "it stopped while it was being started");
        return true;
    }
    if (step->event->kind != RECOVERY_ANSWER)
        return false;

    step_attempt(step)->hangs = result->error == -ETIMEDOUT || result->error == -ENOTCONN;
    if (!step_attempt(step)->hangs)
        step_attempt(step)->fate = START_SETTLED;
    if (result->error == 0 && step_attempt(step)->error == NULL) {
        settle(step);
    } else if (result->error == -EALREADY && is_return(step)) {
        step_relieve_in_vain(step);
    } else if (result->error == -EALREADY && step_is_relief(step) &&
               machine_ref_equal(&step->recovery->replacement, &step->recovery->service)) {
        resolve(step); /* the original was started by other hands: that is what was ordered */
    } else if (result->error == -EALREADY && step->recovery->is_restarting) {
        step_finish(step, RECOVERY_DISMISSED, text_print("an operator started it again"));
    } else if (result->error == -EALREADY && !was_started_before(step)) {
        step_blame(step, "an operator started it in the meantime");
        step_next_candidate(step);
    } else {
        if (result->error == -ETIMEDOUT)
            step_blame(step, "it did not start within recovery.start_timeout");
        else if (result->error != -ENOTCONN && result->error != -EALREADY && result->error != 0)
            step_blame(step, result->message);
        resolve(step);
    }
    return true;
}

/* The candidate is not up. It is made sure that it is off, unless its hypervisor says so and nothing further is to be done. */
static void stop(struct step *step)
{
    if (!step->recovery->is_held || !answer_is_off(step->event->result)) {
        step_begin_asking(step, RECOVERY_STOPPING);
        return;
    }
    step->out->was_stopped = true;
    step->out->quarantines = !step_attempt(step)->is_void;
    step_next_candidate(step);
}

static bool in_resolving(struct step *step)
{
    const struct action_result *result = step->event->result;

    if (step->event->kind != RECOVERY_ANSWER)
        return step_ask_again(step);

    if (answer_is_up(result)) {
        struct recovery_attempt *attempt = step_attempt(step);

        free(attempt->error);
        attempt->error = NULL;
        /* An earlier daemon cut it off; what befalls it from now on is its own fault. */
        attempt->is_void = step->recovery->is_restarting;
        /* One that was being kept warm runs whether the start took effect or not. */
        if (!step->recovery->takes_over)
            attempt->fate = START_SETTLED;
        /* It runs already, by other hands or since it was being warmed, and the other one was not stopped for it yet. */
        if (step->recovery->relief == RELIEF_FIRST && step_can_be_called_off(step))
            step->recovery->relief = RELIEF_LAST;
        settle(step);
    } else if (result->error == 0 || result->error == -ENOENT) {
        step_blame(step, "its start was interrupted, and it did not come up");
        stop(step);
    } else if (!step_ask_later(step, QUESTION_PAUSE_US)) {
        step_exhaust_unanswered(step, "the hypervisor does not tell whether the candidate started");
    }
    return true;
}

/* Nothing was done to the candidate while it was held: what became of it meanwhile? */
static bool looks_after_hold(struct step *step)
{
    const struct recovery *recovery = step->recovery;

    return recovery->is_held && recovery->relief != RELIEF_LAST && is_unbegun(recovery) &&
           (step->event->kind == RECOVERY_RECONSIDER || step->event->kind == RECOVERY_REPLACEMENT_STOPPED);
}

static bool in_stopping(struct step *step)
{
    const struct action_result *result = step->event->result;

    if (looks_after_hold(step)) {
        step_begin_asking(step, RECOVERY_RESOLVING);
        return true;
    }

    if (step->event->kind != RECOVERY_ANSWER)
        return step_ask_again(step);
    if (result->error == 0 || result->error == -ENOENT) {
        step->out->was_stopped = true;
        step->out->quarantines = !step_attempt(step)->is_void;
        step_next_candidate(step);
    } else if (!step_ask_later(step, QUESTION_PAUSE_US)) {
        step_exhaust_unanswered(step, "the candidate that failed could not be stopped");
    }
    return true;
}

/* unverified: why it could not be looked at whether it does its work; NULL: it does. */
static void recover(struct step *step, const char *unverified)
{
    const char *name = step->recovery->replacement_name;
    bool names_host = recovery_is_between_namesakes(step->recovery);
    const char *on = names_host ? " on " : "", *host = names_host ? step->recovery->replacement.hypervisor : "";
    _cleanup_(freep) char *seen = step_describe_ports(step);

    if (step_is_to_relieve_now(step))
        step_relieve_now(step);
    else if (step_is_relief(step) && step->recovery->is_restarting)
        step_relieve_in_vain(step);
    else if (step->recovery->is_restarting && step->config->recovery.order != ORDER_REPLACEMENT)
        step_finish(step, RECOVERY_RECOVERED, text_print("it was started again itself%s", seen != NULL ? seen : ""));
    else if (step->recovery->is_restarting)
        step_finish(
            step, RECOVERY_RECOVERED,
            text_print("no machine could take its place, and it was started again itself%s", seen != NULL ? seen : ""));
    else if (step_is_relief(step))
        step_take_over(step);
    else if (unverified != NULL)
        step_finish(step, RECOVERY_RECOVERED,
                    text_print("%s%s%s runs in its place, NOT VERIFIED: recovery.verify.command: %s", name, on, host,
                               unverified));
    else
        step_finish(step, RECOVERY_RECOVERED,
                    text_print("%s%s%s runs in its place%s", name, on, host, seen != NULL ? seen : ""));
}

static bool in_settling(struct step *step)
{
    const struct action_result *result = step->event->result;

    if (step->event->kind == RECOVERY_REPLACEMENT_STOPPED) {
        step_blame(step, "it stopped again before recovery.settle was over");
        step_begin_asking(step, RECOVERY_STOPPING);
        return true;
    }
    if (step->event->kind != RECOVERY_ANSWER)
        return step_ask_again(step);

    if (answer_is_up(result)) {
        step->recovery->settled = step->event->now;
        if (step->recovery->level == VERIFY_RUNNING)
            recover(step, NULL);
        else
            step_begin_asking(step, RECOVERY_VERIFYING);
    } else if (result->error == 0 || result->error == -ENOENT) {
        step_blame(step, "it did not stay up");
        stop(step);
    } else if (!step_ask_later(step, QUESTION_PAUSE_US)) {
        step_exhaust_unanswered(step, "the hypervisor does not tell whether the replacement stays up");
    }
    return true;
}

/* Not verified yet: again after the pause, or too late. That the check cannot be run says nothing of the machine. */
static void verify_later(struct step *step)
{
    const struct action_result *result = step->event->result;
    struct recovery *recovery = step->recovery;
    _cleanup_(freep) char *error = NULL;

    if (question_verify_later(&recovery->question, result, recovery->started, step->config, step->event->now))
        return;
    if (result->error == -ENOEXEC) {
        recover(step, result->message);
        return;
    }
    error = text_print("it runs, but was not verified within recovery.verify.timeout: %s", result->message);
    step_blame(step, error != NULL ? error : "it was not verified in time");
    step_begin_asking(step, RECOVERY_STOPPING);
}

static bool in_verifying(struct step *step)
{
    if (step->event->kind == RECOVERY_REPLACEMENT_STOPPED) {
        step_blame(step, "it stopped again before it was verified");
        step_begin_asking(step, RECOVERY_STOPPING);
        return true;
    }
    if (step->event->kind != RECOVERY_ANSWER)
        return step_ask_again(step);
    if (step->event->result->error != 0) {
        verify_later(step);
        return true;
    }
    if (step->recovery->ports.listening.count > 0 && step->event->result->message[0] != '\0')
        step->recovery->ports_unasked = text_print("%s", step->event->result->message);
    recover(step, NULL);
    return true;
}

/* clang-format off */
static const struct {
    bool is_harmless; /* nothing was started yet: the failed machine may come back */
    bool (*take)(struct step *step);
} states[RECOVERY_STATE_COUNT] = {
    /*                       harmless */
    [RECOVERY_DETECTED]   = {true,  in_detected},
    [RECOVERY_CONFIRMING] = {true,  in_confirming},
    [RECOVERY_DESTROYING] = {false, in_destroying},
    [RECOVERY_SELECTING]  = {true,  in_selecting},
    [RECOVERY_RECORDING]  = {true,  in_recording},
    [RECOVERY_PREPARING]  = {true,  in_preparing},
    [RECOVERY_STARTING]   = {false, in_starting},
    [RECOVERY_RESOLVING]  = {false, in_resolving},
    [RECOVERY_STOPPING]   = {false, in_stopping},
    [RECOVERY_SETTLING]   = {false, in_settling},
    [RECOVERY_VERIFYING]  = {false, in_verifying},
    [RECOVERY_WAITING]    = {true,  in_waiting},
    [RECOVERY_ANNOUNCING] = {false, in_announcing},
    [RECOVERY_RELIEVING]  = {false, in_relieving},
    [RECOVERY_LEAVING]    = {false, in_leaving},
    [RECOVERY_ENDING]     = {false, in_ending},
};
/* clang-format on */

/* Nothing was begun: back to the question whether the failed machine is dead at all. */
static void look_again(struct step *step)
{
    if (step->recovery->replacement_name != NULL)
        step_withdraw_candidate(step);
    step_begin_asking(step, RECOVERY_CONFIRMING);
}

/* Other hands started it. */
static void let_it_run(struct step *step)
{
    step->recovery->is_returning = step_is_relief(step);
    look_again(step);
}

/* The failed machine is said to run before anything was started in its place. */
static bool comes_back(const struct step *step)
{
    const struct recovery *recovery = step->recovery;
    bool is_harmless =
        states[recovery->state].is_harmless ||
        ((recovery->state == RECOVERY_STARTING || recovery->state == RECOVERY_DESTROYING) && is_unbegun(recovery));

    return step->event->kind == RECOVERY_ORIGINAL_RUNS && is_harmless && !recovery->state_is_unreliable &&
           !step_can_be_called_off(step);
}

bool recovery_can_be_reconsidered(const struct recovery *recovery)
{
    bool is_before_start = recovery->relief == RELIEF_FIRST &&
                           (recovery->state == RECOVERY_ANNOUNCING || recovery->state == RECOVERY_RELIEVING);

    return is_unbegun(recovery) &&
           (recovery->state == RECOVERY_DESTROYING || recovery->state == RECOVERY_RECORDING || is_before_start ||
            recovery->state == RECOVERY_PREPARING || recovery->state == RECOVERY_STARTING);
}

/* From now on nothing further is begun; where nothing was, that is the end. */
static void hold(struct step *step)
{
    struct recovery *recovery = step->recovery;

    recovery->is_held = true;
    recovery->is_changed = true;
    free(recovery->detail);
    recovery->detail = text_print("%s", step->event->detail);
    if (recovery->state == RECOVERY_SELECTING || recovery->state == RECOVERY_WAITING)
        step_leave_to_operator(step);
    else if (step_stays_by_hold(step))
        return;
    else if (recovery_can_be_reconsidered(recovery) ||
             (recovery->state == RECOVERY_DESTROYING && recovery->question.action_id == 0))
        look_again(step);
}

/* A decision that waited too long to be carried out. */
static bool is_to_be_reconsidered(const struct step *step)
{
    return step->event->kind == RECOVERY_RECONSIDER && recovery_can_be_reconsidered(step->recovery);
}

/* It was chosen, and nothing was asked of it yet. */
static bool is_candidate_untouched(const struct recovery *recovery)
{
    /* The machine that serves may be ended already: first it must be known. */
    if (recovery->state == RECOVERY_ENDING && recovery->question.is_handed_out)
        return false;
    if (recovery_state_is_relieving(recovery->state))
        return recovery->relief == RELIEF_FIRST;
    return recovery->state == RECOVERY_RECORDING || recovery->state == RECOVERY_PREPARING ||
           (recovery->state == RECOVERY_STARTING && !recovery->question.is_handed_out);
}

/* What a host takes with it when it is lost: a question that only it could answer, or the candidate. */
static bool loses_host(struct step *step)
{
    struct recovery *recovery = step->recovery;
    bool has_candidate = recovery_state_has_candidate(recovery->state);
    bool is_untouched = is_candidate_untouched(recovery);
    bool is_fenced = step->event->kind == RECOVERY_CANDIDATE_FENCED;

    if (step->event->kind == RECOVERY_ORIGINAL_FENCED &&
        (recovery->state == RECOVERY_CONFIRMING || recovery->state == RECOVERY_DESTROYING)) {
        if (step_is_relief(step))
            step_find_server_off(step);
        else
            step_want_candidate(step);
        return true;
    }
    if (!(is_fenced && has_candidate) && !(step->event->kind == RECOVERY_CANDIDATE_LOST && is_untouched))
        return false;
    step_blame(step, "its host was lost");
    step_attempt(step)->is_void = true;
    /* Should the host come back with it, for all that its agent said, it is ended there. */
    step_attempt(step)->fate = is_untouched ? START_SETTLED : START_UNANSWERED;
    step->out->was_stopped = true;
    step_next_candidate(step);
    return true;
}

/* Not started yet, it is given up; up by now, or perhaps by an earlier start, it is stopped at once. */
static bool drops_unfit(struct step *step)
{
    struct recovery *recovery = step->recovery;
    bool is_up = recovery->state == RECOVERY_SETTLING || recovery->state == RECOVERY_VERIFYING;
    bool is_to_start = recovery->state == RECOVERY_STARTING ||
                       (recovery->state == RECOVERY_RELIEVING && recovery->relief == RELIEF_FIRST);

    if (step->event->kind != RECOVERY_CANDIDATE_UNFIT || !(is_up || (is_to_start && is_unbegun(recovery))))
        return false;
    step_blame(step, step->event->detail);
    if (!is_up)
        step_attempt(step)->fate = START_SETTLED;
    if (!is_up && !was_tried_before(recovery)) {
        step_next_candidate(step);
        return true;
    }
    recovery->is_unfit = is_up;
    step_begin_asking(step, RECOVERY_STOPPING);
    return true;
}

/* Before anything was started: there is no need of it. */
static bool is_served(const struct step *step)
{
    const struct recovery *recovery = step->recovery;

    return step->event->kind == RECOVERY_SERVED &&
           (states[recovery->state].is_harmless || (recovery->state == RECOVERY_STARTING && is_unbegun(recovery)) ||
            (recovery_state_is_relieving(recovery->state) && recovery->relief == RELIEF_FIRST));
}

static void leave_to_the_other(struct step *step)
{
    if (step->recovery->replacement_name != NULL)
        step_withdraw_candidate(step);
    step_finish(step, RECOVERY_DISMISSED, text_print("%s", step->event->detail));
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
        step_finish(step, step_can_be_called_off(step) ? RECOVERY_CALLED_OFF : RECOVERY_EXHAUSTED,
                    step->event->detail != NULL ? text_print("%s", step->event->detail) : NULL);
    else if (step->event->kind == RECOVERY_HOLD)
        hold(step);
    else if (loses_host(step) || drops_unfit(step) || step_relief_fails(step))
        return 0;
    else if (is_served(step))
        leave_to_the_other(step);
    else if (step->event->kind == RECOVERY_SERVED && recovery_state_is_relieving(step->recovery->state))
        step_let_stay(step);
    else if (comes_back(step))
        let_it_run(step);
    else if (is_to_be_reconsidered(step))
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
