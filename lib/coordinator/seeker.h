/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A recovery that wants a candidate, and what there is to choose from. Decides nothing. */
#ifndef UNDERSTUDY_COORDINATOR_SEEKER_H
#define UNDERSTUDY_COORDINATOR_SEEKER_H

#include "choose/choose.h"
#include "coordinator/assignment.h"

/* So many of the eligible candidates, and of the others, are kept with a recovery. */
#define SEEKER_LISTED 20

/* One pass of the assignment. */
struct pass {
    struct assignment *assignment;
    struct recoveries *recoveries;
    struct registry *registry;
    struct moment now;
};

struct seeker {
    struct open_recovery *open;
    struct machine_ref *tried;
    struct choice_request request;
    struct choice choice;
};

/* Without memory the recovery is tried again soon. */
void pass_postpone(struct pass *pass, struct open_recovery *open);

/* Chooses at least n for it, as far as there are so many. End with seeker_done. -ENOMEM. */
int seeker_init(struct seeker *seeker, struct pass *pass, struct open_recovery *open, size_t n) _must_check_;
void seeker_done(struct seeker *seeker);

#endif
