/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * All hosts together: connections and listings, whose time is over, whether it is rather the daemon that
 * is cut off, and what becomes of the machines of a host that is lost. What one host goes through is
 * detect/host.
 */
#ifndef UNDERSTUDY_COORDINATOR_HOSTS_H
#define UNDERSTUDY_COORDINATOR_HOSTS_H

#include "coordinator/component.h"
#include "coordinator/registry.h"

/* `self` is the registry. */
component_handle hosts_handle;
component_answer hosts_answer;
component_tick hosts_tick;
component_deadline hosts_deadline;
component_next hosts_next;         /* FENCE */
component_next hosts_next_listing; /* LIST */

/* ---- what the world tells ---- */

void hosts_connect(struct host *host, struct moment now);
void hosts_disconnect(struct registry *registry, struct host *host, const char *why, struct moment now);
/* An answer to LIST came. False: it is not the one that is awaited. */
bool hosts_begin_listing(struct registry *registry, struct host *host, const struct action *action,
                         const struct inventory *inventory, struct moment now);
/* The machines of the inventory were taken: what the listing shows of the host. */
void hosts_end_listing(struct registry *registry, struct host *host, const struct inventory *inventory,
                       struct moment now);
/* Some machines could not be taken: the host counts as not listed, and the next listing is compared with what was known
 * before. */
void hosts_drop_listing(struct host *host);
/* What is known is old: everything is listed anew. */
void hosts_list_anew(struct registry *registry, struct moment now);
/* An attempt to connect failed for a reason that says nothing of the host. */
void hosts_restart_timer(struct registry *registry, struct host *host, struct moment now);
/* After a new configuration, which may have mended what kept a host from being fenced: it is tried at once. */
void hosts_configure(struct registry *registry);

/* ---- what others ask ---- */

/* Each of them was connected to since the start, or that failed. */
bool hosts_are_heard(const struct registry *registry);

#endif
