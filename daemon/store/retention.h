/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which recoveries are kept, beside the open ones, and which of these are read at the start. */
#ifndef UNDERSTUDY_DAEMON_STORE_RETENTION_H
#define UNDERSTUDY_DAEMON_STORE_RETENTION_H

#include <stddef.h>
#include <stdint.h>

struct retention {
    int64_t age_us;    /* kept: what was detected no longer ago */
    size_t latest;     /* read: so many of them */
    int64_t counts_us; /* and what was detected no longer ago, since it may count against a limit */
};

#endif
