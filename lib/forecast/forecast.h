/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What would follow if a host died now. The coordinator itself is driven through it, in a world where every call succeeds
 * at once; nothing is decided here.
 *
 * The coordinator that is handed in takes all of it for true, so it must be a copy that is of no use afterwards: the
 * daemon's in a process that was forked off.
 */
#ifndef UNDERSTUDY_FORECAST_FORECAST_H
#define UNDERSTUDY_FORECAST_FORECAST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"
#include "coordinator/coordinator.h"

/* How it becomes certain that the host is off. */
enum forecast_fencing {
    FORECAST_BY_AGENT,    /* by its fence agents, which are taken to succeed */
    FORECAST_BY_OPERATOR, /* only by an operator (understudyctl fenced); what would follow then is forecast */
    FORECAST_NEVER,       /* not within the time that is looked at: the host is held */
    FORECAST_FENCING_COUNT,
};

/* "agent", "operator", "never". */
const char *forecast_fencing_name(enum forecast_fencing fencing);

/* A plain value: begin with {0}, end with forecast_done. */
struct forecast {
    struct machine_ref *services; /* the originals of the protected ones that were up there */
    size_t n_services;
    enum forecast_fencing fencing;
    char *why;           /* with FORECAST_BY_OPERATOR and _NEVER: the coordinator's words; NULL: it had none */
    struct moment begun; /* the failure */
    struct moment ended; /* when nothing was left to do, or the time that is looked at was over */
    bool is_settled;     /* nothing was left to do */
};

void forecast_done(struct forecast *forecast);

/*
 * As if these machines were not there, but for those that run: all, those of a host, or one, as a hold covers them (HOLD_HOST:
 * target has no UUID). -ENOMEM.
 */
int forecast_leave_out(struct coordinator *coordinator, enum hold_scope scope, const struct machine_ref *target,
                       struct moment now) _must_check_;

/*
 * Afterwards the recoveries of the coordinator that were detected at `begun` or later, its pool and its diversions tell what
 * became of the services. -ENOENT: there is no such host. -EADDRINUSE: it is the daemon's own. -EBUSY: it cannot be reached
 * already, or is another name of a host that takes part. -ENOMEM.
 */
int forecast_host_loss(struct coordinator *coordinator, const char *hypervisor, struct moment now,
                       struct forecast *ret) _must_check_;

/* The recovery by which the service was dealt with, the last one, borrowed; NULL: none was opened. */
const struct recovery *forecast_recovery_of(const struct forecast *forecast, const struct coordinator *coordinator,
                                            const struct machine_ref *service);

#endif
