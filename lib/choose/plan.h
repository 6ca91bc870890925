/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which machine would replace which: each protected machine's best candidate, no candidate twice, the more
 * important machines first. Made in passes of bounded steps, so that ten thousand machines cost little at a
 * time. Plans only: a recovery decides anew, by what is true then.
 */
#ifndef UNDERSTUDY_CHOOSE_PLAN_H
#define UNDERSTUDY_CHOOSE_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "pool/pool.h"
#include "similarity/similarity.h"

struct plan_entry {
    struct machine_ref failed;
    struct machine_ref candidate;
    int priority;   /* of the failed machine */
    uint32_t worth; /* millionths of what candidates are ranked by */
};

struct plan;

/* What a pass looks at; borrowed during each step. */
struct plan_view {
    const struct pool *pool;
    const struct similarity_rules *rules;
    int64_t now_us; /* mono_us, for quarantines */
};

int plan_new(struct plan **ret) _must_check_;
void plan_free(struct plan *plan);
DEFINE_CLEANUP(struct plan, plan_free);

/* Begins a pass anew. The plan of the last complete pass stands until this one is. */
void plan_begin(struct plan *plan);

/*
 * Goes on with the pass under way, comparing about `pairs` pairs of machines. 1: the pass is complete, and
 * planned_for of every machine set; 0: there is more to do. -ENOMEM: the pass begins anew.
 */
int plan_work(struct plan *plan, const struct plan_view *view, size_t pairs) _must_check_;

/* Pairs compared by the latest complete pass: what it cost. */
size_t plan_cost(const struct plan *plan);

/* The latest complete plan, the most valuable first: by priority, then by worth, then by name of the failed machine. */
size_t plan_count(const struct plan *plan);
const struct plan_entry *plan_at(const struct plan *plan, size_t index);

#endif
