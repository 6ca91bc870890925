/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What hypervisors tell of machines: their state in the pool, and verdicts. */
#include "coordinator/machines.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/drills.h"
#include "coordinator/failures.h"
#include "coordinator/moves.h"
#include "coordinator/quarantine.h"
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
    ref = watch_ref(watch);
    *ret =
        registry_new_action(registry, PART_MACHINES, ACTION_DESCRIBE, &ref, registry->config->recovery.call_timeout_us);
    return true;
}

static void end_describing(struct registry *registry, const struct machine_ref *ref)
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

    end_describing(registry, &action->target);
    /* After a lost connection everything is listed anyway. */
    if (host != NULL && host->track.is_connected && result->error != -ENOTCONN)
        host_list_at(host, now.mono_us + LIST_RETRY_US);
}

/* Removes the machine unless something still needs it; the watch ends when that is written down. */
static void forget(struct registry *registry, const struct machine *machine)
{
    struct watch *watch = watch_of(registry, machine);
    bool has_left = machine->reason == REASON_MIGRATED;

    pool_remove(registry->pool, machine);
    if (watch == NULL || watch_is_taken(watch) || (watch->facts[QUEUE_RECOVERIES] & MACHINE_FACT_FAILED) != 0)
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
        forget(registry, machine);
    pool_let_go(registry->pool, machine);
}

/* There is no such machine: its watch ends, unless a failure of it is still to be dealt with. */
static void forget_unknown(struct registry *registry, const struct machine_ref *ref)
{
    struct watch *watch = watch_find(registry, ref);

    if (watch != NULL && !watch_is_taken(watch) && watch->deferred_cause == CAUSE_NONE && !watch->is_describing &&
        watch->facts[QUEUE_DESCRIBE] == 0 && watch_remembered(watch)->state == MACHINE_UNKNOWN)
        watch_discard(registry, watch);
}

void machines_forget_of(struct registry *registry, const char *hypervisor)
{
    const struct machine *machine, *next;

    for (machine = pool_next(registry->pool, NULL); machine != NULL; machine = next) {
        next = pool_next(registry->pool, machine);
        if (strcmp(machine->hypervisor, hypervisor) == 0)
            forget(registry, machine);
    }
}

void machines_forget_unconfigured(struct registry *registry)
{
    const struct machine *machine, *next;

    for (machine = pool_next(registry->pool, NULL); machine != NULL; machine = next) {
        next = pool_next(registry->pool, machine);
        if (host_find(registry, machine->hypervisor) == NULL)
            forget(registry, machine);
    }
}

/* ---- its state ---- */

/* What comes in by a migration is not there yet: if it does not arrive, nothing has stopped. */
static enum machine_state known_state(const struct machine *machine)
{
    return machine_is_incoming(machine) ? MACHINE_SHUT_OFF : machine->state;
}

static struct failure_context context_of(const struct registry *registry, const struct machine *machine,
                                         struct moment now)
{
    const struct host *host = machine != NULL ? host_find(registry, machine->hypervisor) : NULL;

    return (struct failure_context){
        .config = &registry->config->failure,
        .on_crash = machine != NULL ? machine->description->on_crash : ON_CRASH_DESTROY,
        .known = machine != NULL ? known_state(machine) : MACHINE_UNKNOWN,
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

static void set_state(struct registry *registry, struct watch *watch, const struct machine *machine,
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
    if (reason == REASON_MIGRATED)
        watch_note_migration(registry, watch);
    /* The recovery or the course that has started it knows more than news of an earlier life. */
    edited->has_come_up &= watch_rare(watch)->serves != NULL || watch_rare(watch)->warms != NULL;
}

/*
 * It is known as running on a host that cannot be looked at, and runs elsewhere: it was migrated away from there. Else it would
 * be lost with that host.
 */
static void leave_unseen(struct registry *registry, const struct machine *machine)
{
    struct watch *watch = watch_of(registry, machine);

    if (watch != NULL && machine_state_is_active(machine->state) && machine_runs_elsewhere(registry, machine))
        set_state(registry, watch, machine, MACHINE_SHUT_OFF, REASON_MIGRATED);
}

/* Its host was heard of it. */
static void forget_arrival(struct watch *watch)
{
    if (watch->rare == NULL)
        return;
    watch->rare->came_up_elsewhere = false;
    watch_tidy(watch);
}

/* What another host has of it, and takes for running, is there no longer, unless that host tells so yet. */
static void arrive(struct registry *registry, const struct machine *machine)
{
    for (size_t i = 0; i < registry->n_hosts; i++) {
        const struct machine *other = NULL;
        struct watch_rare *rare;

        if (registry->hosts[i].was_listed && strcmp(registry->hosts[i].name, machine->hypervisor) != 0)
            other = pool_find(registry->pool, registry->hosts[i].name, machine->uuid);
        if (other == NULL || !machine_state_is_active(other->state) || machine_is_incoming(other))
            continue;
        rare = watch_get_rare(watch_of(registry, other));
        if (rare != NULL) /* else it is known as long as it runs there */
            rare->came_up_elsewhere = true;
        if (!registry->hosts[i].is_listed)
            leave_unseen(registry, other);
    }
}

void machines_see_no_more(struct registry *registry, const char *hypervisor)
{
    const struct machine *machine, *next;

    for (machine = pool_next(registry->pool, NULL); machine != NULL; machine = next) {
        next = pool_next(registry->pool, machine);
        if (strcmp(machine->hypervisor, hypervisor) == 0)
            leave_unseen(registry, machine);
    }
}

/* A replacement serves its service. */
static bool is_original(const struct registry *registry, const struct watch *watch)
{
    const struct machine *machine = watch_machine(registry, watch);

    return machine != NULL && machine->diverted != NULL;
}

/* Recoveries and courses that have the machine are told of its state. */
static void tell_state(struct registry *registry, struct watch *watch, enum machine_state state)
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
        watch_forget_stop(watch);
        quarantine_see_start(watch, now);
    }
    watch_tell(registry, watch, QUEUE_LATE_STARTS, came_up ? MACHINE_FACT_CAME_UP : MACHINE_FACT_DUE);
}

static void handle_verdict(struct registry *registry, struct watch *watch, const struct machine *machine,
                           const struct failure_verdict *verdict, struct moment now)
{
    if (verdict->kind == FAILURE_PLANNED)
        quarantine_see_planned_stop(registry, machine, now);
    failures_handle_verdict(registry, watch, machine, verdict, now);
}

void machines_lose(struct registry *registry, const struct machine *machine, bool has_failed, struct moment now)
{
    static const char why[] = "its host was lost";
    struct watch *watch = watch_get(registry, machine->hypervisor, machine->uuid);

    pool_edit(registry->pool, machine)->has_come_up = false;
    if (watch == NULL || !machine_state_is_active(machine->state))
        return;
    set_state(registry, watch, machine, MACHINE_SHUT_OFF,
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
    enum machine_state state;
    enum machine_reason reason;
    bool came_up;

    if (machine == NULL || !domain_event_state(event->kind, &state, &reason))
        return;
    pool_edit(registry->pool, machine)->event_sequence = registry->events;
    /* The pause that libvirt tells beside a panic is no news. */
    if (machine->state == MACHINE_CRASHED && event->kind == EVENT_SUSPENDED_PAUSED)
        return;
    came_up = state == MACHINE_RUNNING && machine->state != MACHINE_RUNNING;
    forget_arrival(watch);
    set_state(registry, watch, machine, state, reason);
    if (came_up)
        arrive(registry, machine);
    tell_state(registry, watch, state);
    tell_seen(registry, watch, came_up, event->at);
}

/* -ENOMEM: it is not taken in. */
static int judge_event(struct registry *registry, struct watch *watch, const struct domain_event *event,
                       struct failure_verdict *ret)
{
    struct failure_context context = context_of(registry, watch_machine(registry, watch), event->at);
    struct failure_track track = watch_rare(watch)->track;

    if (event->kind == EVENT_CRASHED_PANICKED && watch_get_panics(watch) == NULL)
        return -ENOMEM;
    context.panics = watch_rare(watch)->panics;
    *ret = failure_handle_event(&track, event->kind, &context);
    return watch_keep_track(watch, &track);
}

void machines_handle_event(struct registry *registry, struct host *host, const struct domain_event *event)
{
    struct failure_verdict verdict;
    const struct machine *machine;
    struct watch *watch;

    registry->events++;
    watch = watch_get(registry, host->name, event->uuid);
    if (watch == NULL || judge_event(registry, watch, event, &verdict) < 0) {
        outbox_tell(&registry->outbox, NOTICE_OUT_OF_MEMORY, event->at, NULL,
                    "no memory to take an event of %s; it is listed again", host->name);
        host->wants_list = true;
        return;
    }
    watch->has_run = true; /* whatever happens to it, it happens now */
    machine = watch_machine(registry, watch);
    apply_event_state(registry, watch, machine, event);
    handle_verdict(registry, watch, machine, &verdict, event->at);
    /* One that runs is defined by its migration, too. */
    if (machine != NULL && event->kind == EVENT_DEFINED && !machine_state_is_active(machine->state))
        quarantine_forgive(registry, machine, event->at);
    if (machine == NULL || domain_event_changes_description(event->kind))
        machines_describe(registry, watch);
}

/* ---- reports ---- */

/* A time in the future counts as now. */
static void recall_stop(struct registry *registry, const struct watch *watch, const struct machine *machine,
                        struct moment now)
{
    int64_t past_us = now.real_us - watch_remembered(watch)->stopped_us;

    if (watch_remembered(watch)->stopped_us == 0)
        return;
    if (past_us < 0)
        past_us = 0;
    pool_edit(registry->pool, machine)->stopped_us = past_us < now.mono_us ? now.mono_us - past_us : 1;
}

/* It went down with its host, as an earlier daemon found: whether it runs elsewhere is asked at once. */
static void await_restart(struct registry *registry, struct watch *watch, struct moment now)
{
    struct machine_ref ref = watch_ref(watch);

    failure_await_restart(&watch->rare->track, &registry->config->failure, now);
    failures_await_deadline(registry, watch);
    (void)whereabouts_are_open(registry, &ref, now);
}

/*
 * A machine is seen for the first time: it is in the state in which it was last known. If a recovery left it there
 * without success and the report says the same, that is no new failure.
 */
static void recall(struct registry *registry, struct watch *watch, const struct machine *machine,
                   const struct domain_report *report, struct moment now)
{
    const struct machine_memory *memory = watch_remembered(watch);
    struct machine *edited = pool_edit(registry->pool, machine);

    edited->state = memory->state;
    edited->reason = memory->reason;
    /* One that runs was started since. */
    if (!memory->failed_unrecovered || memory->state == MACHINE_RUNNING || memory->state == MACHINE_SUSPENDED ||
        report->state != memory->state || report->reason != memory->reason)
        return;
    edited->failed_unrecovered = true;
    if (memory->went_down_with_host)
        await_restart(registry, watch, now);
    else
        watch->rare->track.reported = true;
}

/* A machine that is off cannot be asked: what it told in an earlier life of the daemon holds. */
static void recall_learned(struct registry *registry, struct watch *watch, const struct machine *machine,
                           struct moment now)
{
    if (watch_rare(watch)->memory != NULL && !machine->description->has_learned &&
        pool_remember_learned(registry->pool, machine, &watch_rare(watch)->memory->learned) < 0)
        outbox_tell(&registry->outbox, NOTICE_OUT_OF_MEMORY, now, machine, "no memory for what is known of %s",
                    machine->name);
    watch_forget_learned(watch);
}

/* Something of it is not as it was written down. */
static bool is_new_description(const struct registry *registry, const struct watch *watch,
                               const struct domain_description *description)
{
    const struct machine *machine = watch_machine(registry, watch);

    return machine == NULL || !domain_description_equal(machine->description, description);
}

/*
 * It would be started otherwise than before. What runs may be other than its definition; and which role it has for which
 * service makes no other machine of it.
 */
static bool is_redefinition(const struct machine *known, const struct domain_description *description)
{
    return known != NULL && !known->description->is_live && !description->is_live &&
           !domain_description_starts_alike(known->description, description);
}

/* Takes the description of a report. NULL: there is no memory for it, and everything is as it was. */
static const struct machine *take_description(struct registry *registry, const struct host *host, struct watch *watch,
                                              struct domain_description *description, struct moment now)
{
    const struct machine *machine = NULL, *known;
    bool is_new, is_redefined;

    if (watch == NULL) {
        domain_description_free(description);
        return NULL;
    }
    known = watch_machine(registry, watch);
    if (known != NULL && domain_description_inherit_chains(description, known->description) < 0) {
        domain_description_free(description);
        return NULL;
    }
    is_new = is_new_description(registry, watch, description);
    is_redefined = is_new && is_redefinition(known, description);
    watch->is_redefined |= is_new;
    if (registry_apply(registry, host->name, description, &machine) < 0)
        return NULL;
    if (is_new) {
        watch_mark_changed(registry, watch);
        registry_tell(registry, FACT_USES_CHANGED);
        registry_tell(registry, FACT_SERVING_CHANGED); /* by its metadata */
    }
    if (is_redefined)
        quarantine_forgive(registry, machine, now);
    return machine;
}

/* What a listing or a description says, NULL: that there is no such machine. -ENOMEM: it is to be listed again. */
static int judge_report(struct registry *registry, struct watch *watch, const struct machine *machine,
                        const struct domain_report *report, struct failure_verdict *ret, struct moment now)
{
    struct failure_context context = context_of(registry, machine, now);
    struct failure_track track = watch_rare(watch)->track;
    struct host *host = host_find(registry, machine->hypervisor);
    struct machine_ref ref = machine_ref_of(machine);
    bool is_missed = machine_state_is_active(machine->state) && (report == NULL || report->state == MACHINE_SHUT_OFF);

    context.runs_elsewhere = is_missed && machine_runs_elsewhere(registry, machine);
    context.may_run_elsewhere =
        is_missed && !context.runs_elsewhere && (context.host_was_lost || context.host_has_rebooted) &&
        (report == NULL || report->reason == REASON_UNKNOWN) && whereabouts_are_open(registry, &ref, now);
    *ret = failure_handle_listing(&track, report != NULL ? report->state : MACHINE_GONE,
                                  report != NULL ? report->reason : REASON_UNKNOWN, &context);
    if (watch_keep_track(watch, &track) == 0)
        return 0;
    if (host != NULL)
        host_list_at(host, now.mono_us + RETRY_US);
    return -ENOMEM;
}

/* libvirt gives the same reason for what a migration brings here and for what one is about to take away: that one ran. */
static bool is_incoming(const struct machine *machine, const struct domain_report *report)
{
    return report->state == MACHINE_PAUSED && report->reason == REASON_BUSY &&
           (machine_is_incoming(machine) || !machine_state_is_active(machine->state));
}

/* A libvirtd that was started anew does not know any more that it had migrated the machine. */
static enum machine_reason reason_of(const struct registry *registry, const struct machine *machine,
                                     const struct domain_report *report)
{
    bool is_unexplained = report->state == MACHINE_SHUT_OFF && report->reason == REASON_UNKNOWN;

    if (is_unexplained && (machine_state_is_active(machine->state) ? machine_runs_elsewhere(registry, machine)
                                                                   : machine->reason == REASON_MIGRATED))
        return REASON_MIGRATED;
    if (is_incoming(machine, report))
        return REASON_INCOMING;
    return report->reason;
}

/* What a report says of the state, unless something newer is known. */
static void apply_reported_state(struct registry *registry, struct watch *watch, const struct machine *machine,
                                 const struct domain_report *report, uint64_t as_of, bool is_first, struct moment now)
{
    struct failure_verdict verdict;
    bool is_news = machine->state != report->state;

    if (judge_report(registry, watch, machine, report, &verdict, now) < 0)
        return;
    pool_edit(registry->pool, machine)->event_sequence = as_of;
    set_state(registry, watch, machine, report->state, reason_of(registry, machine, report));
    forget_arrival(watch);
    if (report->state == MACHINE_RUNNING && (is_news || is_first))
        arrive(registry, machine);
    if (machine_is_incoming(machine))
        failures_forget(watch); /* what was told of it before it was known is that it did not arrive */
    if (is_news)
        tell_state(registry, watch, report->state);
    tell_seen(registry, watch, report->state == MACHINE_RUNNING && (is_news || is_first), now);
    handle_verdict(registry, watch, machine, &verdict, now);
}

/* An image that was not there before: the daemon that lives is making it, or an earlier one has made it. */
static bool is_own_image(const struct watch *watch)
{
    const struct machine_memory *remembered = watch_remembered(watch);

    return watch_rare(watch)->warms != NULL || remembered->keeping != KEEPING_NONE || remembered->has_own_image;
}

static void forget_absence(struct watch *watch)
{
    if (watch->rare == NULL)
        return;
    watch->rare->absent_since_us = 0;
    watch_tidy(watch);
}

/* Takes its description. -ENOMEM: it is not taken in. */
static int apply_report(struct registry *registry, struct host *host, struct domain_report *report, uint64_t as_of,
                        struct moment now)
{
    struct watch *watch = watch_get(registry, host->name, report->description->uuid);
    const struct machine *machine;
    struct machine_ref ref;
    struct machine *edited;
    bool is_first;

    report->description->is_live = machine_state_is_active(report->state);
    machine = take_description(registry, host, watch, steal_pointer(&report->description), now);
    if (machine == NULL) {
        outbox_tell(&registry->outbox, NOTICE_OUT_OF_MEMORY, now, NULL,
                    "no memory to take a machine of %s; it is listed again", host->name);
        host_list_at(host, now.mono_us + RETRY_US);
        return -ENOMEM;
    }
    watch->is_forgotten = false;
    ref = machine_ref_of(machine);
    pool_edit(registry->pool, machine)->is_reserved = records_concern(&registry->records, &ref);
    is_first = machine->event_sequence == 0 &&
               (machine->state == MACHINE_UNKNOWN || watch_remembered(watch)->state != MACHINE_UNKNOWN);
    if (is_first) {
        recall(registry, watch, machine, report, now);
        recall_learned(registry, watch, machine, now);
        quarantine_recall(registry, watch, machine, now);
        recall_stop(registry, watch, machine, now);
    }
    watch->is_listed = true;
    forget_absence(watch);
    edited = pool_edit(registry->pool, machine);
    watch->is_redefined |= edited->has_managed_save != report->has_managed_save;
    if (!report->has_managed_save)
        edited->has_foreign_image = false;
    else if (!edited->has_managed_save)
        edited->has_foreign_image = !is_own_image(watch);
    edited->persistent = report->persistent;
    edited->has_managed_save = report->has_managed_save;
    edited->agent_connected = report->agent_connected;
    /* The machine is known now: the next listing does not recall it again, even if the rest of this one is lost. */
    watch_forget_state(watch);
    if (machine->description->has_learned)
        watch_mark_changed(registry, watch);
    /* A listing asks no agent: what it could tell is asked for once. */
    if (report->agent_connected && !watch->has_asked_agent && !machine->description->has_learned)
        machines_describe(registry, watch);
    watch->has_asked_agent = report->agent_connected;

    if (machine->event_sequence <= as_of)
        apply_reported_state(registry, watch, machine, report, as_of, is_first, now);
    if (watch_remembered(watch)->keeping != KEEPING_NONE)
        watch_tell(registry, watch, QUEUE_STANDBY, MACHINE_FACT_REPORTED);
    if (machine->description->mark != NULL || machine->serves != NULL || machine->keeping == KEEPING_WARM)
        watch_tell(registry, watch, QUEUE_MARKS, MACHINE_FACT_DUE);
    failures_retry(registry, watch, machine, now);
    return 0;
}

/* The hypervisor lists this machine, and nothing can be read of it. */
static void apply_unread(struct registry *registry, const struct host *host, const char *uuid)
{
    struct machine_ref ref = {0};
    struct watch *watch;

    memcpy(ref.hypervisor, host->name, sizeof(ref.hypervisor));
    strncpy(ref.uuid, uuid, sizeof(ref.uuid) - 1);
    watch = watch_find(registry, &ref);
    if (watch == NULL)
        return;
    watch->is_listed = true;
    watch->is_unread = true;
    forget_absence(watch);
}

/* A listing may be faster than the event that tells how it ended: looked at once more before it is forgotten. */
static bool is_hardly_gone(const struct registry *registry, struct watch *watch, const struct machine *machine,
                           struct moment now)
{
    struct host *host = host_find(registry, machine->hypervisor);
    struct watch_rare *rare;

    if (!machine_state_is_active(machine->state) || host->has_rebooted)
        return false;
    rare = watch_get_rare(watch);
    if (rare != NULL && rare->absent_since_us == 0)
        rare->absent_since_us = now.mono_us;
    if (rare != NULL && now.mono_us - rare->absent_since_us >= OLD_NEWS_US)
        return false;
    host_list_at(host, now.mono_us + OLD_NEWS_US);
    return true;
}

/* Its host was booted anew without it, and whether it runs elsewhere is not known yet, perhaps since an earlier daemon. */
static bool is_still_missed(struct registry *registry, struct watch *watch, const struct machine *machine,
                            struct moment now)
{
    const struct machine_memory *memory = watch_remembered(watch);

    if (memory->went_down_with_host && memory->failed_unrecovered && machine->state == MACHINE_SHUT_OFF &&
        machine->event_sequence == 0 && watch_get_rare(watch) != NULL) {
        await_restart(registry, watch, now);
        watch_forget_state(watch);
    }
    return watch_rare(watch)->track.pending == CAUSE_HOST_LOST;
}

/* The same machine is up on another host, by later news than those of its state here. */
static bool has_come_up_elsewhere(const struct registry *registry, const struct machine *machine)
{
    struct machine_ref ref = machine_ref_of(machine);
    const struct machine *other = moves_find_up(registry, &ref);

    return other != NULL && other->event_sequence > machine->event_sequence;
}

/* The hypervisor does not list this machine any more. */
static void apply_absence(struct registry *registry, const struct machine *machine, uint64_t as_of, struct moment now)
{
    struct watch *watch = watch_of(registry, machine);
    struct failure_verdict verdict;

    if (machine->event_sequence > as_of || !machine->is_present)
        return;
    if (watch != NULL &&
        (is_still_missed(registry, watch, machine, now) || is_hardly_gone(registry, watch, machine, now)))
        return;
    if (watch != NULL) {
        if (judge_report(registry, watch, machine, NULL, &verdict, now) < 0)
            return;
        /* Gone without a word, it may have been migrated: should it be seen on another host, it was. */
        if (has_come_up_elsewhere(registry, machine) ||
            (machine_state_is_active(machine->state) &&
             (verdict.kind == FAILURE_NOTED || verdict.kind == FAILURE_PLANNED)))
            set_state(registry, watch, machine, MACHINE_SHUT_OFF, REASON_MIGRATED);
        if (verdict.kind == FAILURE_PENDING)
            set_state(registry, watch, machine, MACHINE_SHUT_OFF, REASON_UNKNOWN);
        tell_state(registry, watch, MACHINE_GONE);
        failures_handle_verdict(registry, watch, machine, &verdict, now);
        if (verdict.kind == FAILURE_PENDING)
            return;
    }
    forget(registry, machine);
}

/* What was there before and is not in the listing. */
static void apply_absences(struct registry *registry, const struct host *host, uint64_t as_of, struct moment now)
{
    const struct machine *machine, *next;

    for (machine = pool_next(registry->pool, NULL); machine != NULL; machine = next) {
        const struct watch *watch = watch_of(registry, machine);

        next = pool_next(registry->pool, machine);
        if (strcmp(machine->hypervisor, host->name) == 0 && (watch == NULL || !watch->is_listed))
            apply_absence(registry, machine, as_of, now);
    }
}

/* Machines remembered from before the start that are not there any more. */
static void forget_vanished(struct registry *registry, const struct host *host, struct moment now)
{
    for (struct watch *watch = NULL; (watch = watch_next(registry, watch)) != NULL;) {
        enum machine_state state = watch_remembered(watch)->state;

        if (state == MACHINE_UNKNOWN || strcmp(watch->hypervisor, host->name) != 0)
            continue;
        if (watch->is_unread || moves_are_remembered(registry, watch))
            continue;
        if (!watch->is_listed && watch_machine(registry, watch) == NULL) {
            if (machine_state_is_active(state))
                outbox_tell(&registry->outbox, NOTICE_EVENT_NOTED, now, NULL,
                            "%s/%s was %s when understudyd last ran, and is gone", host->name, watch_ref(watch).uuid,
                            machine_state_name(state));
            watch_mark_changed(registry, watch);
        }
        watch_forget_state(watch);
    }
}

int machines_handle_inventory(struct registry *registry, struct host *host, struct inventory *inventory, uint64_t as_of,
                              struct moment now)
{
    int r = 0;

    for (struct watch *watch = NULL; (watch = watch_next(registry, watch)) != NULL;)
        watch->is_listed = watch->is_unread = false;
    for (size_t i = 0; i < inventory->n_unread; i++)
        apply_unread(registry, host, inventory->unread[i]);
    for (size_t i = 0; i < inventory->n_reports; i++)
        if (apply_report(registry, host, &inventory->reports[i], as_of, now) < 0)
            r = -ENOMEM;
    if (r < 0)
        return r;
    apply_absences(registry, host, as_of, now);
    forget_vanished(registry, host, now);
    return 0;
}

/* The machine stopped while the connection was away: the listing that follows judges that, since it knows whether the
 * host has rebooted. */
static bool is_for_the_listing(const struct host *host, const struct machine *machine,
                               const struct domain_report *report)
{
    return !host->is_listed && machine != NULL && machine_state_is_active(machine->state) &&
           (report == NULL || report->state == MACHINE_SHUT_OFF);
}

void machines_handle_description(struct registry *registry, const struct action *action, struct domain_report *report,
                                 struct moment now)
{
    const struct machine_ref *ref = &action->target;
    struct host *host = host_find(registry, ref->hypervisor);
    const struct machine *machine = pool_find(registry->pool, ref->hypervisor, ref->uuid);

    end_describing(registry, ref);
    if (host == NULL || !host->track.is_connected || host->same_as[0] != '\0' ||
        is_for_the_listing(host, machine, report)) {
        if (report != NULL)
            domain_description_free(steal_pointer(&report->description));
        return;
    }
    if (report != NULL) {
        (void)apply_report(registry, host, report, action->as_of, now); /* listed anew without memory */
        machine = pool_find(registry->pool, ref->hypervisor, ref->uuid);
        if (machine != NULL)
            pool_edit(registry->pool, machine)->is_reachable = host->is_listed;
    } else if (machine != NULL) {
        apply_absence(registry, machine, action->as_of, now);
    } else {
        forget_unknown(registry, ref);
    }
    registry_tell(registry, FACT_POOL_CHANGED);
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
    struct failure_context context = context_of(registry, machine, now);
    struct failure_track track = watch_rare(watch)->track;
    struct machine_ref ref = watch_ref(watch);
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
        set_state(registry, watch, machine, MACHINE_SHUT_OFF, REASON_CRASHED);
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
