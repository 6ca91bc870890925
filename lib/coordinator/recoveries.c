/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* All recoveries under way. */
#include "coordinator/recoveries.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "coordinator/failures.h"
#include "coordinator/machines.h"
#include "coordinator/moves.h"
#include "coordinator/open_recovery.h"
#include "coordinator/opening.h"
#include "coordinator/relocation.h"
#include "coordinator/resume.h"
#include "coordinator/services.h"

/* What the event says of the recovery at the moment. */
static void handle(struct recoveries *recoveries, struct open_recovery *open, enum recovery_event_kind kind,
                   struct moment now)
{
    open_recovery_handle(recoveries, open, &(struct recovery_event){.kind = kind, .now = now});
}

/* ---- decisions that are old by now ---- */

/* The candidate is not started, nor another one stopped for it, and is not said to stay up, before its definition was
 * read. */
static bool waits_for_reading(const struct open_recovery *open)
{
    enum recovery_state state = open->recovery->state;

    return open->reading.is_pending && (state == RECOVERY_STARTING || state == RECOVERY_RELIEVING ||
                                        state == RECOVERY_SETTLING || state == RECOVERY_VERIFYING);
}

/* No machine is stopped for one that cannot be seen. */
static bool is_successor_away(const struct recoveries *recoveries, const struct open_recovery *open)
{
    const struct host *host =
        open->candidate != NULL ? host_find(recoveries->registry, open->candidate->hypervisor) : NULL;

    return (open->recovery->state == RECOVERY_RELIEVING || open->recovery->state == RECOVERY_ENDING) && host != NULL &&
           !host->is_listed;
}

static bool is_held(const struct open_recovery *open)
{
    return open->failed->hold != NULL || (open->candidate != NULL && open->candidate->hold != NULL);
}

/*
 * Nothing is begun or ended while the brake is on or what it concerns is held, nor begun where the view of the hypervisor
 * is old, or libvirt has not noticed yet that what it would use is free. A candidate that failed is stopped in spite of
 * the brake, and one that has opened what is in use in spite of a hold.
 */
static bool is_withheld(const struct recoveries *recoveries, const struct open_recovery *open)
{
    const struct host *host = host_find(recoveries->registry, open->action.target.hypervisor);

    if (waits_for_reading(open) || is_successor_away(recoveries, open))
        return true;
    if (open->recovery->state == RECOVERY_STOPPING)
        return is_held(open) && !open->recovery->is_unfit;
    if (open->recovery->state == RECOVERY_DESTROYING || open->recovery->state == RECOVERY_ENDING)
        return recoveries->brake->is_on || is_held(open);
    if (open->action.kind != ACTION_RECORD && open->action.kind != ACTION_HOOK && open->action.kind != ACTION_START &&
        open->action.kind != ACTION_SHUTDOWN)
        return false;
    if (open->action.kind == ACTION_START && open->candidate != NULL &&
        machine_awaits_end(recoveries->registry, open->candidate))
        return true;
    return recoveries->brake->is_on || is_held(open) || (host != NULL && !host->is_listed);
}

static bool is_disconnected(const struct registry *registry, const char *hypervisor)
{
    const struct host *host = host_find(registry, hypervisor);

    return host != NULL && !host->track.is_connected;
}

static bool is_any_disconnected(const struct registry *registry)
{
    for (size_t i = 0; i < registry->n_hosts; i++)
        if (!registry->hosts[i].track.is_connected)
            return true;
    return false;
}

/* Of those that ask for something now; what they ask for next comes behind it. */
static struct open_recovery *last_asking(const struct recoveries *recoveries)
{
    return recoveries->asking != NULL ? recoveries->asking->prev_asking : NULL;
}

/* Of all recoveries, or of those that would act on one hypervisor. */
static void reconsider(struct recoveries *recoveries, const char *hypervisor, struct moment now)
{
    struct open_recovery *open, *next, *last = last_asking(recoveries);

    for (open = recoveries->asking; open != NULL; open = open != last ? next : NULL) {
        next = open->next_asking;
        if (hypervisor == NULL || strcmp(open->action.target.hypervisor, hypervisor) == 0)
            handle(recoveries, open, RECOVERY_RECONSIDER, now);
    }
}

/* What was decided for a hypervisor that is gone meanwhile, and not begun, is decided anew. True: there was some. */
static bool reconsider_unreachable(struct recoveries *recoveries, struct moment now)
{
    struct open_recovery *open, *next, *last = last_asking(recoveries);
    bool has_any = false;

    if (!is_any_disconnected(recoveries->registry))
        return false;
    for (open = recoveries->asking; open != NULL; open = open != last ? next : NULL) {
        next = open->next_asking;
        if (!recovery_can_be_reconsidered(open->recovery) ||
            !is_disconnected(recoveries->registry, open->action.target.hypervisor))
            continue;
        handle(recoveries, open, RECOVERY_RECONSIDER, now);
        has_any = true;
    }
    return has_any;
}

/* What the candidate needs is in use by now: 1 and by which machine. 0: it is not. -ENOMEM. */
static int find_conflict(const struct recoveries *recoveries, const struct open_recovery *open, struct moment now,
                         struct candidate *ret)
{
    struct choice_request request;
    int r = pool_settle(recoveries->registry->pool, now.mono_us);

    if (r < 0)
        return r;
    request = open_recovery_request(recoveries, open, now);
    *ret = (struct candidate){.machine = open->candidate};
    return choose_find_conflict(&request, ret);
}

/* Its host began to be evacuated after it was chosen. */
static bool is_closed(const struct open_recovery *open)
{
    return open->candidate->is_closed && open->candidate != open->failed;
}

/* What the decision rested on is otherwise by now, or there is no memory to tell. */
static bool is_outdated(const struct recoveries *recoveries, const struct open_recovery *open, struct moment now)
{
    const struct watch *watch = watch_of(recoveries->registry, open->candidate);
    struct candidate candidate;

    return (watch != NULL && watch->is_redefined) || is_closed(open) ||
           find_conflict(recoveries, open, now, &candidate) != 0;
}

static void drop_unfit(struct recoveries *recoveries, struct open_recovery *open, struct moment now, const char *format,
                       ...) _printf_(4, 5);

static void drop_unfit(struct recoveries *recoveries, struct open_recovery *open, struct moment now, const char *format,
                       ...)
{
    struct recovery_event event = {.kind = RECOVERY_CANDIDATE_UNFIT, .now = now};
    _cleanup_(freep) char *detail = NULL;
    va_list arguments;

    va_start(arguments, format);
    detail = text_vprint(format, arguments);
    va_end(arguments);
    event.detail = detail != NULL ? detail : "its definition forbids it";
    open_recovery_handle(recoveries, open, &event);
}

/* Meanwhile an operator may have started another machine, or redefined this one. True: it is not started. */
static bool look_before_start(struct recoveries *recoveries, struct open_recovery *open, struct moment now)
{
    open->is_unchecked = false;
    if (open->reading.has_failed)
        drop_unfit(recoveries, open, now, "its definition cannot be read: %s", open->reading.why);
    else if (is_outdated(recoveries, open, now))
        handle(recoveries, open, RECOVERY_RECONSIDER, now);
    else
        return false;
    return true;
}

/* What is asked for commits to the candidate. */
static bool is_commitment(const struct open_recovery *open)
{
    return open->action.kind == ACTION_START ||
           (open->action.kind == ACTION_SHUTDOWN && open->recovery->relief == RELIEF_FIRST);
}

/* Starts that are to be handed out now, and must not be. True: there was some. */
static bool reconsider_conflicting(struct recoveries *recoveries, struct moment now)
{
    struct open_recovery *open, *next, *last = last_asking(recoveries);
    bool has_changed = registry_take(recoveries->registry, FACT_USES_CHANGED), has_any = false;

    recoveries->has_unchecked |= has_changed;
    if (recoveries->n_commitments == 0 || !recoveries->has_unchecked)
        return false;
    recoveries->has_unchecked = false;
    for (open = recoveries->asking; open != NULL; open = open != last ? next : NULL) {
        next = open->next_asking;
        open->is_unchecked |= has_changed;
        if (!open->is_unchecked || !is_commitment(open))
            continue;
        if (is_withheld(recoveries, open))
            recoveries->has_unchecked = true;
        else
            has_any |= look_before_start(recoveries, open, now);
    }
    return has_any;
}

/* ---- holds ---- */

/* Those of which something is held, or was: what they asked for and did not get is decided anew. */
static void reconsider_held(struct recoveries *recoveries, struct moment now)
{
    struct open_recovery *open, *next, *last = last_asking(recoveries);

    for (open = recoveries->asking; open != NULL; open = open != last ? next : NULL) {
        next = open->next_asking;
        if (is_held(open) || open->recovery->is_held)
            handle(recoveries, open, RECOVERY_RECONSIDER, now);
    }
}

/* A service that is down when a hold comes over its machine is not tried again by itself. */
static void leave_to_operator(struct registry *registry)
{
    for (size_t i = 0; i < registry->records.count; i++) {
        struct recovery *recovery = registry->records.all[i];

        if (recovery->state != RECOVERY_EXHAUSTED || recovery->is_held || !machine_is_held(registry, &recovery->failed))
            continue;
        recovery->is_held = true;
        recovery->is_changed = true;
    }
}

static void handle_holds(struct recoveries *recoveries, struct moment now)
{
    for (size_t i = 0; i < recoveries->n_open; i++) {
        open_recovery_heed_hold(recoveries, recoveries->open[i], now);
        /* Which candidates there are is different. */
        recoveries->open[i]->wants_candidate |= recoveries->open[i]->is_postponed;
    }
    reconsider_held(recoveries, now);
    leave_to_operator(recoveries->registry);
}

/* ---- facts about hosts ---- */

/* Recoveries that wait for something on it go on: with another candidate, or without an answer. */
static void handle_loss(struct recoveries *recoveries, const struct host *host, bool is_off, struct moment now)
{
    for (size_t i = 0; i < recoveries->n_open; i++) {
        struct open_recovery *open = recoveries->open[i];

        if (open->is_postponed)
            open->wants_candidate = true;
        if (open->candidate != NULL && strcmp(host->name, open->candidate->hypervisor) == 0)
            handle(recoveries, open, is_off ? RECOVERY_CANDIDATE_FENCED : RECOVERY_CANDIDATE_LOST, now);
        if (is_off && strcmp(host->name, open->failed->hypervisor) == 0)
            handle(recoveries, open, RECOVERY_ORIGINAL_FENCED, now);
    }
}

/* Which candidates there are has changed: recoveries that waited for that choose again. */
static void handle_listed(struct recoveries *recoveries, struct host *host, struct moment now)
{
    host_tell(host, HOST_READER_STANDBY, HOST_FACT_LISTED);
    registry_tell(recoveries->registry, FACT_LEFTOVERS);
    reconsider(recoveries, host->name, now);
    for (size_t i = 0; i < recoveries->n_open; i++) {
        struct open_recovery *open = recoveries->open[i];
        const char *awaited = recovery_waits_for(open->recovery);

        if (open->is_postponed)
            open->wants_candidate = true;
        /* NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker): a host has a name */
        if (awaited != NULL && strcmp(awaited, host->name) == 0)
            handle(recoveries, open, RECOVERY_RECONNECTED, now);
    }
}

/* ---- services that others serve ---- */

/*
 * The original was started by hand while this waited for a host, failed in turn, and has a replacement of its own since:
 * what failed here serves nothing any more.
 */
static void leave_to_replacements(struct recoveries *recoveries, struct moment now)
{
    if (recoveries->registry->diversions.count == 0)
        return;
    for (size_t i = recoveries->n_open; i-- > 0;) {
        struct open_recovery *open = recoveries->open[i];
        const struct recovery *recovery = open->recovery;
        const struct diversion *diversion;
        _cleanup_(freep) char *detail = NULL;

        if (!open->wants_candidate || machine_ref_equal(&recovery->service, &recovery->failed))
            continue;
        diversion = diversions_of(&recoveries->registry->diversions, &recovery->service);
        if (diversion == NULL || machine_ref_equal(&diversion->service.replacement, &recovery->failed))
            continue;
        detail = text_print("%s serves %s by now", diversion->service.replacement_name, recovery->service_name);
        open_recovery_handle(recoveries, open,
                             &(struct recovery_event){.kind = RECOVERY_SERVED, .now = now, .detail = detail});
    }
}

/* ---- facts about machines ---- */

/* A recovery has ended it just now, or it is being ended: that it runs means nothing. */
static bool is_old_news(const struct registry *registry, const struct watch *watch, struct moment now)
{
    struct machine_ref ref = watch_ref(registry, watch);

    return records_came_late(&registry->records, &ref) || watch_was_just_written_off(watch, now);
}

/* A replacement failed, and by now the original runs again: it serves. */
static void leave_to_original(struct recoveries *recoveries, const struct watch *watch, struct moment now)
{
    struct machine_ref ref = watch_ref(recoveries->registry, watch);

    for (size_t i = recoveries->n_open; i-- > 0;) {
        struct open_recovery *open = recoveries->open[i];
        _cleanup_(freep) char *detail = NULL;

        if (!machine_ref_equal(&open->recovery->service, &ref))
            continue;
        detail = text_print("%s serves again itself", open->recovery->service_name);
        open_recovery_handle(recoveries, open,
                             &(struct recovery_event){.kind = RECOVERY_SERVED, .now = now, .detail = detail});
    }
}

/* What was restored, or was begun before the host of the original was listed, was not there when that was told of. */
static void leave_to_originals(struct recoveries *recoveries, struct moment now)
{
    for (size_t i = recoveries->n_open; i-- > 0;) {
        const struct recovery *recovery = recoveries->open[i]->recovery;
        const struct watch *watch = watch_find(recoveries->registry, &recovery->service);

        if (!machine_ref_equal(&recovery->service, &recovery->failed) && watch != NULL && !watch_is_taken(watch) &&
            services_runs_itself(recoveries->registry, &recovery->service) &&
            !is_old_news(recoveries->registry, watch, now))
            leave_to_original(recoveries, watch, now);
    }
}

static void handle_state(struct recoveries *recoveries, const struct watch *watch, enum machine_state state,
                         struct moment now)
{
    struct machine_ref ref = watch_ref(recoveries->registry, watch);

    if (moves_have_left(recoveries->registry, &ref))
        return; /* it is not off: it is looked for */
    if (watch_rare(watch)->recovers != NULL && state == MACHINE_RUNNING)
        handle(recoveries, watch_rare(watch)->recovers, RECOVERY_ORIGINAL_RUNS, now);
    else if (watch_rare(watch)->recovers != NULL && (state == MACHINE_SHUT_OFF || state == MACHINE_GONE))
        handle(recoveries, watch_rare(watch)->recovers, RECOVERY_ORIGINAL_STOPPED, now);
    else if (state == MACHINE_RUNNING && !watch_is_taken(watch) && !is_old_news(recoveries->registry, watch, now))
        leave_to_original(recoveries, watch, now);
    if (watch_rare(watch)->serves != NULL &&
        (state == MACHINE_SHUT_OFF || state == MACHINE_CRASHED || state == MACHINE_GONE))
        handle(recoveries, watch_rare(watch)->serves, RECOVERY_REPLACEMENT_STOPPED, now);
}

/* Since the failure was left here, the other machine of its service may have been heard of. */
static void begin(struct recoveries *recoveries, struct watch *watch, const struct machine *machine, struct moment now)
{
    struct registry *registry = recoveries->registry;

    if (services_go_on_without(registry, machine, watch_failed_why(watch), now) ||
        opening_begin(recoveries, watch, machine, watch->failed_cause, watch_failed_why(watch), now) >= 0)
        return;
    outbox_tell(&registry->outbox, NOTICE_OUT_OF_MEMORY, now, machine,
                "no memory to recover %s; the recovery is tried again soon", machine->name);
    failures_defer(registry, watch, watch->failed_cause, now.mono_us + RETRY_US);
}

static void handle_failure(struct recoveries *recoveries, struct watch *watch, struct moment now)
{
    struct registry *registry = recoveries->registry;
    const struct machine *machine = watch_machine(registry, watch); /* held by the fact */

    if (!watch_is_taken(watch))
        begin(recoveries, watch, machine, now);
    else if (watch_rare(watch)->recovers != NULL)
        open_recovery_handle(recoveries, watch_rare(watch)->recovers,
                             &(struct recovery_event){
                                 .kind = RECOVERY_ORIGINAL_FAILED,
                                 .now = now,
                                 .cause = watch->failed_cause,
                             });
    machines_let_go(registry, machine);
}

static bool handle_machines(struct recoveries *recoveries, struct moment now)
{
    struct watch *watch;
    unsigned facts;
    bool has_any = false;

    while ((watch = watch_take(recoveries->registry, QUEUE_RECOVERIES, &facts)) != NULL) {
        if ((facts & MACHINE_FACT_STATE) != 0)
            handle_state(recoveries, watch, watch->told_state, now);
        if ((facts & MACHINE_FACT_FAILED) != 0)
            handle_failure(recoveries, watch, now);
        has_any = true;
    }
    return has_any;
}

/* ---- the end ---- */

/* Written down, and too old to count for the budget or the brake. */
static bool is_dispensable(const struct registry *registry, const struct recovery *recovery, struct moment now)
{
    const struct config_recovery *config = &registry->config->recovery;
    int64_t age_us = now.mono_us - recovery->detected.mono_us;

    return recovery_state_is_final(recovery->state) && !recovery->is_changed &&
           (config->limit == 0 || age_us > config->limit_window_us) && age_us > config->brake.window_us &&
           !late_starts_are_possible(registry, recovery, now);
}

static void forget_old_records(struct registry *registry, struct moment now)
{
    struct records *records = &registry->records;
    int64_t history_us = registry->config->recovery.history_days * INT64_C(86400) * USEC_PER_SEC;
    size_t excess = records->count > CONFIG_HISTORY_MAX ? records->count - CONFIG_HISTORY_MAX : 0;
    size_t kept = 0;

    for (size_t i = 0; i < records->count; i++) {
        struct recovery *recovery = records->all[i];
        bool is_old = now.mono_us - recovery->detected.mono_us > history_us;

        if ((excess > 0 || is_old) && is_dispensable(registry, recovery, now)) {
            recovery_free(recovery);
            excess -= excess > 0;
        } else {
            records->all[kept++] = recovery;
        }
    }
    records->count = kept;
}

/* Closes those that ended. True: there were some. */
static bool sweep(struct recoveries *recoveries, struct moment now)
{
    size_t kept = 0, before = recoveries->n_open;

    if (!recoveries->has_ended)
        return false;
    recoveries->has_ended = false;
    for (size_t i = 0; i < before; i++) {
        struct open_recovery *open = recoveries->open[i];

        if (!recovery_state_is_final(open->recovery->state)) {
            recoveries->open[kept++] = open;
            continue;
        }
        if (open->recovery->is_rehearsal)
            registry_tell(recoveries->registry, FACT_REHEARSED);
        open_recovery_close(recoveries, open, now);
    }
    recoveries->n_open = kept;
    return kept < before;
}

bool recoveries_handle(void *self, struct moment now)
{
    struct recoveries *recoveries = self;
    struct registry *registry = recoveries->registry;
    bool has_any = registry_take(registry, FACT_BRAKE_TURNED);

    if (has_any)
        reconsider(recoveries, NULL, now);
    if (registry_take(registry, FACT_HOLDS_CHANGED)) {
        handle_holds(recoveries, now);
        has_any = true;
    }
    relocation_follow(recoveries, now);
    has_any |= reconsider_unreachable(recoveries, now);
    has_any |= reconsider_conflicting(recoveries, now);
    for (size_t i = 0; i < registry->n_hosts; i++) {
        unsigned facts = registry->hosts[i].facts[HOST_READER_RECOVERIES];

        if ((facts & (HOST_FACT_LOST | HOST_FACT_OFF)) != 0)
            handle_loss(recoveries, &registry->hosts[i], (facts & HOST_FACT_OFF) != 0, now);
    }
    has_any |= handle_machines(recoveries, now);
    leave_to_replacements(recoveries, now);
    if (registry_take(registry, FACT_ADOPTABLE)) {
        resume_restored(recoveries, now);
        leave_to_originals(recoveries, now);
        has_any = true;
    }
    for (size_t i = 0; i < registry->n_hosts; i++) {
        unsigned facts = host_take(&registry->hosts[i], HOST_READER_RECOVERIES);

        if ((facts & HOST_FACT_LISTED) != 0)
            handle_listed(recoveries, &registry->hosts[i], now);
        has_any |= facts != 0;
    }
    has_any |= sweep(recoveries, now);
    if (now.mono_us - recoveries->forgot_us >= USEC_PER_SEC) {
        recoveries->forgot_us = now.mono_us;
        forget_old_records(registry, now);
    }
    return has_any;
}

/* What a start has opened is known when the definition of the running machine was read. */
static void look_after_start(struct recoveries *recoveries, struct open_recovery *open, struct moment now)
{
    struct registry *registry = recoveries->registry;
    struct candidate candidate;
    char name[USE_NAME_SIZE];
    int r = find_conflict(recoveries, open, now, &candidate);

    if (open->reading.has_failed)
        outbox_tell(&registry->outbox, NOTICE_EVENT_NOTED, now, open->candidate,
                    "what %s uses since it was started is not known, its definition cannot be read: %s",
                    pool_display_name(registry->pool, open->candidate), open->reading.why);
    if (r < 0)
        drop_unfit(recoveries, open, now, "there is no memory to tell whether its disks are in use");
    else if (r > 0)
        drop_unfit(recoveries, open, now, "it was started and has %s, which is in use by %s",
                   use_name(&candidate.conflict, name), candidate.conflict_with->name);
}

static void take_reading(struct recoveries *recoveries, struct open_recovery *open, const struct action_result *result,
                         struct moment now)
{
    bool is_up = open->recovery->state == RECOVERY_SETTLING || open->recovery->state == RECOVERY_VERIFYING;

    reading_answer(&open->reading, result, is_up ? READ_TRIES : 1, now);
    if (is_up && !open->reading.is_pending)
        open_recovery_name_replacement(open);
    if (is_up && !open->reading.is_pending)
        look_after_start(recoveries, open, now);
}

void recoveries_answer(void *self, const struct action *action, const struct action_result *result, struct moment now)
{
    struct recoveries *recoveries = self;
    struct action_result room;
    struct recovery_event event = {
        .kind = RECOVERY_ANSWER, .now = now, .result = relocation_correct(recoveries, action, result, &room, now)};

    for (size_t i = 0; i < recoveries->n_open; i++) {
        struct open_recovery *open = recoveries->open[i];

        if (open->reading.question.action_id == action->id) {
            take_reading(recoveries, open, result, now);
            return;
        }
        if (open->recovery->question.action_id != action->id)
            continue;
        open->recovery->question.action_id = 0;
        open_recovery_handle(recoveries, open, &event);
        return;
    }
}

/* ---- time ---- */

static void abandon_unconfigured(struct recoveries *recoveries, struct moment now)
{
    struct recovery_event event = {
        .kind = RECOVERY_ABANDON,
        .now = now,
        .detail = "its hypervisor is no longer configured",
    };

    for (size_t i = 0; i < recoveries->n_open; i++) {
        struct open_recovery *open = recoveries->open[i];
        const struct recovery *recovery = open->recovery;

        if (host_find(recoveries->registry, recovery->failed.hypervisor) == NULL ||
            (recovery->replacement_name != NULL &&
             host_find(recoveries->registry, recovery->replacement.hypervisor) == NULL))
            open_recovery_handle(recoveries, open, &event);
    }
}

void recoveries_tick(void *self, struct moment now)
{
    struct recoveries *recoveries = self;

    abandon_unconfigured(recoveries, now);
    for (size_t i = 0; i < recoveries->n_open; i++) {
        struct open_recovery *open = recoveries->open[i];

        if (open->retry_us <= now.mono_us) {
            open->retry_us = USEC_INFINITY;
            if (open->recovery->state == RECOVERY_SELECTING && open->recovery->relief != RELIEF_NONE) {
                if (open_recovery_take_named(recoveries, open, now) < 0)
                    open->retry_us = now.mono_us + RETRY_US;
                continue;
            }
            open->wants_candidate = open->recovery->state == RECOVERY_SELECTING && !open->wants_original;
        }
        if (reading_tick(&open->reading, now))
            open_recovery_list_reading(recoveries, open, false);
        if (open->recovery->question.deadline_us <= now.mono_us)
            handle(recoveries, open, RECOVERY_TICK, now);
    }
}

int64_t recoveries_deadline(const void *self)
{
    const struct recoveries *recoveries = self;
    int64_t deadline_us = USEC_INFINITY;

    for (size_t i = 0; i < recoveries->n_open; i++) {
        deadline_us = earlier_us(deadline_us, recoveries->open[i]->retry_us);
        deadline_us = earlier_us(deadline_us, reading_deadline(&recoveries->open[i]->reading));
        deadline_us = earlier_us(deadline_us, recoveries->open[i]->recovery->question.deadline_us);
    }
    return deadline_us;
}

/* ---- actions ---- */

/* With the intent, and while its host is listed: else nothing is read of a candidate, nor is it started. */
static bool next_reading(struct recoveries *recoveries, struct action *ret)
{
    struct registry *registry = recoveries->registry;

    for (struct open_recovery *open = recoveries->reading; open != NULL; open = open->next_reading) {
        const struct host *host = host_find(registry, open->candidate->hypervisor);
        struct machine_ref ref = machine_ref_of(open->candidate);

        if (host == NULL || !host->is_listed || (open->has_action && open->action.kind == ACTION_RECORD))
            continue;
        *ret = reading_ask(&open->reading, &ref, open->recovery->id, registry->config);
        open_recovery_list_reading(recoveries, open, true);
        ret->id = open->reading.question.action_id = outbox_new_id(&registry->outbox, PART_RECOVERIES);
        ret->as_of = registry->events;
        return true;
    }
    return false;
}

bool recoveries_next(void *self, struct action *ret)
{
    struct recoveries *recoveries = self;

    for (struct open_recovery *open = recoveries->asking; open != NULL; open = open->next_asking) {
        if (is_withheld(recoveries, open))
            continue;
        *ret = open->action;
        open_recovery_set_action(recoveries, open, NULL);
        open->recovery->question.is_handed_out = true;
        open->was_asked |= ret->kind == ACTION_START;
        ret->may_drop_image =
            ret->kind == ACTION_START && open->candidate != NULL && machine_has_own_image(open->candidate);
        return true;
    }
    return next_reading(recoveries, ret);
}

void recoveries_done(struct recoveries *recoveries)
{
    for (size_t i = 0; i < recoveries->n_open; i++)
        open_recovery_free(recoveries->open[i]);
    free(recoveries->open);
}
