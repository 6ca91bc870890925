/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A machine that serves is relieved by another one, as an operator ordered: what is different from a failure. The other
 * one is claimed and its intent is on disk before anything happens to the machine that serves; until it is off, all can
 * be called off with nothing changed, and after that it is started again if the other one does not work.
 *
 *   RELIEF_FIRST   confirming ─▶ selecting ─▶ recording ─▶ (relieved) ─▶ preparing ─▶ starting … verifying ─▶ recovered
 *   RELIEF_LAST    confirming ─▶ selecting ─▶ recording ─▶ preparing ─▶ starting … verifying ─▶ (relieved) ─▶ recovered
 *
 *   (relieved):    announcing ─ hooks agree ─▶ relieving ─ was asked ─▶ leaving ─ is off ─▶
 *                      │ veto                      ▲ again ──┘  │ too late, or its remains are left
 *                      ▼                                        ▼ if forced, or if it failed
 *                   called off                       called off, or: ending ─ is off ─▶
 *
 *   One that is missed on its host, and may run on another one that does not answer, is waited for no longer than a minute more
 *   than its guest has: RELIEF_FIRST is called off, and where nothing serves, that is a failure as any other.
 *
 *   A hold calls it off where the machine that serves was not asked to leave yet; what was asked is followed to its end,
 *   and nothing further is begun.
 *
 *   the other one does not work ─▶ (stopping) ─▶ confirming ─ runs ─▶ called off
 *                                                    └ off ─▶ it is started again itself ─▶ called off, or exhausted
 */
#include "workflow/recovery_internal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

/* Between two looks at a guest that shuts down; its end is told by an event as well. */
#define LOOK_US (500 * USEC_PER_MSEC)
/* A guest that is booting misses that it is asked: it is asked again after so many looks. */
#define LOOKS_BEFORE_AGAIN (QUESTION_SHUTDOWN_AGAIN_US / LOOK_US)
/* A hypervisor that does not tell whether it is off is asked for so long after the guest's time is over. */
#define UNSEEN_US (60 * USEC_PER_SEC)
/* So often the machine that served is started again before that is given up. */
#define RETURNS_MAX 3

/* ---- how it ends ---- */

/* Takes detail. */
static void call_off(struct step *step, char *detail)
{
    step_finish(step, RECOVERY_CALLED_OFF, detail);
}

/* Why the other machine was given up, for people. */
static const char *last_error(const struct recovery *recovery)
{
    for (size_t i = recovery->n_attempts; i-- > 0;)
        if (recovery->attempts[i].error != NULL && machine_ref_equal(&recovery->attempts[i].candidate, &recovery->to))
            return recovery->attempts[i].error;
    return "it was started by other hands";
}

void step_relieve_in_vain(struct step *step)
{
    const struct recovery *recovery = step->recovery;
    const char *what = recovery->is_restarting ? "was started again" : "goes on";

    call_off(step, text_print("%s did not take over: %s; %s %s", recovery->to_name, last_error(recovery),
                              recovery->failed_name, what));
}

void step_take_over(struct step *step)
{
    const struct recovery *recovery = step->recovery;
    bool names_hosts = recovery_is_between_namesakes(recovery);
    const char *on = names_hosts ? " on " : "";
    _cleanup_(freep) char *seen = step_describe_ports(step);

    step_finish(step, RECOVERY_RECOVERED,
                text_print("%s%s%s has taken over from %s%s%s%s", recovery->replacement_name, on,
                           names_hosts ? recovery->replacement.hypervisor : "", recovery->failed_name, on,
                           names_hosts ? recovery->failed.hypervisor : "", seen != NULL ? seen : ""));
}

/* The candidate is given up without having been asked for anything: RELIEF_FIRST before the start. Takes detail. */
static void call_off_untouched(struct step *step, char *detail)
{
    step_withdraw_candidate(step);
    call_off(step, detail);
}

/* The machine that served does not leave: the other one, if it runs already, is stopped again. Takes why. */
static void stay(struct step *step, char *why)
{
    const char *name = step->recovery->failed_name;
    _cleanup_(freep) char *reason = why, *error = NULL;

    if (step->recovery->relief == RELIEF_FIRST) {
        call_off_untouched(step, text_print("%s goes on: %s", name, reason != NULL ? reason : ""));
        return;
    }
    error = text_print("%s is not stopped: %s", name, reason != NULL ? reason : "");
    step_blame(step, error != NULL ? error : "the machine that serves is not stopped");
    step_attempt(step)->is_void = true; /* not its fault */
    step->recovery->is_returning = true;
    step_begin_asking(step, RECOVERY_STOPPING);
}

/* ---- confirming: does it serve? ---- */

void step_try_others(struct step *step)
{
    step->out->wants_original = false;
    step->recovery->relief = RELIEF_NONE;
    step_want_candidate(step);
}

/* Takes detail. */
static void return_to_server(struct step *step, char *detail)
{
    if (step->recovery->is_held) {
        free(detail);
        step_leave_to_operator(step);
        return;
    }
    free(step->recovery->detail);
    step->recovery->detail = detail;
    step_enter(step, RECOVERY_WAITING);
    step->out->wants_original = true;
    if (step->recovery->restarts >= RETURNS_MAX)
        step_try_others(step);
}

static void want_named(struct step *step)
{
    if (step->recovery->is_held) {
        step_leave_to_operator(step);
        return;
    }
    step_enter(step, RECOVERY_SELECTING);
    step->out->wants_named = true;
}

void step_find_server_off(struct step *step)
{
    step_see_dead(step);
    if (step->recovery->is_returning)
        return_to_server(step,
                         text_print("%s did not take over: %s", step->recovery->to_name, last_error(step->recovery)));
    else
        want_named(step);
}

static void find_server_up(struct step *step)
{
    step->recovery->was_seen_dead = false;
    if (step->recovery->is_returning)
        step_relieve_in_vain(step);
    else
        want_named(step);
}

/* What is left of it does not serve: it failed since the order. */
static void turn_into_failure(struct step *step, enum failure_cause cause)
{
    step->recovery->relief = RELIEF_NONE;
    step->recovery->is_rehearsal = false;
    step->recovery->is_changed = true;
    step->recovery->cause = cause;
    step->recovery->state_is_unreliable = recovery_cause_is_unreliable(cause);
    step_begin_asking(step, RECOVERY_CONFIRMING);
}

void step_confirm_relief(struct step *step, bool leaves_remains)
{
    const struct action_result *result = step->event->result;

    if (answer_is_off(result)) {
        step->out->found_off = true;
        step_find_server_off(step);
    } else if (result->error != 0 || result->state == MACHINE_UNKNOWN) {
        if (!step_ask_later(step, QUESTION_PAUSE_US))
            step_exhaust_unanswered(step, "the hypervisor does not tell whether the machine is off");
    } else if (leaves_remains) {
        turn_into_failure(step, CAUSE_FOUND_CRASHED);
    } else {
        find_server_up(step);
    }
}

/* ---- selecting, preparing, verified ---- */

void step_lack_named(struct step *step, char *why)
{
    if (step_can_be_called_off(step))
        call_off(step, why);
    else
        return_to_server(step, why);
}

bool step_is_to_relieve_now(const struct step *step)
{
    const struct recovery *recovery = step->recovery;
    bool is_first = recovery->state == RECOVERY_RECORDING;

    if (recovery->is_restarting || !step_can_be_called_off(step))
        return false;
    return recovery->relief == (is_first ? RELIEF_FIRST : RELIEF_LAST);
}

/* ---- announcing, relieving, leaving, ending ---- */

/* Its remains may be left, or it is off. */
static void serve_no_more(struct step *step)
{
    step_see_dead(step);
    if (step->recovery->relief == RELIEF_LAST) {
        /* Meanwhile something may have befallen the new one. */
        step_enter(step, RECOVERY_SETTLING);
        question_settle(&step->recovery->question, step->config, step->event->now);
    } else if (step->recovery->is_held) {
        step_withdraw_candidate(step);
        step_leave_to_operator(step);
    } else {
        step_begin_asking(step, RECOVERY_PREPARING);
    }
}

static void left(struct step *step)
{
    step->out->found_off = true;
    serve_no_more(step);
}

void step_let_stay(struct step *step)
{
    stay(step, text_print("%s", step->event->detail));
}

static void stay_by_hold(struct step *step)
{
    const struct recovery *recovery = step->recovery;

    stay(step, text_print("%s", recovery->detail != NULL ? recovery->detail : "it is held"));
}

void step_relieve_now(struct step *step)
{
    if (step->recovery->is_held)
        stay_by_hold(step);
    else
        step_begin_asking(step, RECOVERY_ANNOUNCING);
}

bool step_stays_by_hold(struct step *step)
{
    const struct recovery *recovery = step->recovery;

    if (!recovery_state_is_relieving(recovery->state) || recovery->state == RECOVERY_LEAVING ||
        (recovery->question.action_id != 0 && recovery->question.is_handed_out))
        return false;
    stay_by_hold(step);
    return true;
}

/* The new one died before it could take over. */
static bool loses_other(struct step *step)
{
    if (step->event->kind != RECOVERY_REPLACEMENT_STOPPED || step->recovery->relief != RELIEF_LAST)
        return false;
    step_blame(step, "it stopped again before it took over");
    step_begin_asking(step, RECOVERY_STOPPING);
    return true;
}

bool in_announcing(struct step *step)
{
    const struct action_result *result = step->event->result;

    if (loses_other(step))
        return true;
    if (step->event->kind != RECOVERY_ANSWER)
        return false;
    if (step->config->mode == MODE_OBSERVE)
        stay(step, text_print("mode is observe by now"));
    else if (result->error == 0 && step->recovery->is_held)
        stay_by_hold(step);
    else if (result->error == 0)
        step_begin_asking(step, RECOVERY_RELIEVING);
    else
        stay(step, text_print("%s", result->message));
    return true;
}

/*
 * It is not on its host, and another host does not tell for so long whether it has it. The other machine must not be started, and
 * nothing may serve: that is no matter of an order any more. With RELIEF_LAST the other one serves meanwhile.
 */
static bool is_missed_too_long(const struct step *step)
{
    const struct recovery *recovery = step->recovery;

    return step->event->result->error == -EINPROGRESS && recovery->relief == RELIEF_FIRST &&
           step->event->now.mono_us - recovery->relieved.mono_us >=
               step->config->recovery.shutdown_timeout_us + UNSEEN_US;
}

static void give_up_missed(struct step *step)
{
    const struct recovery *recovery = step->recovery;

    call_off_untouched(step, text_print("%s was asked to shut down and does not run on its host, but %s; nothing is "
                                        "started for it before that is known",
                                        recovery->failed_name, step->event->result->message));
}

/* A question about it was not answered clearly, again and again. */
static void give_up_on(struct step *step, const char *what)
{
    stay(step, text_print("%s: %s", what, step->event->result->message));
}

/* Its host is surely off, or the new one has stopped again: no answer is needed. */
static bool ends_without_answer(struct step *step)
{
    if (step->event->kind != RECOVERY_ORIGINAL_FENCED)
        return loses_other(step);
    left(step);
    return true;
}

static bool may_be_ended(const struct step *step)
{
    return step->recovery->is_forced && !step->recovery->is_held;
}

static void refuse_to_leave(struct step *step)
{
    if (may_be_ended(step))
        step_begin_asking(step, RECOVERY_ENDING);
    else
        give_up_on(step, "it could not be asked to shut down");
}

bool in_relieving(struct step *step)
{
    const struct action_result *result = step->event->result;

    if (ends_without_answer(step))
        return true;
    if (step->event->kind != RECOVERY_ANSWER)
        return step_ask_again(step);
    /* Its time begins anew where an earlier daemon, or an earlier decision, had asked it. */
    if (step->recovery->relieved.mono_us < step->recovery->decided.mono_us ||
        step->recovery->relieved.mono_us < step->recovery->settled.mono_us ||
        !moment_has_come(step->recovery->relieved)) {
        step->recovery->relieved = step->event->now;
        step->recovery->is_changed = true;
    }
    if (answer_is_off(result))
        left(step);
    else if (is_missed_too_long(step))
        give_up_missed(step);
    else if (result->error == 0 || result->error == -ETIMEDOUT)
        step_begin_asking(step, RECOVERY_LEAVING);
    else if (!step_ask_later(step, QUESTION_PAUSE_US))
        refuse_to_leave(step);
    return true;
}

static void look_later(struct step *step)
{
    struct question *question = &step->recovery->question;

    question->action_id = 0;
    question->asked++;
    question->deadline_us = step->event->now.mono_us + LOOK_US;
}

static void be_late(struct step *step)
{
    int64_t timeout_us = step->config->recovery.shutdown_timeout_us;

    if (may_be_ended(step))
        step_begin_asking(step, RECOVERY_ENDING);
    else
        stay(step, text_print("it did not shut down within recovery.shutdown_timeout (%" PRId64 " s)",
                              timeout_us / USEC_PER_SEC));
}

/* It is seen to run so long after it was asked; or for some time more it cannot be seen how it is. */
static bool is_over_time(const struct step *step)
{
    int64_t grace_us = step->event->result->error != 0 ? UNSEEN_US : 0;

    return step->event->now.mono_us - step->recovery->relieved.mono_us >=
           step->config->recovery.shutdown_timeout_us + grace_us;
}

bool in_leaving(struct step *step)
{
    const struct action_result *result = step->event->result;
    struct question *question = &step->recovery->question;

    if (ends_without_answer(step))
        return true;
    if (step->event->kind == RECOVERY_ORIGINAL_STOPPED && question->action_id == 0) {
        step_begin_asking(step, RECOVERY_LEAVING);
        return true;
    }
    if (step->event->kind != RECOVERY_ANSWER)
        return step_ask_again(step);
    if (result->error == 0 && result->state == MACHINE_SHUT_OFF && result->reason == REASON_MIGRATED)
        stay(step, text_print("it was migrated to another host"));
    else if (answer_is_off(result))
        left(step);
    else if (is_missed_too_long(step))
        give_up_missed(step);
    else if (result->error == -ENOTCONN || result->error == -EINPROGRESS)
        question_ask_later(question, result, LOOK_US, step->event->now);
    else if (result->error == 0 && result->state == MACHINE_CRASHED && step->recovery->is_held)
        serve_no_more(step);
    else if (result->error == 0 && result->state == MACHINE_CRASHED)
        step_begin_asking(step, RECOVERY_ENDING);
    else if (is_over_time(step))
        be_late(step);
    else if (question->asked >= LOOKS_BEFORE_AGAIN && !step->recovery->is_held)
        step_begin_asking(step, RECOVERY_RELIEVING);
    else
        look_later(step);
    return true;
}

bool in_ending(struct step *step)
{
    const struct action_result *result = step->event->result;

    if (ends_without_answer(step))
        return true;
    if (step->event->kind != RECOVERY_ANSWER)
        return step_ask_again(step);
    if (result->error == 0 || result->error == -ENOENT)
        left(step);
    else if (is_missed_too_long(step))
        give_up_missed(step);
    else if (!step_ask_later(step, QUESTION_PAUSE_US))
        give_up_on(step, "it could not be ended");
    return true;
}

/* ---- it fails by itself ---- */

/* Something was asked of the machine that serves, or of the other one. */
static bool has_begun(const struct recovery *recovery)
{
    return recovery->state != RECOVERY_ANNOUNCING && !recovery_state_is_unconfirmed(recovery->state) &&
           recovery->state != RECOVERY_SELECTING && recovery->state != RECOVERY_RECORDING;
}

bool step_relief_fails(struct step *step)
{
    struct recovery *recovery = step->recovery;

    if (step->event->kind != RECOVERY_ORIGINAL_FAILED || recovery->relief == RELIEF_NONE)
        return false;
    if (recovery->state == RECOVERY_ANNOUNCING && recovery->relief == RELIEF_LAST) {
        recovery->is_forced = true;
        recovery->is_rehearsal = false;
        step_begin_asking(step, RECOVERY_RELIEVING); /* there is nothing left to veto */
        return true;
    }
    if (has_begun(recovery)) {
        /* It is being stopped, or will be: and if it does not stop by itself now, it is ended. */
        recovery->is_forced = true;
        recovery->is_rehearsal = false;
        recovery->is_changed = true;
        return true;
    }
    if (recovery->replacement_name != NULL)
        step_withdraw_candidate(step);
    turn_into_failure(step, step->event->cause);
    return true;
}
