/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Failures of machines, left as facts for whichever component deals with them. */
#include "coordinator/failures.h"

#include "coordinator/drills.h"

void failures_clear(struct registry *registry, struct watch *watch, const struct machine *machine)
{
    if (!machine->failed_unrecovered)
        return;
    pool_edit(registry->pool, machine)->failed_unrecovered = false;
    watch_mark_changed(registry, watch);
}

void failures_await_deadline(struct registry *registry, struct watch *watch)
{
    watch_tell(registry, watch, QUEUE_WAITING, MACHINE_FACT_DUE);
}

void failures_defer(struct registry *registry, struct watch *watch, enum failure_cause cause, int64_t retry_us)
{
    struct watch_rare *rare = watch_get_rare(watch);

    watch->deferred_cause = cause;
    if (rare != NULL) /* else at once */
        rare->deferred_retry_us = retry_us;
    failures_await_deadline(registry, watch);
}

void failures_forget(struct watch *watch)
{
    watch->deferred_cause = CAUSE_NONE;
    if (watch->rare != NULL)
        watch->rare->deferred_retry_us = 0;
}

/* What failed here is dealt with already, or says nothing of a service. */
static bool is_no_failure(const struct registry *registry, const struct watch *watch, enum failure_cause cause)
{
    struct machine_ref ref = watch_ref(registry, watch);

    if (watch_was_kept(registry, watch) || watch->was_lost_warming)
        return true;
    /* One that is to be relieved serves until then. */
    if (watch_rare(watch)->recovers != NULL && records_relieve(&registry->records, &ref))
        return false;
    /* A replacement that stops concerns the recovery that started it. */
    if (watch_rare(watch)->recovers != NULL || watch_rare(watch)->serves != NULL ||
        records_await(&registry->records, &ref))
        return true;
    /* What is found of a candidate that a restored recovery gave up may be the end that the recovery had made of it. */
    return records_concern(&registry->records, &ref) && !watch->has_run && cause != CAUSE_HOST_LOST;
}

static void leave(struct registry *registry, struct watch *watch, enum machine_queue queue, enum failure_cause cause,
                  const char *why)
{
    struct watch_rare *rare = watch_get_rare(watch);

    watch->failed_cause = cause;
    if (rare != NULL) /* else what the cause says */
        rare->failed_why = why;
    watch_tell(registry, watch, queue, MACHINE_FACT_FAILED);
}

void failures_leave(struct registry *registry, struct watch *watch, const struct machine *machine,
                    enum failure_cause cause, const char *why, struct moment now)
{
    if (watch_rare(watch)->warms != NULL) {
        leave(registry, watch, QUEUE_STANDBY, cause, why);
        return;
    }
    /* It went down with its host before it was chosen: what becomes of it by that is to be seen first. */
    if (cause == CAUSE_HOST_LOST && watch_rare(watch)->serves != NULL && machine != NULL &&
        !machine_state_is_active(machine->state)) {
        failures_defer(registry, watch, cause, now.mono_us + RETRY_US);
        return;
    }
    if (is_no_failure(registry, watch, cause))
        return;
    if (machine == NULL) {
        failures_defer(registry, watch, cause, USEC_INFINITY);
        return;
    }
    if (cause == CAUSE_HOST_LOST && machine_runs_elsewhere(registry, machine)) {
        failures_clear(registry, watch, machine);
        if (machine->state == MACHINE_SHUT_OFF)
            pool_edit(registry->pool, machine)->reason = REASON_MIGRATED;
        watch_note_migration(registry, watch);
        registry_tell(registry, FACT_SERVING_CHANGED);
        return;
    }
    if (!machine_is_protected(machine)) {
        drills_end(registry, watch);
        failures_clear(registry, watch, machine);
        outbox_tell(&registry->outbox, NOTICE_FAILURE_UNPROTECTED, now, machine,
                    "%s failed and is not protected: %s (%s)", pool_display_name(registry->pool, machine), why,
                    failure_cause_name(cause));
        return;
    }
    /* The machine must not be gone before its recovery is opened. */
    if ((watch_facts(watch, QUEUE_RECOVERIES) & MACHINE_FACT_FAILED) == 0)
        pool_hold(registry->pool, machine);
    leave(registry, watch, QUEUE_RECOVERIES, cause, why);
}

void failures_retry(struct registry *registry, struct watch *watch, const struct machine *machine, struct moment now)
{
    enum failure_cause cause = watch->deferred_cause;

    if (cause == CAUSE_NONE)
        return;
    failures_forget(watch);
    failures_leave(registry, watch, machine, cause, failure_cause_sentence(cause), now);
}

/* Off, and to be recovered unless it is started again in time: meanwhile it takes the place of no other machine. */
static void reserve_for_itself(struct registry *registry, struct watch *watch, const struct machine *machine)
{
    if (machine == NULL || machine->state != MACHINE_SHUT_OFF || !machine_is_protected(machine))
        return;
    pool_edit(registry->pool, machine)->failed_unrecovered = true;
    watch_mark_changed(registry, watch);
}

/*
 * A replacement that is stopped on purpose leaves its service stopped on purpose, until either of the two is started.
 * What a recovery does with the machine is not on purpose.
 */
static void stop_diversion(struct registry *registry, const struct watch *watch)
{
    struct machine_ref ref = watch_ref(registry, watch);
    struct diversion *diversion = diversions_served_by(&registry->diversions, &ref);

    if (diversion == NULL || diversion->is_stopped || watch_is_taken(watch) || records_await(&registry->records, &ref))
        return;
    diversion->is_stopped = true;
    diversion->is_changed = true;
}

void failures_expect_late_stop(struct registry *registry, const struct machine_ref *ref, struct moment now)
{
    const struct machine *machine = pool_find(registry->pool, ref->hypervisor, ref->uuid);
    struct watch *watch = watch_find(registry, ref);
    struct watch_memory *memory;

    if (machine == NULL || watch == NULL || (!machine_state_is_active(machine->state) && !machine->is_starting))
        return;
    if (watch_rare(watch)->stopping_until_us > now.mono_us)
        return; /* it is still to stop */
    memory = watch_get_memory(watch);
    if (memory != NULL) /* else it is taken for planned */
        memory->state.asked_off_us = now.real_us;
    watch_mark_changed(registry, watch);
}

/* It has stopped: a call that came too late had asked it to. A time in the future counts as now. */
static bool take_late_stop(struct registry *registry, struct watch *watch, struct moment now)
{
    int64_t asked_us = watch_remembered(watch)->asked_off_us;

    if (asked_us == 0)
        return false;
    watch_forget_asked_off(watch);
    watch_mark_changed(registry, watch);
    return now.real_us - asked_us < LATE_STOP_US;
}

/* Its guest took longer than it was waited for, and no other machine serves in its place. CAUSE_NONE: not so. */
static enum failure_cause stops_late(struct registry *registry, struct watch *watch, const struct machine *machine,
                                     const struct failure_verdict *verdict, struct moment now)
{
    bool is_stop = verdict->kind != FAILURE_NONE && verdict->kind != FAILURE_NOTED && machine != NULL &&
                   machine->state == MACHINE_SHUT_OFF;
    struct machine_ref ref = watch_ref(registry, watch);
    const struct recovery *asker = is_stop ? records_take_asked_to_stop(&registry->records, &ref, now) : NULL;
    bool was_late_call = is_stop && take_late_stop(registry, watch, now);

    if (watch_is_taken(watch) || registry->host_is_shutting_down || !is_stop || !verdict->by_guest)
        return CAUSE_NONE;
    if (asker != NULL)
        return asker->cause;
    return was_late_call ? CAUSE_LAST_STOPPED : CAUSE_NONE;
}

/* By the drill that is to crash it, which suspends it first: no stop of its own. */
static bool is_dumped(const struct registry *registry, const struct watch *watch, const struct machine *machine,
                      struct moment now)
{
    return machine != NULL && machine->state == MACHINE_PAUSED && drills_is_due(registry, watch, now);
}

void failures_handle_verdict(struct registry *registry, struct watch *watch, const struct machine *machine,
                             const struct failure_verdict *verdict, struct moment now)
{
    struct machine_ref ref = watch_ref(registry, watch);
    const char *name = machine != NULL ? pool_display_name(registry->pool, machine) : ref.uuid;
    struct host *host = host_find(registry, watch_hypervisor(registry, watch));
    enum failure_cause late = stops_late(registry, watch, machine, verdict, now);

    if (verdict->cause == CAUSE_HOST_LOST && host != NULL)
        host->went_down++;
    switch (verdict->kind) {
    case FAILURE_DETECTED:
        watch_mark_changed(registry, watch);
        failures_leave(registry, watch, machine, verdict->cause, verdict->why, now);
        break;
    case FAILURE_PENDING:
        if (watch_rare(watch)->warms != NULL)
            break;
        if (is_no_failure(registry, watch, verdict->cause)) {
            if (verdict->cause == CAUSE_HOST_LOST) /* nor is it one when the grace is over */
                watch->rare->track.pending = CAUSE_NONE;
            break;
        }
        reserve_for_itself(registry, watch, machine);
        outbox_tell(&registry->outbox, NOTICE_FAILURE_PENDING, now, machine,
                    "%s: %s; this counts as a failure unless it runs again in time", name, verdict->why);
        break;
    case FAILURE_NOTED:
        outbox_tell(&registry->outbox, NOTICE_EVENT_NOTED, now, machine, "%s: %s", name, verdict->why);
        break;
    case FAILURE_PLANNED:
        if (late != CAUSE_NONE) {
            failures_leave(registry, watch, machine, late,
                           late == CAUSE_LAST_STOPPED ? "it stopped after all, as a call asked that came too late"
                                                      : "it stopped after all, as an order that was called off wanted",
                           now);
            break;
        }
        stop_diversion(registry, watch);
        if (machine != NULL && machine->state == MACHINE_SHUT_OFF)
            drills_end(registry, watch);
        if (machine != NULL && watch_rare(watch)->warms == NULL && watch_rare(watch)->recovers == NULL)
            watch_remember_stop(registry, watch, machine, now);
        if (!watch_is_taken(watch) && !is_dumped(registry, watch, machine, now))
            outbox_tell(&registry->outbox, NOTICE_STOP_PLANNED, now, machine, "%s stopped: %s", name, verdict->why);
        break;
    case FAILURE_NONE:
    default:
        break;
    }
    if (failure_deadline(&watch_rare(watch)->track) != USEC_INFINITY)
        failures_await_deadline(registry, watch);
}
