/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the daemon knew before it was started anew: recoveries, and the state of machines. Recoveries
 * under way wait until their hypervisors have been listed, then ask what became of what they had begun.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/coordinator_internal.h"

int coordinator_restore(struct coordinator *coordinator, struct recovery *recovery)
{
    struct recovery **records =
        reallocarray(coordinator->records, coordinator->n_records + 1, sizeof(struct recovery *));
    struct recovery **restored;

    if (records != NULL)
        coordinator->records = records;
    restored = reallocarray(coordinator->restored, coordinator->n_restored + 1, sizeof(struct recovery *));
    if (restored != NULL)
        coordinator->restored = restored;
    if (records == NULL || restored == NULL) {
        recovery_free(recovery);
        return -ENOMEM;
    }
    coordinator->records[coordinator->n_records++] = recovery;
    if (!recovery_state_is_final(recovery->state)) {
        recovery_resume(recovery);
        coordinator->is_held |= recovery->is_held;
        coordinator->was_held |= recovery->is_held;
        coordinator->restored[coordinator->n_restored++] = recovery;
    }
    coordinator->has_loose = true; /* as far as is known */
    return 0;
}

int coordinator_remember(struct coordinator *coordinator, const struct machine_ref *machine,
                         const struct machine_memory *memory)
{
    struct watch *watch = watch_get(coordinator, machine->hypervisor, machine->uuid);

    if (watch == NULL)
        return -ENOMEM;
    watch->remembered = *memory;
    return 0;
}

/* What is kept of a watch's machine. */
static struct machine_memory memory_of(const struct watch *watch, const struct machine *machine)
{
    const struct kept *kept = watch->warms;
    struct machine_memory memory = {
        .state = machine->state,
        .reason = machine->reason,
        .failed_unrecovered = machine->failed_unrecovered,
        .went_down_with_host = watch->track.pending == CAUSE_HOST_LOST,
        .keeping = kept != NULL ? machine->keeping : watch->remembered.keeping,
        .kept_since_us = watch->remembered.kept_since_us,
    };

    if (kept != NULL)
        memory.kept_since_us = machine->keeping == KEEPING_WARM ? kept->warming.standing.real_us : kept->begun.real_us;
    return memory;
}

struct machine_memory coordinator_memory(const struct coordinator *coordinator, const struct machine_ref *ref)
{
    const struct machine *machine = pool_find(coordinator->pool, ref->hypervisor, ref->uuid);
    const struct watch *watch = watch_find(coordinator, ref);

    return machine != NULL && watch != NULL ? memory_of(watch, machine)
                                            : (struct machine_memory){.state = MACHINE_GONE};
}

int coordinator_remember_description(struct coordinator *coordinator, const struct machine_ref *ref,
                                     struct domain_description *description)
{
    struct watch *watch = watch_get(coordinator, ref->hypervisor, ref->uuid);
    struct machine *machine = NULL;
    int r = -ENOMEM;

    if (watch == NULL || link_find(coordinator, ref->hypervisor) == NULL) {
        domain_description_free(description);
        return watch == NULL ? -ENOMEM : 0;
    }
    r = pool_apply(coordinator->pool, ref->hypervisor, description, &machine);
    if (r < 0)
        return r;
    machine->state = watch->remembered.state;
    machine->reason = watch->remembered.reason;
    machine->failed_unrecovered = watch->remembered.failed_unrecovered;
    return pool_remember_learned(coordinator->pool, machine, &watch->remembered_learned);
}

int coordinator_remember_learned(struct coordinator *coordinator, const struct machine_ref *machine,
                                 const struct string_list *features)
{
    struct watch *watch = watch_get(coordinator, machine->hypervisor, machine->uuid);
    int r = watch != NULL ? 0 : -ENOMEM;

    for (size_t i = 0; r == 0 && i < features->count; i++)
        r = string_list_add(&watch->remembered_learned, features->items[i]);
    return r;
}

int coordinator_learned(const struct coordinator *coordinator, const struct machine_ref *ref,
                        struct string_list *learned)
{
    const struct machine *machine = pool_find(coordinator->pool, ref->hypervisor, ref->uuid);
    const struct id_set *features = machine != NULL ? &machine->knowledge[KNOWLEDGE_AGENT].features : NULL;
    int r = 0;

    for (size_t i = 0; features != NULL && r == 0 && i < features->count; i++)
        r = string_list_add(learned, feature_name(coordinator->features, features->ids[i]));
    return r;
}

bool restore_needs(const struct coordinator *coordinator, const struct machine_ref *ref)
{
    for (size_t i = 0; i < coordinator->n_restored; i++) {
        const struct recovery *recovery = coordinator->restored[i];

        if (machine_ref_equal(&recovery->failed, ref) ||
            (recovery->replacement_name != NULL && machine_ref_equal(&recovery->replacement, ref)))
            return true;
    }
    return false;
}

/* Also the candidates that it gave up: how they ended may not have reached the disk. */
bool restore_concerns(const struct coordinator *coordinator, const struct machine_ref *ref)
{
    if (restore_needs(coordinator, ref))
        return true;
    for (size_t i = 0; i < coordinator->n_restored; i++) {
        const struct recovery *recovery = coordinator->restored[i];

        for (size_t n = 0; n < recovery->n_attempts; n++)
            if (machine_ref_equal(&recovery->attempts[n].candidate, ref))
                return true;
    }
    return false;
}

void restore_recall(struct coordinator *coordinator, struct watch *watch, struct machine *machine,
                    const struct domain_report *report, struct moment now)
{
    const struct machine_memory *memory = &watch->remembered;

    machine->state = memory->state;
    machine->reason = memory->reason;
    /* One that runs was started by somebody since. */
    if (!memory->failed_unrecovered || memory->state == MACHINE_RUNNING || memory->state == MACHINE_SUSPENDED ||
        report->state != memory->state || report->reason != memory->reason)
        return;
    machine->failed_unrecovered = true;
    if (memory->went_down_with_host)
        failure_await_restart(&watch->track, &coordinator->config->failure, now);
    else
        watch->track.reported = true;
}

/* Configured but not listed yet: worth waiting for, unless it is known to be off. */
static bool is_awaited(const struct coordinator *coordinator, const char *hypervisor)
{
    const struct link *link = link_find(coordinator, hypervisor);

    if (link != NULL && link->host.state == HOST_FENCED)
        return !hosts_are_heard(coordinator);
    return link != NULL && !link->is_listed;
}

/* A domain that is gone stands in the pool as a name, so that its recovery can be finished. */
static struct machine *find_or_make(struct coordinator *coordinator, const struct recovery *recovery)
{
    struct domain_description *description;
    struct machine *machine = pool_find(coordinator->pool, recovery->failed.hypervisor, recovery->failed.uuid);

    if (machine != NULL)
        return machine;
    description = calloc(1, sizeof(*description));
    if (description == NULL)
        return NULL;
    memcpy(description->uuid, recovery->failed.uuid, sizeof(description->uuid));
    description->name = strdup(recovery->failed_name);
    if (description->name == NULL) {
        domain_description_free(description);
        return NULL;
    }
    if (pool_apply(coordinator->pool, recovery->failed.hypervisor, description, &machine) < 0)
        return NULL;
    machine->state = MACHINE_GONE;
    pool_set_present(coordinator->pool, machine, false);
    return machine;
}

/* False: it stays among the restored, to be tried again. */
static bool adopt(struct coordinator *coordinator, struct recovery *recovery, struct moment now)
{
    struct machine *failed = find_or_make(coordinator, recovery);
    struct machine *candidate = NULL;
    int r = -ENOMEM;

    if (recovery->replacement_name != NULL)
        candidate = pool_find(coordinator->pool, recovery->replacement.hypervisor, recovery->replacement.uuid);
    if (failed != NULL)
        r = run_adopt(coordinator, recovery, failed, candidate, now);
    if (r == -ENOMEM) {
        notices_add(coordinator, NOTICE_OUT_OF_MEMORY, now, failed, "no memory to go on with recovery %s",
                    recovery->id);
        return false;
    }
    if (r < 0) {
        recovery_close(recovery, "another recovery has the same machine; how this one ended was not written down", now);
        return true;
    }
    notices_add(coordinator, NOTICE_RESUMED, now, failed, "recovery %s of %s, cut off by a restart, goes on",
                recovery->id, recovery->failed_name);
    return true;
}

static bool have_machine_in_common(const struct recovery *older, const struct recovery *newer)
{
    bool older_has = older->replacement_name != NULL, newer_has = newer->replacement_name != NULL;

    return machine_ref_equal(&older->failed, &newer->failed) ||
           (older_has && machine_ref_equal(&older->replacement, &newer->failed)) ||
           (older_has && newer_has && machine_ref_equal(&older->replacement, &newer->replacement));
}

/* No two recoveries have a machine in common: where two are open, the older had ended, unwritten. */
static bool was_followed(const struct coordinator *coordinator, size_t i)
{
    for (size_t j = i + 1; j < coordinator->n_restored; j++)
        if (have_machine_in_common(coordinator->restored[i], coordinator->restored[j]))
            return true;
    return false;
}

static void close_followed(struct coordinator *coordinator, struct moment now)
{
    size_t kept = 0;

    for (size_t i = 0; i < coordinator->n_restored; i++) {
        struct recovery *recovery = coordinator->restored[i];

        if (was_followed(coordinator, i))
            recovery_close(recovery,
                           "a later recovery of the same machine followed; how this one ended was not written down",
                           now);
        else
            coordinator->restored[kept++] = recovery;
    }
    coordinator->n_restored = kept;
}

static void announce_brake(struct coordinator *coordinator, struct moment now)
{
    if (!coordinator->was_held)
        return;
    coordinator->was_held = false;
    notices_add(coordinator, NOTICE_BRAKE_ON, now, NULL,
                "the brake was on when understudyd last ran; nothing is started until understudyctl release");
}

void restore_adopt(struct coordinator *coordinator, struct moment now)
{
    size_t kept = 0;

    announce_brake(coordinator, now);
    if (coordinator->n_restored == 0)
        return;
    close_followed(coordinator, now);
    for (size_t i = 0; i < coordinator->n_restored; i++) {
        struct recovery *recovery = coordinator->restored[i];

        if (is_awaited(coordinator, recovery->failed.hypervisor) ||
            (recovery->replacement_name != NULL && is_awaited(coordinator, recovery->replacement.hypervisor)) ||
            !adopt(coordinator, recovery, now))
            coordinator->restored[kept++] = recovery;
    }
    coordinator->n_restored = kept;
    for (struct machine *machine = pool_next(coordinator->pool, NULL); machine != NULL;
         machine = pool_next(coordinator->pool, machine)) {
        struct machine_ref ref = machine_ref_of(machine);

        machine->is_reserved = restore_concerns(coordinator, &ref);
    }
}

const struct recovery *coordinator_next_changed_recovery(struct coordinator *coordinator)
{
    for (size_t i = coordinator->n_records; i-- > 0;)
        if (coordinator->records[i]->is_changed) {
            coordinator->records[i]->is_changed = false;
            return coordinator->records[i];
        }
    return NULL;
}

bool coordinator_next_changed_machine(struct coordinator *coordinator, struct machine_ref *ret_machine,
                                      struct machine_memory *ret)
{
    struct watch *watch = coordinator->changed;
    const struct machine *machine;

    if (watch == NULL)
        return false;
    coordinator->changed = watch->next_changed;
    watch->next_changed = NULL;
    watch->is_changed = false;
    machine = pool_find(coordinator->pool, watch->ref.hypervisor, watch->ref.uuid);
    *ret_machine = watch->ref;
    *ret = (struct machine_memory){.state = MACHINE_GONE};
    if (machine != NULL)
        *ret = memory_of(watch, machine);
    if (watch->is_forgotten && machine == NULL && watch->recovers == NULL && watch->serves == NULL &&
        !watch->wants_inspection && !watch->is_inspecting)
        watch_discard(coordinator, watch);
    return true;
}

const struct recovery *coordinator_find_recovery(const struct coordinator *coordinator, const char *id)
{
    for (size_t i = 0; i < coordinator->n_records; i++)
        if (strcmp(coordinator->records[i]->id, id) == 0)
            return coordinator->records[i];
    return NULL;
}
