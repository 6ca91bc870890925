/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How patient the store is. An argument, so that tests need not be. */
#ifndef UNDERSTUDY_DAEMON_STORE_TIMING_H
#define UNDERSTUDY_DAEMON_STORE_TIMING_H

#include <stdint.h>

#include "store/store.h"

struct store_timing {
    int64_t slow_us;  /* an opening that takes longer is trouble */
    int64_t open_us;  /* and is not waited for any longer */
    int64_t retry_us; /* between attempts while there is trouble */
};

/* As store_open, which is this with its own timing. */
int store_open_timed(struct event_base *base, const char *directory, struct retention retention,
                     const struct store_timing *timing, const struct store_callbacks *callbacks, void *context,
                     struct store **ret) _must_check_;

#endif
