/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A state in which a machine is seen becomes its state in the pool, and those that it concerns are told. */
#include "coordinator/sightings.h"

#include <string.h>

#include "coordinator/drills.h"
#include "coordinator/failures.h"
#include "coordinator/moves.h"
#include "coordinator/quarantine.h"
#include "coordinator/whereabouts.h"

/*
 * What comes in by a migration is not there yet: if it does not arrive, nothing has stopped. libvirt says the same of one
 * that is about to leave, but that one does not run on another host.
 */
static enum machine_state known_state(const struct registry *registry, const struct machine *machine)
{
    bool is_moving = machine->state == MACHINE_PAUSED && machine->reason == REASON_BUSY;

    return machine_is_incoming(machine) || (is_moving && machine_runs_elsewhere(registry, machine)) ? MACHINE_SHUT_OFF
                                                                                                    : machine->state;
}

struct failure_context sightings_context(const struct registry *registry, const struct machine *machine,
                                         struct moment now)
{
    const struct host *host = machine != NULL ? host_find(registry, machine->hypervisor) : NULL;

    return (struct failure_context){
        .config = &registry->config->failure,
        .on_crash = machine != NULL ? machine->description->on_crash : ON_CRASH_DESTROY,
        .known = machine != NULL ? known_state(registry, machine) : MACHINE_UNKNOWN,
        .known_reason = machine != NULL ? machine->reason : REASON_UNKNOWN,
        .host_was_lost = host != NULL && host->track.was_lost,
        .host_has_rebooted =
            host != NULL && host->has_rebooted && machine != NULL && !machine_runs_elsewhere(registry, machine),
        .is_drilled = machine != NULL && drills_destroys(registry, watch_of(registry, machine), now),
        .is_held = machine != NULL && machine->hold != NULL,
        .has_managed_save = machine != NULL && machine->has_managed_save,
        .host_is_shutting_down = registry->host_is_shutting_down,
        .now = now,
    };
}

void sightings_set(struct registry *registry, struct watch *watch, const struct machine *machine,
                   enum machine_state state, enum machine_reason reason)
{
    struct machine *edited;

    if (machine->state != state || machine->reason != reason)
        watch_mark_changed(registry, watch);
    if (state == MACHINE_RUNNING || (machine->state == MACHINE_SHUT_OFF && machine_state_is_active(state)))
        failures_clear(registry, watch, machine);
    watch->has_run |= state == MACHINE_RUNNING;
    if (machine_state_is_active(state))
        whereabouts_forget(watch);
    if (state == MACHINE_RUNNING || state == MACHINE_SHUT_OFF)
        watch->was_lost_warming = false;
    if (machine->state != state) {
        watch_expect_stop(watch, 0);
        if (state == MACHINE_RUNNING)
            failures_forget(watch);
        registry_tell(registry, FACT_POOL_CHANGED);
        registry_tell(registry, FACT_SERVING_CHANGED);
        registry_tell(registry, FACT_USES_CHANGED);
    }
    edited = pool_edit(registry->pool, machine);
    /* A start uses its saved image up; what is found afterwards is another one. */
    if (machine->state == MACHINE_SHUT_OFF && machine_state_is_active(state) && !watch_is_taken(watch))
        edited->has_managed_save = false;
    edited->state = state;
    edited->reason = reason;
    edited->is_starting &=
        state != MACHINE_RUNNING; /* what it stops for afterwards is no start that has not taken effect */
    if (reason == REASON_MIGRATED)
        watch_note_migration(registry, watch);
    /* The recovery or the course that has started it knows more than news of an earlier life. */
    edited->has_come_up &= watch_rare(watch)->serves != NULL || watch_rare(watch)->warms != NULL;
}

/*
 * It is known as running on a host that cannot be looked at, and came up elsewhere since: it was migrated away from there. Else it would
 * be lost with that host.
 */
static void leave_unseen(struct registry *registry, const struct machine *machine)
{
    struct watch *watch = watch_of(registry, machine);

    if (watch != NULL && machine_state_is_active(machine->state) &&
        (watch_rare(watch)->came_up_elsewhere || moves_came_up_since(registry, machine)))
        sightings_set(registry, watch, machine, MACHINE_SHUT_OFF, REASON_MIGRATED);
}

/* Its host was heard of it. */
static void forget_arrival(struct watch *watch)
{
    if (watch->rare == NULL)
        return;
    watch->rare->came_up_elsewhere = false;
    watch_tidy(watch);
}

/* It was taken for lost with its host, which was fenced. It is seen elsewhere: it had left, or was started there since. */
static void leave_lost(struct registry *registry, const struct machine *lost)
{
    struct watch *watch = watch_of(registry, lost);

    if (watch == NULL || lost->state != MACHINE_SHUT_OFF || lost->reason != REASON_CRASHED)
        return;
    failures_clear(registry, watch, lost);
    sightings_set(registry, watch, lost, MACHINE_SHUT_OFF, REASON_MIGRATED);
    registry_tell(registry, FACT_SERVING_CHANGED);
}

/* It was found off here, and how it stopped was not known. It is seen elsewhere: it had left. */
static void leave_missed(struct registry *registry, const struct machine *missed)
{
    struct watch *watch = watch_of(registry, missed);

    if (watch == NULL || watch_rare(watch)->missed_us == 0 || watch_rare(watch)->track.pending != CAUSE_NONE ||
        missed->state != MACHINE_SHUT_OFF || missed->reason != REASON_UNKNOWN)
        return;
    sightings_set(registry, watch, missed, MACHINE_SHUT_OFF, REASON_MIGRATED);
    registry_tell(registry, FACT_SERVING_CHANGED);
}

/* It has the UUID of what failed elsewhere, and was started in its place, or is kept warm for that. */
static bool is_replacement(const struct registry *registry, const struct machine *machine)
{
    const struct watch *watch = watch_of(registry, machine);

    return machine->serves != NULL || machine->is_reserved || machine->keeping != KEEPING_NONE || watch == NULL ||
           watch_is_taken(watch);
}

void sightings_arrive(struct registry *registry, const struct machine_ref *ref)
{
    for (size_t i = 0; i < registry->n_hosts; i++) {
        const struct host *host = &registry->hosts[i];
        const struct machine *other = NULL;
        struct watch_rare *rare;

        if (strcmp(host->name, ref->hypervisor) != 0)
            other = pool_find(registry->pool, host->name, ref->uuid);
        if (other == NULL || machine_is_incoming(other))
            continue;
        if (host->track.state == HOST_FENCED && !host->is_listed)
            leave_lost(registry, other);
        leave_missed(registry, other);
        if (!machine_state_is_active(other->state))
            continue;
        rare = watch_get_rare(watch_of(registry, other));
        if (rare != NULL) /* else it is known as long as it runs there */
            rare->came_up_elsewhere = true;
        if (!host->is_listed)
            leave_unseen(registry, other);
    }
}

void sightings_end(struct registry *registry, const char *hypervisor)
{
    const struct machine *machine, *next;

    for (machine = pool_next(registry->pool, NULL); machine != NULL; machine = next) {
        next = pool_next(registry->pool, machine);
        if (strcmp(machine->hypervisor, hypervisor) != 0)
            continue;
        leave_unseen(registry, machine);
        if (watch_of(registry, machine) != NULL) /* what is listed on the next connection is newer */
            watch_set_unnoticed(registry, watch_of(registry, machine), false);
    }
}

/* A replacement serves its service. */
static bool is_original(const struct registry *registry, const struct watch *watch)
{
    const struct machine *machine = watch_machine(registry, watch);

    return machine != NULL && machine->diverted != NULL;
}

void sightings_tell(struct registry *registry, struct watch *watch, enum machine_state state)
{
    watch->told_state = state;
    if (watch_rare(watch)->warms != NULL)
        watch_tell(registry, watch, QUEUE_STANDBY, MACHINE_FACT_STATE);
    if (watch_rare(watch)->recovers != NULL || watch_rare(watch)->serves != NULL || is_original(registry, watch))
        watch_tell(registry, watch, QUEUE_RECOVERIES, MACHINE_FACT_STATE);
}

static void tell_seen(struct registry *registry, struct watch *watch, bool came_up, struct moment now)
{
    if (came_up) {
        watch_note_boot(watch);
        watch_forget_stop(watch);
        watch_forget_idle(watch);
        quarantine_see_start(watch, now);
    }
    watch_tell(registry, watch, QUEUE_LATE_STARTS, came_up ? MACHINE_FACT_CAME_UP : MACHINE_FACT_DUE);
}

static void take(struct registry *registry, struct watch *watch, const struct machine *machine,
                 const struct sighting *sighting, struct moment now)
{
    struct machine_ref ref = machine_ref_of(machine);

    forget_arrival(watch);
    sightings_set(registry, watch, machine, sighting->state, sighting->reason);
    if (sighting->came_up && !is_replacement(registry, machine))
        sightings_arrive(registry, &ref);
    if (sighting->is_news)
        sightings_tell(registry, watch, sighting->state);
    tell_seen(registry, watch, sighting->came_up, now);
}

/* News of its new host may come later, or never where that is out of reach. */
void sightings_take_leave(struct registry *registry, const struct machine_ref *left, struct moment now)
{
    const struct machine *machine = moves_run_elsewhere(registry, left) ? NULL : moves_find_incoming(registry, left);
    struct watch *watch = machine != NULL ? watch_of(registry, machine) : NULL;
    const struct sighting arrival = {.state = MACHINE_RUNNING, .is_news = true, .came_up = true};

    if (watch == NULL)
        return;
    if (watch->rare != NULL)
        watch->rare->track.is_incoming = false;
    pool_edit(registry->pool, machine)->event_sequence = registry->events;
    take(registry, watch, machine, &arrival, now);
}

void sightings_take(struct registry *registry, struct watch *watch, const struct machine *machine,
                    const struct sighting *sighting, struct moment now)
{
    struct machine_ref ref = machine_ref_of(machine);
    bool leaves = sighting->state == MACHINE_SHUT_OFF && sighting->reason == REASON_MIGRATED &&
                  machine_state_is_active(machine->state);

    take(registry, watch, machine, sighting, now);
    if (leaves)
        sightings_take_leave(registry, &ref, now);
}

void sightings_judge(struct registry *registry, struct watch *watch, const struct machine *machine,
                     const struct failure_verdict *verdict, struct moment now)
{
    if (verdict->kind == FAILURE_PLANNED)
        quarantine_see_planned_stop(registry, machine, now);
    failures_handle_verdict(registry, watch, machine, verdict, now);
}
