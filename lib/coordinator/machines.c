/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One machine under watch: what its hypervisor tells becomes its state in the pool, and a verdict.
 * Opens recoveries; does not know how they go on.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define uthash_nonfatal_oom(element) ((element)->lost = true)
#define HASH_NONFATAL_OOM            1
#include "coordinator/coordinator_internal.h"
#include <utlist.h>

struct link *link_find(const struct coordinator *coordinator, const char *hypervisor)
{
    for (size_t i = 0; i < coordinator->n_links; i++)
        if (strcmp(coordinator->links[i].name, hypervisor) == 0)
            return &coordinator->links[i];
    return NULL;
}

struct watch *watch_find(const struct coordinator *coordinator, const struct machine_ref *ref)
{
    struct watch *watch;

    HASH_FIND(hh, coordinator->watches, ref, sizeof(*ref), watch);
    return watch;
}

struct watch *watch_get(struct coordinator *coordinator, const char *hypervisor, const char *uuid)
{
    struct machine_ref ref = {0};
    struct watch *watch;

    strncpy(ref.hypervisor, hypervisor, sizeof(ref.hypervisor) - 1);
    strncpy(ref.uuid, uuid, sizeof(ref.uuid) - 1);
    watch = watch_find(coordinator, &ref);
    if (watch != NULL)
        return watch;
    watch = calloc(1, sizeof(*watch));
    if (watch == NULL)
        return NULL;
    watch->ref = ref;
    watch->owed_until_us = USEC_INFINITY;
    HASH_ADD(hh, coordinator->watches, ref, sizeof(watch->ref), watch);
    if (watch->lost) {
        free(watch);
        return NULL;
    }
    return watch;
}

void watch_mark_changed(struct coordinator *coordinator, struct watch *watch)
{
    if (watch->is_changed)
        return;
    watch->is_changed = true;
    LL_PREPEND2(coordinator->changed, watch, next_changed);
}

void watch_discard(struct coordinator *coordinator, struct watch *watch)
{
    if (watch->wants_inspection)
        LL_DELETE2(coordinator->to_inspect, watch, next_to_inspect);
    if (watch->wants_probe)
        LL_DELETE2(coordinator->to_probe, watch, next_to_probe);
    if (watch->wants_clock)
        LL_DELETE2(coordinator->to_set_clock, watch, next_to_set_clock);
    if (watch->is_changed)
        LL_DELETE2(coordinator->changed, watch, next_changed);
    string_list_done(&watch->remembered_learned);
    HASH_DEL(coordinator->watches, watch); /* NOLINT(clang-analyzer-core.NullDereference): it is in the table */
    free(watch);
}

void watch_free_all(struct coordinator *coordinator)
{
    struct watch *watch, *next;

    HASH_ITER(hh, coordinator->watches, watch, next)
    {
        watch_discard(coordinator, watch);
    }
}

void watch_inspect(struct coordinator *coordinator, struct watch *watch)
{
    if (watch->is_inspecting) {
        watch->inspect_again = true;
    } else if (!watch->wants_inspection) {
        watch->wants_inspection = true;
        LL_PREPEND2(coordinator->to_inspect, watch, next_to_inspect);
    }
}

void watch_forget(struct coordinator *coordinator, struct machine *machine)
{
    struct machine_ref ref = machine_ref_of(machine);
    struct watch *watch = watch_find(coordinator, &ref);

    pool_remove(coordinator->pool, machine);
    if (watch == NULL || watch->recovers != NULL || watch->serves != NULL || watch->warms != NULL)
        return;
    watch->track = (struct failure_track){0};
    watch->remembered.state = MACHINE_UNKNOWN;
    watch->owed = CAUSE_NONE;
    watch->owed_until_us = USEC_INFINITY;
    watch->is_forgotten = true;
    watch_mark_changed(coordinator, watch);
}

void watch_forget_unknown(struct coordinator *coordinator, const struct machine_ref *ref)
{
    struct watch *watch = watch_find(coordinator, ref);

    if (watch != NULL && watch->recovers == NULL && watch->serves == NULL && watch->warms == NULL &&
        watch->owed == CAUSE_NONE && !watch->is_inspecting && !watch->wants_inspection &&
        watch->remembered.state == MACHINE_UNKNOWN)
        watch_discard(coordinator, watch);
}

/* Something is done about it already, or it was in nobody's service. */
static bool is_seen_to(const struct coordinator *coordinator, const struct machine *machine)
{
    struct machine_ref ref = machine_ref_of(machine);
    const struct watch *watch = watch_find(coordinator, &ref);

    return watch == NULL || watch->recovers != NULL || watch->serves != NULL || watch->warms != NULL ||
           watch->remembered.keeping != KEEPING_NONE || restore_needs(coordinator, &ref);
}

static struct failure_context context_of(const struct coordinator *coordinator, const struct machine *machine,
                                         struct moment now)
{
    const struct link *link = machine != NULL ? link_find(coordinator, machine->hypervisor) : NULL;

    return (struct failure_context){
        .config = &coordinator->config->failure,
        .on_crash = machine != NULL ? machine->description->on_crash : ON_CRASH_DESTROY,
        .known = machine != NULL ? machine->state : MACHINE_UNKNOWN,
        .known_reason = machine != NULL ? machine->reason : REASON_UNKNOWN,
        .host_was_lost = link != NULL && link->host.was_lost,
        .host_has_rebooted = link != NULL && link->has_rebooted && machine != NULL &&
                             !is_seen_to(coordinator, machine) && !hosts_see_elsewhere(coordinator, machine),
        .has_managed_save = machine != NULL && machine->has_managed_save,
        .host_is_shutting_down = coordinator->host_is_shutting_down,
        .now = now,
    };
}

/* It has run since its last failure. */
static void forgive(struct coordinator *coordinator, struct watch *watch, struct machine *machine)
{
    if (!machine->failed_unrecovered)
        return;
    machine->failed_unrecovered = false;
    watch_mark_changed(coordinator, watch);
}

static void set_state(struct coordinator *coordinator, struct watch *watch, struct machine *machine,
                      enum machine_state state, enum machine_reason reason, struct moment now)
{
    if (machine->state != state || machine->reason != reason)
        watch_mark_changed(coordinator, watch);
    if (state == MACHINE_RUNNING || (machine->state == MACHINE_SHUT_OFF && machine_state_is_active(state)))
        forgive(coordinator, watch, machine);
    watch->has_run |= state == MACHINE_RUNNING;
    if (machine->state != state) {
        watch->misses = 0;
        watch->is_hung = false;
        keeper_touch(coordinator, now);
        coordinator->is_both_due = true;
    }
    machine->state = state;
    machine->reason = reason;
}

void watch_resume_recovery(struct watch *watch, const struct machine *machine)
{
    if (machine->state != MACHINE_RUNNING && machine->state != MACHINE_SUSPENDED)
        watch->track = (struct failure_track){.reported = true};
}

void watch_write_off(struct coordinator *coordinator, struct watch *watch, struct machine *machine, struct moment now)
{
    watch->track = (struct failure_track){.reported = true, .written_off_us = now.mono_us};
    /* However it stopped, that is told already: a crash found there is no news. */
    if (machine_state_is_active(machine->state))
        set_state(coordinator, watch, machine, MACHINE_SHUT_OFF, REASON_CRASHED, now);
    watch_inspect(coordinator, watch);
}

void watch_end_recovery(struct coordinator *coordinator, struct watch *watch, struct machine *machine,
                        bool runs_after_all)
{
    watch_mark_changed(coordinator, watch);
    if (!runs_after_all)
        return;
    watch->track.reported = false;
    watch->is_hung = false;
    pool_set_present(coordinator->pool, machine, true);
    watch_inspect(coordinator, watch);
}

/* The machine's state changed: recoveries that it concerns are told. */
static void tell_runs(struct coordinator *coordinator, struct watch *watch, enum machine_state state, struct moment now)
{
    struct recovery_event event = {.now = now};

    if (watch->recovers != NULL && state == MACHINE_RUNNING) {
        event.kind = RECOVERY_ORIGINAL_RUNS;
        run_handle(coordinator, watch->recovers, &event);
    }
    if (watch->warms != NULL)
        keeper_tell_state(coordinator, watch->warms, state, now);
    if (watch->serves != NULL && (state == MACHINE_SHUT_OFF || state == MACHINE_CRASHED || state == MACHINE_GONE)) {
        event.kind = RECOVERY_REPLACEMENT_STOPPED;
        run_handle(coordinator, watch->serves, &event);
    }
}

static void owe(struct coordinator *coordinator, struct watch *watch, enum failure_cause cause, int64_t until_us)
{
    watch->owed = cause;
    watch->owed_until_us = until_us;
    coordinator->has_graces = true;
}

void watch_handle_failure(struct coordinator *coordinator, struct watch *watch, struct machine *machine,
                          enum failure_cause cause, const char *why, struct moment now)
{
    if (watch->warms != NULL) {
        keeper_tell_failure(coordinator, watch->warms, why, now);
        return;
    }
    /* Kept warm when the daemon last ran, and not looked at yet: it served nobody. */
    if (watch->remembered.keeping != KEEPING_NONE)
        return;
    /* A replacement that stops is the business of the recovery that started it. */
    if (watch->recovers != NULL || watch->serves != NULL || restore_needs(coordinator, &watch->ref))
        return;
    /* What is found of one that a recovery of an earlier life gave up may be the end that this one had made of it. */
    if (restore_concerns(coordinator, &watch->ref) && !watch->has_run && cause != CAUSE_HOST_LOST)
        return;
    if (machine == NULL) {
        owe(coordinator, watch, cause, USEC_INFINITY);
        return;
    }
    if (cause == CAUSE_HOST_LOST && hosts_see_elsewhere(coordinator, machine)) {
        forgive(coordinator, watch, machine);
        return;
    }
    if ((machine->roles & ROLE_PROTECTED) == 0) {
        forgive(coordinator, watch, machine);
        notices_add(coordinator, NOTICE_FAILURE_UNPROTECTED, now, machine, "%s failed and is not protected: %s (%s)",
                    machine->name, why, failure_cause_name(cause));
        return;
    }
    if (run_open(coordinator, watch, machine, cause, why, now) < 0) {
        notices_add(coordinator, NOTICE_OUT_OF_MEMORY, now, machine, "no memory to recover %s; tried again soon",
                    machine->name);
        owe(coordinator, watch, cause, now.mono_us + RETRY_US);
    }
}

/* Off, and to be recovered unless it is started again in time: meanwhile it takes nobody else's place. */
static void reserve_for_itself(struct coordinator *coordinator, struct watch *watch, struct machine *machine)
{
    if (machine == NULL || machine->state != MACHINE_SHUT_OFF || (machine->roles & ROLE_PROTECTED) == 0)
        return;
    machine->failed_unrecovered = true;
    watch_mark_changed(coordinator, watch);
}

static void handle_verdict(struct coordinator *coordinator, struct watch *watch, struct machine *machine,
                           const struct failure_verdict *verdict, struct moment now)
{
    const char *name = machine != NULL ? machine->name : watch->ref.uuid;
    struct link *link = link_find(coordinator, watch->ref.hypervisor);

    if (verdict->cause == CAUSE_HOST_LOST && link != NULL)
        link->went_down++;
    switch (verdict->kind) {
    case FAILURE_DETECTED:
        watch_handle_failure(coordinator, watch, machine, verdict->cause, verdict->why, now);
        break;
    case FAILURE_PENDING:
        reserve_for_itself(coordinator, watch, machine);
        notices_add(coordinator, NOTICE_FAILURE_PENDING, now, machine, "%s: %s; a failure unless it runs again in time",
                    name, verdict->why);
        break;
    case FAILURE_NOTED:
        notices_add(coordinator, NOTICE_EVENT_NOTED, now, machine, "%s: %s", name, verdict->why);
        break;
    case FAILURE_PLANNED:
        if (watch->recovers == NULL && watch->serves == NULL && watch->warms == NULL)
            notices_add(coordinator, NOTICE_STOP_PLANNED, now, machine, "%s stopped: %s", name, verdict->why);
        break;
    case FAILURE_NONE:
    default:
        break;
    }
    if (failure_deadline(&watch->track) != USEC_INFINITY)
        coordinator->has_graces = true;
}

void watch_lose(struct coordinator *coordinator, struct machine *machine, bool has_failed, struct moment now)
{
    struct watch *watch = watch_get(coordinator, machine->hypervisor, machine->uuid);
    /* One that an earlier daemon had started to be kept warm was in nobody's service. */
    bool is_tended = watch != NULL && (watch->recovers != NULL || watch->serves != NULL ||
                                       (watch->warms == NULL && watch->remembered.keeping != KEEPING_NONE));

    if (watch == NULL || !machine_state_is_active(machine->state))
        return;
    set_state(coordinator, watch, machine, MACHINE_SHUT_OFF, REASON_CRASHED, now);
    machine->event_sequence = coordinator->events;
    watch->remembered.state = MACHINE_UNKNOWN;
    watch->track = (struct failure_track){.reported = true};
    if (watch->warms != NULL)
        keeper_tell_failure(coordinator, watch->warms, "its host was lost", now);
    else if (has_failed && !is_tended)
        watch_handle_failure(coordinator, watch, machine, CAUSE_HOST_LOST, "its host was lost", now);
}

/* Events after which more than the state may be different from what was last read. */
static bool changes_description(enum domain_event_kind event)
{
    switch (event) {
    case EVENT_DEFINED:
    case EVENT_UNDEFINED:
    case EVENT_CHANGED:
    case EVENT_STARTED_BOOTED:
    case EVENT_STARTED_MIGRATED:
    case EVENT_STARTED_RESTORED:
    case EVENT_STARTED_FROM_SNAPSHOT:
    case EVENT_STOPPED_SHUTDOWN:
    case EVENT_STOPPED_DESTROYED:
    case EVENT_STOPPED_CRASHED:
    case EVENT_STOPPED_MIGRATED:
    case EVENT_STOPPED_SAVED:
    case EVENT_STOPPED_FAILED:
    case EVENT_STOPPED_FROM_SNAPSHOT:
    case EVENT_AGENT_CONNECTED:
    case EVENT_AGENT_DISCONNECTED:
        return true;
    case EVENT_STARTED_WAKEUP:
    case EVENT_SUSPENDED_PAUSED:
    case EVENT_SUSPENDED_MIGRATED:
    case EVENT_SUSPENDED_IO_ERROR:
    case EVENT_SUSPENDED_WATCHDOG:
    case EVENT_SUSPENDED_RESTORED:
    case EVENT_SUSPENDED_FROM_SNAPSHOT:
    case EVENT_SUSPENDED_API_ERROR:
    case EVENT_SUSPENDED_POSTCOPY:
    case EVENT_SUSPENDED_POSTCOPY_FAILED:
    case EVENT_RESUMED:
    case EVENT_SHUTDOWN_FINISHED:
    case EVENT_SHUTDOWN_GUEST:
    case EVENT_SHUTDOWN_HOST:
    case EVENT_PM_SUSPENDED:
    case EVENT_CRASHED_PANICKED:
    case EVENT_CRASHED_CRASHLOADED:
    case EVENT_REBOOT:
    case EVENT_WATCHDOG:
    case EVENT_WATCHDOG_OFF:
    case EVENT_UNLISTED:
    case EVENT_COUNT:
    default:
        return false;
    }
}

/* The state that the event leaves the machine in. Unknown machines have none to keep. */
static void apply_event_state(struct coordinator *coordinator, struct watch *watch, struct machine *machine,
                              const struct domain_event *event)
{
    enum machine_state state;
    enum machine_reason reason;
    bool came_up;

    if (machine == NULL || !domain_event_state(event->kind, &state, &reason))
        return;
    machine->event_sequence = coordinator->events;
    /* The pause that libvirt tells beside a panic is no news. */
    if (machine->state == MACHINE_CRASHED && event->kind == EVENT_SUSPENDED_PAUSED)
        return;
    came_up = state == MACHINE_RUNNING && machine->state != MACHINE_RUNNING;
    set_state(coordinator, watch, machine, state, reason, event->at);
    tell_runs(coordinator, watch, state, event->at);
    late_observe(coordinator, machine, came_up, event->at);
}

void coordinator_handle_event(struct coordinator *coordinator, const char *hypervisor, const struct domain_event *event)
{
    struct link *link = link_find(coordinator, hypervisor);
    struct failure_context context;
    struct failure_verdict verdict;
    struct machine *machine;
    struct watch *watch;

    if (link == NULL)
        return;
    coordinator->events++;
    watch = watch_get(coordinator, hypervisor, event->uuid);
    if (watch == NULL) {
        notices_add(coordinator, NOTICE_OUT_OF_MEMORY, event->at, NULL, "no memory to take an event of %s; listed anew",
                    hypervisor);
        link->wants_list = true;
        return;
    }
    watch->has_run = true; /* whatever happens to it, it happens now */
    machine = pool_find(coordinator->pool, hypervisor, event->uuid);
    context = context_of(coordinator, machine, event->at);
    verdict = failure_handle_event(&watch->track, event->kind, &context);
    apply_event_state(coordinator, watch, machine, event);
    handle_verdict(coordinator, watch, machine, &verdict, event->at);
    if (machine == NULL || changes_description(event->kind))
        watch_inspect(coordinator, watch);
    runs_assign(coordinator, event->at);
}

static void pay_debt(struct coordinator *coordinator, struct watch *watch, struct machine *machine, struct moment now)
{
    enum failure_cause cause = watch->owed;

    if (cause == CAUSE_NONE)
        return;
    watch->owed = CAUSE_NONE;
    watch->owed_until_us = USEC_INFINITY;
    watch_handle_failure(coordinator, watch, machine, cause, failure_cause_sentence(cause), now);
}

/* A machine that is off cannot be asked: what it told in an earlier life of the daemon holds. */
static void recall_learned(struct coordinator *coordinator, struct watch *watch, struct machine *machine,
                           struct moment now)
{
    if (!machine->description->has_learned &&
        pool_remember_learned(coordinator->pool, machine, &watch->remembered_learned) < 0)
        notices_add(coordinator, NOTICE_OUT_OF_MEMORY, now, machine, "no memory for what is known of %s",
                    machine->name);
    string_list_done(&watch->remembered_learned);
}

/* Something of it is not as it was written down. */
static bool is_new_description(const struct coordinator *coordinator, const struct watch *watch,
                               const struct domain_description *description)
{
    const struct machine *machine = pool_find(coordinator->pool, watch->ref.hypervisor, watch->ref.uuid);

    return machine == NULL || !domain_description_equal(machine->description, description);
}

void watch_apply_report(struct coordinator *coordinator, const char *hypervisor, struct domain_report *report,
                        uint64_t as_of, struct moment now)
{
    struct watch *watch = watch_get(coordinator, hypervisor, report->description->uuid);
    struct machine *machine = NULL;
    struct failure_context context;
    struct failure_verdict verdict;
    bool is_news, is_first;

    if (watch != NULL && is_new_description(coordinator, watch, report->description))
        watch_mark_changed(coordinator, watch);
    if (watch == NULL) {
        domain_description_free(report->description);
        report->description = NULL;
    } else if (pool_apply(coordinator->pool, hypervisor, report->description, &machine) < 0) {
        machine = NULL;
    }
    if (machine == NULL) {
        notices_add(coordinator, NOTICE_OUT_OF_MEMORY, now, NULL, "no memory to take a machine of %s; listed anew",
                    hypervisor);
        link_find(coordinator, hypervisor)->list_at_us = now.mono_us + RETRY_US;
        return;
    }
    report->description = NULL;
    watch->is_forgotten = false;
    machine->is_reserved = restore_concerns(coordinator, &watch->ref);
    is_first = machine->event_sequence == 0 &&
               (machine->state == MACHINE_UNKNOWN || watch->remembered.state != MACHINE_UNKNOWN);
    if (is_first) {
        /* What was last known of it before the daemon was started. */
        restore_recall(coordinator, watch, machine, report, now);
        recall_learned(coordinator, watch, machine, now);
    }
    watch->is_listed = true;
    watch->absent_since_us = 0;
    machine->persistent = report->persistent;
    machine->has_managed_save = report->has_managed_save;
    machine->agent_connected = report->agent_connected;
    if (machine->description->has_learned)
        watch_mark_changed(coordinator, watch);
    /* A listing asks no agent: what it could tell is asked for once. */
    if (report->agent_connected && !watch->has_asked_agent && !machine->description->has_learned)
        watch_inspect(coordinator, watch);
    watch->has_asked_agent = report->agent_connected;

    if (machine->event_sequence <= as_of) {
        context = context_of(coordinator, machine, now);
        verdict = failure_handle_listing(&watch->track, report->state, report->reason, &context);
        is_news = machine->state != report->state;
        machine->event_sequence = as_of;
        set_state(coordinator, watch, machine, report->state, report->reason, now);
        if (is_news)
            tell_runs(coordinator, watch, report->state, now);
        late_observe(coordinator, machine, report->state == MACHINE_RUNNING && (is_news || is_first), now);
        handle_verdict(coordinator, watch, machine, &verdict, now);
    }
    keeper_adopt(coordinator, watch, machine, now);
    pay_debt(coordinator, watch, machine, now);
}

/* A listing may be faster than the event that tells how it ended: looked at once more before it is forgotten. */
static bool is_hardly_gone(struct coordinator *coordinator, struct watch *watch, const struct machine *machine,
                           struct moment now)
{
    struct link *link = link_find(coordinator, machine->hypervisor);

    if (!machine_state_is_active(machine->state) || link->has_rebooted)
        return false;
    if (watch->absent_since_us == 0)
        watch->absent_since_us = now.mono_us;
    if (now.mono_us - watch->absent_since_us >= OLD_NEWS_US)
        return false;
    if (link->list_at_us > now.mono_us + OLD_NEWS_US)
        link->list_at_us = now.mono_us + OLD_NEWS_US;
    return true;
}

void watch_apply_absence(struct coordinator *coordinator, struct machine *machine, uint64_t as_of, struct moment now)
{
    struct machine_ref ref = machine_ref_of(machine);
    struct watch *watch = watch_find(coordinator, &ref);
    struct failure_context context;
    struct failure_verdict verdict;

    if (machine->event_sequence > as_of || !machine->is_present)
        return;
    if (watch != NULL && is_hardly_gone(coordinator, watch, machine, now))
        return;
    if (watch != NULL) {
        context = context_of(coordinator, machine, now);
        verdict = failure_handle_listing(&watch->track, MACHINE_GONE, REASON_UNKNOWN, &context);
        tell_runs(coordinator, watch, MACHINE_GONE, now);
        handle_verdict(coordinator, watch, machine, &verdict, now);
    }
    watch_forget(coordinator, machine);
}

void watch_tick(struct coordinator *coordinator, struct watch *watch, struct moment now)
{
    struct machine *machine = pool_find(coordinator->pool, watch->ref.hypervisor, watch->ref.uuid);
    struct failure_context context = context_of(coordinator, machine, now);
    struct failure_verdict verdict = failure_tick(&watch->track, &context);

    handle_verdict(coordinator, watch, machine, &verdict, now);
    if (watch->owed_until_us <= now.mono_us)
        pay_debt(coordinator, watch, machine, now);
}

int64_t watch_deadline(const struct watch *watch)
{
    int64_t deadline_us = failure_deadline(&watch->track);

    return watch->owed_until_us < deadline_us ? watch->owed_until_us : deadline_us;
}
