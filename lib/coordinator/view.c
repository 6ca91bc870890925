/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the coordinator knows, for those who tell it to people. Changes nothing. */
#include <string.h>

#include "coordinator/coordinator_internal.h"
#include "choose/select.h"

const struct pool *coordinator_pool(const struct coordinator *coordinator)
{
    return coordinator->pool;
}

const struct feature_table *coordinator_features(const struct coordinator *coordinator)
{
    return coordinator->features;
}

bool coordinator_is_ready(const struct coordinator *coordinator)
{
    for (size_t i = 0; i < coordinator->n_links; i++)
        if (!coordinator->links[i].was_listed)
            return false;
    return true;
}

size_t coordinator_hypervisor_count(const struct coordinator *coordinator)
{
    return coordinator->n_links;
}

struct hypervisor_status coordinator_hypervisor(const struct coordinator *coordinator, size_t index)
{
    const struct link *link = &coordinator->links[index];
    struct hypervisor_status status = {
        .name = link->name,
        .uri = coordinator->config->hypervisors[index].uri,
        .is_connected = link->is_connected,
        .is_listed = link->is_listed,
        .free_memory_kib = pool_free_memory(coordinator->pool, link->name),
        .trouble = link->trouble,
        .host = &link->host,
    };

    for (struct machine *machine = pool_next(coordinator->pool, NULL); machine != NULL;
         machine = pool_next(coordinator->pool, machine))
        if (strcmp(machine->hypervisor, link->name) == 0)
            status.machines++;
    return status;
}

size_t coordinator_recovery_count(const struct coordinator *coordinator)
{
    return coordinator->n_records;
}

const struct recovery *coordinator_recovery(const struct coordinator *coordinator, size_t index)
{
    return coordinator->records[index];
}

int coordinator_explain(const struct coordinator *coordinator, const struct machine *machine, size_t max_ineligible,
                        struct moment now, struct explanation **ret)
{
    _cleanup_(freep) struct selection *selection = NULL;
    struct select_request request = {
        .pool = coordinator->pool,
        .rules = coordinator->rules,
        .failed = machine,
        .now_us = now.mono_us,
        .check_memory = coordinator->config->recovery.check_memory,
    };
    int r = select_candidates(&request, &selection);

    return r < 0 ? r : select_explain(&request, selection, NULL, coordinator->features, max_ineligible, ret);
}
