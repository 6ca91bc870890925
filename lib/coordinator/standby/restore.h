/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Standbys that were kept warm before the daemon was started, before a connection was lost, or before a
 * recovery took them: what of them is still kept here, and how their courses go on.
 */
#ifndef UNDERSTUDY_COORDINATOR_STANDBY_RESTORE_H
#define UNDERSTUDY_COORDINATOR_STANDBY_RESTORE_H

#include "coordinator/standby/standby.h"

/* A machine that was kept when the daemon last ran is here: what of it is still kept? */
void standby_adopt(struct standby *standby, struct watch *watch, const struct machine *machine, struct moment now);
/* A recovery that had it did not start it. may_run: it was taken in the middle of a course. */
void standby_hand_back(struct standby *standby, const struct machine *machine, bool may_run, struct moment now);
/* The hypervisor was listed: courses that waited for it go on. */
void standby_relist(struct standby *standby, const char *hypervisor, struct moment now);

#endif
