/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Policies, each made when the first service has it. */
#include "pool/policies.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void policy_free(struct policy *policy)
{
    if (policy == NULL)
        return;
    similarity_rules_free(policy->rules);
    free(policy);
}

DEFINE_CLEANUP(struct policy, policy_free);

void policies_done(struct policies *policies)
{
    for (size_t i = 0; i < policies->count; i++)
        policy_free(policies->items[i]);
    free(policies->items);
    catalog_free(policies->catalog);
    *policies = (struct policies){0};
}

static int add(struct policies *policies, const struct policy_sources *sources)
{
    _cleanup_(policy_freep) struct policy *policy = calloc(1, sizeof(*policy));
    struct policy **items = reallocarray(policies->items, policies->count + 1, sizeof(struct policy *));
    int r;

    if (items != NULL)
        policies->items = items;
    if (items == NULL || policy == NULL || policies->count > UINT16_MAX)
        return -ENOMEM;
    policy->number = (uint16_t)policies->count;
    policy->sources = *sources;
    policy->config = policies->config;
    if (!policy_is_general(sources)) {
        policy->applied = policy_apply(policies->config, sources);
        policy->config = &policy->applied;
    }
    r = similarity_rules_new(&policy->config->similarity, policies->catalog, policies->table, &policy->rules);
    if (r == 0)
        items[policies->count++] = steal_pointer(&policy);
    return r;
}

int policies_init(struct policies *policies, const struct config *config, struct catalog *catalog,
                  struct feature_table *table)
{
    const struct policy_sources none = {{0}};
    int r;

    catalog_ref(catalog);
    *policies = (struct policies){.config = config, .catalog = catalog, .table = table};
    r = add(policies, &none);
    if (r < 0)
        policies_done(policies);
    return r;
}

int policies_find(struct policies *policies, const char *hypervisor, const char *name, uint16_t *ret)
{
    struct policy_sources sources;
    size_t i = 0;
    int r = 0;

    *ret = 0;
    if (policies->config == NULL || policies->config->n_services == 0)
        return 0;
    sources = policy_find_sources(policies->config, hypervisor, name);
    while (i < policies->count && memcmp(&policies->items[i]->sources, &sources, sizeof(sources)) != 0)
        i++;
    if (i == policies->count)
        r = add(policies, &sources);
    if (r == 0)
        *ret = (uint16_t)i;
    return r;
}
