/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the coordinator knows, for reports. Changes nothing. */
#include <inttypes.h>
#include <stdint.h>
#include <string.h>

#include "base/text.h"

#include "choose/explain.h"
#include "config/fence.h"
#include "coordinator/obstacle.h"
#include "coordinator/parts.h"
#include "workflow/question.h"

struct pool *coordinator_pool(const struct coordinator *coordinator)
{
    return coordinator->registry.pool;
}

const struct config *coordinator_config(const struct coordinator *coordinator)
{
    return coordinator->registry.config;
}

struct plan *coordinator_plan(const struct coordinator *coordinator, struct moment now)
{
    struct plan *plan = coordinator->registry.plan;

    return plan_settle(plan, now.mono_us, SIZE_MAX) > 0 ? plan : NULL;
}

struct plan *coordinator_plan_so_far(const struct coordinator *coordinator, struct moment now)
{
    struct plan *plan = coordinator->registry.plan;

    return plan_settle(plan, now.mono_us, 0) > 0 ? plan : NULL;
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
        .machines = pool_count_on(coordinator->registry.pool, host->name),
        .free_memory_kib = pool_free_memory(coordinator->registry.pool, host->name),
        .is_read_only = host->is_read_only,
        .trouble = host->trouble,
        .is_local = host->is_local,
        .same_as = host->same_as[0] != '\0' ? host->same_as : NULL,
        .host = &host->track,
        .hold = host->hold,
        .fence_tests = &host->fence_tests,
        .fence_log = &host->fence_log,
        .can_be_fenced = !host->is_local && fence_agent_count(&coordinator->registry.config->fence) > 0,
    };
    return status;
}

const struct recovery *coordinator_find_recovery(const struct coordinator *coordinator, const char *id)
{
    return records_find(&coordinator->registry.records, id);
}

bool coordinator_is_braked(const struct coordinator *coordinator)
{
    return coordinator->brake.is_on;
}

bool coordinator_keeps_warm(const struct coordinator *coordinator)
{
    return coordinator->standby.count > 0;
}

size_t coordinator_diversion_count(const struct coordinator *coordinator)
{
    return coordinator->registry.diversions.count;
}

size_t coordinator_hold_count(const struct coordinator *coordinator)
{
    return coordinator->registry.holds.count;
}

const struct hold *coordinator_hold_at(const struct coordinator *coordinator, size_t index)
{
    return coordinator->registry.holds.all[index];
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

/* It would be chosen if anything but the failed machine itself were started. */
static void choose_none(struct explanation *explanation)
{
    static const char chosen[] = "chosen: ";

    for (size_t i = 0; i < explanation->n_candidates; i++) {
        struct explained_candidate *candidate = &explanation->candidates[i];

        candidate->is_chosen = false;
        if (strncmp(candidate->reason, chosen, strlen(chosen)) == 0)
            memmove(candidate->reason, candidate->reason + strlen(chosen),
                    strlen(candidate->reason + strlen(chosen)) + 1);
    }
}

/* What recovery.order says comes before the candidates, or instead of them. */
static int say_order(const struct registry *registry, const struct machine *machine, struct moment now,
                     struct explanation *explanation)
{
    const struct config_recovery *config = &registry_config_of(registry, machine)->recovery;
    struct machine_ref ref = machine_ref_of(machine);
    unsigned spent = brake_restarts_spent(registry, &ref, NULL, now);
    bool is_only = config->order == ORDER_ORIGINAL_ONLY;
    _cleanup_(freep) char *before = explanation->summary;
    int r;

    if (config->order == ORDER_REPLACEMENT) {
        before = NULL;
        return 0;
    }
    explanation->summary = NULL;
    if (is_only)
        choose_none(explanation);
    if (spent < config->restart_attempts)
        r = text_format(&explanation->summary,
                        "%s itself is started again first (recovery.order is %s; %u of %u restarts within %" PRId64
                        " s are left); %s%s",
                        machine->name, is_only ? "original-only" : "original", config->restart_attempts - spent,
                        config->restart_attempts, config->limit_window_us / USEC_PER_SEC,
                        is_only ? "nothing else is started" : "then ", is_only ? "" : before);
    else
        r = text_format(
            &explanation->summary,
            "%s itself was started again %u times within %" PRId64 " s, which is recovery.restart_attempts; %s%s",
            machine->name, spent, config->limit_window_us / USEC_PER_SEC,
            is_only ? "nothing is started, since recovery.order is original-only" : "next is ", is_only ? "" : before);
    return r;
}

/* How the chosen candidate would be verified. */
static void say_verification(const struct registry *registry, const struct machine *failed, const struct choice *choice,
                             struct explanation *explanation)
{
    const struct machine *chosen;

    if (explanation_chosen(explanation) == NULL)
        return;
    chosen = choice->eligible[0].machine;
    explanation->level = question_verify_level(chosen, registry_config_of(registry, failed));
    explanation->ports = services_ports_of(registry, failed, chosen, registry_config_of(registry, failed));
}

int coordinator_explain(const struct coordinator *coordinator, const struct machine *machine, size_t limit,
                        struct moment now, struct explanation **ret)
{
    const struct registry *registry = &coordinator->registry;
    _cleanup_(explanation_freep) struct explanation *explanation = NULL;
    _cleanup_(choice_done) struct choice choice = {0};
    struct choice_extent extent = {.eligible = limit, .ineligible = limit, .looks = SIZE_MAX};
    struct choice_request request;
    int r = plan_settle(registry->plan, now.mono_us, SIZE_MAX);

    if (r < 0)
        return r;
    request = registry_request(registry, machine, now);
    if (machine_is_up(machine))
        request.given_kib = domain_description_host_memory_kib(machine->description);
    r = choose(registry->chooser, &request, extent, &choice);
    if (r == 0)
        r = explain_choice(&request, &choice, NULL, limit, registry->features, &explanation);
    if (r == 0)
        r = say_order(registry, machine, now, explanation);
    if (r == 0)
        say_verification(registry, machine, &choice, explanation);
    if (r == 0)
        r = obstacle_describe(&coordinator->brake, machine, now, &explanation->obstacle);
    if (r < 0)
        return r;
    *ret = steal_pointer(&explanation);
    return 0;
}

int coordinator_rehearsal(const struct coordinator *coordinator, const struct machine_ref *service, struct moment now,
                          struct rehearsal *ret)
{
    struct rehearsals rehearsals = coordinator->rehearsals;

    return rehearsals_look_out(&rehearsals, service, now, ret);
}

enum rehearsal_trouble coordinator_rehearsal_trouble(const struct coordinator *coordinator,
                                                     const struct recovery *recovery)
{
    return rehearsals_trouble_of(&coordinator->registry, recovery);
}
