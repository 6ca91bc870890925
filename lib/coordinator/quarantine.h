/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A standby that did not come up is no candidate for recovery.quarantine, and each time in a row for twice as long, up to
 * a day. It outlives the daemon; it is over when the machine is defined anew, or when it has replaced one well.
 */
#ifndef UNDERSTUDY_COORDINATOR_QUARANTINE_H
#define UNDERSTUDY_COORDINATOR_QUARANTINE_H

#include "coordinator/registry.h"

/* For least_us at least. Without memory it is not written down, and not doubled the next time. */
void quarantine_begin(struct registry *registry, const struct machine *machine, int64_t least_us, struct moment now);
void quarantine_end(struct registry *registry, const struct machine *machine);
/* What is left of one from before the daemon was started. A time in the future counts as now. */
void quarantine_recall(struct registry *registry, const struct watch *watch, const struct machine *machine,
                       struct moment now);

#endif
