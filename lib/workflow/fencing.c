/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 *   off ──────────▶ status ──────▶ off: the next agent of the level
 *    │ not confirmed  │                  └─ it was the last ──▶ SUCCEEDED, or with reboot:  on, agent by agent ──▶ SUCCEEDED
 *    │                │ on, or no word
 *    └── failed ──────┴──▶ the first agent of the next level; there is none ──▶ FAILED
 *
 * Also when off has failed the status is asked for: an agent that says "already off" with an error has no other way to say
 * so. That the host cannot be switched on again changes nothing: it is off.
 */
#include "workflow/fencing.h"

static void ask(struct fencing *fencing, size_t turn, enum fence_call call)
{
    fencing->state = FENCING_ASKING;
    fencing->turn = turn;
    fencing->call = call;
}

void fencing_begin(struct fencing *fencing)
{
    ask(fencing, 0, FENCE_CALL_OFF);
}

static size_t level_of(const struct fencing *fencing, size_t turn)
{
    return fencing->turns[turn].level;
}

/* The turn after this one is of the same level. */
static bool has_next(const struct fencing *fencing)
{
    size_t next = fencing->turn + 1;

    return next < fencing->n_turns && level_of(fencing, next) == level_of(fencing, fencing->turn);
}

static size_t first_of_level(const struct fencing *fencing)
{
    size_t turn = fencing->turn;

    while (turn > 0 && level_of(fencing, turn - 1) == level_of(fencing, turn))
        turn--;
    return turn;
}

static void be_off(struct fencing *fencing)
{
    if (has_next(fencing))
        ask(fencing, fencing->turn + 1, FENCE_CALL_OFF);
    else if (fencing->action == FENCE_REBOOT)
        ask(fencing, first_of_level(fencing), FENCE_CALL_ON);
    else
        fencing->state = FENCING_SUCCEEDED;
}

static void give_up_level(struct fencing *fencing)
{
    size_t next = fencing->turn;

    while (next < fencing->n_turns && level_of(fencing, next) == level_of(fencing, fencing->turn))
        next++;
    if (next < fencing->n_turns)
        ask(fencing, next, FENCE_CALL_OFF);
    else
        fencing->state = FENCING_FAILED;
}

static enum fencing_outcome take_off(struct fencing *fencing, enum fencing_answer answer)
{
    fencing->has_refused = answer != FENCING_ANSWER_DONE;
    if (fencing->is_confirmed && answer != FENCING_ANSWER_UNRUN) {
        fencing->call = FENCE_CALL_STATUS;
        return FENCING_OPEN;
    }
    if (fencing->has_refused)
        give_up_level(fencing);
    else
        be_off(fencing);
    return fencing->has_refused ? FENCING_REFUSED : FENCING_AGREED;
}

static enum fencing_outcome take_status(struct fencing *fencing, enum fencing_answer answer)
{
    if (answer == FENCING_ANSWER_OFF) {
        be_off(fencing);
        return fencing->has_refused ? FENCING_OFF_ONLY : FENCING_AGREED;
    }
    give_up_level(fencing);
    if (fencing->has_refused)
        return FENCING_REFUSED;
    return answer == FENCING_ANSWER_DONE ? FENCING_LIED : FENCING_IN_DOUBT;
}

static enum fencing_outcome take_on(struct fencing *fencing, enum fencing_answer answer)
{
    if (has_next(fencing))
        ask(fencing, fencing->turn + 1, FENCE_CALL_ON);
    else
        fencing->state = FENCING_SUCCEEDED;
    return answer == FENCING_ANSWER_DONE ? FENCING_AGREED : FENCING_REFUSED;
}

enum fencing_outcome fencing_take(struct fencing *fencing, enum fencing_answer answer)
{
    switch (fencing->call) {
    case FENCE_CALL_OFF:
        return take_off(fencing, answer);
    case FENCE_CALL_STATUS:
        return take_status(fencing, answer);
    case FENCE_CALL_ON:
    case FENCE_CALL_COUNT:
    default:
        return take_on(fencing, answer);
    }
}
