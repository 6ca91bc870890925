/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* CLOCK_MONOTONIC and CLOCK_REALTIME as one moment. */
#include "service/clock.h"

#include <time.h>

static int64_t read_us(clockid_t id)
{
    struct timespec time;

    clock_gettime(id, &time);
    return (int64_t)time.tv_sec * USEC_PER_SEC + time.tv_nsec / 1000;
}

struct moment clock_now(void)
{
    return (struct moment){.mono_us = read_us(CLOCK_MONOTONIC), .real_us = read_us(CLOCK_REALTIME)};
}

int64_t clock_offset_us(void)
{
    struct moment now = clock_now();

    return now.real_us - now.mono_us;
}
