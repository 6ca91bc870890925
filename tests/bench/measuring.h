/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What every measurement here needs: a clock, a median, caches that are empty, and an end when something is wrong. */
#ifndef UNDERSTUDY_BENCH_MEASURING_H
#define UNDERSTUDY_BENCH_MEASURING_H

#include <stddef.h>

/* Prints it and ends the program. */
_Noreturn void fail(const char *what);
/* A negative errno ends the program. */
void check(int r);
/* NULL ends the program. */
void *need(void *memory);

/* Of the processor: nothing here waits, and wall time on a machine that others use would measure them. */
double now_us(void);
/* Orders the values. */
double median(double *values, size_t n);
/* Nothing that was read or written before is in a cache afterwards. */
void empty_caches(void);

#endif
