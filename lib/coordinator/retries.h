/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Services that are down are tried again, for recovery.retry_for, when something changes that helps: a machine could take
 * over that became a candidate since the last recovery failed. What the recovery itself has changed helps nothing.
 */
#ifndef UNDERSTUDY_COORDINATOR_RETRIES_H
#define UNDERSTUDY_COORDINATOR_RETRIES_H

#include "coordinator/recoveries.h"

/*
 * A machine that an operator stopped, or that failed a recovery, less than this ago is not started then; the second but
 * where it was mended since.
 */
#define RETRIES_REST_US (600 * USEC_PER_SEC)

struct retries {
    struct recoveries *recoveries;
    bool is_reconfigured;  /* since they were looked at */
    int64_t configured_us; /* when that was seen last: mono_us */
    int64_t looked_us;     /* when services that are down were looked at last: mono_us */
    int64_t due_us;        /* mono_us; USEC_INFINITY */
};

/* The configuration is another. */
void retries_configure(struct retries *retries);

component_handle retries_handle;
component_deadline retries_deadline;

#endif
