/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the service manager's bus tells about this host: that it is about to shut down. Knows no machines.
 */
#ifndef UNDERSTUDY_DAEMON_HOST_H
#define UNDERSTUDY_DAEMON_HOST_H

#include <stdbool.h>

#include "base/cleanup.h"

struct event_base;
struct host;

/*
 * Follows logind's PrepareForShutdown signal on the system bus. The callback runs on the main loop at each signal;
 * false: the shutdown was called off. Where there is no bus, connecting is tried again every 30 s, silently. -ENOMEM.
 */
int host_new(struct event_base *base, void (*callback)(void *context, bool is_shutting_down), void *context,
             struct host **ret) _must_check_;

/* No callback comes after this. Takes NULL. */
void host_free(struct host *host);

#endif
