/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Inside lib/similarity: the two loops that a comparison spends its time in, over the groups of one block, in 32-bit
 * integers. The scalar twin is what they mean; the others are the same arithmetic side by side, and give the same bits.
 */
#ifndef UNDERSTUDY_SIMILARITY_KERNEL_H
#define UNDERSTUDY_SIMILARITY_KERNEL_H

#include <stddef.h>
#include <stdint.h>

/* A bitmap of the column of a needed feature, and what the feature weighs. */
struct weighed_bits {
    const uint64_t *bits;
    int32_t weight;
};

/*
 * When an entry with certain hardware passes, with weights in the rules' unit: `surplus` is what it offers and the failed
 * machine does not, `shared` what both do. And a lower part of the fraction that ranks it.
 */
struct limit {
    int32_t surplus_end; /* similar enough: surplus < surplus_end */
    int32_t shared_min;  /* covering enough: shared >= shared_min */
    float numerator, denominator;
};

/* What is known of the entries of a block, each array by place. */
struct block_view {
    const int32_t *shared;
    const int32_t *weights; /* W_R of the entry */
    const uint32_t *hardware;
    const uint32_t *machines; /* 0: the entry is not in use */
    const uint64_t *covered;  /* a bit an entry: everything of must_cover */
    const struct limit *limits;
    int32_t shared_min_resources;
    int32_t shared_mask; /* -1: the numerator grows with what is shared; 0: it does not */
};

/* The bits of the largest (numerator + shared)/(denominator + surplus) in a group, as a float; -1: the group has none. */
struct group_best {
    int32_t eligible, ineligible;
};

/* Machines by the first obstacle. */
struct tally {
    uint64_t below_threshold, below_coverage, below_resource_coverage, must_cover, eligible;
};

struct kernel {
    const char *name;
    /* sums[i] = the weights of the columns that have bit i. */
    void (*sum)(const struct weighed_bits *columns, size_t n, size_t groups, int32_t *sums);
    /* Adds to the tally. */
    void (*judge)(const struct block_view *view, size_t groups, struct group_best *ret_best, struct tally *tally);
};

/* Those that this processor can run: the scalar twin first, the fastest last. NULL beyond the last. */
const struct kernel *kernel_get(size_t index);
const struct kernel *kernel_fastest(void);

/* Which one a comparison uses from now on: for tests and measurements. */
struct comparison;
void comparison_set_kernel(struct comparison *comparison, const struct kernel *kernel);

#endif
