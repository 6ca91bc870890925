/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Two integers as a non-negative fraction, compared exactly: cross-multiplied in 128 bits. */
#ifndef UNDERSTUDY_SIMILARITY_FRACTION_H
#define UNDERSTUDY_SIMILARITY_FRACTION_H

#include <stdint.h>

/* The denominator is never 0. */
struct fraction {
    uint64_t numerator;
    uint64_t denominator;
};

/* numerator/denominator, or 0 where the denominator is 0. */
struct fraction fraction_of(uint64_t numerator, uint64_t denominator);

/* Negative, 0, positive as a is below, equal to, above b. */
int fraction_compare(struct fraction a, struct fraction b);

/* In millionths, rounded down. numerator/denominator is at most 4294. */
uint32_t fraction_to_millionths(struct fraction fraction);

/* For display only. */
double fraction_to_double(struct fraction fraction);

#endif
