/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Two connections to one host: each machine there would count twice, and each failure be recovered twice. The second one
 * takes no part. Judges by listings, and knows no connection.
 */
#ifndef UNDERSTUDY_COORDINATOR_SAME_HOST_H
#define UNDERSTUDY_COORDINATOR_SAME_HOST_H

#include "coordinator/registry.h"

/*
 * Looks at a listing before it is taken in. True: the host is that of another connection, which takes part already, or
 * is taken for it until it is listed again; what the listing names is not to be taken in. So it is when the
 * configuration says so, and when the UUIDs of both hosts are equal or both missing, and two successive listings, none
 * with a machine that migrates, show the same machines running, by UUID and id.
 */
bool same_host_look(struct registry *registry, struct host *host, const struct inventory *inventory, struct moment now);
/* Two connections to one host, as far as is known. */
bool same_host_is_one(const struct host *a, const struct host *b);
/* Another connection to this host is there: whatever became of this one, the host is not gone. */
bool same_host_lives(const struct registry *registry, const struct host *host);
/* After a new configuration. */
void same_host_configure(struct registry *registry);

#endif
