/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What holds for a service: the configuration with what its entries of `services` say, and the limits of that as
 * candidates are compared by. Services for which the same entries say the same have one policy.
 */
#ifndef UNDERSTUDY_POOL_POLICIES_H
#define UNDERSTUDY_POOL_POLICIES_H

#include <stddef.h>
#include <stdint.h>

#include "config/policy.h"
#include "discovery/catalog.h"
#include "model/feature.h"
#include "similarity/similarity.h"

struct policy {
    uint16_t number; /* 0: what holds where no entry says anything */
    struct policy_sources sources;
    const struct config *config; /* of the general one the configuration in force, else `applied` */
    struct config applied;       /* borrows from the configuration in force */
    struct similarity_rules *rules;
};

/* A plain value; {0} has none. */
struct policies {
    const struct config *config; /* borrowed, as are the others */
    struct catalog *catalog;     /* a reference; NULL: values are spelled as they were written */
    struct feature_table *table;
    struct policy **items; /* by number */
    size_t count;
};

/* With the general one. -EINVAL, -ERANGE, -ENOMEM as similarity_rules_new. */
int policies_init(struct policies *policies, const struct config *config, struct catalog *catalog,
                  struct feature_table *table) _must_check_;
void policies_done(struct policies *policies);

/* The number of the policy of a service, by its name and the hypervisor of its original. -ENOMEM. */
int policies_find(struct policies *policies, const char *hypervisor, const char *name, uint16_t *ret) _must_check_;

#endif
