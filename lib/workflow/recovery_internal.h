/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Of the files of one recovery, and for no others: a step in the making, and the moves that several states make.
 */
#ifndef UNDERSTUDY_WORKFLOW_RECOVERY_INTERNAL_H
#define UNDERSTUDY_WORKFLOW_RECOVERY_INTERNAL_H

#include "base/text.h"
#include "workflow/recovery.h"

/* One step in the making. */
struct step {
    struct recovery *recovery;
    const struct recovery_event *event;
    const struct config *config;
    struct recovery_step *out;
};

/* ---- recovery_moves.c ---- */

void step_enter(struct step *step, enum recovery_state state);
/* Takes detail, which may be NULL. */
void step_finish(struct step *step, enum recovery_state state, char *detail);

void step_begin_asking(struct step *step, enum recovery_state state);
/*
 * The question got no clear answer. Waits for the connection if that is what is missing, else asks again after a
 * pause. False: it was asked too often.
 */
bool step_ask_later(struct step *step, int64_t pause_us);
/* What every state with a question shares: asking it anew. False: the event is not about that. */
bool step_ask_again(struct step *step);
void step_exhaust_unanswered(struct step *step, const char *what);

/* No candidate is left: the failed machine itself is tried, if that is wished. Takes detail. */
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
