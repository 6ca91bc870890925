/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A standby that did not come up is no candidate for recovery.quarantine, and each time in a row for twice as long, up to
 * a day. It outlives the daemon; it is over when the machine is defined anew, when it has replaced one well, or ran well by other hands.
 */
#ifndef UNDERSTUDY_COORDINATOR_QUARANTINE_H
#define UNDERSTUDY_COORDINATOR_QUARANTINE_H

#include "coordinator/registry.h"

/*
 * For least_us at least. why: what went wrong, for people; NULL: not known. Without memory it is not written down, and not
 * doubled the next time.
 */
void quarantine_begin(struct registry *registry, const struct machine *machine, int64_t least_us, const char *why,
                      struct moment now);
void quarantine_end(struct registry *registry, const struct machine *machine);
/*
 * An operator defined it anew, or cleared it: its quarantine is over, and what happened before keeps no service that is down
 * from being tried again with it. Without memory only the quarantine is over.
 */
void quarantine_forgive(struct registry *registry, const struct machine *machine, struct moment now);
/* Other hands started it. */
void quarantine_see_start(struct watch *watch, struct moment now);
/* It was stopped on purpose: if it had run for recovery.settle by then, its quarantine is over. */
void quarantine_see_planned_stop(struct registry *registry, const struct machine *machine, struct moment now);
/*
 * It has just become known, and would be made from a template: as long as anything that was made from that on its host, or
 * would be, is in quarantine, so is this one.
 */
void quarantine_share(struct registry *registry, const struct machine *machine);
/* What is left of one from before the daemon was started. A time in the future counts as now. */
void quarantine_recall(struct registry *registry, const struct watch *watch, const struct machine *machine,
                       struct moment now);

#endif
