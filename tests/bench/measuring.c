/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Time, medians and caches of a measurement. */
#include "measuring.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* More than any cache holds. */
#define EVICTION_BYTES (size_t)(96 << 20)

void fail(const char *what)
{
    fprintf(stderr, "%s\n", what);
    exit(1);
}

void check(int r)
{
    if (r < 0)
        fail(strerror(-r));
}

void *need(void *memory)
{
    if (memory == NULL)
        fail(strerror(ENOMEM));
    return memory;
}

double now_us(void)
{
    struct timespec time;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (double)time.tv_sec * 1e6 + (double)time.tv_nsec * 1e-3;
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

double median(double *values, size_t n)
{
    qsort(values, n, sizeof(*values), compare_doubles);
    return values[n / 2];
}

void empty_caches(void)
{
    static char *memory;

    if (memory == NULL)
        memory = need(calloc(EVICTION_BYTES, 1));
    for (size_t i = 0; i < EVICTION_BYTES; i += 64)
        memory[i]++;
}
