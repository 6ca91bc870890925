/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Exact non-negative ratios, wide enough for the products that Eq. 1 makes with three amounts: the
 * largest denominators are 2^16 vCPUs × 2^54 KiB × 2^63 bytes.
 */
#ifndef UNDERSTUDY_SIMILARITY_RATIO_H
#define UNDERSTUDY_SIMILARITY_RATIO_H

#include <stdbool.h>
#include <stdint.h>

#define WIDE_LIMBS 4

/* An unsigned integer below 2^256, least significant limb first. */
struct wide {
    uint64_t limb[WIDE_LIMBS];
};

struct wide wide_from(uint64_t value);
/* Sum and product must fit: the callers' amounts and weights are bounded. */
struct wide wide_add(struct wide a, struct wide b);
struct wide wide_multiply(struct wide a, uint64_t b);
bool wide_is_zero(struct wide a);

/* numerator/denominator; the denominator is never 0. */
struct ratio {
    struct wide numerator;
    struct wide denominator;
};

/* numerator/denominator, or 0 where the denominator is 0. */
struct ratio ratio_of(struct wide numerator, struct wide denominator);
struct ratio ratio_millionths(uint32_t millionths);

/* Negative, 0, positive as a is below, equal to, above b. Exact, by cross-multiplication. */
int ratio_compare(const struct ratio *a, const struct ratio *b);

/* For display only. */
double ratio_to_double(const struct ratio *ratio);

#endif
