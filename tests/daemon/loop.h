/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An event base for tests, and waiting on it for something to become true instead of for a time. */
#ifndef UNDERSTUDY_TESTS_DAEMON_LOOP_H
#define UNDERSTUDY_TESTS_DAEMON_LOOP_H

#include <stdbool.h>
#include <stdlib.h>

#include <event2/event.h>
#include <event2/thread.h>

#include "base/cleanup.h"

static inline struct event_base *loop_new(void)
{
    struct event_base *base;

    if (evthread_use_pthreads() != 0 || (base = event_base_new()) == NULL)
        abort();
    return base;
}

static inline void loop_gave_up(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    *(bool *)arg = true;
}

/* Runs the loop until *condition holds; false: it did not within 20 seconds. */
static inline bool loop_until(struct event_base *base, const volatile bool *condition)
{
    const struct timeval limit = {.tv_sec = 20};
    bool gave_up = false;
    struct event *timer = evtimer_new(base, loop_gave_up, &gave_up);

    if (timer == NULL || evtimer_add(timer, &limit) != 0)
        abort();
    while (!*condition && !gave_up)
        event_base_loop(base, EVLOOP_ONCE);
    event_free(timer);
    return *condition;
}

/* Handles what is pending now, and what that sets off, without waiting. */
static inline void loop_drain(struct event_base *base)
{
    for (int i = 0; i < 8; i++)
        event_base_loop(base, EVLOOP_NONBLOCK);
}

#endif
