/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What configuration, metadata and libosinfo say about one machine: its role and its features. */
#ifndef UNDERSTUDY_POOL_FACTS_H
#define UNDERSTUDY_POOL_FACTS_H

#include "config/config.h"
#include "model/machine.h"

/*
 * The roles of a machine: an ignore pattern comes first, then the role in its metadata, then the
 * protect and standby patterns. config may be NULL: no patterns.
 */
unsigned facts_roles(const struct config *config, const struct machine *machine);

/*
 * Gathers knowledge of every source and resolves machine->spec. What the guest agent told earlier stays
 * where the description brings nothing new of it. *ret_has_changed: the specification is another one than before.
 * -ENOMEM: the machine is as it was.
 */
int facts_resolve(const struct config *config, struct feature_table *table, struct machine *machine,
                  bool *ret_has_changed) _must_check_;

#endif
