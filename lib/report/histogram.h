/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Times, counted by how long they are: what a histogram of the metrics is made from. */
#ifndef UNDERSTUDY_REPORT_HISTOGRAM_H
#define UNDERSTUDY_REPORT_HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>

#define HISTOGRAM_BOUNDS 17

/* A plain value: initialise with {0}. */
struct histogram {
    uint64_t counts[HISTOGRAM_BOUNDS + 1]; /* not longer than the bound, and longer than the one before; the rest */
    int64_t sum_us;
};

/* From 1 ms to 1 h, ascending. */
int64_t histogram_bound_us(size_t index);

/* Takes one of so many microseconds; less than 0 counts as 0. */
void histogram_add(struct histogram *histogram, int64_t us);

/* All that were taken. */
uint64_t histogram_total(const struct histogram *histogram);

#endif
