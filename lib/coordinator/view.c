/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the coordinator knows, for reports. Changes nothing. */
#include <string.h>

#include "choose/explain.h"
#include "coordinator/parts.h"

const struct pool *coordinator_pool(const struct coordinator *coordinator)
{
    return coordinator->registry.pool;
}

const struct feature_table *coordinator_features(const struct coordinator *coordinator)
{
    return coordinator->registry.features;
}

unsigned long coordinator_overruns(const struct coordinator *coordinator)
{
    return coordinator->overruns;
}

bool coordinator_is_ready(const struct coordinator *coordinator)
{
    for (size_t i = 0; i < coordinator->registry.n_hosts; i++)
        if (!coordinator->registry.hosts[i].was_listed)
            return false;
    return true;
}

size_t coordinator_hypervisor_count(const struct coordinator *coordinator)
{
    return coordinator->registry.n_hosts;
}

struct hypervisor_status coordinator_hypervisor(const struct coordinator *coordinator, size_t index)
{
    const struct host *host = &coordinator->registry.hosts[index];
    struct hypervisor_status status = {
        .name = host->name,
        .uri = coordinator->registry.config->hypervisors[index].uri,
        .is_connected = host->track.is_connected,
        .is_listed = host->is_listed,
        .free_memory_kib = pool_free_memory(coordinator->registry.pool, host->name),
        .trouble = host->trouble,
        .host = &host->track,
    };

    for (struct machine *machine = pool_next(coordinator->registry.pool, NULL); machine != NULL;
         machine = pool_next(coordinator->registry.pool, machine))
        if (strcmp(machine->hypervisor, host->name) == 0)
            status.machines++;
    return status;
}

const struct recovery *coordinator_find_recovery(const struct coordinator *coordinator, const char *id)
{
    return records_find(&coordinator->registry.records, id);
}

bool coordinator_is_held(const struct coordinator *coordinator)
{
    return coordinator->brake.is_on;
}

size_t coordinator_recovery_count(const struct coordinator *coordinator)
{
    return coordinator->registry.records.count;
}

const struct recovery *coordinator_recovery(const struct coordinator *coordinator, size_t index)
{
    return coordinator->registry.records.all[index];
}

int coordinator_explain(const struct coordinator *coordinator, const struct machine *machine, size_t max_ineligible,
                        struct moment now, struct explanation **ret)
{
    _cleanup_(freep) struct selection *selection = NULL;
    struct select_request request = {
        .pool = coordinator->registry.pool,
        .rules = coordinator->registry.rules,
        .failed = machine,
        .now_us = now.mono_us,
        .check_memory = coordinator->registry.config->recovery.check_memory,
    };
    int r = select_candidates(&request, &selection);

    return r < 0 ? r : select_explain(&request, selection, NULL, coordinator->registry.features, max_ineligible, ret);
}
