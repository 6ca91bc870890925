/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The one place that reads the clocks: everything else is handed a moment. */
#ifndef UNDERSTUDY_DAEMON_CLOCK_H
#define UNDERSTUDY_DAEMON_CLOCK_H

#include "base/moment.h"

struct moment clock_now(void);

#endif
