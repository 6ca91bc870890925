/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reports on machines, as listings and descriptions bring them: they are compared with what was known last. */
#ifndef UNDERSTUDY_COORDINATOR_REPORTS_H
#define UNDERSTUDY_COORDINATOR_REPORTS_H

#include "coordinator/registry.h"

/*
 * Everything that a host has, as of an event count; what the inventory's reports own is taken. A report without a
 * description leaves the definition as it is known. -ENOMEM: some of it was not taken in, and what
 * that is, is not absent. -EAGAIN: nothing was, since a definition that was left out is needed.
 */
int reports_handle_inventory(struct registry *registry, struct host *host, struct inventory *inventory, uint64_t as_of,
                             struct moment now) _must_check_;
/* One machine was described; takes report->description. report NULL: there is no such machine. */
void reports_handle_description(struct registry *registry, const struct action *action, struct domain_report *report,
                                struct moment now);

#endif
