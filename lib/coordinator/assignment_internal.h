/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the files that give candidates to recoveries share, and nobody else includes: one assignment, and the recoveries
 * that seek somebody in it.
 */
#ifndef UNDERSTUDY_COORDINATOR_ASSIGNMENT_INTERNAL_H
#define UNDERSTUDY_COORDINATOR_ASSIGNMENT_INTERNAL_H

#include "coordinator/coordinator_internal.h"
#include "choose/ranking.h"

/* What is kept from round to round of one assignment. */
struct assignment {
    struct coordinator *coordinator;
    struct moment now;
    struct usage in_use; /* if has_in_use: by all machines. See assignment_know_in_use */
    bool has_in_use;
    size_t looks; /* at machines, to rank or to select */
};

/* One recovery that wants a candidate, and who could serve it. */
struct seeker {
    struct run *run;
    struct machine_ref *tried;
    struct select_request request;
    struct contender *best; /* the first of them, as many as there are seekers */
    size_t n_best;
};

/* ---- seeker.c ---- */

/* So many machines were looked at already that other things have their turn first. */
bool assignment_is_put_off(struct assignment *assignment);
/* What machines that are up use, found out once and kept until it is forgotten. -ENOMEM. */
int assignment_know_in_use(struct assignment *assignment) _must_check_;
void assignment_forget_in_use(struct assignment *assignment);

/* For a run that wants a candidate. End with seeker_done. -ENOMEM. */
int seeker_init(const struct assignment *assignment, struct run *run, struct seeker *ret) _must_check_;
void seeker_done(struct seeker *seeker);
/* Sees to it that its ranking is current. -EAGAIN: it has none, and the assignment is put off. -ENOMEM. */
int seeker_rank(struct assignment *assignment, const struct seeker *seeker) _must_check_;
/* The first n who are eligible now, by a ranking that is current; the caller frees them. -ENOMEM. */
int seeker_list(struct assignment *assignment, const struct seeker *seeker, size_t n, struct contender **ret,
                size_t *ret_count) _must_check_;
void run_drop_ranking(struct run *run);
/* Without memory it is tried again soon. */
void run_postpone(struct coordinator *coordinator, struct run *run, struct moment now);

/* ---- decide.c ---- */

/*
 * With a machine for the seeker, or NULL: nobody is eligible. n seekers are in the round. True: somebody was taken.
 * Else its turn comes later, or it is settled that there is nobody.
 */
bool decide(struct assignment *assignment, const struct seeker *seeker, size_t n, const struct machine *machine);

/* ---- select_set.c ---- */

/* So few starts are under way there that one more may be. */
bool hypervisor_has_capacity(const struct coordinator *coordinator, const char *hypervisor);

#endif
