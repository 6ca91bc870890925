/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How things stand, in one plain value: what the status command and the metrics both tell. The
 * numbers come from the coordinator; what only the daemon knows, the daemon fills in.
 */
#ifndef UNDERSTUDY_REPORT_STATUS_H
#define UNDERSTUDY_REPORT_STATUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "coordinator/coordinator.h"
#include "report/problems.h"
#include "report/service_list.h"

struct machine_counts {
    size_t total;
    size_t running;     /* running or asleep */
    size_t standby;     /* by role, running or not */
    size_t standing_by; /* standby and not running: could be started, were it similar enough */
    size_t protected;
    size_t warming;        /* on their way to being warm, refreshed, or being stopped */
    size_t warm;           /* kept warm: suspended or saved */
    uint64_t resident_kib; /* of host memory that those take */
};

struct status {
    const char *version; /* these four are borrowed from the caller that fills them in */
    const char *mode;
    const char *config_file;
    const char *reload_error; /* NULL: the last reload was good */
    int64_t uptime_us;

    const struct problems *problems; /* borrowed from the caller that fills it in; NULL: not looked for */

    bool is_ready;
    bool is_braked; /* by the brake */

    const struct coordinator *coordinator; /* borrowed: for its holds; NULL: without */
    struct hypervisor_status *hypervisors; /* their strings are borrowed from the coordinator */
    size_t n_hypervisors;
    struct machine_counts machines;
    struct service_counts services;
    size_t recoveries[RECOVERY_STATE_COUNT]; /* those that the coordinator still keeps, by state */
};

/* Fills in what the coordinator knows; the rest is zero. plan: as of service_list_count. End with status_done. -ENOMEM. */
int status_collect(const struct coordinator *coordinator, struct plan *plan, struct status *ret) _must_check_;
void status_done(struct status *status);

struct machine_counts status_count_machines(const struct pool *pool);

/* Recoveries that have not ended. */
size_t status_under_way(const struct status *status);

#endif
