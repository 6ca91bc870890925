/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What names a machine that was migrated. */
#include "coordinator/moves.h"

#include <string.h>

static bool have_left(const struct registry *registry, const struct machine_ref *ref, bool is_start_awaited)
{
    const struct machine *machine;
    const struct watch *watch;

    /* Asked of each record after each input, and of most at once answered. */
    if (!registry_knows_migration(registry, ref->uuid))
        return false;
    machine = pool_find(registry->pool, ref->hypervisor, ref->uuid);
    if (machine != NULL && machine->state != MACHINE_UNKNOWN)
        return (machine->state == MACHINE_SHUT_OFF || machine->state == MACHINE_GONE) &&
               machine->reason == REASON_MIGRATED && (is_start_awaited || !machine->is_starting);
    watch = watch_find(registry, ref);
    return watch != NULL && watch_remembered(watch)->state == MACHINE_SHUT_OFF &&
           watch_remembered(watch)->reason == REASON_MIGRATED;
}

bool moves_have_left(const struct registry *registry, const struct machine_ref *ref)
{
    return have_left(registry, ref, false);
}

/* The only other host whose machine of this UUID is so; NULL: there is none, or more than one. */
static const struct machine *find_only(const struct registry *registry, const struct machine_ref *ref,
                                       bool (*is_so)(const struct host *host, const struct machine *machine))
{
    const struct machine *found = NULL;

    for (size_t i = 0; i < registry->n_hosts; i++) {
        const struct host *host = &registry->hosts[i];
        const struct machine *other =
            strcmp(host->name, ref->hypervisor) != 0 ? pool_find(registry->pool, host->name, ref->uuid) : NULL;

        if (other == NULL || !is_so(host, other))
            continue;
        if (found != NULL)
            return NULL;
        found = other;
    }
    return found;
}

/* What is known of a host that is about to list is old in a moment; of one that is out of reach, it is what there is. */
static bool is_up(const struct host *host, const struct machine *machine)
{
    return (!host->track.is_connected || host->is_listed) && machine_state_is_active(machine->state) &&
           !machine_is_incoming(machine);
}

static bool is_incoming(const struct host *host, const struct machine *machine)
{
    (void)host;
    return machine_is_incoming(machine);
}

const struct machine *moves_find_up(const struct registry *registry, const struct machine_ref *ref)
{
    return find_only(registry, ref, is_up);
}

const struct machine *moves_find_incoming(const struct registry *registry, const struct machine_ref *ref)
{
    return find_only(registry, ref, is_incoming);
}

bool moves_run_elsewhere(const struct registry *registry, const struct machine_ref *ref)
{
    return moves_find_up(registry, ref) != NULL;
}

bool moves_came_up_since(const struct registry *registry, const struct machine *machine)
{
    struct machine_ref ref = machine_ref_of(machine);
    const struct machine *other = moves_find_up(registry, &ref);

    return other != NULL && other->event_sequence > machine->event_sequence;
}

const struct machine *moves_find(const struct registry *registry, const struct machine_ref *ref)
{
    return moves_have_left(registry, ref) ? moves_find_up(registry, ref) : NULL;
}

const struct machine *moves_find_started(const struct registry *registry, const struct machine_ref *ref)
{
    return have_left(registry, ref, true) ? moves_find_up(registry, ref) : NULL;
}

bool moves_have_arrived(const struct registry *registry, const struct machine *machine)
{
    struct machine_ref ref = machine_ref_of(machine);
    bool has_left = false;

    if (!registry_knows_migration(registry, ref.uuid) || moves_find_up(registry, &ref) != NULL)
        return false;
    for (size_t i = 0; i < registry->n_hosts && !has_left; i++) {
        memcpy(ref.hypervisor, registry->hosts[i].name, sizeof(ref.hypervisor));
        has_left = strcmp(ref.hypervisor, machine->hypervisor) != 0 && moves_have_left(registry, &ref);
    }
    return has_left;
}

/* Its host does not have it any more, and nothing is under way with it. */
static bool is_gone(const struct registry *registry, const struct machine_ref *ref)
{
    const struct machine *machine;
    const struct watch *watch;
    const struct host *host;

    if (!registry_knows_migration(registry, ref->uuid))
        return false;
    host = host_find(registry, ref->hypervisor);
    machine = pool_find(registry->pool, ref->hypervisor, ref->uuid);
    watch = watch_find(registry, ref);
    return host != NULL && host->is_listed && (machine == NULL || machine->state == MACHINE_GONE) &&
           (watch == NULL || (!watch_is_taken(watch) && watch_remembered(watch)->state == MACHINE_UNKNOWN));
}

const struct machine *moves_trace(const struct registry *registry, const struct machine_ref *ref)
{
    const struct machine *machine = moves_find(registry, ref);

    if (machine != NULL || !is_gone(registry, ref))
        return machine;
    machine = moves_find_up(registry, ref);
    return machine != NULL && !watch_is_taken(watch_of(registry, machine)) ? machine : NULL;
}

/* ---- what follows ---- */

/* The machine is part of the service already, as one of the same UUID that took over on another host. */
static bool is_part_of(const struct diversion *diversion, const struct machine_ref *ref)
{
    return machine_ref_equal(&diversion->service.original, ref) ||
           machine_ref_equal(&diversion->service.replacement, ref);
}

static void tell(struct registry *registry, const struct diversion *diversion, const struct machine *machine,
                 struct moment now)
{
    outbox_tell(&registry->outbox, NOTICE_CHANGED, now, machine,
                "%s was migrated to %s: understudyd follows it there for the service %s", machine->name,
                machine->hypervisor, diversion->service.name);
}

static void mark(struct registry *registry, struct diversion *diversion, const struct machine_ref *before,
                 const struct machine_ref *after)
{
    diversion->is_changed = true;
    registry_show_diversions(registry, before);
    registry_show_diversions(registry, after);
    registry_tell(registry, FACT_POOL_CHANGED);
}

/* A document is kept by the original: the one under the new name is written before that under the old one goes. */
static bool follow_original(struct registry *registry, size_t place, struct moment now)
{
    struct diversion *diversion = registry->diversions.all[place];
    struct machine_ref before = diversion->service.original, after;
    const struct machine *machine = moves_trace(registry, &before);

    if (machine == NULL)
        return false;
    after = machine_ref_of(machine);
    if (is_part_of(diversion, &after) || diversions_move_original(&registry->diversions, place, &after) < 0)
        return false;
    diversion = registry->diversions.all[place]; /* over, where the one under the new name was written before */
    mark(registry, diversion, &before, &after);
    registry_show_diversions(registry, &diversion->service.replacement);
    tell(registry, diversion, machine, now);
    return true;
}

static bool follow_other(struct registry *registry, struct diversion *diversion, struct machine_ref *ref,
                         struct moment now)
{
    const struct machine *machine = moves_trace(registry, ref);
    struct machine_ref before = *ref, after;

    if (machine == NULL)
        return false;
    after = machine_ref_of(machine);
    if (is_part_of(diversion, &after))
        return false;
    *ref = after;
    mark(registry, diversion, &before, &after);
    tell(registry, diversion, machine, now);
    return true;
}

static void follow_diversion(struct registry *registry, size_t place, struct moment now)
{
    bool has_followed = follow_original(registry, place, now);
    struct diversion *diversion = registry->diversions.all[place];

    has_followed |= follow_other(registry, diversion, &diversion->service.replacement, now);
    for (size_t i = 0; i < diversion->n_former; i++)
        has_followed |= follow_other(registry, diversion, &diversion->former[i], now);
    if (has_followed)
        diversion->runs_twice = (struct machine_ref){0}; /* told, and resolved, anew where both run */
}

/* Its start was given up, and it is to be ended: where it is now. */
static void follow_late_ones(struct registry *registry, struct recovery *recovery)
{
    for (size_t i = 0; i < recovery->n_attempts; i++) {
        struct recovery_attempt *attempt = &recovery->attempts[i];
        const struct machine *machine =
            attempt->fate == START_CAME_LATE ? moves_find(registry, &attempt->candidate) : NULL;
        struct watch *watch = machine != NULL ? watch_of(registry, machine) : NULL;

        if (watch == NULL)
            continue;
        attempt->candidate = machine_ref_of(machine);
        recovery->is_changed = true;
        watch_tell(registry, watch, QUEUE_LATE_STARTS, MACHINE_FACT_CAME_UP);
    }
}

static void follow_service(struct registry *registry, struct recovery *recovery)
{
    const struct machine *machine = moves_trace(registry, &recovery->service);

    if (machine == NULL || diversions_of(&registry->diversions, &recovery->service) != NULL)
        return;
    recovery->service = machine_ref_of(machine);
    recovery->is_changed = true;
}

void moves_follow(struct registry *registry, struct moment now)
{
    size_t n_diversions = registry->diversions.count;

    if (!registry_knows_migration(registry, NULL))
        return;
    for (size_t i = 0; i < n_diversions; i++)
        if (!registry->diversions.all[i]->is_over)
            follow_diversion(registry, i, now);
    for (size_t i = 0; i < registry->records.count; i++) {
        follow_service(registry, registry->records.all[i]);
        follow_late_ones(registry, registry->records.all[i]);
    }
}

/* ---- what is kept of one that is gone ---- */

static bool is_named(const struct registry *registry, const struct machine_ref *ref)
{
    for (size_t i = 0; i < registry->records.count; i++) {
        const struct recovery *recovery = registry->records.all[i];

        if (machine_ref_equal(&recovery->service, ref) ||
            (!recovery_state_is_final(recovery->state) &&
             (machine_ref_equal(&recovery->failed, ref) || machine_ref_equal(&recovery->replacement, ref))))
            return true;
    }
    if (hold_marks_find(&registry->holds, HOLD_MACHINE, ref) != NULL)
        return true;
    for (size_t i = 0; i < registry->diversions.count; i++) {
        const struct diversion *diversion = registry->diversions.all[i];

        if (diversion->is_over)
            continue;
        if (is_part_of(diversion, ref))
            return true;
        for (size_t k = 0; k < diversion->n_former; k++)
            if (machine_ref_equal(&diversion->former[k], ref))
                return true;
    }
    return false;
}

void moves_remember(struct registry *registry, struct watch *watch)
{
    struct machine_ref ref = watch_ref(registry, watch);
    struct watch_memory *memory = is_named(registry, &ref) ? watch_get_memory(watch) : NULL;

    if (memory == NULL)
        return;
    memory->state.state = MACHINE_SHUT_OFF;
    memory->state.reason = REASON_MIGRATED;
    watch_note_migration(registry, watch);
}

bool moves_are_remembered(const struct registry *registry, const struct watch *watch)
{
    struct machine_ref ref = watch_ref(registry, watch);

    return watch_remembered(watch)->state == MACHINE_SHUT_OFF && watch_remembered(watch)->reason == REASON_MIGRATED &&
           watch_machine(registry, watch) == NULL && is_named(registry, &ref);
}
