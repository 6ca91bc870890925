/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The bounds are the same for all: a crash is recovered within a second, and a host that is lost within minutes. */
#include "report/histogram.h"

#include "base/moment.h"

#define MSEC   USEC_PER_MSEC
#define SEC    USEC_PER_SEC
#define MINUTE (60 * SEC)

static const int64_t bounds_us[HISTOGRAM_BOUNDS] = {
    1 * MSEC,    5 * MSEC, 10 * MSEC, 25 * MSEC, 50 * MSEC,  100 * MSEC, 250 * MSEC,  500 * MSEC,  1 * SEC,
    5 * SEC / 2, 5 * SEC,  10 * SEC,  30 * SEC,  1 * MINUTE, 5 * MINUTE, 15 * MINUTE, 60 * MINUTE,
};

int64_t histogram_bound_us(size_t index)
{
    return bounds_us[index];
}

void histogram_add(struct histogram *histogram, int64_t us)
{
    size_t at = 0;

    while (at < HISTOGRAM_BOUNDS && us > bounds_us[at])
        at++;
    histogram->counts[at]++;
    histogram->sum_us += us > 0 ? us : 0;
}

uint64_t histogram_total(const struct histogram *histogram)
{
    uint64_t total = 0;

    for (size_t i = 0; i <= HISTOGRAM_BOUNDS; i++)
        total += histogram->counts[i];
    return total;
}
