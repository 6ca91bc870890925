/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The one place that reads the clocks: everything else is handed a moment. */
#ifndef UNDERSTUDY_DAEMON_CLOCK_H
#define UNDERSTUDY_DAEMON_CLOCK_H

#include "base/moment.h"

struct moment clock_now(void);

/*
 * Wall clock less CLOCK_MONOTONIC, in microseconds: constant but for slewing, and changed at once when the
 * host slept (CLOCK_MONOTONIC stands still then) or when somebody set the clock.
 */
int64_t clock_offset_us(void);

#endif
