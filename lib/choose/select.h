/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Candidates → ranking with reasons: which machines could take the place of a failed one, in which order,
 * and why each other one cannot. Changes nothing.
 */
#ifndef UNDERSTUDY_CHOOSE_SELECT_H
#define UNDERSTUDY_CHOOSE_SELECT_H

#include <stddef.h>

#include "base/cleanup.h"
#include "choose/candidate.h"
#include "pool/pool.h"
#include "similarity/similarity.h"

/* One recovery's view of the pool: everything in it is borrowed. */
struct select_request {
    const struct pool *pool;
    const struct similarity_rules *rules;
    const struct machine *failed;
    const char *recovery_id;         /* its own claims do not stand in its way; NULL for explain */
    const struct machine_ref *tried; /* machines this recovery tried already */
    size_t n_tried;
    int64_t now_us;    /* mono_us, for quarantines */
    bool check_memory; /* a candidate that is to be booted must fit into its host's memory */
};

/* In ranking order: the eligible first, best first; then the others. Free with free(). */
struct selection {
    size_t n_candidates;
    size_t n_eligible;
    struct candidate candidates[];
};

/* Every machine of the pool but the failed one and the ignored ones is a candidate. -ENOMEM. */
int select_candidates(const struct select_request *request, struct selection **ret) _must_check_;

/* As above, but the ineligible are in no order yet: there are many, and few are read. -ENOMEM. */
int select_eligible(const struct select_request *request, struct selection **ret) _must_check_;
/* Puts the first n of them in order; the rest is in none. */
void select_order_others(const struct select_request *request, struct selection *selection, size_t n);

/* The failed machine itself as the only candidate: of it, only what it would use counts. -ENOMEM. */
int select_original(const struct select_request *request, struct selection **ret) _must_check_;

/* The verdict on one candidate whose score, warmth and memory are filled in; disks and addresses are not looked at. */
enum candidate_verdict select_judge(const struct select_request *request, const struct candidate *candidate);

/* Ranking order of two candidates of one failed machine: negative if a comes first. Says nothing of eligibility. */
int select_compare(const struct similarity_rules *rules, const struct candidate *a, const struct candidate *b);

/* What a host has to spare in KiB, less what is on its way up there already; 0 with *ret_is_known false: not known. */
uint64_t select_free_memory(const struct pool *pool, const char *hypervisor, bool *ret_is_known);

#endif
