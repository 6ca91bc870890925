/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A recovery that wants a candidate, and the machines that could serve it: sees to its ranking and picks
 * from it. Decides nothing.
 */
#ifndef UNDERSTUDY_COORDINATOR_SEEKER_H
#define UNDERSTUDY_COORDINATOR_SEEKER_H

#include "choose/ranking.h"
#include "coordinator/assignment.h"

/* One pass of the assignment: what is kept from round to round. */
struct pass {
    struct assignment *assignment;
    struct recoveries *recoveries;
    struct registry *registry;
    struct moment now;
    struct usage in_use; /* if has_in_use: by all machines. See pass_know_in_use */
    bool has_in_use;
    size_t looks; /* at machines, to rank or to select */
};

struct seeker {
    struct open_recovery *open;
    struct machine_ref *tried;
    struct select_request request;
    struct contender *best; /* the first of its ranking, as many as there are seekers */
    size_t n_best;
};

/* So many machines were looked at already that other things have their turn first. */
bool pass_is_put_off(struct pass *pass);
/* What machines that are up use, found out once and kept until it is forgotten. -ENOMEM. */
int pass_know_in_use(struct pass *pass) _must_check_;
void pass_forget_in_use(struct pass *pass);
/* Without memory the recovery is tried again soon. */
void pass_postpone(struct pass *pass, struct open_recovery *open);

/* For a recovery that wants a candidate. End with seeker_done. -ENOMEM. */
int seeker_init(const struct pass *pass, struct open_recovery *open, struct seeker *ret) _must_check_;
void seeker_done(struct seeker *seeker);
/* Sees to it that its ranking is current. -EAGAIN: it has none, and the pass is put off. -ENOMEM. */
int seeker_rank(struct pass *pass, const struct seeker *seeker) _must_check_;
/* The first n that are eligible now, by a ranking that is current; the caller frees them. -ENOMEM. */
int seeker_list(struct pass *pass, const struct seeker *seeker, size_t n, struct contender **ret,
                size_t *ret_count) _must_check_;
void seeker_drop_ranking(const struct seeker *seeker);

#endif
