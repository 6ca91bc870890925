/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Moves of a recovery that several of its states make: asking, ending, going on to the next candidate. */
#include "workflow/recovery_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A question without a clear answer is asked this often, with growing pauses, before it is given up. */
#define ASK_LIMIT 10
/* libvirt gives a process that does not end 10 s after SIGTERM a SIGKILL, and waits for it up to 5 s more. */
#define DESTROY_US (20 * USEC_PER_SEC)
/* The pause before a restart is doubled at most so often. */
#define BACKOFF_DOUBLINGS_MAX 16

void step_enter(struct step *step, enum recovery_state state)
{
    step->recovery->state = state;
    step->recovery->asked = 0;
    step->recovery->action_id = 0;
    step->recovery->waits_for_connection = false;
    step->recovery->deadline_us = USEC_INFINITY;
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

void step_ask(struct step *step)
{
    struct recovery *recovery = step->recovery;
    const struct state *state = &recovery_states[recovery->state];

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

void step_begin_asking(struct step *step, enum recovery_state state)
{
    step_enter(step, state);
    step_ask(step);
}

bool step_ask_later(struct step *step, int64_t pause_us)
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

bool step_ask_again(struct step *step)
{
    struct recovery *recovery = step->recovery;
    bool is_due = step->event->kind == RECOVERY_TICK && step->event->now.mono_us >= recovery->deadline_us;
    bool is_back = step->event->kind == RECOVERY_RECONNECTED && recovery->waits_for_connection;

    if (is_due || is_back)
        step_ask(step);
    return is_due || is_back;
}

void step_exhaust_unanswered(struct step *step, const char *what)
{
    step_finish(step, RECOVERY_EXHAUSTED,
                text_print("%s; nothing is started while that is not certain: %s", what, step->event->result->message));
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
    recovery->deadline_us = step->event->now.mono_us + (config->restart_backoff_us << doublings);
}

void step_see_dead(struct step *step)
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
        step_give_up(step, text_print("nobody could take its place, and it did not come up again itself"));
    else if (has_attempts_left(step))
        step_begin_asking(step, RECOVERY_CONFIRMING); /* somebody may have started the failed machine meanwhile */
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
