/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Who would take over from each protected machine that is up, if that machine alone failed now: the best candidate and
 * the second. Kept by change: a machine that changes touches what it is an answer to, or could become one to. Plans
 * only: a recovery decides anew, by the same code.
 *
 * Machines that need the same, stand on one host and give it back the same memory have the same answers, and are one row. What only the failed machine
 * itself keeps from being a candidate, by a disk or an address that they share, is not in the row, and is added to what
 * is told of that machine.
 */
#ifndef UNDERSTUDY_CHOOSE_PLAN_H
#define UNDERSTUDY_CHOOSE_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "choose/choose.h"

struct plan;

/* Observes the pool, which must outlive the plan. -ENOMEM. */
int plan_new(struct pool *pool, struct plan **ret) _must_check_;
void plan_free(struct plan *plan);
DEFINE_CLEANUP(struct plan, plan_free);

/* After pool_configure: all is planned anew. check_memory as in struct choice_request. -ENOMEM. */
int plan_configure(struct plan *plan, bool check_memory) _must_check_;

/*
 * Settles the pool, and goes on with what is touched, for about so many comparisons of two specifications. 1: the plan
 * is complete; 0: there is more to do, and who is spared is not known of all; -ENOMEM.
 */
int plan_settle(struct plan *plan, int64_t now_us, size_t comparisons) _must_check_;

/* When this one fails, another one may be started: recovery.order of its service is not original-only. */
bool plan_has_replacements(const struct plan *plan, const struct machine *machine);

/* It is planned for: a protected machine that is up and was not taken by anything, and that others may replace. */
bool plan_is_served(const struct plan *plan, const struct machine *machine);

struct plan_answer {
    struct candidate best, second; /* machine NULL: there is none */
};

/* Of a machine that is served, after plan_settle, whether it was complete or not. -ENOENT: it is not. -ENOMEM. */
int plan_find(struct plan *plan, const struct machine *served, struct plan_answer *ret) _must_check_;

/*
 * How many served machines have this one as their best candidate, and the most important of them, or NULL. After a
 * complete plan_settle.
 */
size_t plan_count_served_by(struct plan *plan, const struct machine *candidate, const struct machine **ret_first);

/* What a recovery chooses by: the request of a served machine if it failed now. Borrowed until the plan settles. */
struct choice_request plan_request(const struct plan *plan, const struct machine *served);

/*
 * Machines that are the only candidate of one that is served, but for what that one itself keeps out, which is a candidate
 * of no other. Borrowed; of all machines after a complete plan_settle.
 */
const struct spared *plan_spared(const struct plan *plan);

/* Rows, for measurements. */
size_t plan_rows(const struct plan *plan);

#endif
