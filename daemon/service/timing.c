/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Unless it is told otherwise, libevent reads a clock that goes in steps of some milliseconds, and only once in each turn. A timer
 * then comes a little too early, and what it was for has to wait again; or only after several waits of a millisecond each.
 */
#include "service/timing.h"

#include <errno.h>
#include <stddef.h>

#include <event2/event.h>

#include "base/moment.h"
#include "service/clock.h"

struct event_base *timing_new_base(void)
{
    struct event_config *config = event_config_new();
    struct event_base *base = NULL;

    if (config != NULL && event_config_set_flag(config, EVENT_BASE_FLAG_PRECISE_TIMER) == 0 &&
        event_config_set_flag(config, EVENT_BASE_FLAG_NO_CACHE_TIME) == 0)
        base = event_base_new_with_config(config);
    if (config != NULL)
        event_config_free(config);
    return base;
}

int64_t timing_wait_for_tick(struct event *timer, int64_t period_us)
{
    int64_t now_us = clock_now().mono_us, due_us = moment_next_tick_us(now_us, period_us), wait_us = due_us - now_us;
    const struct timeval wait = {.tv_sec = wait_us / USEC_PER_SEC, .tv_usec = wait_us % USEC_PER_SEC};

    return event_add(timer, &wait) < 0 ? -ENOMEM : due_us;
}
