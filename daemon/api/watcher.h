/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * While the event stream has followers, finds what has changed since the last look, and sends it to the stream: machines,
 * services, recoveries, holds, hypervisors, problems, the plan. It is worked out in a copy of the process, so that neither the loop
 * nor a recovery waits for it, however many machines there are.
 */
#ifndef UNDERSTUDY_DAEMON_API_WATCHER_H
#define UNDERSTUDY_DAEMON_API_WATCHER_H

#include "base/cleanup.h"

struct event_base;
struct routes;
struct watcher;

/* Borrows both. -ENOMEM. */
int watcher_new(struct event_base *base, const struct routes *routes, struct watcher **ret) _must_check_;
/* Takes NULL. */
void watcher_free(struct watcher *watcher);

/* A client begins to follow: what changes from now on is told. */
void watcher_begin(struct watcher *watcher);

/* Something may have changed. */
void watcher_look(struct watcher *watcher);

#endif
