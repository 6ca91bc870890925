/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a listing or a description says of machines, and what it leaves out. */
#include "coordinator/reports.h"

#include <errno.h>
#include <string.h>

#include "coordinator/discovery.h"
#include "coordinator/failures.h"
#include "coordinator/machines.h"
#include "coordinator/moves.h"
#include "coordinator/quarantine.h"
#include "coordinator/sightings.h"
#include "coordinator/whereabouts.h"

/* ---- one that is seen for the first time ---- */

/* A time in the future counts as now. */
static void recall_stop(struct registry *registry, const struct watch *watch, const struct machine *machine,
                        struct moment now)
{
    int64_t past_us = now.real_us - watch_remembered(watch)->stopped_us;

    if (watch_remembered(watch)->stopped_us == 0)
        return;
    if (past_us < 0)
        past_us = 0;
    pool_set_stopped(registry->pool, machine, past_us < now.mono_us ? now.mono_us - past_us : 1);
}

/* It went down with its host, as an earlier daemon found: whether it runs elsewhere is asked at once. */
static void await_restart(struct registry *registry, struct watch *watch, struct moment now)
{
    struct machine_ref ref = watch_ref(registry, watch);

    failure_await_restart(&watch->rare->track, &registry->config->failure, now);
    failures_await_deadline(registry, watch);
    (void)whereabouts_are_open(registry, &ref, now);
}

/* A libvirtd that was started anew knows of none that is off why. */
static bool is_unexplained(const struct domain_report *report)
{
    return report->state == MACHINE_SHUT_OFF && report->reason == REASON_UNKNOWN;
}

/*
 * A machine is seen for the first time: it is in the state in which it was last known. If its failure was dealt with and the
 * report says the same, that is no new failure.
 */
static void recall(struct registry *registry, struct watch *watch, const struct machine *machine,
                   const struct domain_report *report, struct moment now)
{
    const struct machine_memory *memory = watch_remembered(watch);
    struct machine *edited = pool_edit(registry->pool, machine);
    /* One that runs was started since. */
    bool is_as_before = memory->state != MACHINE_RUNNING && memory->state != MACHINE_SUSPENDED &&
                        report->state == memory->state && report->reason == memory->reason;

    edited->state = memory->state;
    edited->reason = memory->reason;
    edited->failed_unrecovered =
        memory->failed_unrecovered && (is_as_before || (memory->state == MACHINE_SHUT_OFF && is_unexplained(report)));
    if (!is_as_before)
        return;
    if (memory->failed_unrecovered && memory->went_down_with_host)
        await_restart(registry, watch, now);
    else if (memory->failed_unrecovered || memory->failure_is_known)
        watch_set_track(watch, (struct failure_track){.reported = true});
}

/*
 * It was migrated here and has stopped, and its host was not heard meanwhile. What is on record of it follows before it is
 * judged how it stopped. False: its host is listed first, which only then counts as one where it may be.
 */
static bool recall_arrival(struct registry *registry, const struct host *host, struct watch *watch,
                           const struct machine *machine, const struct domain_report *report, struct moment now)
{
    bool is_new = machine->state == MACHINE_UNKNOWN && (host->was_listed || host->has_record);
    enum failure_cause cause = watch->deferred_cause; /* told before it was known: it failed after it had arrived */

    if (!is_new || report->state != MACHINE_SHUT_OFF || report->reason == REASON_MIGRATED ||
        !moves_have_arrived(registry, machine))
        return true;
    if (!host->is_listed) {
        machines_describe(registry, watch);
        return false;
    }
    sightings_set(registry, watch, machine, MACHINE_RUNNING, REASON_USER);
    moves_follow(registry, now);
    if (cause != CAUSE_NONE)
        failures_defer(registry, watch, cause, USEC_INFINITY);
    return true;
}

/* ---- one report ---- */

/* Something of it is not as it was written down. */
static bool is_new_description(const struct registry *registry, const struct watch *watch,
                               const struct domain_description *description)
{
    const struct machine *machine = watch_machine(registry, watch);

    return machine == NULL || !domain_description_equal(machine->description, description);
}

/*
 * It would be started otherwise than before. What runs may be other than its definition; and which role it has for which
 * service makes no other machine of it; nor does what is made of a template, or removed again.
 */
static bool is_redefinition(const struct machine *known, const struct domain_description *description)
{
    return known != NULL && known->description->template == NULL && !known->description->is_live &&
           !description->is_live && !domain_description_starts_alike(known->description, description);
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
    if (machine->description->is_unfinished) {
        watch_tell(registry, watch, QUEUE_UNFINISHED, MACHINE_FACT_DUE);
        registry_tell(registry, FACT_LEFTOVERS);
    }
    if (is_new) {
        watch_mark_changed(registry, watch);
        registry_tell(registry, FACT_USES_CHANGED);
        registry_tell(registry, FACT_SERVING_CHANGED); /* by its metadata */
    }
    if (is_redefined)
        quarantine_forgive(registry, machine, now);
    return machine;
}

/* As an earlier daemon knew it, on another host as well: one of the two it has left. */
static bool ran_elsewhere(const struct registry *registry, const struct machine *machine)
{
    for (size_t i = 0; i < registry->n_hosts && machine->event_sequence == 0; i++) {
        const char *name = registry->hosts[i].name;
        const struct machine *other =
            strcmp(name, machine->hypervisor) != 0 ? pool_find_twin(registry->pool, name, machine) : NULL;

        if (other != NULL && machine_state_is_active(other->state) && !machine_is_incoming(other))
            return true;
    }
    return false;
}

/* What a listing or a description says, NULL: that there is no such machine. -ENOMEM: it is to be listed again. */
static int judge_report(struct registry *registry, struct watch *watch, const struct machine *machine,
                        const struct domain_report *report, struct failure_verdict *ret, struct moment now)
{
    struct failure_context context = sightings_context(registry, machine, now);
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
    if (is_unexplained(report) && (machine_state_is_active(machine->state) ? machine_runs_elsewhere(registry, machine)
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
    struct machine_ref ref = machine_ref_of(machine);
    bool is_made = machine->state == MACHINE_TEMPLATE && report->state == MACHINE_SHUT_OFF;
    bool is_news = machine->state != report->state && !is_made;
    struct sighting sighting = {
        .state = report->state,
        .is_news = is_news,
        .came_up = report->state == MACHINE_RUNNING && (is_news || is_first),
    };

    /* It was asked since a recovery ended it, and runs: what is told of it from now on is no old news. */
    if (watch->rare != NULL && report->state == MACHINE_RUNNING && as_of > machine->event_sequence)
        watch->rare->track.written_off_us = 0;
    if (judge_report(registry, watch, machine, report, &verdict, now) < 0)
        return;
    sighting.reason = reason_of(registry, machine, report);
    if (is_unexplained(report) && machine_state_is_active(machine->state) && sighting.reason == REASON_UNKNOWN &&
        ran_elsewhere(registry, machine))
        (void)whereabouts_are_open(registry, &ref, now); /* seen there, it was migrated */
    pool_edit(registry->pool, machine)->event_sequence = as_of;
    sightings_take(registry, watch, machine, &sighting, now);
    if (machine_is_incoming(machine))
        failures_forget(watch); /* what was told of it before it was known is that it did not arrive */
    sightings_judge(registry, watch, machine, &verdict, now);
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

/* libvirt has not noticed yet that its QEMU has ended: what it says is older. */
static bool is_outdated(struct registry *registry, struct watch *watch, const struct domain_report *report,
                        uint64_t as_of)
{
    const struct machine *machine =
        watch != NULL && watch_is_unnoticed(registry, watch) ? watch_machine(registry, watch) : NULL;

    if (machine == NULL)
        return false;
    if (machine_state_is_active(report->state))
        return true;
    if (machine->event_sequence <= as_of) /* else it was asked before the start of what has ended */
        watch_set_unnoticed(registry, watch, false);
    return false;
}

/*
 * One that is off, and whose definition was not read: it is as it was known last, and read once more before it is started.
 * NULL: it is not known, or ran when it was seen last. A failure is judged by what the machine is, and not by what it was.
 */
static const struct machine *find_as_known(const struct registry *registry, const struct host *host,
                                           const struct domain_report *report)
{
    char uuid[UUID_TEXT_SIZE];
    const struct machine *machine;

    uuid_format(domain_report_uuid(report), uuid);
    machine = pool_find(registry->pool, host->name, uuid);
    return machine != NULL && machine->is_present && !machine_state_is_active(machine->state) ? machine : NULL;
}

/* Enough is known of what it leaves out. */
static bool is_complete(const struct registry *registry, const struct host *host, const struct inventory *inventory)
{
    for (size_t i = 0; i < inventory->n_reports; i++)
        if (inventory->reports[i].description == NULL && find_as_known(registry, host, &inventory->reports[i]) == NULL)
            return false;
    return true;
}

/* Takes its description. -ENOMEM: it is not taken in. */
static int apply_report(struct registry *registry, struct host *host, struct domain_report *report, uint64_t as_of,
                        struct moment now)
{
    const bool is_described = report->description != NULL;
    char uuid[UUID_TEXT_SIZE];
    const struct machine *machine;
    struct machine_ref ref;
    struct machine *edited;
    struct watch *watch;
    bool is_first;

    uuid_format(domain_report_uuid(report), uuid);
    if (as_of < host->gone_as_of && pool_find(registry->pool, host->name, uuid) == NULL) {
        domain_description_free(steal_pointer(&report->description));
        host_list_at(host, now.mono_us + RETRY_US);
        return 0;
    }
    watch = watch_get(registry, host->name, uuid);
    if (is_outdated(registry, watch, report, as_of)) {
        watch->is_listed = true;
        domain_description_free(steal_pointer(&report->description));
        return 0;
    }
    if (is_described)
        report->description->is_live = machine_state_is_active(report->state);
    machine = is_described ? take_description(registry, host, watch, steal_pointer(&report->description), now)
                           : pool_find(registry->pool, host->name, uuid);
    if (machine == NULL || watch == NULL) {
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
    watch->is_listed = true;
    if (is_first) {
        recall(registry, watch, machine, report, now);
        quarantine_recall(registry, watch, machine, now);
        recall_stop(registry, watch, machine, now);
        if (!recall_arrival(registry, host, watch, machine, report, now))
            return 0;
    }
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
    if (is_described && machine->description->has_learned) {
        pool_set_learned(registry->pool, machine, now.real_us, machine->description->lack);
        watch_mark_changed(registry, watch);
    }
    if (machine->event_sequence <= as_of)
        apply_reported_state(registry, watch, machine, report, as_of, is_first, now);
    if (is_first && machine->state == MACHINE_TEMPLATE)
        quarantine_share(registry, machine);
    discovery_see_agent(registry, watch, machine);
    if (watch_remembered(watch)->keeping != KEEPING_NONE)
        watch_tell(registry, watch, QUEUE_STANDBY, MACHINE_FACT_REPORTED);
    if (machine->description->mark != NULL || machine->serves != NULL || machine->keeping == KEEPING_WARM)
        watch_tell(registry, watch, QUEUE_MARKS, MACHINE_FACT_DUE);
    failures_retry(registry, watch, machine, now);
    return 0;
}

/* ---- listings ---- */

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

/* The hypervisor does not list this machine any more. */
static void apply_absence(struct registry *registry, const struct machine *machine, uint64_t as_of, struct moment now)
{
    struct watch *watch = watch_of(registry, machine);
    struct machine_ref ref = machine_ref_of(machine);
    struct failure_verdict verdict;

    if (machine->event_sequence > as_of || !machine->is_present)
        return;
    if (watch != NULL &&
        (is_still_missed(registry, watch, machine, now) || is_hardly_gone(registry, watch, machine, now)))
        return;
    if (watch != NULL) {
        if (judge_report(registry, watch, machine, NULL, &verdict, now) < 0)
            return;
        /* Gone without a word, it may have been migrated: should it be seen on another host, or be awaited there, it was. */
        if (moves_came_up_since(registry, machine) ||
            (machine_state_is_active(machine->state) &&
             (verdict.kind == FAILURE_NOTED || verdict.kind == FAILURE_PLANNED))) {
            sightings_set(registry, watch, machine, MACHINE_SHUT_OFF, REASON_MIGRATED);
            sightings_take_leave(registry, &ref, now);
        }
        if (verdict.kind == FAILURE_PENDING)
            sightings_set(registry, watch, machine, MACHINE_SHUT_OFF, REASON_UNKNOWN);
        sightings_tell(registry, watch, MACHINE_GONE);
        failures_handle_verdict(registry, watch, machine, &verdict, now);
        if (verdict.kind == FAILURE_PENDING)
            return;
    }
    host_find(registry, machine->hypervisor)->gone_as_of = as_of;
    machines_forget(registry, machine);
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

        if (state == MACHINE_UNKNOWN || strcmp(watch_hypervisor(registry, watch), host->name) != 0)
            continue;
        if (watch->is_unread || moves_are_remembered(registry, watch))
            continue;
        if (!watch->is_listed && watch_machine(registry, watch) == NULL) {
            if (machine_state_is_active(state))
                outbox_tell(&registry->outbox, NOTICE_EVENT_NOTED, now, NULL,
                            "%s/%s was %s when understudyd last ran, and is gone", host->name,
                            watch_ref(registry, watch).uuid, machine_state_name(state));
            watch_mark_changed(registry, watch);
            watch_note_migration(registry, watch); /* it may turn up elsewhere */
        }
        watch_forget_state(watch);
    }
}

int reports_handle_inventory(struct registry *registry, struct host *host, struct inventory *inventory, uint64_t as_of,
                             struct moment now)
{
    int r = 0;

    if (!is_complete(registry, host, inventory))
        return -EAGAIN;
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

void reports_handle_description(struct registry *registry, const struct action *action, struct domain_report *report,
                                struct moment now)
{
    const struct machine_ref *ref = &action->target;
    struct host *host = host_find(registry, ref->hypervisor);
    const struct machine *machine = pool_find(registry->pool, ref->hypervisor, ref->uuid);

    machines_end_describing(registry, ref);
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
        machines_forget_unknown(registry, ref);
    }
    registry_tell(registry, FACT_POOL_CHANGED);
}
