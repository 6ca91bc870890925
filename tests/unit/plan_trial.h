/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A pool that changes at random, and its plan: few features, disks and hosts, so that machines are equally good, share
 * needs and disks, and are the only candidate of others. What the plan says is held against choosing anew for each
 * machine and counting.
 */
#ifndef UNDERSTUDY_TESTS_PLAN_TRIAL_H
#define UNDERSTUDY_TESTS_PLAN_TRIAL_H

#include "choose/plan.h"
#include "support.h"

#define TRIAL_HOSTS    4
#define TRIAL_CONFIGS  5
#define TRIAL_SERVICES 4

struct trial {
    uint64_t seed;
    struct feature_table *table;
    struct pool *pool;
    struct plan *plan;
    struct chooser *chooser; /* for choosing anew */
    struct config_hypervisor hypervisors[TRIAL_HOSTS];
    struct config configs[TRIAL_CONFIGS];
    struct config_service services[TRIAL_SERVICES];
    int64_t now_us;
    size_t most; /* machines */
    /* What was met: a trial that never meets it proves nothing of it. */
    size_t n_spared, n_kept_out, n_shared, n_incomplete, n_apart, n_policies;
};

/* The same course for the same seed. */
struct trial *trial_new(uint64_t seed);
void trial_free(struct trial *trial);

/* One change, which the plan is not told of but by the pool. */
void trial_change(struct trial *trial);

/* After plan_settle, which returned this: 1 or 0. */
void trial_check(struct trial *trial, int settled);

#endif
