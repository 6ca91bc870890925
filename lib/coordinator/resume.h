/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Recoveries from before the daemon was started: they wait until their hypervisors have been listed, then
 * ask what became of what they had begun.
 */
#ifndef UNDERSTUDY_COORDINATOR_RESUME_H
#define UNDERSTUDY_COORDINATOR_RESUME_H

#include "coordinator/recoveries.h"

/* Goes on with the recoveries whose hypervisors are there. */
void resume_restored(struct recoveries *recoveries, struct moment now);

#endif
