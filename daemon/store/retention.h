/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which recoveries are kept: the open ones, the latest, and those that still count against a limit. */
#ifndef UNDERSTUDY_DAEMON_STORE_RETENTION_H
#define UNDERSTUDY_DAEMON_STORE_RETENTION_H

#include <stddef.h>
#include <stdint.h>

struct retention {
    size_t latest;  /* so many */
    int64_t age_us; /* and what was detected no longer ago */
};

#endif
