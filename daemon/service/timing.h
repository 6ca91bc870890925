/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The event loop's own idea of time: a timer comes when it is due, never before, and wakes the processor once. */
#ifndef UNDERSTUDY_DAEMON_TIMING_H
#define UNDERSTUDY_DAEMON_TIMING_H

#include <stdint.h>

struct event;
struct event_base;

/* NULL: no memory. */
struct event_base *timing_new_base(void);

/* Once, at the next tick of its period (moment_next_tick_us). When that is (mono_us); -ENOMEM. */
int64_t timing_wait_for_tick(struct event *timer, int64_t period_us);

#endif
