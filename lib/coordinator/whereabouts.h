/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A machine ran, its host does not have it any more, and no word says how that came: it may have been migrated. It counts
 * as off when no other host that may have it says that it runs there. Hosts are asked anew, since a migration may be younger
 * than their last listing, and its events may be late or lost.
 */
#ifndef UNDERSTUDY_COORDINATOR_WHEREABOUTS_H
#define UNDERSTUDY_COORDINATOR_WHEREABOUTS_H

#include "coordinator/registry.h"

/*
 * The search is not over: a host was not heard since the search began, or is out of reach and not given up yet. The first call
 * begins it, and has all hosts listed. Without memory it goes on.
 */
bool whereabouts_are_open(struct registry *registry, const struct machine_ref *ref, struct moment now);
/* The name of a host for which the search waits; NULL: it is not known to wait for one. Borrowed from the registry. */
const char *whereabouts_awaited_host(const struct registry *registry, const struct machine_ref *ref);
/* The search has begun, and the machine was not seen up on its host since. */
bool whereabouts_are_asked(const struct registry *registry, const struct machine *machine);
/* Something is to be recovered, or goes on, when it is known whether this host has the machine. */
bool whereabouts_await(const struct registry *registry, const struct host *host);
/* The machine is up where it was expected: should it be missed again, it is searched for anew. */
void whereabouts_forget(struct watch *watch);

#endif
