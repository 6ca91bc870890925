/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Moves of a recovery that several of its states make: asking, ending, going on to the next candidate. */
#include "workflow/recovery_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A question without a clear answer is asked this often, with growing pauses, before it is given up. */
#define ASK_LIMIT 10
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
    [RECOVERY_VERIFYING] = {ACTION_VERIFY, false},
};

void step_enter(struct step *step, enum recovery_state state)
{
    step->recovery->state = state;
    question_clear(&step->recovery->question);
    step->recovery->is_changed = true;
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
    return question->waits_for_connection || question->asked < ASK_LIMIT;
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
    step_finish(step, RECOVERY_EXHAUSTED,
                text_print("%s, and nothing is started without certainty: %s", what, step->event->result->message));
}

void step_give_up(struct step *step, char *detail)
{
    struct recovery *recovery = step->recovery;
    const struct config_recovery *config = &step->config->recovery;
    unsigned doublings = recovery->restarts < BACKOFF_DOUBLINGS_MAX ? recovery->restarts : BACKOFF_DOUBLINGS_MAX;

    if (step->config->mode == MODE_OBSERVE || config->when_exhausted != EXHAUSTED_RESTART ||
        recovery->restarts >= config->restart_attempts) {
        step_finish(step, RECOVERY_EXHAUSTED, detail);
        return;
    }
    step_enter(step, RECOVERY_WAITING);
    free(recovery->detail);
    recovery->detail = detail;
    recovery->question.deadline_us = step->event->now.mono_us + (config->restart_backoff_us << doublings);
}

void step_see_dead(struct step *step)
{
    if (step->recovery->confirmed.real_us == 0)
        step->recovery->confirmed = step->event->now;
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

void step_want_candidate(struct step *step)
{
    step_see_dead(step);
    if (!has_attempts_left(step))
        return;
    step_enter(step, RECOVERY_SELECTING);
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

void step_next_candidate(struct step *step)
{
    bool was_restart = step->recovery->is_restarting;

    release(step);
    if (was_restart)
        step_give_up(step, text_print("no machine could take its place, and it did not come up again itself"));
    else if (has_attempts_left(step))
        step_begin_asking(step, RECOVERY_CONFIRMING); /* an operator may have started the failed machine meanwhile */
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
