/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Moves of a recovery that several of its states make: asking, ending, going on to the next candidate. */
#include "workflow/recovery_internal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The pause before a restart is doubled at most so often. */
#define BACKOFF_DOUBLINGS_MAX 16

/* What a state asks the world. */
static const struct {
    enum action_kind question;
    bool about_failed; /* about the failed machine, not about the candidate */
} questions[RECOVERY_STATE_COUNT] = {
    [RECOVERY_CONFIRMING] = {ACTION_GET_STATE, true}, [RECOVERY_DESTROYING] = {ACTION_DESTROY, true},
    [RECOVERY_RECORDING] = {ACTION_RECORD, false},    [RECOVERY_PREPARING] = {ACTION_HOOK, false},
    [RECOVERY_STARTING] = {ACTION_START, false},      [RECOVERY_RESOLVING] = {ACTION_GET_STATE, false},
    [RECOVERY_STOPPING] = {ACTION_DESTROY, false},    [RECOVERY_SETTLING] = {ACTION_GET_STATE, false},
    [RECOVERY_VERIFYING] = {ACTION_VERIFY, false},    [RECOVERY_ANNOUNCING] = {ACTION_HOOK, true},
    [RECOVERY_RELIEVING] = {ACTION_SHUTDOWN, true},   [RECOVERY_LEAVING] = {ACTION_GET_STATE, true},
    [RECOVERY_ENDING] = {ACTION_DESTROY, true},
};

bool step_is_relief(const struct step *step)
{
    return step->recovery->relief != RELIEF_NONE;
}

bool step_can_be_called_off(const struct step *step)
{
    return step_is_relief(step) && !step->recovery->was_seen_dead;
}

static enum hook hook_of(const struct recovery *recovery)
{
    if (recovery->state != RECOVERY_ANNOUNCING)
        return HOOK_PRE_START;
    return recovery->cause == CAUSE_FAILBACK ? HOOK_PRE_STOP : HOOK_PRE_FAILOVER;
}

/* The guest of the machine that serves is asked to shut down: it may obey, also where no answer is waited for any more. */
static bool may_obey(const struct recovery *recovery)
{
    return recovery->state == RECOVERY_RELIEVING && recovery->question.is_handed_out && !recovery->was_seen_dead;
}

void step_enter(struct step *step, enum recovery_state state)
{
    struct recovery *recovery = step->recovery;

    if (may_obey(recovery) && !moment_has_come(recovery->relieved))
        recovery->relieved = step->event->now;
    recovery->state = state;
    question_clear(&recovery->question);
    recovery->is_changed = true;
}

void step_finish(struct step *step, enum recovery_state state, char *detail)
{
    step_enter(step, state);
    free(step->recovery->detail);
    step->recovery->detail = detail;
    step->recovery->ended = step->event->now;
    step->out->ended = true;
}

/* The question that the state is about, for the first time or once more. */
static void ask(struct step *step)
{
    struct recovery *recovery = step->recovery;
    const struct machine_ref *target =
        questions[recovery->state].about_failed ? &recovery->failed : &recovery->replacement;

    step->out->has_action = true;
    step->out->action = question_ask(&recovery->question, questions[recovery->state].question, target, recovery->level,
                                     recovery->id, step->config);
    step->out->action.hook = hook_of(recovery);
    step->out->action.ports = recovery->ports;
}

void step_begin_asking(struct step *step, enum recovery_state state)
{
    step_enter(step, state);
    ask(step);
}

bool step_ask_later(struct step *step, int64_t pause_us)
{
    struct question *question = &step->recovery->question;

    question_ask_later(question, step->event->result, pause_us, step->event->now);
    return question->waits_for_connection || question->asked < QUESTION_ASK_LIMIT;
}

bool step_ask_again(struct step *step)
{
    const struct recovery_event *event = step->event;

    if (!question_is_to_be_repeated(&step->recovery->question, event->kind == RECOVERY_TICK,
                                    event->kind == RECOVERY_RECONNECTED, event->now))
        return false;
    ask(step);
    return true;
}

void step_exhaust_unanswered(struct step *step, const char *what)
{
    step_finish(step, step_can_be_called_off(step) ? RECOVERY_CALLED_OFF : RECOVERY_EXHAUSTED,
                text_print("%s, and nothing is started without certainty: %s", what, step->event->result->message));
}

void step_leave_to_operator(struct step *step)
{
    const char *why = step->recovery->detail != NULL ? step->recovery->detail : "it is held";

    if (step_can_be_called_off(step))
        step_finish(step, RECOVERY_CALLED_OFF, text_print("%s goes on: %s", step->recovery->failed_name, why));
    else
        step_finish(step, RECOVERY_HELD, text_print("%s", why));
}

/* Of the failed machine itself, within the window. */
static bool has_restarts_left(const struct step *step)
{
    return step->recovery->restarts_before + step->recovery->restarts < step->config->recovery.restart_attempts;
}

bool step_starts_original(const struct step *step)
{
    return step->config->recovery.order != ORDER_REPLACEMENT && step->recovery->restarts == 0 &&
           has_restarts_left(step);
}

/* Doubled each time; where the failed machine comes first, its first start did not wait. */
static int64_t restart_pause_us(const struct step *step)
{
    unsigned doublings = step->recovery->restarts;

    if (step->config->recovery.order != ORDER_REPLACEMENT && doublings > 0)
        doublings--;
    return step->config->recovery.restart_backoff_us
           << (doublings < BACKOFF_DOUBLINGS_MAX ? doublings : BACKOFF_DOUBLINGS_MAX);
}

void step_give_up(struct step *step, char *detail)
{
    struct recovery *recovery = step->recovery;
    const struct config_recovery *config = &step->config->recovery;
    bool is_wished = config->when_exhausted == EXHAUSTED_RESTART || config->order == ORDER_ORIGINAL_ONLY;

    if (recovery->is_held) {
        free(detail);
        step_leave_to_operator(step);
        return;
    }
    if (step->config->mode == MODE_OBSERVE || !is_wished || !has_restarts_left(step)) {
        step_finish(step, RECOVERY_EXHAUSTED, detail);
        return;
    }
    step_enter(step, RECOVERY_WAITING);
    free(recovery->detail);
    recovery->detail = detail;
    recovery->question.deadline_us = step->event->now.mono_us + restart_pause_us(step);
}

void step_see_dead(struct step *step)
{
    if (step->recovery->confirmed.real_us == 0)
        step->recovery->confirmed = step->event->now;
    step->recovery->relieved = (struct moment){0}; /* what was asked of it has come to its end */
    step->recovery->was_seen_dead = true;
    step->recovery->state_is_unreliable = false;
}

/* False: it was given up. */
static bool has_attempts_left(struct step *step)
{
    size_t n_attempts = recovery_attempt_count(step->recovery);

    if (n_attempts < step->config->recovery.attempts)
        return true;
    step_give_up(
        step, text_print("%zu candidates were tried and none came up; recovery.attempts allows no more", n_attempts));
    return false;
}

void step_refuse(struct step *step)
{
    const struct config_recovery *config = &step->config->recovery;

    step->recovery->is_refused = true;
    step_finish(step, RECOVERY_EXHAUSTED,
                text_print("it and its replacements were recovered %u times within %" PRId64
                           " s, which is recovery.limit",
                           config->limit, config->limit_window_us / USEC_PER_SEC));
}

void step_want_replacement(struct step *step)
{
    const struct config_recovery *config = &step->config->recovery;

    if (config->order == ORDER_ORIGINAL_ONLY) {
        step_give_up(step, text_print("it was started again %u times within %" PRId64
                                      " s, which is recovery.restart_attempts, and recovery.order is original-only",
                                      step->recovery->restarts_before + step->recovery->restarts,
                                      config->limit_window_us / USEC_PER_SEC));
        return;
    }
    if (step->recovery->is_beyond_limit) {
        step_refuse(step);
        return;
    }
    if (!has_attempts_left(step))
        return;
    step_enter(step, RECOVERY_SELECTING);
    step->out->wants_candidate = true;
}

void step_want_candidate(struct step *step)
{
    step_see_dead(step);
    if (step->recovery->is_held) {
        step_leave_to_operator(step);
        return;
    }
    if (!step_starts_original(step)) {
        step_want_replacement(step);
        return;
    }
    step_enter(step, RECOVERY_SELECTING);
    step->out->wants_original = true;
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

void step_next_candidate(struct step *step)
{
    enum recovery_order order = step->config->recovery.order;
    bool is_relief = step_is_relief(step), was_restart = step->recovery->is_restarting;

    step->recovery->is_returning |= is_relief && !step_attempt(step)->is_void;
    release(step);
    if (!is_relief && was_restart && order == ORDER_REPLACEMENT)
        step_give_up(step, text_print("no machine could take its place, and it did not come up again itself"));
    else if (!is_relief && was_restart && order == ORDER_ORIGINAL_ONLY)
        step_give_up(step, text_print("it did not come up again, and recovery.order is original-only"));
    else if (is_relief || was_restart || has_attempts_left(step))
        step_begin_asking(step, RECOVERY_CONFIRMING); /* an operator may have started the failed machine meanwhile */
}

char *step_describe_ports(const struct step *step)
{
    const struct recovery *recovery = step->recovery;
    char listening[PORTS_TEXT_SIZE], reached[PORTS_TEXT_SIZE];
    bool is_reached = recovery->ports.reached.count > 0;

    ports_format(&recovery->ports.listening, listening);
    ports_format(&recovery->ports.reached, reached);
    if (recovery->ports.listening.count == 0)
        return NULL;
    if (recovery->ports_unasked != NULL)
        return text_print("; whether it serves %s could not be seen: %s", listening, recovery->ports_unasked);
    return text_print(" and listens on %s%s%s", listening, is_reached ? ", and is reached on " : "",
                      is_reached ? reached : "");
}

struct recovery_attempt *step_attempt(struct step *step)
{
    return &step->recovery->attempts[step->recovery->n_attempts - 1];
}

void step_blame(struct step *step, const char *error)
{
    struct recovery_attempt *attempt = step_attempt(step);

    if (attempt->error == NULL)
        attempt->error = strdup(error);
}

void step_withdraw_candidate(struct step *step)
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
