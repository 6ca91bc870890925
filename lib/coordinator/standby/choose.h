/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which standbys are worth keeping warm now: the first of the plan, within the memory that they may have
 * together and that their hosts can spare. Begins one at a time on each host, never beside a recovery
 * there, and gives back what is not worth it any more. Knows nothing of how a course goes.
 */
#ifndef UNDERSTUDY_COORDINATOR_STANDBY_CHOOSE_H
#define UNDERSTUDY_COORDINATOR_STANDBY_CHOOSE_H

#include "coordinator/standby/standby.h"

/* Begins, refreshes and gives back, and says when to look again: mono_us. */
int64_t standby_choose(struct standby *standby, struct moment now);
/* All that are kept, those that are being begun included, have no more memory than they may. */
bool standby_is_within_limit(const struct standby *standby);
/* What the host can spare, and what standbys there would give back, is so much. */
bool standby_could_make_room(const struct standby *standby, const char *hypervisor, uint64_t needed_kib);
/* A recovery needs so much on this host: true: it is being given back. */
bool standby_make_room(struct standby *standby, const char *hypervisor, uint64_t needed_kib, struct moment now);

#endif
