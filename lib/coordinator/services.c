/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Services that a replacement serves, and machines that run twice. */
#include "coordinator/services.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "coordinator/failures.h"
#include "coordinator/keep.h"
#include "coordinator/moves.h"
#include "coordinator/whereabouts.h"
#include "workflow/question.h"

/* In service: one that is on its way to being warm does nothing for users. */
static bool runs(const struct machine *machine)
{
    return machine != NULL && machine->is_reachable && machine->keeping == KEEPING_NONE &&
           (machine->state == MACHINE_RUNNING || machine->state == MACHINE_SUSPENDED);
}

static const struct machine *find(const struct registry *registry, const struct machine_ref *ref)
{
    return pool_find(registry->pool, ref->hypervisor, ref->uuid);
}

/*
 * Asks the guest of the victim to shut down while the survivor runs, and ends the victim where that is not done in time.
 */
static void stop(struct services *services, const struct diversion *diversion, const struct machine *victim,
                 const struct machine *survivor, struct moment now)
{
    struct registry *registry = services->registry;
    struct machine_ref ref = machine_ref_of(victim);
    struct watch *watch = watch_of(registry, victim);
    struct task *task = *tasks_find_target(&services->stops, &ref);

    if (task == NULL) {
        task = tasks_add(&services->stops, ACTION_SHUTDOWN, &ref, diversion->recovery_id);
        if (task != NULL)
            task->deadline = moment_after(now, registry->config->recovery.shutdown_timeout_us);
    }
    if (task == NULL || watch == NULL) {
        outbox_tell(&registry->outbox, NOTICE_OUT_OF_MEMORY, now, victim, "no memory to stop %s", victim->name);
        return;
    }
    task->survivor = machine_ref_of(survivor);
    task->serves = machine_ref_equal(&ref, &diversion->service.original) ||
                   machine_ref_equal(&ref, &diversion->service.replacement);
    watch_expect_stop(watch, task->deadline.mono_us);
}

static void tell(struct services *services, const struct diversion *diversion, const struct machine *original,
                 const struct machine *replacement, struct moment now)
{
    static const char *const consequences[] = {
        [BOTH_RUN_ALERT] = "stop one of them",
        [BOTH_RUN_STOP_REPLACEMENT] = "the replacement is shut down",
        [BOTH_RUN_STOP_ORIGINAL] = "the original is shut down",
    };
    bool is_stopping = services->registry->config->mode == MODE_AUTOMATIC && !diversion->is_by_mark;
    enum when_both_run when = is_stopping ? services->registry->config->when_both_run : BOTH_RUN_ALERT;

    outbox_tell(&services->registry->outbox, NOTICE_BOTH_RUN, now, original,
                "%s/%s runs, and %s/%s, which took its place in recovery %s, runs as well: %s", original->hypervisor,
                original->name, replacement->hypervisor, replacement->name, diversion->recovery_id, consequences[when]);
    if (when == BOTH_RUN_STOP_REPLACEMENT)
        stop(services, diversion, replacement, original, now);
    if (when == BOTH_RUN_STOP_ORIGINAL)
        stop(services, diversion, original, replacement, now);
}

/* ---- how a diversion goes on ---- */

static void end(struct registry *registry, struct diversion *diversion)
{
    diversion->is_over = true;
    diversion->is_changed = true;
    registry_show_diversions(registry, &diversion->service.original);
    registry_show_diversions(registry, &diversion->service.replacement);
    registry_tell(registry, FACT_POOL_CHANGED);
}

/* The original serves again. An order to keep the replacement may have left its traces in their metadata. */
static void end_at_original(struct registry *registry, struct diversion *diversion, struct moment now)
{
    const struct machine *original = find(registry, &diversion->service.original);
    const struct machine *replacement = find(registry, &diversion->service.replacement);
    const char *name = diversion->service.name;

    keep_give_up(registry, diversion, "the original serves again", now);
    if (original != NULL && (original->roles & ROLE_PROTECTED) == 0)
        outbox_tell(&registry->outbox, NOTICE_EVENT_NOTED, now, original,
                    "%s serves %s again and is not protected: its role is %s; give it the role protected",
                    pool_display_name(registry->pool, original), name, machine_roles_name(original->roles));
    if (replacement != NULL && text_equal(replacement->description->service, name))
        outbox_tell(
            &registry->outbox, NOTICE_EVENT_NOTED, now, replacement,
            "the metadata of %s names the service %s, which it does not serve any more: take service=\"%s\" out "
            "of it, and give it the role that it had",
            pool_display_name(registry->pool, replacement), name, name);
    end(registry, diversion);
}

/* One that left its host runs on, unless all others say that they do not have it. */
static bool is_surely_off(struct registry *registry, const struct machine_ref *ref, struct moment now)
{
    if (!machine_is_surely_off(registry, ref))
        return false;
    return !moves_have_left(registry, ref) ||
           !(moves_run_elsewhere(registry, ref) || whereabouts_are_open(registry, ref, now));
}

/* Those that were seen off come back only if an operator starts them for something else. */
static void forget_former(struct registry *registry, struct diversion *diversion, struct moment now)
{
    for (size_t i = diversion->n_former; i-- > 0;)
        if (is_surely_off(registry, &diversion->former[i], now)) {
            diversion->former[i] = diversion->former[--diversion->n_former];
            diversion->is_changed = true;
        }
}

/* A start that was given up has brought it up, and it is ended for that; or whether that is so is not looked at yet. */
static bool is_to_be_ended(const struct registry *registry, const struct machine *machine, struct moment now)
{
    struct machine_ref ref = machine_ref_of(machine);
    const struct watch *watch = watch_of(registry, machine);

    return records_came_late(&registry->records, &ref) ||
           (watch != NULL && (watch_facts(watch, QUEUE_LATE_STARTS) != 0 || watch_was_just_written_off(watch, now)));
}

static bool is_second(const struct registry *registry, const struct machine *machine, struct moment now)
{
    return runs(machine) && machine->serves == NULL && !is_to_be_ended(registry, machine, now);
}

/* One that should be off, and runs for the same service: the original, or a replacement before this one. */
static const struct machine *find_second(const struct registry *registry, const struct diversion *diversion,
                                         struct moment now)
{
    const struct machine *machine = find(registry, &diversion->service.original);

    if (is_second(registry, machine, now))
        return machine;
    for (size_t i = 0; i < diversion->n_former; i++) {
        machine = find(registry, &diversion->former[i]);
        if (is_second(registry, machine, now))
            return machine;
    }
    return NULL;
}

static void look_for_second(struct services *services, struct diversion *diversion, const struct machine *replacement,
                            struct moment now)
{
    const struct machine *other = find_second(services->registry, diversion, now);
    struct machine_ref ref;

    if (!runs(replacement) || other == NULL) {
        diversion->runs_twice = (struct machine_ref){0};
        return;
    }
    ref = machine_ref_of(other);
    if (machine_ref_equal(&diversion->runs_twice, &ref))
        return;
    diversion->runs_twice = ref;
    tell(services, diversion, other, replacement, now);
}

/* A recovery has one of the two in hand: what becomes of the diversion is known when that ends. */
static bool is_being_recovered(const struct registry *registry, const struct diversion *diversion)
{
    const struct watch *original = watch_find(registry, &diversion->service.original);
    const struct watch *replacement = watch_find(registry, &diversion->service.replacement);

    if (replacement != NULL && (watch_rare(replacement)->recovers != NULL || watch_rare(replacement)->serves != NULL))
        return true;
    return (original != NULL && watch_rare(original)->serves != NULL) ||
           records_await(&registry->records, &diversion->service.original) ||
           records_await(&registry->records, &diversion->service.replacement);
}

/* Its failure is about to be recovered. */
static bool has_failed(const struct registry *registry, const struct machine_ref *ref)
{
    const struct watch *watch = watch_find(registry, ref);

    return watch != NULL && (watch_facts(watch, QUEUE_RECOVERIES) & MACHINE_FACT_FAILED) != 0;
}

/* It is off, or stands by again, warm. */
static bool serves_no_more(struct registry *registry, const struct diversion *diversion,
                           const struct machine *replacement, struct moment now)
{
    const struct diverted_service *service = &diversion->service;

    /* It was migrated back, to be the original. */
    if (strcmp(service->replacement.uuid, service->original.uuid) == 0 &&
        moves_have_left(registry, &service->replacement))
        return true;
    return (replacement != NULL && replacement->keeping != KEEPING_NONE) ||
           is_surely_off(registry, &service->replacement, now);
}

static void look(struct services *services, struct diversion *diversion, struct moment now)
{
    struct registry *registry = services->registry;
    const struct machine *original = find(registry, &diversion->service.original);
    const struct machine *replacement = find(registry, &diversion->service.replacement);

    if (is_being_recovered(registry, diversion))
        return;
    if (keep_is_done(registry, diversion)) {
        keep_finish(registry, diversion, now);
        end(registry, diversion);
        return;
    }
    if (has_failed(registry, &diversion->service.replacement))
        return;
    if (runs(original) && serves_no_more(registry, diversion, replacement, now)) {
        outbox_tell(&registry->outbox, NOTICE_CHANGED, now, original, "%s serves again itself; %s is off",
                    pool_display_name(registry->pool, original),
                    replacement != NULL ? pool_display_name(registry->pool, replacement)
                                        : diversion->service.replacement_name);
        end_at_original(registry, diversion, now);
        return;
    }
    if (diversion->is_stopped && runs(replacement)) {
        diversion->is_stopped = false;
        diversion->is_changed = true;
    }
    forget_former(registry, diversion, now);
    look_for_second(services, diversion, replacement, now);
}

/* ---- what is known of it ---- */

/* The service has one name, in what is told, in its records, and in what is written by keep. */
static void rename_records(struct registry *registry, const struct machine_ref *original, const char *name)
{
    for (size_t i = 0; i < registry->records.count; i++) {
        struct recovery *recovery = registry->records.all[i];
        bool is_old = machine_ref_equal(&recovery->service, original) && strcmp(recovery->service_name, name) != 0;
        char *copy = is_old ? strdup(name) : NULL;

        if (copy == NULL)
            continue;
        free(recovery->service_name);
        recovery->service_name = copy;
        recovery->is_changed = true;
    }
}

/* The original is renamed, has another definition, priority or role, or the replacement has another name. */
static void learn(struct registry *registry, struct diversion *diversion)
{
    const struct machine *original = find(registry, &diversion->service.original);
    const struct machine *replacement = find(registry, &diversion->service.replacement);

    if (replacement != NULL && replacement->is_present)
        (void)!diversion_rename_replacement(diversion, replacement->name); /* without memory with the next news */
    if (original == NULL || !original->is_present ||
        diversion_learn(diversion, machine_own_service_name(original), original->spec, original->priority,
                        (original->roles & ROLE_PROTECTED) != 0) <= 0)
        return;
    rename_records(registry, &diversion->service.original, diversion->service.name);
    registry_show_diversions(registry, &diversion->service.replacement);
    registry_tell(registry, FACT_POOL_CHANGED);
}

/* It was stopped as it was asked to, but the machine that was to stay is down by now: nothing serves. */
static void recover_last(struct registry *registry, const struct task *task, const struct machine *machine,
                         bool was_destroyed, struct moment now)
{
    struct diversion *diversion = diversions_served_by(&registry->diversions, &task->action.target);

    if (!task->serves || task->action.id == 0 || registry->host_is_shutting_down ||
        runs(find(registry, &task->survivor)) || (machine->reason != REASON_SHUTDOWN && !was_destroyed))
        return;
    if (diversion != NULL && diversion->is_stopped) {
        diversion->is_stopped = false;
        diversion->is_changed = true;
    }
    failures_leave(registry, watch_of(registry, machine), machine, CAUSE_LAST_STOPPED,
                   failure_cause_sentence(CAUSE_LAST_STOPPED), now);
}

static void resolve(struct services *services, struct task **at, bool was_destroyed, struct moment now)
{
    struct registry *registry = services->registry;
    const struct machine *machine = find(registry, &(*at)->action.target);
    const char *name = machine != NULL ? pool_display_name(registry->pool, machine) : (*at)->action.target.uuid;

    if (was_destroyed)
        outbox_tell(&registry->outbox, NOTICE_BOTH_RESOLVED, now, machine,
                    "%s did not shut down within recovery.shutdown_timeout and was destroyed, because two machines ran "
                    "for one",
                    name);
    else
        outbox_tell(&registry->outbox, NOTICE_BOTH_RESOLVED, now, machine,
                    "%s was shut down, because two machines ran for one", name);
    if (machine != NULL)
        recover_last(registry, *at, machine, was_destroyed, now);
    tasks_drop(at);
}

/* Those that are off by now, by whatever hands. */
static void resolve_stopped(struct services *services, struct moment now)
{
    struct task **at = &services->stops;

    while (*at != NULL) {
        const struct machine *machine = find(services->registry, &(*at)->action.target);
        bool was_destroyed = (*at)->tries > 0 && machine != NULL && /* else an operator has */
                             machine->state == MACHINE_SHUT_OFF && machine->reason == REASON_DESTROYED;

        if (moves_find(services->registry, &(*at)->action.target) != NULL)
            tasks_drop(at); /* it runs on, elsewhere */
        else if (is_surely_off(services->registry, &(*at)->action.target, now))
            resolve(services, at, was_destroyed, now);
        else
            at = &(*at)->next;
    }
}

bool services_handle(void *self, struct moment now)
{
    struct services *services = self;
    const struct diversions *diversions = &services->registry->diversions;

    keep_look(services->registry, now);
    if (!registry_take(services->registry, FACT_SERVING_CHANGED))
        return false;
    moves_follow(services->registry, now);
    for (size_t i = 0; i < diversions->count; i++)
        if (!diversions->all[i]->is_over)
            learn(services->registry, diversions->all[i]);
    for (size_t i = 0; i < diversions->count; i++)
        if (!diversions->all[i]->is_over)
            look(services, diversions->all[i], now);
    resolve_stopped(services, now);
    return true;
}

/* ---- failures of a machine that is one of two ---- */

static bool is_recovered(const struct registry *registry, const struct machine_ref *ref)
{
    const struct watch *watch = watch_find(registry, ref);

    return watch != NULL && watch_rare(watch)->recovers != NULL;
}

static bool goes_on(const struct machine *failed, const struct machine *other)
{
    if (failed->serves != NULL)
        return runs(other) && other->serves == NULL;
    return other->state == MACHINE_RUNNING || other->state == MACHINE_SUSPENDED;
}

/* What is known of a replacement is old, as after the daemon's start: it is looked at again when its host was listed. */
static bool waits_for_listing(struct registry *registry, const struct machine *failed, const struct machine *other,
                              struct moment now)
{
    const struct host *host = host_find(registry, other->hypervisor);
    struct watch *watch = watch_of(registry, failed);

    if (host == NULL || host->is_listed || watch == NULL)
        return false;
    failures_defer(registry, watch, watch->failed_cause, now.mono_us + RETRY_US);
    return true;
}

/* It is no candidate, for its own service neither, until that is served again. */
static void mark_failed(struct registry *registry, const struct machine *machine, bool has_failed)
{
    struct watch *watch = machine != NULL ? watch_of(registry, machine) : NULL;

    if (watch == NULL || machine->failed_unrecovered == has_failed)
        return;
    pool_edit(registry->pool, machine)->failed_unrecovered = has_failed;
    watch_mark_changed(registry, watch);
}

bool services_go_on_without(struct registry *registry, const struct machine *failed, const char *why, struct moment now)
{
    const struct machine_ref *ref = failed->serves != NULL     ? &failed->serves->original
                                    : failed->diverted != NULL ? &failed->diverted->replacement
                                                               : NULL;
    const struct machine *other = ref != NULL ? find(registry, ref) : NULL;

    if (other == NULL)
        return false;
    if (is_recovered(registry, ref)) {
        mark_failed(registry, failed, true);
        outbox_tell(&registry->outbox, NOTICE_FAILURE_UNPROTECTED, now, failed,
                    "%s failed: %s; its service is being recovered already, since %s failed",
                    pool_display_name(registry->pool, failed), why, pool_display_name(registry->pool, other));
    } else if (goes_on(failed, other) && waits_for_listing(registry, failed, other, now)) {
        if (!failed->failed_unrecovered)
            outbox_tell(&registry->outbox, NOTICE_EVENT_NOTED, now, failed,
                        "%s failed: %s; whether %s serves in its place is known when its host answers",
                        pool_display_name(registry->pool, failed), why, pool_display_name(registry->pool, other));
        mark_failed(registry, failed, true);
    } else if (goes_on(failed, other)) {
        mark_failed(registry, failed, false);
        outbox_tell(&registry->outbox, NOTICE_FAILURE_UNPROTECTED, now, failed, "%s failed: %s; %s serves in its place",
                    pool_display_name(registry->pool, failed), why, pool_display_name(registry->pool, other));
    } else {
        return false;
    }
    registry_tell(registry, FACT_SERVING_CHANGED);
    return true;
}

bool services_runs_itself(const struct registry *registry, const struct machine_ref *original)
{
    const struct machine *machine = find(registry, original);

    return runs(machine) && machine->serves == NULL;
}

/* ---- how it begins ---- */

struct machine_ref services_original_of(const struct registry *registry, const struct machine *machine)
{
    struct machine_ref ref = machine_ref_of(machine);
    const struct diversion *diversion = diversions_served_by(&registry->diversions, &ref);

    return diversion != NULL ? diversion->service.original : ref;
}

struct wanted_ports services_ports_of(const struct registry *registry, const struct machine *failed,
                                      const struct machine *candidate, const struct config *config)
{
    struct machine_ref original = services_original_of(registry, failed);

    if (machine_is_ref(candidate, &original))
        return (struct wanted_ports){0};
    return question_verify_ports(candidate, machine_need(failed), registry->features, config);
}

static int get_diversion(struct registry *registry, const struct recovery *recovery, const struct machine *failed,
                         struct diversion **ret)
{
    int r;

    *ret = diversions_of(&registry->diversions, &recovery->service);
    if (*ret != NULL)
        return 0;
    r = diversion_new(&recovery->service, recovery->service_name, machine_need(failed), recovery->priority, ret);
    return r < 0 ? r : diversions_add(&registry->diversions, *ret);
}

/* A machine serves one service at most: one that it was stopped for on purpose is served by no machine any more. */
static void leave_others(struct registry *registry, const struct diversion *diversion, const struct machine_ref *ref,
                         struct moment now)
{
    for (size_t i = 0; i < registry->diversions.count; i++) {
        struct diversion *other = registry->diversions.all[i];

        if (other != diversion && !other->is_over && machine_ref_equal(&other->service.replacement, ref)) {
            keep_give_up(registry, other, "another service is served by the replacement", now);
            end(registry, other);
        }
    }
}

static void tell_unprotected(struct registry *registry, const struct recovery *recovery,
                             const struct machine *replacement, struct moment now)
{
    outbox_tell(&registry->outbox, NOTICE_OUT_OF_MEMORY, now, replacement,
                "no memory to protect the service of %s while %s serves it", recovery->service_name, replacement->name);
}

void services_divert(struct registry *registry, const struct recovery *recovery, const struct machine *failed,
                     const struct machine *replacement, struct moment now)
{
    struct machine_ref ref = machine_ref_of(replacement), before;
    struct diversion *diversion = NULL;

    if (machine_ref_equal(&ref, &recovery->service)) { /* the original itself */
        diversion = diversions_of(&registry->diversions, &ref);
        if (diversion != NULL)
            end_at_original(registry, diversion, now);
        return;
    }
    if (get_diversion(registry, recovery, failed, &diversion) < 0) {
        tell_unprotected(registry, recovery, replacement, now);
        return;
    }
    leave_others(registry, diversion, &ref, now);
    before = diversion->service.replacement;
    if (diversion_set_replacement(diversion, &ref, replacement->name, recovery->id, now) < 0)
        tell_unprotected(registry, recovery, replacement, now);
    mark_failed(registry, find(registry, &diversion->service.original), false);
    mark_failed(registry, find(registry, &before), false);
    registry_show_diversions(registry, &before);
    registry_show_diversions(registry, &ref);
    registry_show_diversions(registry, &diversion->service.original);
    registry_tell(registry, FACT_SERVING_CHANGED);
    registry_tell(registry, FACT_POOL_CHANGED);
}

/* ---- machines that run twice ---- */

/* Should both be seen to run (again), it is told, and resolved, anew. */
static void look_later(struct services *services, const struct task *task)
{
    const struct diversions *diversions = &services->registry->diversions;

    for (size_t i = 0; i < diversions->count; i++)
        if (strcmp(diversions->all[i]->recovery_id, task->action.recovery_id) == 0)
            diversions->all[i]->runs_twice = (struct machine_ref){0};
}

/* The survivor is down: this one stays, if its guest was not asked to shut down, or does not. */
static void spare(struct services *services, struct task **at)
{
    struct task *task = *at;

    if (task->action.kind == ACTION_SHUTDOWN && task->action.id != 0) {
        task->action.kind = ACTION_DESTROY;
        task->is_due = false;
        task->retry_us = task->deadline.mono_us;
        return;
    }
    look_later(services, task);
    if (task->action.id != 0) /* its guest may obey yet */
        failures_expect_late_stop(services->registry, &task->action.target, task->deadline);
    tasks_drop(at);
}

bool services_next(void *self, struct action *ret)
{
    struct services *services = self;
    struct registry *registry = services->registry;
    struct task **at;

    if (keep_next(registry, ret))
        return true;
    while (*(at = tasks_find_due(&services->stops, registry)) != NULL) {
        struct task *task = *at;

        if (!runs(find(registry, &task->action.target))) {
            tasks_drop(at);
        } else if (!runs(find(registry, &task->survivor))) {
            spare(services, at);
        } else {
            task->tries += task->action.kind == ACTION_DESTROY;
            *ret = task_ask(task, registry, PART_SERVICES,
                            question_time_us(task->action.kind, VERIFY_RUNNING, registry->config));
            return true;
        }
    }
    return false;
}

/* The guest was asked, or could not be: again after a while, and when its time is over the machine is ended. */
static void go_on(struct task *task, const struct action_result *result, struct moment now)
{
    task->retry_us = now.mono_us + (result->error == 0 ? QUESTION_SHUTDOWN_AGAIN_US : RETRY_US);
    if (task->action.kind == ACTION_SHUTDOWN && task->retry_us >= task->deadline.mono_us) {
        task->retry_us = task->deadline.mono_us;
        task->action.kind = ACTION_DESTROY;
    }
}

void services_answer(void *self, const struct action *action, const struct action_result *result, struct moment now)
{
    struct services *services = self;
    struct task **at = tasks_find_action(&services->stops, action->id);
    bool is_off = result->error == -ENOENT ||
                  (result->error == 0 && (action->kind == ACTION_DESTROY || result->state == MACHINE_SHUT_OFF));

    if (keep_answer(services->registry, action, result, now) || *at == NULL)
        return;
    if (is_off)
        resolve(services, at, action->kind == ACTION_DESTROY, now);
    else
        go_on(*at, result, now);
}

void services_done(struct services *services)
{
    tasks_drop_all(&services->stops);
}
