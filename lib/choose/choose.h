/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which machines could take the place of a failed one, in order, and why the others cannot: the one code for recoveries,
 * explain, the plan and warm standbys. The best specifications come first, and of these the machines that stand by, each
 * judged when its turn comes. Changes nothing.
 */
#ifndef UNDERSTUDY_CHOOSE_CHOOSE_H
#define UNDERSTUDY_CHOOSE_CHOOSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "choose/candidate.h"

/* Keeps its memory from one choice to the next. */
struct chooser;

int chooser_new(struct chooser **ret) _must_check_;
void chooser_free(struct chooser *chooser);
DEFINE_CLEANUP(struct chooser, chooser_free);

/*
 * One by one: compares the machines that stand by, then names those that are similar enough, in order, with their
 * verdicts. 1: *ret is filled in; 0: there is none left. -ENOMEM.
 */
int choose_begin(struct chooser *chooser, const struct choice_request *request) _must_check_;
int choose_next(struct chooser *chooser, struct candidate *ret) _must_check_;
/* The next that is eligible, as above. */
int choose_next_eligible(struct chooser *chooser, struct candidate *ret) _must_check_;

/* So much of a choice is wanted. */
struct choice_extent {
    size_t eligible;   /* the best */
    size_t ineligible; /* the nearest */
    size_t looks;      /* at machines that are similar enough, once there are enough eligible ones */
};

/* What is told of a decision. A plain value; end with choice_done. */
struct choice {
    struct candidate *eligible, *ineligible; /* in order */
    size_t n_eligible, n_ineligible;
    size_t counts[CANDIDATE_VERDICTS]; /* of all candidates, those that are not listed included */
    size_t n_unjudged;                 /* similar enough, and not looked at */
};

/* Fills in *ret. -ENOMEM. */
int choose(struct chooser *chooser, const struct choice_request *request, struct choice_extent extent,
           struct choice *ret) _must_check_;
void choice_done(struct choice *choice);

/* One machine compared and judged now, whatever its place among the others. */
struct candidate choose_judge(const struct choice_request *request, const struct machine *machine);
/* The failed machine itself: of it, only what it would use counts. */
struct candidate choose_judge_original(const struct choice_request *request);

/*
 * One that an operator named: neither its likeness counts, nor its role, nor that it failed. It must be off or warm, and
 * free, and what it would use must be.
 */
struct candidate choose_judge_named(const struct choice_request *request, const struct machine *machine);

/* What its host has to spare when the machine is started. */
uint64_t choose_spare_kib(const struct choice_request *request, const struct machine *machine, bool *ret_is_known);
/* Its host has too little to spare for it to be booted, where that counts. */
bool choose_lacks_memory(const struct choice_request *request, const struct machine *machine);
/* A machine that is up, other than the failed one, uses what this one would use: sets conflict and conflict_with. */
bool choose_find_conflict(const struct choice_request *request, struct candidate *candidate);
/* The two machines could not run at the same time. */
bool choose_conflict_between(const struct machine *a, const struct machine *b);

/*
 * A machine that is similar enough cannot be reached, and `is_given_up` does not say of its host that it will not come
 * back. 1, 0 or -ENOMEM.
 */
int choose_is_out_of_reach(struct chooser *chooser, const struct choice_request *request,
                           bool (*is_given_up)(const void *context, const char *hypervisor),
                           const void *context) _must_check_;

#endif
