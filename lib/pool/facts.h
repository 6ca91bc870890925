/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What configuration, metadata and libosinfo say about one machine: its role and its features. */
#ifndef UNDERSTUDY_POOL_FACTS_H
#define UNDERSTUDY_POOL_FACTS_H

#include "config/config.h"
#include "discovery/catalog.h"
#include "model/machine.h"
#include "pool/facts_table.h"

/* What facts are gathered by; all borrowed. */
struct facts_context {
    const struct config *config;   /* NULL: it declares nothing */
    const struct catalog *catalog; /* by which what was declared is spelled; NULL: as it was written */
    struct feature_table *table;
};

/*
 * The roles of a machine: an ignore pattern comes first, then the role in its metadata, then the
 * protect and standby patterns. A protect pattern also matches the name of the service that its metadata
 * gives it. A role in the metadata that cannot be read is one, with which the machine takes no part. config may be NULL: no patterns.
 */
unsigned facts_roles(const struct config *config, const struct machine *machine);

/* The text, "NAME" or "HYPERVISOR/NAME", names this machine; or the pattern matches it, or with is_of_service the service
 * that its metadata names. */
bool facts_name_machine(const char *text, const struct machine *machine);
bool facts_match_pattern(const char *pattern, const struct machine *machine, bool is_of_service);

/*
 * Gathers knowledge of every source, and resolves it. told: what the guest agent told earlier, which stays where the
 * description brings nothing new of it; NULL: nothing. The metadata of *ret is the description's; the rest ends with
 * facts_done. -ENOMEM.
 */
int facts_gather(const struct facts_context *context, const struct machine *machine, const struct knowledge *told,
                 struct facts *ret) _must_check_;

#endif
