/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Several failed machines, fewer candidates: which gets which. An exact matching, because a greedy pick can
 * strand the second machine. Knows numbers only.
 */
#ifndef UNDERSTUDY_CHOOSE_MATCH_H
#define UNDERSTUDY_CHOOSE_MATCH_H

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

/* At most so many are assigned at once. */
#define MATCH_MAX  32
#define MATCH_NONE SIZE_MAX

/* `failed` could be replaced by `candidate`; both count from 0. worth: overlap in millionths, or any number from 0 to
 * 2^20. */
struct match_pair {
    size_t failed;
    size_t candidate;
    uint32_t worth;
};

/*
 * Chooses pairs so that no candidate is in two of them and: first, the more important are served (of every priority,
 * from the highest down, as many as can be served without taking a place from a higher one); then the sum of worth is
 * the largest; then, for determinism, the pairs that stand earlier in `pairs` are preferred (the least sum of
 * places). n_failed ≤ MATCH_MAX.
 * ret_candidate[i]: the candidate of failed machine i, or MATCH_NONE. -EINVAL: too many, or an index or a worth out of
 * range. -ENOMEM.
 */
int match_pairs(const int *priorities, size_t n_failed, size_t n_candidates, const struct match_pair *pairs,
                size_t n_pairs, size_t *ret_candidate) _must_check_;

#endif
