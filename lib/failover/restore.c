/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the daemon knew before it was started anew: recoveries, and the state of machines. Recoveries
 * under way wait until their hypervisors have been listed, then ask what became of what they had begun.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "failover/coordinator_internal.h"

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
        coordinator->restored[coordinator->n_restored++] = recovery;
    }
    return 0;
}

int coordinator_remember(struct coordinator *coordinator, const struct machine_ref *machine, enum machine_state state,
                         enum machine_reason reason)
{
    struct watch *watch = watch_get(coordinator, machine->hypervisor, machine->uuid);

    if (watch == NULL)
        return -ENOMEM;
    watch->remembered_state = state;
    watch->remembered_reason = reason;
    return 0;
}

bool restore_concerns(const struct coordinator *coordinator, const struct machine_ref *ref)
{
    for (size_t i = 0; i < coordinator->n_restored; i++) {
        const struct recovery *recovery = coordinator->restored[i];

        if (machine_ref_equal(&recovery->failed, ref) ||
            (recovery->replacement_name != NULL && machine_ref_equal(&recovery->replacement, ref)))
            return true;
    }
    return false;
}

/* Configured but not listed yet: worth waiting for. */
static bool is_awaited(const struct coordinator *coordinator, const char *hypervisor)
{
    const struct link *link = link_find(coordinator, hypervisor);

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
    machine->is_present = false;
    return machine;
}

static void adopt(struct coordinator *coordinator, struct recovery *recovery, struct moment now)
{
    struct machine *failed = find_or_make(coordinator, recovery);
    struct machine *candidate =
        recovery->replacement_name != NULL
            ? pool_find(coordinator->pool, recovery->replacement.hypervisor, recovery->replacement.uuid)
            : NULL;

    if (failed == NULL || run_adopt(coordinator, recovery, failed, candidate, now) < 0) {
        notices_add(coordinator, NOTICE_OUT_OF_MEMORY, now, failed, "no memory to go on with recovery %s",
                    recovery->id);
        return;
    }
    if (recovery->is_held && !coordinator->is_held) {
        coordinator->is_held = true;
        notices_add(coordinator, NOTICE_BRAKE_ON, now, failed,
                    "the brake was on when understudyd last ran; nothing is started until understudyctl release");
    }
    notices_add(coordinator, NOTICE_RESUMED, now, failed, "recovery %s of %s, cut off by a restart, goes on",
                recovery->id, recovery->failed_name);
}

void restore_adopt(struct coordinator *coordinator, struct moment now)
{
    size_t kept = 0;

    for (size_t i = 0; i < coordinator->n_restored; i++) {
        struct recovery *recovery = coordinator->restored[i];

        if (is_awaited(coordinator, recovery->failed.hypervisor) ||
            (recovery->replacement_name != NULL && is_awaited(coordinator, recovery->replacement.hypervisor)))
            coordinator->restored[kept++] = recovery;
        else
            adopt(coordinator, recovery, now);
    }
    coordinator->n_restored = kept;
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
                                      enum machine_state *ret_state, enum machine_reason *ret_reason)
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
    *ret_state = machine != NULL ? machine->state : MACHINE_GONE;
    *ret_reason = machine != NULL ? machine->reason : REASON_UNKNOWN;
    return true;
}

const struct recovery *coordinator_find_recovery(const struct coordinator *coordinator, const char *id)
{
    for (size_t i = 0; i < coordinator->n_records; i++)
        if (strcmp(coordinator->records[i]->id, id) == 0)
            return coordinator->records[i];
    return NULL;
}
