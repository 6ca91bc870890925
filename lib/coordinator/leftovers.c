/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What there is to be removed follows from the records, and is looked at anew whenever that may be different. */
#include "coordinator/leftovers.h"

#include <errno.h>
#include <string.h>

#include "coordinator/late_starts.h"
#include "workflow/question.h"

#define RETRY_PAUSE_US (60 * USEC_PER_SEC)
#define PURPOSE_SIZE   (RECOVERY_ID_SIZE + 16)

static bool is_under_way(const struct recovery *recovery, const struct recovery_attempt *attempt)
{
    return !recovery_state_is_final(recovery->state) && recovery->replacement_name != NULL &&
           machine_ref_equal(&recovery->replacement, &attempt->candidate);
}

/* From then on nothing comes of its start any more, or something has come of it. */
static int64_t settled_us(const struct registry *registry, const struct recovery_attempt *attempt)
{
    return attempt->fate == START_UNANSWERED ? late_starts_end_us(registry, attempt) : INT64_MIN;
}

/* What there is is not up, and its host answers. */
static bool is_due(const struct registry *registry, const struct recovery *recovery,
                   const struct recovery_attempt *attempt, struct moment now)
{
    const struct machine_ref *ref = &attempt->candidate;
    const struct host *host = host_find(registry, ref->hypervisor);
    const struct machine *machine;

    if (settled_us(registry, attempt) >= now.mono_us)
        return false;
    machine = pool_find(registry->pool, ref->hypervisor, ref->uuid);
    return (machine == NULL || !machine_is_up(machine)) && host != NULL && host->is_listed &&
           !is_under_way(recovery, attempt);
}

/* It was to be a standby, and nothing goes on with it: who was making it has failed, or is dead. */
static bool is_abandoned(const struct registry *registry, const struct machine *machine, struct moment now)
{
    const struct watch *watch = watch_of(registry, machine);
    const struct host *host = host_find(registry, machine->hypervisor);

    return machine->description->is_unfinished && machine->is_present && host != NULL && host->is_listed &&
           watch != NULL && !watch_is_taken(watch) && !watch_was_kept(registry, watch) &&
           watch_rare(watch)->warm.may_start_until_us <= now.mono_us;
}

static bool is_unfinished(const struct registry *registry, const struct machine_ref *ref)
{
    const struct machine *machine = pool_find(registry->pool, ref->hypervisor, ref->uuid);

    return machine != NULL && machine->is_present && machine->description->is_unfinished;
}

static int64_t call_us(const struct registry *registry)
{
    return question_time_us(ACTION_UNMAKE, VERIFY_RUNNING, registry->config);
}

/* What is being removed is not made again meanwhile. */
static void keep_free(const struct registry *registry, const struct machine_ref *ref, int64_t until_us)
{
    const struct machine *machine = pool_find(registry->pool, ref->hypervisor, ref->uuid);

    if (machine != NULL && machine_rare(machine)->quarantined_until_us < until_us)
        pool_set_quarantine(registry->pool, machine, until_us, "what was made of it before is being removed");
}

/* recovery_id: empty for a standby. -ENOMEM: it is looked at again after the next input. */
static int want(struct leftovers *leftovers, const struct machine_ref *ref, const char *recovery_id)
{
    if (*tasks_find_target(&leftovers->tasks, ref) != NULL)
        return 0;
    return tasks_add(&leftovers->tasks, ACTION_UNMAKE, ref, recovery_id) != NULL ? 0 : -ENOMEM;
}

static int look_at(struct leftovers *leftovers, const struct recovery *recovery, const struct recovery_attempt *attempt,
                   struct moment now)
{
    struct registry *registry = leftovers->registry;

    if (is_due(registry, recovery, attempt, now))
        return want(leftovers, &attempt->candidate, recovery->id);
    if (settled_us(registry, attempt) >= now.mono_us)
        leftovers->due_us = earlier_us(leftovers->due_us, settled_us(registry, attempt) + 1);
    return 0;
}

/* -ENOMEM: as for want. */
static int look_at_standbys(struct leftovers *leftovers, struct moment now)
{
    struct registry *registry = leftovers->registry;
    struct watch *watch;
    int r = 0;

    for (uint32_t from = 0; r == 0 && (watch = watch_queued(registry, QUEUE_UNFINISHED, from)) != NULL;
         from = watch->number + 1) {
        const struct machine *machine = watch_machine(registry, watch);
        const struct machine_ref ref = watch_ref(registry, watch);
        int64_t until_us = watch_rare(watch)->warm.may_start_until_us;

        if (machine == NULL || !machine->description->is_unfinished)
            watch_leave(registry, watch, QUEUE_UNFINISHED);
        else if (is_abandoned(registry, machine, now))
            r = want(leftovers, &ref, "");
        else if (until_us > now.mono_us)
            leftovers->due_us = earlier_us(leftovers->due_us, until_us);
    }
    return r;
}

bool leftovers_handle(void *self, struct moment now)
{
    struct leftovers *leftovers = self;
    struct registry *registry = leftovers->registry;
    bool has_failed = false;

    leftovers->now_us = now.mono_us;
    if (!registry_take(registry, FACT_LEFTOVERS) && now.mono_us < leftovers->due_us)
        return false;
    leftovers->due_us = USEC_INFINITY;
    for (size_t i = 0; i < registry->records.count; i++) {
        const struct recovery *recovery = registry->records.all[i];

        for (size_t n = 0; n < recovery->n_attempts; n++)
            if (recovery->attempts[n].may_leave_parts)
                has_failed |= look_at(leftovers, recovery, &recovery->attempts[n], now) < 0;
    }
    has_failed |= look_at_standbys(leftovers, now) < 0;
    if (has_failed)
        registry_tell(registry, FACT_LEFTOVERS);
    return !has_failed;
}

int64_t leftovers_deadline(const void *self)
{
    const struct leftovers *leftovers = self;

    return leftovers->due_us;
}

/* Since it was to be removed, it may have come up, or a recovery may have taken it, which counts as that; or the mode changed. */
static bool is_to_be_left(const struct registry *registry, const struct machine_ref *ref)
{
    const struct machine *machine = pool_find(registry->pool, ref->hypervisor, ref->uuid);

    return registry->config->mode != MODE_AUTOMATIC || (machine != NULL && machine_is_up(machine));
}

bool leftovers_next(void *self, struct action *ret)
{
    struct leftovers *leftovers = self;
    struct registry *registry = leftovers->registry;
    struct task **at = &leftovers->tasks;

    while (*(at = tasks_find_due(at, registry)) != NULL) {
        const struct machine_ref *ref = &(*at)->action.target;

        if (!records_may_have_parts(&registry->records, ref) && !is_unfinished(registry, ref)) {
            tasks_drop(at);
        } else if (is_to_be_left(registry, ref)) {
            at = &(*at)->next;
        } else {
            keep_free(registry, ref, leftovers->now_us + call_us(registry));
            *ret = task_ask(*at, registry, PART_LEFTOVERS, call_us(registry));
            return true;
        }
    }
    return false;
}

/* ---- answers ---- */

static void forget(struct registry *registry, const struct machine_ref *ref, struct moment now)
{
    for (size_t i = 0; i < registry->records.count; i++) {
        struct recovery *recovery = registry->records.all[i];

        for (size_t n = 0; n < recovery->n_attempts; n++)
            if (recovery->attempts[n].may_leave_parts && is_due(registry, recovery, &recovery->attempts[n], now) &&
                machine_ref_equal(&recovery->attempts[n].candidate, ref)) {
                recovery->attempts[n].may_leave_parts = false;
                recovery->is_changed = true;
            }
    }
}

/* For what it was made, behind "made": " for recovery 20261122-145400-1". */
static void print_purpose(const struct task *task, char ret[static PURPOSE_SIZE])
{
    bool is_standby = task->action.recovery_id[0] == '\0';

    snprintf(ret, PURPOSE_SIZE, "%s%s", is_standby ? " as a standby" : " for recovery ", task->action.recovery_id);
}

static const char *name_of(const struct registry *registry, const struct task *task)
{
    const struct machine_ref *ref = &task->action.target;
    const struct machine *machine = pool_find(registry->pool, ref->hypervisor, ref->uuid);

    return machine != NULL ? pool_display_name(registry->pool, machine) : ref->uuid;
}

/* It has run, as its hypervisor says: what is there is somebody's. */
static void leave_alone(struct leftovers *leftovers, const struct task *task, const struct action_result *result,
                        struct moment now)
{
    struct registry *registry = leftovers->registry;
    const struct machine_ref *ref = &task->action.target;
    char purpose[PURPOSE_SIZE];

    print_purpose(task, purpose);
    outbox_tell(&registry->outbox, NOTICE_EVENT_NOTED, now, pool_find(registry->pool, ref->hypervisor, ref->uuid),
                "%s was made%s, is not used, and is kept: %s", name_of(registry, task), purpose, result->message);
}

static void try_later(struct leftovers *leftovers, struct task *task, const struct action_result *result,
                      struct moment now)
{
    struct registry *registry = leftovers->registry;
    const struct machine_ref *ref = &task->action.target;
    char purpose[PURPOSE_SIZE];

    print_purpose(task, purpose);
    task->retry_us = now.mono_us + RETRY_PAUSE_US;
    keep_free(registry, ref, task->retry_us + call_us(registry));
    if (task->tries++ > 0)
        return;
    outbox_tell(&registry->outbox, NOTICE_EVENT_NOTED, now, pool_find(registry->pool, ref->hypervisor, ref->uuid),
                "what was made of %s on %s%s could not be removed: %s; it is tried again", name_of(registry, task),
                ref->hypervisor, purpose, result->message[0] != '\0' ? result->message : strerror(-result->error));
}

void leftovers_answer(void *self, const struct action *action, const struct action_result *result, struct moment now)
{
    struct leftovers *leftovers = self;
    struct task **at = tasks_find_action(&leftovers->tasks, action->id);

    if (*at == NULL)
        return;
    if (result->error != 0 && (result->error != -EBUSY || is_unfinished(leftovers->registry, &action->target))) {
        try_later(leftovers, *at, result, now);
        return;
    }
    if (result->error == -EBUSY)
        leave_alone(leftovers, *at, result, now);
    forget(leftovers->registry, &action->target, now);
    tasks_drop(at);
}

void leftovers_done(struct leftovers *leftovers)
{
    tasks_drop_all(&leftovers->tasks);
}
