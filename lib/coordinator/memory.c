/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is written down and read back: recoveries, hosts and machines, as they were known before the daemon
 * was started and as they are now. What follows from it, the components decide when the hypervisors have
 * been listed.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/parts.h"

int coordinator_restore(struct coordinator *coordinator, struct recovery *recovery)
{
    bool is_braked = recovery->is_braked && !recovery_state_is_final(recovery->state);
    int r = records_add_restored(&coordinator->registry.records, recovery);

    if (r == 0 && is_braked)
        brake_restore(&coordinator->brake);
    return r;
}

int coordinator_remember(struct coordinator *coordinator, const struct machine_ref *machine,
                         const struct machine_memory *memory)
{
    struct watch *watch = watch_get(&coordinator->registry, machine->hypervisor, machine->uuid);
    struct watch_memory *remembered = watch != NULL ? watch_get_memory(watch) : NULL;
    struct host *host = host_find(&coordinator->registry, machine->hypervisor);

    if (remembered == NULL)
        return -ENOMEM;
    remembered->state = *memory;
    if (host != NULL)
        host->has_record = true;
    if (memory->has_unread_mark)
        watch_tell(&coordinator->registry, watch, QUEUE_MARKS, MACHINE_FACT_REPORTED);
    if (memory->reason == REASON_MIGRATED)
        watch_note_migration(&coordinator->registry, watch);
    if (memory->autostart_is_off)
        watch_tell(&coordinator->registry, watch, QUEUE_AUTOSTART, MACHINE_FACT_DUE);
    return 0;
}

int coordinator_remember_host(struct coordinator *coordinator, const char *hypervisor, enum host_state state,
                              struct moment missing, struct moment fenced)
{
    struct host *host = host_find(&coordinator->registry, hypervisor);

    if (host == NULL)
        return -ENOENT;
    host_restore(&host->track, state, missing, fenced);
    host->was_off = host->track.state == HOST_FENCED;
    return 0;
}

int coordinator_remember_fence_log(struct coordinator *coordinator, const char *hypervisor, struct fence_log *log)
{
    struct host *host = host_find(&coordinator->registry, hypervisor);

    if (host != NULL) {
        fence_log_done(&host->fence_log);
        host->fence_log = *log;
        *log = (struct fence_log){0};
    }
    fence_log_done(log);
    return host != NULL ? 0 : -ENOENT;
}

int coordinator_remember_description(struct coordinator *coordinator, const struct machine_ref *ref,
                                     struct domain_description *description)
{
    struct registry *registry = &coordinator->registry;
    struct watch *watch = watch_get(registry, ref->hypervisor, ref->uuid);
    const struct machine *machine = NULL;
    struct machine *edited;
    int r = -ENOMEM;

    if (watch == NULL || host_find(registry, ref->hypervisor) == NULL) {
        domain_description_free(description);
        return watch == NULL ? -ENOMEM : 0;
    }
    r = registry_apply(registry, ref->hypervisor, description, &machine);
    if (r < 0)
        return r;
    edited = pool_edit(registry->pool, machine);
    edited->state = watch_remembered(watch)->state;
    edited->reason = watch_remembered(watch)->reason;
    edited->failed_unrecovered = watch_remembered(watch)->failed_unrecovered;
    pool_set_learned(registry->pool, machine, watch_remembered(watch)->learned_us, watch_remembered(watch)->lack);
    return 0;
}

int coordinator_remember_learned(struct coordinator *coordinator, const struct machine_ref *ref,
                                 const struct string_list *features)
{
    struct pool *pool = coordinator->registry.pool;
    const struct machine *machine = pool_find(pool, ref->hypervisor, ref->uuid);

    return machine != NULL ? pool_remember_learned(pool, machine, features) : 0;
}

/* It was noticed that it failed, and nothing more is to be done about that. */
static bool has_known_failure(const struct watch *watch)
{
    const struct watch_rare *rare = watch_rare(watch);

    return rare->track.reported && rare->recovers == NULL && rare->serves == NULL && rare->warms == NULL &&
           watch->deferred_cause == CAUSE_NONE && (watch_facts(watch, QUEUE_RECOVERIES) & MACHINE_FACT_FAILED) == 0;
}

/* What is to be kept of a watch's machine: of one that is gone, what a migration or its recovery still needs. */
static struct machine_memory memory_of(const struct watch *watch, const struct machine *machine)
{
    bool is_needed = machine->reason == REASON_MIGRATED || watch_rare(watch)->recovers != NULL;
    const struct machine_memory *remembered = watch_remembered(watch);
    bool is_kept = watch_rare(watch)->warms != NULL;

    return (struct machine_memory){
        .state = machine->state == MACHINE_GONE && is_needed ? MACHINE_SHUT_OFF : machine->state,
        .reason = machine->reason,
        .failed_unrecovered = machine->failed_unrecovered,
        .failure_is_known = has_known_failure(watch),
        .has_own_image = machine_has_own_image(machine),
        .went_down_with_host = watch_rare(watch)->track.pending == CAUSE_HOST_LOST,
        .keeping = is_kept ? machine->keeping : remembered->keeping,
        .kept_since_us = is_kept ? watch_rare(watch)->warms->kept_since_us : remembered->kept_since_us,
        .warm_proof = is_kept ? machine->warm_proof : remembered->warm_proof,
        .quarantine = remembered->quarantine,
        .drill = remembered->drill,
        .autostart_is_off = watch_facts(watch, QUEUE_AUTOSTART) != 0,
        .stopped_us = remembered->stopped_us,
        .asked_off_us = remembered->asked_off_us,
        .idle_since_us = remembered->idle_since_us,
        .removal_us = remembered->removal_us,
        .has_left = remembered->has_left,
        .has_unread_mark = remembered->has_unread_mark,
        .is_warm_by_mark = remembered->is_warm_by_mark,
        .learned_us = machine_rare(machine)->learned_us,
        .lack = (enum guest_lack)machine_rare(machine)->lack,
    };
}

struct machine_memory coordinator_memory(const struct coordinator *coordinator, const struct machine_ref *ref)
{
    const struct watch *watch = watch_find(&coordinator->registry, ref);
    const struct machine *machine = watch != NULL ? watch_machine(&coordinator->registry, watch) : NULL;

    return machine != NULL ? memory_of(watch, machine) : (struct machine_memory){.state = MACHINE_GONE};
}

int coordinator_learned(const struct coordinator *coordinator, const struct machine_ref *ref,
                        struct string_list *learned)
{
    const struct machine *machine = pool_find(coordinator->registry.pool, ref->hypervisor, ref->uuid);
    const struct id_set *features = machine != NULL ? &pool_knowledge(machine)[KNOWLEDGE_AGENT].features : NULL;
    int r = 0;

    for (size_t i = 0; features != NULL && r == 0 && i < features->count; i++)
        r = string_list_add(learned, feature_name(coordinator->registry.features, features->ids[i]));
    return r;
}

int coordinator_restore_diversion(struct coordinator *coordinator, struct diversion *diversion)
{
    struct registry *registry = &coordinator->registry;
    struct machine_ref original = diversion->service.original, replacement = diversion->service.replacement;
    int r = diversions_add(&registry->diversions, diversion);

    if (r < 0)
        return r;
    registry_show_diversions(registry, &original);
    registry_show_diversions(registry, &replacement);
    return 0;
}

int coordinator_restore_hold(struct coordinator *coordinator, struct hold *hold)
{
    return holds_restore(&coordinator->holds, hold);
}

const struct hold *coordinator_next_changed_hold(struct coordinator *coordinator)
{
    return hold_marks_next_changed(&coordinator->registry.holds);
}

const struct diversion *coordinator_next_changed_diversion(struct coordinator *coordinator)
{
    return diversions_next_changed(&coordinator->registry.diversions);
}

const struct recovery *coordinator_next_changed_recovery(struct coordinator *coordinator)
{
    return records_next_changed(&coordinator->registry.records);
}

const struct host_track *coordinator_next_changed_host(struct coordinator *coordinator, const char **ret_hypervisor)
{
    for (size_t i = 0; i < coordinator->registry.n_hosts; i++) {
        struct host *host = &coordinator->registry.hosts[i];

        if (!host->track.is_changed)
            continue;
        host->track.is_changed = false;
        *ret_hypervisor = host->name;
        return &host->track;
    }
    return NULL;
}

const struct fence_log *coordinator_next_changed_fence_log(struct coordinator *coordinator, const char **ret_hypervisor)
{
    for (size_t i = 0; i < coordinator->registry.n_hosts; i++) {
        struct host *host = &coordinator->registry.hosts[i];

        if (!host->is_fence_log_changed)
            continue;
        host->is_fence_log_changed = false;
        *ret_hypervisor = host->name;
        return &host->fence_log;
    }
    return NULL;
}

bool coordinator_next_changed_machine(struct coordinator *coordinator, struct machine_ref *ret_machine,
                                      struct machine_memory *ret)
{
    struct registry *registry = &coordinator->registry;
    unsigned facts;
    struct watch *watch = watch_take(registry, QUEUE_WRITE, &facts);
    const struct machine *machine;

    if (watch == NULL)
        return false;
    machine = watch_machine(registry, watch);
    *ret_machine = watch_ref(registry, watch);
    *ret = machine != NULL                                     ? memory_of(watch, machine)
           : watch_remembered(watch)->state != MACHINE_UNKNOWN ? *watch_remembered(watch)
                                                               : (struct machine_memory){.state = MACHINE_GONE};
    if (watch->is_forgotten && ret->state == MACHINE_GONE && machine == NULL && watch_rare(watch)->recovers == NULL &&
        watch_rare(watch)->serves == NULL && watch_facts(watch, QUEUE_DESCRIBE) == 0 && !watch->is_describing)
        watch_discard(registry, watch);
    return true;
}
