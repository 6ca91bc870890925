/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which recoveries wait until others have ended: `after` in the policy of a service. Decides nothing else. */
#ifndef UNDERSTUDY_COORDINATOR_PRECEDENCE_H
#define UNDERSTUDY_COORDINATOR_PRECEDENCE_H

#include "coordinator/recoveries.h"

/*
 * Looks at all recoveries under way anew, sets `is_behind` of those before which nothing is chosen, nor their failed machine
 * started again, and tells which these are. True: one that waited does so no longer. None waits for another in a circle,
 * since no configuration has one.
 */
bool precedence_look(struct recoveries *recoveries, struct moment now);

#endif
