/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the files of one recovery share, and nobody else includes: a step in the making, the table of states, and the
 * moves that several states make.
 */
#ifndef UNDERSTUDY_WORKFLOW_RECOVERY_INTERNAL_H
#define UNDERSTUDY_WORKFLOW_RECOVERY_INTERNAL_H

#include "base/text.h"
#include "workflow/recovery.h"

/* Between two questions without a clear answer; it grows with each. */
#define ASK_PAUSE_US (500 * USEC_PER_MSEC)

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

extern const struct state recovery_states[RECOVERY_STATE_COUNT];

/* ---- recovery_moves.c ---- */

void step_enter(struct step *step, enum recovery_state state);
/* Takes detail, which may be NULL. */
void step_finish(struct step *step, enum recovery_state state, char *detail);

/* The question that the state is about, for the first time or once more. */
void step_ask(struct step *step);
void step_begin_asking(struct step *step, enum recovery_state state);
/*
 * The question got no clear answer. Waits for the connection if that is what is missing, else asks again after a
 * pause. False: it was asked too often.
 */
bool step_ask_later(struct step *step, int64_t pause_us);
/* What every state with a question shares: asking it anew. False: the event is not about that. */
bool step_ask_again(struct step *step);
void step_exhaust_unanswered(struct step *step, const char *what);

/* Nobody is left to try: the failed machine itself is, if that is wished. Takes detail. */
void step_give_up(struct step *step, char *detail);
void step_see_dead(struct step *step);
/* The failed machine is surely dead. */
void step_want_candidate(struct step *step);
/* The candidate under way is surely off: on to the next, if another attempt is left. */
void step_next_candidate(struct step *step);
/* Nothing was asked of the candidate yet: as if it had not been chosen. */
void step_withdraw_candidate(struct step *step);

struct recovery_attempt *step_attempt(struct step *step);
/* What went wrong with the candidate under way; the first word on it stands. */
void step_blame(struct step *step, const char *error);

#endif
