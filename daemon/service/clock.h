/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The one place of the daemon that reads the clocks. Callable from any thread. */
#ifndef UNDERSTUDY_DAEMON_CLOCK_H
#define UNDERSTUDY_DAEMON_CLOCK_H

#include "base/moment.h"
#include "config/window.h"

struct moment clock_now(void);

/* What the clock on the wall shows: in the time zone of the host, as it was when the daemon started. */
struct wall_time clock_on_the_wall(int64_t real_us);

/*
 * CLOCK_REALTIME less CLOCK_MONOTONIC, in microseconds: constant but for slewing. It changes at once when the host
 * slept, since CLOCK_MONOTONIC stands still then, or when the clock of the host was set.
 */
int64_t clock_offset_us(void);

#endif
