/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How a recovery begins: by a failure, once more, by an operator's order, or as it was read back. Enters it into the books
 * and says why. What it does then is for open_recovery.
 */
#ifndef UNDERSTUDY_COORDINATOR_OPENING_H
#define UNDERSTUDY_COORDINATOR_OPENING_H

#include "coordinator/recoveries.h"

/* Opens a recovery. -ENOMEM: nothing was opened. */
int opening_begin(struct recoveries *recoveries, struct watch *watch, const struct machine *machine,
                  enum failure_cause cause, const char *why, struct moment at) _must_check_;
/* As above, for the service of an earlier one that failed. */
int opening_retry(struct recoveries *recoveries, struct watch *watch, const struct machine *machine,
                  const struct recovery *earlier, const char *why, struct moment at) _must_check_;
/* As above, because an operator orders it: recovery.limit is not asked. earlier NULL: none is known. by: as in struct order. */
int opening_order(struct recoveries *recoveries, struct watch *watch, const struct machine *machine,
                  const struct recovery *earlier, const char *by, struct moment at) _must_check_;
/* How an operator wants a machine that serves to be relieved. */
struct relief_order {
    enum failure_cause cause; /* CAUSE_FAILOVER or CAUSE_FAILBACK */
    enum relief when;
    const struct machine *to;
    const char *by; /* as in struct order */
    bool is_forced, is_anyway, is_rehearsal;
};

/* The machine serves, and is to be relieved. -ENOMEM. */
int opening_relieve(struct recoveries *recoveries, struct watch *watch, const struct machine *machine,
                    const struct relief_order *order, struct moment at) _must_check_;
/* Goes on with a recovery that was read back; its machines are there. -ENOMEM, -EBUSY. */
int opening_adopt(struct recoveries *recoveries, struct recovery *recovery, const struct machine *failed,
                  const struct machine *candidate, struct moment now) _must_check_;

#endif
