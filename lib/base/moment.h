/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Time as an argument: lib/ reads no clock, so every function that needs one is handed a moment. */
#ifndef UNDERSTUDY_BASE_MOMENT_H
#define UNDERSTUDY_BASE_MOMENT_H

#include <stdbool.h>
#include <stdint.h>

#define USEC_PER_SEC  INT64_C(1000000)
#define USEC_PER_MSEC INT64_C(1000)
#define USEC_INFINITY INT64_MAX

/*
 * One instant on two clocks, both in microseconds: mono_us (CLOCK_MONOTONIC) for durations and
 * deadlines, real_us (CLOCK_REALTIME since the epoch) for records that people read.
 */
struct moment {
    int64_t mono_us;
    int64_t real_us;
};

/* A moment of {0} has not come. */
static inline bool moment_has_come(struct moment moment)
{
    return moment.real_us != 0 || moment.mono_us != 0;
}

/* So long after that instant. */
static inline struct moment moment_after(struct moment moment, int64_t time_us)
{
    return (struct moment){.mono_us = moment.mono_us + time_us, .real_us = moment.real_us + time_us};
}

/*
 * When something is due next that comes once in each period and has time: at the multiples of the period, of CLOCK_MONOTONIC.
 * So what is done every 10 and every 30 seconds is done together, and wakes the host once. After now_us, by one period at most.
 */
static inline int64_t moment_next_tick_us(int64_t now_us, int64_t period_us)
{
    return (now_us / period_us + 1) * period_us;
}

#endif
