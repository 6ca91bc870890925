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

struct wall_time clock_on_the_wall(int64_t real_us)
{
    time_t seconds = (time_t)(real_us / USEC_PER_SEC);
    struct tm local;

    if (localtime_r(&seconds, &local) == NULL)
        return wall_clock_utc(real_us);
    return (struct wall_time){.weekday = local.tm_wday, .minute = local.tm_hour * 60 + local.tm_min};
}

int64_t clock_offset_us(void)
{
    struct moment now = clock_now();

    return now.real_us - now.mono_us;
}
