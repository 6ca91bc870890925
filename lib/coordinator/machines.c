/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What events tell of machines, what time and recoveries do to them, and when they are forgotten. */
#include "coordinator/machines.h"

#include <errno.h>
#include <string.h>

#include "coordinator/failures.h"
#include "coordinator/moves.h"
#include "coordinator/quarantine.h"
#include "coordinator/sightings.h"
#include "coordinator/whereabouts.h"

/* ---- what there is to be known ---- */

void machines_describe(struct registry *registry, struct watch *watch)
{
    if (watch->is_describing)
        watch->describe_again = true;
    else
        watch_tell(registry, watch, QUEUE_DESCRIBE, MACHINE_FACT_DUE);
}

bool machines_next(void *self, struct action *ret)
{
    struct registry *registry = self;
    unsigned facts;
    struct watch *watch = watch_take(registry, QUEUE_DESCRIBE, &facts);
    struct machine_ref ref;

    if (watch == NULL)
        return false;
    watch->is_describing = true;
    ref = watch_ref(registry, watch);
    *ret =
        registry_new_action(registry, PART_MACHINES, ACTION_DESCRIBE, &ref, registry->config->recovery.call_timeout_us);
    return true;
}

void machines_end_describing(struct registry *registry, const struct machine_ref *ref)
{
    struct watch *watch = watch_find(registry, ref);

    if (watch == NULL)
        return;
    watch->is_describing = false;
    if (watch->describe_again) {
        watch->describe_again = false;
        machines_describe(registry, watch);
    }
}

void machines_answer(void *self, const struct action *action, const struct action_result *result, struct moment now)
{
    struct registry *registry = self;
    struct host *host = host_find(registry, action->target.hypervisor);

    machines_end_describing(registry, &action->target);
    /* After a lost connection everything is listed anyway. */
    if (host != NULL && host->track.is_connected && result->error != -ENOTCONN)
        host_list_at(host, now.mono_us + LIST_RETRY_US);
}

void machines_forget(struct registry *registry, const struct machine *machine)
{
    struct watch *watch = watch_of(registry, machine);
    struct machine_ref ref = machine_ref_of(machine);
    bool has_left = machine->reason == REASON_MIGRATED;

    if (records_await_failed(&registry->records, &ref)) {
        pool_set_present(registry->pool, machine, false); /* its recovery goes on by what is known of it */
        return;
    }
    pool_remove(registry->pool, machine);
    if (watch != NULL)
        watch_note_migration(registry, watch); /* it may turn up elsewhere */
    if (watch == NULL || watch_is_taken(watch) || (watch_facts(watch, QUEUE_RECOVERIES) & MACHINE_FACT_FAILED) != 0)
        return;
    watch_set_track(watch, (struct failure_track){0});
    watch_forget_state(watch);
    if (has_left) {
        moves_remember(registry, watch);
        registry_tell(registry, FACT_SERVING_CHANGED);
    }
    failures_forget(watch);
    watch->is_forgotten = true;
    watch_mark_changed(registry, watch);
}

void machines_let_go(struct registry *registry, const struct machine *machine)
{
    if (!machine->is_present)
        machines_forget(registry, machine);
    pool_let_go(registry->pool, machine);
}

void machines_forget_unknown(struct registry *registry, const struct machine_ref *ref)
{
    struct watch *watch = watch_find(registry, ref);

    if (watch != NULL && !watch_is_taken(watch) && watch->deferred_cause == CAUSE_NONE && !watch->is_describing &&
        watch_facts(watch, QUEUE_DESCRIBE) == 0 && watch_remembered(watch)->state == MACHINE_UNKNOWN)
        watch_discard(registry, watch);
}

void machines_forget_of(struct registry *registry, const char *hypervisor)
{
    const struct machine *machine, *next;

    for (machine = pool_next(registry->pool, NULL); machine != NULL; machine = next) {
        next = pool_next(registry->pool, machine);
        if (strcmp(machine->hypervisor, hypervisor) == 0)
            machines_forget(registry, machine);
    }
}

void machines_forget_unconfigured(struct registry *registry)
{
    const struct machine *machine, *next;

    for (machine = pool_next(registry->pool, NULL); machine != NULL; machine = next) {
        next = pool_next(registry->pool, machine);
        if (host_find(registry, machine->hypervisor) == NULL)
            machines_forget(registry, machine);
    }
}

void machines_lose(struct registry *registry, const struct machine *machine, bool has_failed, struct moment now)
{
    static const char why[] = "its host was lost";
    struct watch *watch = watch_get_of(registry, machine);

    pool_edit(registry->pool, machine)->has_come_up = false;
    if (watch == NULL || !machine_state_is_active(machine->state))
        return;
    /* What runs elsewhere had left before its host was lost. */
    sightings_set(registry, watch, machine, MACHINE_SHUT_OFF,
                  machine_runs_elsewhere(registry, machine) ? REASON_MIGRATED : REASON_CRASHED);
    pool_edit(registry->pool, machine)->event_sequence = registry->events;
    watch_forget_state(watch);
    watch_set_track(watch, (struct failure_track){.reported = true});
    if (watch_rare(watch)->warms != NULL || (has_failed && !watch_is_taken(watch)))
        failures_leave(registry, watch, machine, CAUSE_HOST_LOST, why, now);
}

/* ---- events ---- */

/* The state that the event leaves the machine in. Unknown machines have none to keep. */
static void apply_event_state(struct registry *registry, struct watch *watch, const struct machine *machine,
                              const struct domain_event *event)
{
    struct sighting sighting = {.is_news = true};
    struct machine_ref ref;

    if (!domain_event_state(event->kind, &sighting.state, &sighting.reason))
        return;
    if (machine == NULL) {
        /* That a migration failed before was told when the machine was not known here yet. */
        if (sighting.state == MACHINE_RUNNING) {
            ref = watch_ref(registry, watch);
            failures_forget(watch);
            sightings_arrive(registry, &ref);
        }
        return;
    }
    pool_edit(registry->pool, machine)->event_sequence = registry->events;
    /* The pause that libvirt tells beside a panic is no news. */
    if (machine->state == MACHINE_CRASHED && event->kind == EVENT_SUSPENDED_PAUSED)
        return;
    sighting.came_up = sighting.state == MACHINE_RUNNING && machine->state != MACHINE_RUNNING;
    sightings_take(registry, watch, machine, &sighting, event->at);
}

/* -ENOMEM: it is not taken in. */
static int judge_event(struct registry *registry, struct watch *watch, const struct domain_event *event,
                       struct failure_verdict *ret)
{
    struct failure_context context = sightings_context(registry, watch_machine(registry, watch), event->at);
    struct failure_track track = watch_rare(watch)->track;
    struct machine_ref ref = watch_ref(registry, watch);

    if ((event->kind == EVENT_CRASHED_PANICKED || event->kind == EVENT_REBOOT) && watch_get_panics(watch) == NULL)
        return -ENOMEM;
    context.panics = watch_rare(watch)->panics;
    context.may_run_elsewhere =
        event->kind == EVENT_STOPPED_FAILED && track.may_be_incoming && whereabouts_are_open(registry, &ref, event->at);
    *ret = failure_handle_event(&track, event->kind, &context);
    return watch_keep_track(watch, &track);
}

/* It is off, or so dead that nothing but a start makes it run again. */
static bool is_dead(const struct machine *machine)
{
    return machine->state == MACHINE_SHUT_OFF ||
           (machine->state == MACHINE_CRASHED && machine->description->on_crash == ON_CRASH_PRESERVE);
}

/*
 * It is known to be off, and is told to run, by news that may be older than its stop: where it is told to go on, or was ended
 * just now. It is asked.
 */
static bool is_doubtful(const struct watch *watch, const struct machine *machine, const struct domain_event *event)
{
    enum machine_state state = MACHINE_UNKNOWN;
    enum machine_reason reason;

    return machine != NULL && is_dead(machine) && domain_event_state(event->kind, &state, &reason) &&
           state == MACHINE_RUNNING && (event->kind == EVENT_RESUMED || watch_was_just_written_off(watch, event->at));
}

/*
 * Its QEMU has ended. Acted on is only what opens a recovery of its own, and what libvirt cannot contradict; all else waits
 * for libvirt's word, which follows.
 */
static void handle_end(struct registry *registry, const struct host *host, const struct domain_event *event)
{
    const struct machine *machine = pool_find(registry->pool, host->name, event->uuid);
    struct watch *watch = machine != NULL ? watch_of(registry, machine) : NULL;
    struct failure_verdict verdict;

    if (watch == NULL || !machine_is_protected(machine) || watch_is_taken(watch) ||
        judge_event(registry, watch, event, &verdict) < 0 || verdict.kind != FAILURE_DETECTED)
        return;
    pool_edit(registry->pool, machine)->event_sequence = registry->events;
    sightings_take(registry, watch, machine,
                   &(struct sighting){.state = MACHINE_SHUT_OFF, .reason = REASON_CRASHED, .is_news = true}, event->at);
    watch_set_unnoticed(registry, watch, true);
    sightings_judge(registry, watch, machine, &verdict, event->at);
}

/*
 * What libvirt tells of the state of one whose end it has not noticed yet is older than the end, until it tells the stop, which
 * is no news, or a start. True: nothing is to be made of the event.
 */
static bool is_behind(struct registry *registry, struct watch *watch, const struct domain_event *event)
{
    const struct machine *machine = watch_machine(registry, watch);
    enum machine_state state;
    enum machine_reason reason;

    if (!watch_is_unnoticed(registry, watch) || !domain_event_state(event->kind, &state, &reason))
        return false;
    if (!domain_event_is_stop(event->kind) && !domain_event_is_start(event->kind))
        return true;
    watch_set_unnoticed(registry, watch, false);
    machines_describe(registry, watch);
    if (!domain_event_is_stop(event->kind) || reason == REASON_MIGRATED)
        return false;
    /* What libvirt was asked before is answered with what it knew then. */
    if (machine != NULL)
        pool_edit(registry->pool, machine)->event_sequence = registry->events;
    return true;
}

static void note_reset(struct registry *registry, struct watch *watch, const struct machine *machine, struct moment now)
{
    const struct config_failure *config = &registry->config->failure;

    watch_note_boot(watch);
    if (machine != NULL && machine_is_protected(machine) &&
        failure_resets_repeat(watch_rare(watch)->panics, config, now))
        pool_set_resets_until(registry->pool, machine, now.mono_us + config->panic_window_us);
}

void machines_handle_event(struct registry *registry, struct host *host, const struct domain_event *event)
{
    struct failure_verdict verdict;
    const struct machine *machine;
    struct watch *watch;

    registry->events++;
    if (event->kind == EVENT_ENDED_KILLED || event->kind == EVENT_ENDED_EXITED) {
        handle_end(registry, host, event);
        return;
    }
    watch = watch_get(registry, host->name, event->uuid);
    if (watch != NULL && is_behind(registry, watch, event))
        return;
    if (watch != NULL && is_doubtful(watch, watch_machine(registry, watch), event)) {
        machines_describe(registry, watch);
        return;
    }
    if (watch == NULL || judge_event(registry, watch, event, &verdict) < 0) {
        outbox_tell(&registry->outbox, NOTICE_OUT_OF_MEMORY, event->at, NULL,
                    "no memory to take an event of %s; it is listed again", host->name);
        host->wants_list = true;
        return;
    }
    watch->has_run = true; /* whatever happens to it, it happens now */
    machine = watch_machine(registry, watch);
    if (event->kind == EVENT_REBOOT)
        note_reset(registry, watch, machine, event->at);
    apply_event_state(registry, watch, machine, event);
    sightings_judge(registry, watch, machine, &verdict, event->at);
    /* One that runs is defined by its migration, too. */
    if (machine != NULL && event->kind == EVENT_DEFINED && machine->description->template == NULL &&
        !machine_state_is_active(machine->state))
        quarantine_forgive(registry, machine, event->at);
    if (machine == NULL || domain_event_changes_description(event->kind))
        machines_describe(registry, watch);
}

/* ---- time ---- */

static int64_t deadline_of(const struct watch *watch)
{
    const struct watch_rare *rare = watch_rare(watch);

    return earlier_us(failure_deadline(&rare->track),
                      watch->deferred_cause != CAUSE_NONE ? rare->deferred_retry_us : USEC_INFINITY);
}

static void tick(struct registry *registry, struct watch *watch, struct moment now)
{
    const struct machine *machine = watch_machine(registry, watch);
    struct failure_context context = sightings_context(registry, machine, now);
    struct failure_track track = watch_rare(watch)->track;
    struct machine_ref ref = watch_ref(registry, watch);
    struct failure_verdict verdict;

    context.may_run_elsewhere = track.pending == CAUSE_HOST_LOST && failure_deadline(&track) <= now.mono_us &&
                                whereabouts_are_open(registry, &ref, now);
    verdict = failure_tick(&track, &context);
    if (watch_keep_track(watch, &track) < 0)
        return; /* it is still due */
    failures_handle_verdict(registry, watch, machine, &verdict, now);
    if (watch->deferred_cause != CAUSE_NONE && watch_rare(watch)->deferred_retry_us <= now.mono_us)
        failures_retry(registry, watch, machine, now);
}

/* A machine that has no deadline any more leaves the queue. */
void machines_tick(void *self, struct moment now)
{
    struct registry *registry = self;
    struct watch *watch;

    for (uint32_t from = 0; (watch = watch_queued(registry, QUEUE_WAITING, from)) != NULL; from = watch->number + 1) {
        if (deadline_of(watch) <= now.mono_us)
            tick(registry, watch, now);
        if (deadline_of(watch) == USEC_INFINITY)
            watch_leave(registry, watch, QUEUE_WAITING);
    }
}

int64_t machines_deadline(const void *self)
{
    const struct registry *registry = self;
    const struct watch *watch;
    int64_t deadline_us = USEC_INFINITY;

    for (uint32_t from = 0; (watch = watch_queued(registry, QUEUE_WAITING, from)) != NULL; from = watch->number + 1)
        deadline_us = earlier_us(deadline_us, deadline_of(watch));
    return deadline_us;
}

/* ---- what recoveries and standbys do to it ---- */

void machines_resume_recovery(struct watch *watch, const struct machine *machine)
{
    if (machine->state != MACHINE_RUNNING && machine->state != MACHINE_SUSPENDED)
        watch_set_track(watch, (struct failure_track){.reported = true});
}

void machines_write_off(struct registry *registry, struct watch *watch, const struct machine *machine,
                        struct moment now)
{
    watch_set_track(watch, (struct failure_track){.reported = true, .written_off_us = now.mono_us});
    /* However it stopped, that is told already: a crash found there is no news. */
    if (machine_state_is_active(machine->state))
        sightings_set(registry, watch, machine, MACHINE_SHUT_OFF, REASON_CRASHED);
    pool_edit(registry->pool, machine)->event_sequence = registry->events;
    machines_describe(registry, watch);
}

void machines_end_recovery(struct registry *registry, struct watch *watch, const struct machine *machine,
                           bool runs_after_all)
{
    watch_mark_changed(registry, watch);
    if (!runs_after_all)
        return;
    if (watch->rare != NULL)
        watch->rare->track.reported = false;
    if (watch_rare(watch)->hang != NULL)
        watch_rare(watch)->hang->is_hung = false;
    pool_set_present(registry->pool, machine, true);
    machines_describe(registry, watch);
}

void machines_come_up(struct registry *registry, const struct machine *machine)
{
    uint64_t free_kib, needed_kib;

    if (machine == NULL)
        return;
    pool_edit(registry->pool, machine)->has_come_up = true;
    pool_edit(registry->pool, machine)->is_starting = false;
    registry_tell(registry, FACT_USES_CHANGED);
    free_kib = pool_free_memory(registry->pool, machine->hypervisor);
    needed_kib = domain_description_host_memory_kib(machine->description);
    if (free_kib > 0)
        pool_set_free_memory(registry->pool, machine->hypervisor, free_kib > needed_kib ? free_kib - needed_kib : 1);
}
