/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Machines in the order in which they are to be tried, one after the other, without ordering the rest: the best
 * specification first (comparison.h), and of equally good ones the machines by what else counts. Judges no machine.
 */
#ifndef UNDERSTUDY_CHOOSE_WALK_H
#define UNDERSTUDY_CHOOSE_WALK_H

#include "choose/candidate.h"
#include "similarity/comparison.h"

/* A machine whose turn comes. */
struct step {
    uint32_t rank; /* the less, the better, among equally alike machines */
    uint32_t at, scored;
    bool is_alone; /* it stands for itself; else for those behind it in its cohort, too */
    const struct machine *machine;
    const char *name; /* of the machine: it is compared many times */
    const struct cohort *cohort;
};

/* A plain value: initialise with {0}, end with walk_done; keeps its memory from one walk to the next. */
struct walk {
    const struct choice_request *request;
    struct comparison *comparison;
    enum pool_set set;
    enum compared which;
    bool on_siblings; /* on hosts that have a sibling, after all others */
    size_t most;
    struct compared_entry *scored; /* equally good ones */
    size_t n_scored, scored_room;
    struct compared_entry next; /* the first that is worse */
    bool has_next, is_over;
    struct step *steps; /* a heap */
    size_t n_steps, step_room;
};

/*
 * Through what the comparison has found among the machines of the set, which it has just been run on. Of more than
 * `most` equally good specifications, that many are looked at.
 */
void walk_begin(struct walk *walk, const struct choice_request *request, enum pool_set set,
                struct comparison *comparison, enum compared which, size_t most);
/* 1: machine and score of *ret are filled in; 0: there is none left; -ENOMEM. The failed machine is left out. */
int walk_next(struct walk *walk, struct candidate *ret) _must_check_;
void walk_done(struct walk *walk);

/* The order of two machines for the same request: negative if a comes first. */
int walk_compare(const struct choice_request *request, const struct candidate *a, const struct candidate *b);
/* The host has a sibling of what is chosen for. */
bool walk_is_on_sibling(const struct choice_request *request, const struct pool_host *host);
/* No rule but free memory and name prefers one of the two. */
bool walk_is_equal(const struct choice_request *request, const struct candidate *a, const struct candidate *b);

#endif
