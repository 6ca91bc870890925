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

/* A machine that serves is to be relieved. */
bool step_is_relief(const struct step *step);
/* And it still serves, or its end was not seen yet: whatever goes wrong, all is called off. */
bool step_can_be_called_off(const struct step *step);

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

/* It is held, and nothing further is begun: what is left to do is the operator's. A relief is called off if it can be. */
void step_leave_to_operator(struct step *step);
/* No candidate is left: the failed machine itself is tried, if that is wished. Takes detail. */
void step_give_up(struct step *step, char *detail);
void step_see_dead(struct step *step);
/* The failed machine is surely dead: it is to be started again itself, or a candidate is wanted. */
void step_want_candidate(struct step *step);
/* As above, and the failed machine itself was tried, or cannot be. */
void step_want_replacement(struct step *step);
/* The failed machine itself comes first, and may be started once more. */
bool step_starts_original(const struct step *step);
/* recovery.limit allows no replacement, and none is started. */
void step_refuse(struct step *step);
/* The candidate under way is surely off: on to the next, if another attempt is left. */
void step_next_candidate(struct step *step);
/* Nothing was asked of the candidate yet: as if it had not been chosen. */
void step_withdraw_candidate(struct step *step);

/* ---- recovery_relief.c: what is different where a machine is to be relieved ---- */

/* The machine that is to be relieved is surely off. */
void step_find_server_off(struct step *step);
/* Is it up? leaves_remains: the answer says that it will not run again by itself. */
void step_confirm_relief(struct step *step, bool leaves_remains);
/* The machine that was to take over cannot. Takes why. */
void step_lack_named(struct step *step, char *why);
/* The intent is recorded, or the other machine verified, and it is the turn of the one that serves. */
bool step_is_to_relieve_now(const struct step *step);
/* The machine that served cannot be started again: any other one is better than none. */
void step_try_others(struct step *step);
/* The other machine serves, and it is off. */
void step_take_over(struct step *step);
/* The machine that served serves (again), since the other one does not work. */
void step_relieve_in_vain(struct step *step);
/* The other one is verified: the one that serves is relieved, unless that is held. */
void step_relieve_now(struct step *step);
/* A hold came before the machine that serves was asked to leave: it stays. False: not so, or no relief. */
bool step_stays_by_hold(struct step *step);
/* It serves elsewhere by now: nothing is done to it, and the new one is stopped. */
void step_let_stay(struct step *step);
/* RECOVERY_ORIGINAL_FAILED. False: another event, or no relief. */
bool step_relief_fails(struct step *step);
bool in_announcing(struct step *step);
bool in_relieving(struct step *step);
bool in_leaving(struct step *step);
bool in_ending(struct step *step);

/* ---- */

/*
 * " and listens on 80, 443": what was seen of the candidate beyond its agent, as the end of a sentence that it runs. NULL:
 * nothing, or no memory.
 */
char *step_describe_ports(const struct step *step);

struct recovery_attempt *step_attempt(struct step *step);
/* What went wrong with the candidate under way; the first word on it stands. */
void step_blame(struct step *step, const char *error);

#endif
