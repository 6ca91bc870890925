/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The event loop's own idea of time: a timer comes when it is due, never before, and wakes the processor once. */
#ifndef UNDERSTUDY_DAEMON_TIMING_H
#define UNDERSTUDY_DAEMON_TIMING_H

struct event_base;

/* NULL: no memory. */
struct event_base *timing_new_base(void);

#endif
