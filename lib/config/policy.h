/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What holds for one service. `services` is a list: for each key, the first entry counts that matches the service and
 * gives that key. What no entry gives is as for everything.
 *
 * A policy is a whole configuration, so that what acts for a service reads its configuration and knows of no entries.
 */
#ifndef UNDERSTUDY_CONFIG_POLICY_H
#define UNDERSTUDY_CONFIG_POLICY_H

#include <stdbool.h>
#include <stdint.h>

#include "config/config.h"

struct schema_key;

/* Keys of an entry of services, but for match. */
#define POLICY_KEYS 14

/* For each key, in the order of the schema, the number of the entry that gives it, from 1; 0: none does. A plain value. */
struct policy_sources {
    uint16_t entries[POLICY_KEYS];
};

/* name: of the service. It is looked for on the hypervisor of its original. */
struct policy_sources policy_find_sources(const struct config *config, const char *hypervisor, const char *name);
/* As if this entry were the only one, and matched. */
struct policy_sources policy_sources_of_entry(const struct config *config, size_t entry);
bool policy_is_general(const struct policy_sources *sources);

/* The configuration as it holds for such a service. Borrows everything from config: never to be freed. */
struct config policy_apply(const struct config *config, const struct policy_sources *sources);

/*
 * What the entries give, in words: "threshold 0.8, hosts [node1, node2] (services[0], line 12); after [db-*] (services[2],
 * line 20)". Of hook_env, only the names are told. NULL in *ret: nothing. -ENOMEM.
 */
int policy_describe(const struct config *config, const struct policy_sources *sources, char **ret) _must_check_;

/* The schema's keys of an entry but for match, by their place in struct policy_sources; NULL: no more. */
const struct schema_key *policy_key(size_t place);

#endif
