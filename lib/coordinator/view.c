/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the coordinator knows, for reports. Changes nothing. */
#include <stdint.h>
#include <string.h>

#include "choose/explain.h"
#include "coordinator/parts.h"

struct pool *coordinator_pool(const struct coordinator *coordinator)
{
    return coordinator->registry.pool;
}

struct plan *coordinator_plan(const struct coordinator *coordinator, struct moment now)
{
    struct plan *plan = coordinator->registry.plan;

    return plan_settle(plan, now.mono_us, SIZE_MAX) > 0 ? plan : NULL;
}

struct feature_table *coordinator_features(const struct coordinator *coordinator)
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

    for (const struct machine *machine = pool_next(coordinator->registry.pool, NULL); machine != NULL;
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

size_t coordinator_diversion_count(const struct coordinator *coordinator)
{
    return coordinator->registry.diversions.count;
}

const struct diversion *coordinator_diversion(const struct coordinator *coordinator, size_t index)
{
    return coordinator->registry.diversions.all[index];
}

size_t coordinator_recovery_count(const struct coordinator *coordinator)
{
    return coordinator->registry.records.count;
}

const struct recovery *coordinator_recovery(const struct coordinator *coordinator, size_t index)
{
    return coordinator->registry.records.all[index];
}

int coordinator_explain(const struct coordinator *coordinator, const struct machine *machine, size_t limit,
                        struct moment now, struct explanation **ret)
{
    const struct registry *registry = &coordinator->registry;
    _cleanup_(choice_done) struct choice choice = {0};
    struct choice_extent extent = {.eligible = limit, .ineligible = limit, .looks = SIZE_MAX};
    struct choice_request request;
    int r = plan_settle(registry->plan, now.mono_us, SIZE_MAX);

    if (r < 0)
        return r;
    request = registry_request(registry, machine, now);
    r = choose(registry->chooser, &request, extent, &choice);
    return r < 0 ? r : explain_choice(&request, &choice, NULL, limit, registry->features, ret);
}
