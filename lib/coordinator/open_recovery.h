/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One recovery under way: holds and claims what it needs, takes a candidate, and turns its steps into
 * actions and notices. Does not judge events, and does not choose.
 */
#ifndef UNDERSTUDY_COORDINATOR_OPEN_RECOVERY_H
#define UNDERSTUDY_COORDINATOR_OPEN_RECOVERY_H

#include "coordinator/recoveries.h"

/* Opens a recovery. -ENOMEM: nothing was opened. */
int open_recovery_begin(struct recoveries *recoveries, struct watch *watch, const struct machine *machine,
                        enum failure_cause cause, const char *why, struct moment at) _must_check_;
/* As above, for the service of an earlier one that failed. */
int open_recovery_retry(struct recoveries *recoveries, struct watch *watch, const struct machine *machine,
                        const struct recovery *earlier, const char *why, struct moment at) _must_check_;
/* Goes on with a recovery that was read back; its machines are there. -ENOMEM, -EBUSY. */
int open_recovery_adopt(struct recoveries *recoveries, struct recovery *recovery, const struct machine *failed,
                        const struct machine *candidate, struct moment now) _must_check_;
void open_recovery_handle(struct recoveries *recoveries, struct open_recovery *open,
                          const struct recovery_event *event);
/* Claims the candidate and goes on with it. -ENOMEM. */
int open_recovery_take(struct recoveries *recoveries, struct open_recovery *open, const struct machine *candidate,
                       struct moment now) _must_check_;
/* The recovery has ended: lets go of everything that is held for it, and frees it. */
void open_recovery_close(struct recoveries *recoveries, struct open_recovery *open, struct moment now);
void open_recovery_free(struct open_recovery *open);

/* What it asks for next; NULL: nothing any more. */
void open_recovery_set_action(struct recoveries *recoveries, struct open_recovery *open, const struct action *action);

#endif
