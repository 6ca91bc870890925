/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Services that a replacement serves, and machines that run twice. */
#include "coordinator/services.h"

#include <errno.h>
#include <string.h>

#include "coordinator/failures.h"
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

/* While the survivor runs. */
static void stop(struct services *services, const struct diversion *diversion, const struct machine *victim,
                 const struct machine *survivor, struct moment now)
{
    struct machine_ref ref = machine_ref_of(victim);
    struct task *task = tasks_add(&services->surplus, ACTION_DESTROY, &ref, diversion->recovery_id);

    if (task != NULL)
        task->survivor = machine_ref_of(survivor);
    else
        outbox_tell(&services->registry->outbox, NOTICE_OUT_OF_MEMORY, now, victim, "no memory to stop %s",
                    victim->name);
}

static void tell(struct services *services, const struct diversion *diversion, const struct machine *original,
                 const struct machine *replacement, struct moment now)
{
    static const char *const consequences[] = {
        [BOTH_RUN_ALERT] = "stop one of them",
        [BOTH_RUN_STOP_REPLACEMENT] = "the replacement is stopped",
        [BOTH_RUN_STOP_ORIGINAL] = "the original is stopped",
    };
    enum when_both_run when =
        services->registry->config->mode == MODE_AUTOMATIC ? services->registry->config->when_both_run : BOTH_RUN_ALERT;

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
    diversions_mark(&registry->diversions, registry->pool, &diversion->service.original);
    diversions_mark(&registry->diversions, registry->pool, &diversion->service.replacement);
    registry_tell(registry, FACT_POOL_CHANGED);
}

/* Those that were seen off come back only if an operator starts them for something else. */
static void forget_former(struct registry *registry, struct diversion *diversion)
{
    for (size_t i = diversion->n_former; i-- > 0;)
        if (machine_is_surely_off(registry, &diversion->former[i])) {
            diversion->former[i] = diversion->former[--diversion->n_former];
            diversion->is_changed = true;
        }
}

/* One that should be off, and runs for the same service: the original, or a replacement before this one. */
static const struct machine *find_double(const struct registry *registry, const struct diversion *diversion)
{
    const struct machine *machine = find(registry, &diversion->service.original);

    if (runs(machine) && machine->serves == NULL)
        return machine;
    for (size_t i = 0; i < diversion->n_former; i++) {
        machine = find(registry, &diversion->former[i]);
        if (runs(machine) && machine->serves == NULL)
            return machine;
    }
    return NULL;
}

static void look_for_double(struct services *services, struct diversion *diversion, const struct machine *replacement,
                            struct moment now)
{
    const struct machine *other = find_double(services->registry, diversion);
    struct machine_ref ref;

    if (!runs(replacement) || other == NULL) {
        diversion->doubled = (struct machine_ref){0};
        return;
    }
    ref = machine_ref_of(other);
    if (machine_ref_equal(&diversion->doubled, &ref))
        return;
    diversion->doubled = ref;
    tell(services, diversion, other, replacement, now);
}

/* A recovery has one of the two in hand, or is about to: what becomes of the diversion is known when that ends. */
static bool is_being_recovered(const struct registry *registry, const struct diversion *diversion)
{
    const struct watch *original = watch_find(registry, &diversion->service.original);
    const struct watch *replacement = watch_find(registry, &diversion->service.replacement);

    if (replacement != NULL && (replacement->recovers != NULL || replacement->serves != NULL ||
                                (replacement->facts[QUEUE_RECOVERIES] & MACHINE_FACT_FAILED) != 0))
        return true;
    return (original != NULL && original->serves != NULL) ||
           records_await(&registry->records, &diversion->service.original) ||
           records_await(&registry->records, &diversion->service.replacement);
}

/* It is off, or stands by again, warm. */
static bool serves_no_more(const struct registry *registry, const struct diversion *diversion,
                           const struct machine *replacement)
{
    return (replacement != NULL && replacement->keeping != KEEPING_NONE) ||
           machine_is_surely_off(registry, &diversion->service.replacement);
}

static void look(struct services *services, struct diversion *diversion, struct moment now)
{
    struct registry *registry = services->registry;
    const struct machine *original = find(registry, &diversion->service.original);
    const struct machine *replacement = find(registry, &diversion->service.replacement);

    if (is_being_recovered(registry, diversion))
        return;
    if (runs(original) && serves_no_more(registry, diversion, replacement)) {
        outbox_tell(&registry->outbox, NOTICE_EVENT_NOTED, now, original, "%s serves again itself; %s is off",
                    original->name, diversion->service.replacement_name);
        end(registry, diversion);
        return;
    }
    if (diversion->is_stopped && runs(replacement)) {
        diversion->is_stopped = false;
        diversion->is_changed = true;
    }
    forget_former(registry, diversion);
    look_for_double(services, diversion, replacement, now);
}

bool services_handle(void *self, struct moment now)
{
    struct services *services = self;
    const struct diversions *diversions = &services->registry->diversions;

    if (!registry_take(services->registry, FACT_SERVING_CHANGED))
        return false;
    for (size_t i = 0; i < diversions->count; i++)
        if (!diversions->all[i]->is_over)
            look(services, diversions->all[i], now);
    return true;
}

/* ---- failures of a machine that is one of two ---- */

static bool is_recovered(const struct registry *registry, const struct machine_ref *ref)
{
    const struct watch *watch = watch_find(registry, ref);

    return watch != NULL && watch->recovers != NULL;
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
                    "%s failed: %s; its service is being recovered already, since %s failed", failed->name, why,
                    other->name);
    } else if (goes_on(failed, other) && waits_for_listing(registry, failed, other, now)) {
        if (!failed->failed_unrecovered)
            outbox_tell(&registry->outbox, NOTICE_EVENT_NOTED, now, failed,
                        "%s failed: %s; whether %s serves in its place is known when its host answers", failed->name,
                        why, other->name);
        mark_failed(registry, failed, true);
    } else if (goes_on(failed, other)) {
        mark_failed(registry, failed, false);
        outbox_tell(&registry->outbox, NOTICE_FAILURE_UNPROTECTED, now, failed, "%s failed: %s; %s serves in its place",
                    failed->name, why, other->name);
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
static void leave_others(struct registry *registry, const struct diversion *diversion, const struct machine_ref *ref)
{
    for (size_t i = 0; i < registry->diversions.count; i++) {
        struct diversion *other = registry->diversions.all[i];

        if (other != diversion && !other->is_over && machine_ref_equal(&other->service.replacement, ref))
            end(registry, other);
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
            end(registry, diversion);
        return;
    }
    if (get_diversion(registry, recovery, failed, &diversion) < 0) {
        tell_unprotected(registry, recovery, replacement, now);
        return;
    }
    leave_others(registry, diversion, &ref);
    before = diversion->service.replacement;
    if (diversion_set_replacement(diversion, &ref, replacement->name, recovery->id, now) < 0)
        tell_unprotected(registry, recovery, replacement, now);
    mark_failed(registry, find(registry, &diversion->service.original), false);
    mark_failed(registry, find(registry, &before), false);
    diversions_mark(&registry->diversions, registry->pool, &before);
    diversions_mark(&registry->diversions, registry->pool, &ref);
    diversions_mark(&registry->diversions, registry->pool, &diversion->service.original);
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
            diversions->all[i]->doubled = (struct machine_ref){0};
}

bool services_next(void *self, struct action *ret)
{
    struct services *services = self;
    struct registry *registry = services->registry;
    struct task **at;

    while (*(at = tasks_find_due(&services->surplus)) != NULL) {
        /* If the other one has stopped meanwhile, this is the last one, and stays. */
        if (!runs(find(registry, &(*at)->survivor)) || !runs(find(registry, &(*at)->action.target))) {
            look_later(services, *at);
            tasks_drop(at);
            continue;
        }
        *ret = task_ask(*at, registry, PART_SERVICES, QUESTION_STOP_US);
        return true;
    }
    return false;
}

void services_answer(void *self, const struct action *action, const struct action_result *result, struct moment now)
{
    struct services *services = self;
    const struct machine *machine = find(services->registry, &action->target);
    struct task **at = tasks_find_action(&services->surplus, action->id);

    if (*at == NULL)
        return;
    if (result->error != 0 && result->error != -ENOENT) {
        (*at)->retry_us = now.mono_us + RETRY_US;
        return;
    }
    outbox_tell(&services->registry->outbox, NOTICE_BOTH_RESOLVED, now, machine,
                "%s was stopped, because two machines ran for one",
                machine != NULL ? machine->name : action->target.uuid);
    tasks_drop(at);
}

void services_done(struct services *services)
{
    tasks_drop_all(&services->surplus);
}
