/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What there is to be removed follows from the records, and is looked at anew whenever that may be different. */
#include "coordinator/leftovers.h"

#include <errno.h>
#include <string.h>

#include "workflow/question.h"

#define RETRY_PAUSE_US (60 * USEC_PER_SEC)

static bool is_under_way(const struct recovery *recovery, const struct recovery_attempt *attempt)
{
    return !recovery_state_is_final(recovery->state) && recovery->replacement_name != NULL &&
           machine_ref_equal(&recovery->replacement, &attempt->candidate);
}

/* Nothing more will come of its start, or something has. */
static bool may_have_left_parts(const struct recovery_attempt *attempt)
{
    return attempt->may_leave_parts && attempt->fate != START_UNANSWERED;
}

/* What there is is not up, and its host answers. */
static bool is_due(const struct registry *registry, const struct recovery *recovery,
                   const struct recovery_attempt *attempt)
{
    const struct machine_ref *ref = &attempt->candidate;
    const struct host *host = host_find(registry, ref->hypervisor);
    const struct machine *machine;

    if (!may_have_left_parts(attempt))
        return false;
    machine = pool_find(registry->pool, ref->hypervisor, ref->uuid);
    return (machine == NULL || !machine_is_up(machine)) && host != NULL &&
           host->is_listed && registry->config->mode == MODE_AUTOMATIC && !is_under_way(recovery, attempt);
}

/* -ENOMEM: it is looked at again after the next input. */
static int want(struct leftovers *leftovers, const struct recovery *recovery, const struct recovery_attempt *attempt)
{
    if (*tasks_find_target(&leftovers->tasks, &attempt->candidate) != NULL)
        return 0;
    return tasks_add(&leftovers->tasks, ACTION_UNMAKE, &attempt->candidate, recovery->id) != NULL ? 0 : -ENOMEM;
}

bool leftovers_handle(void *self, struct moment now)
{
    struct leftovers *leftovers = self;
    struct registry *registry = leftovers->registry;
    bool has_failed = false;

    (void)now;
    if (!registry_take(registry, FACT_LEFTOVERS))
        return false;
    for (size_t i = 0; i < registry->records.count; i++) {
        const struct recovery *recovery = registry->records.all[i];

        for (size_t n = 0; n < recovery->n_attempts; n++)
            if (is_due(registry, recovery, &recovery->attempts[n]))
                has_failed |= want(leftovers, recovery, &recovery->attempts[n]) < 0;
    }
    if (has_failed)
        registry_tell(registry, FACT_LEFTOVERS);
    return !has_failed;
}

bool leftovers_next(void *self, struct action *ret)
{
    struct leftovers *leftovers = self;
    struct registry *registry = leftovers->registry;
    struct task *task = *tasks_find_due(&leftovers->tasks, registry);

    if (task == NULL)
        return false;
    *ret = task_ask(task, registry, PART_LEFTOVERS, question_time_us(ACTION_UNMAKE, VERIFY_RUNNING, registry->config));
    return true;
}

/* ---- answers ---- */

static void forget(struct registry *registry, const struct machine_ref *ref)
{
    for (size_t i = 0; i < registry->records.count; i++) {
        struct recovery *recovery = registry->records.all[i];

        for (size_t n = 0; n < recovery->n_attempts; n++)
            if (may_have_left_parts(&recovery->attempts[n]) &&
                machine_ref_equal(&recovery->attempts[n].candidate, ref)) {
                recovery->attempts[n].may_leave_parts = false;
                recovery->is_changed = true;
            }
    }
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

    outbox_tell(&registry->outbox, NOTICE_EVENT_NOTED, now, pool_find(registry->pool, ref->hypervisor, ref->uuid),
                "%s was made for recovery %s, did not take over, and is kept: %s", name_of(registry, task),
                task->action.recovery_id, result->message);
}

static void try_later(struct leftovers *leftovers, struct task *task, const struct action_result *result,
                      struct moment now)
{
    struct registry *registry = leftovers->registry;
    const struct machine_ref *ref = &task->action.target;

    task->retry_us = now.mono_us + RETRY_PAUSE_US;
    if (task->tries++ > 0)
        return;
    outbox_tell(&registry->outbox, NOTICE_EVENT_NOTED, now, pool_find(registry->pool, ref->hypervisor, ref->uuid),
                "what was made of %s on %s for recovery %s could not be removed: %s; it is tried again",
                name_of(registry, task), ref->hypervisor, task->action.recovery_id,
                result->message[0] != '\0' ? result->message : strerror(-result->error));
}

void leftovers_answer(void *self, const struct action *action, const struct action_result *result, struct moment now)
{
    struct leftovers *leftovers = self;
    struct task **at = tasks_find_action(&leftovers->tasks, action->id);

    if (*at == NULL)
        return;
    if (result->error != 0 && result->error != -EBUSY) {
        try_later(leftovers, *at, result, now);
        return;
    }
    if (result->error == -EBUSY)
        leave_alone(leftovers, *at, result, now);
    forget(leftovers->registry, &action->target);
    tasks_drop(at);
}

void leftovers_done(struct leftovers *leftovers)
{
    tasks_drop_all(&leftovers->tasks);
}
