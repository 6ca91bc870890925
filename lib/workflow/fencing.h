/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One attempt to fence a host, level by level and agent by agent: which agent is asked what next, and when the host is off.
 * Runs nothing, and knows no words.
 */
#ifndef UNDERSTUDY_WORKFLOW_FENCING_H
#define UNDERSTUDY_WORKFLOW_FENCING_H

#include "config/fence.h"
#include "protocol/fence_log.h"

/* How an agent ended. */
enum fencing_answer {
    FENCING_ANSWER_DONE,   /* it has done what it was asked; of a status: the host is on */
    FENCING_ANSWER_OFF,    /* of a status: the host is off */
    FENCING_ANSWER_FAILED, /* it failed, or was ended at its time limit */
    FENCING_ANSWER_UNRUN, /* it cannot be run at all, or says that it was called wrongly: its status is worth nothing */
    FENCING_ANSWER_COUNT,
};

enum fencing_state {
    FENCING_ASKING, /* the agent of `turn` is to be asked for `call` */
    FENCING_SUCCEEDED,
    FENCING_FAILED, /* the host may be on */
    FENCING_STATE_COUNT,
};

/* What became of the agent that was asked, when that is known. */
enum fencing_outcome {
    FENCING_OPEN,     /* it is asked for its status next */
    FENCING_AGREED,   /* its off, and its status where that is asked for: off. Or it has switched the host on */
    FENCING_OFF_ONLY, /* off has failed, and the status is off all the same */
    FENCING_LIED,     /* it says that it has switched the host off, and its status is on */
    FENCING_IN_DOUBT, /* it says that it has switched the host off, and cannot tell its status */
    FENCING_REFUSED,  /* it failed, and the host is not known to be off */
    FENCING_OUTCOME_COUNT,
};

/* A plain value: fill in the first three, then fencing_begin. */
struct fencing {
    const struct fence_turn *turns; /* borrowed; at least one */
    size_t n_turns;
    enum fence_action action;
    bool is_confirmed;

    enum fencing_state state;
    size_t turn;
    enum fence_call call;
    bool has_refused; /* the off before the status */
};

void fencing_begin(struct fencing *fencing);
/* The agent that was asked has ended. While the state is FENCING_ASKING. */
enum fencing_outcome fencing_take(struct fencing *fencing, enum fencing_answer answer);

#endif
