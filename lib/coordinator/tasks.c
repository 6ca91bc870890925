/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Actions that are tried again until they succeed. */
#include "coordinator/tasks.h"

#include <stdlib.h>
#include <string.h>

struct task *tasks_add(struct task **tasks, enum action_kind kind, const struct machine_ref *target,
                       const char *recovery_id)
{
    struct task *task = calloc(1, sizeof(*task));

    if (task == NULL)
        return NULL;
    task->action.kind = kind;
    task->action.target = *target;
    strncpy(task->action.recovery_id, recovery_id, sizeof(task->action.recovery_id) - 1);
    task->is_due = true;
    task->retry_us = USEC_INFINITY;
    task->next = *tasks;
    *tasks = task;
    return task;
}

struct task **tasks_find_due(struct task **tasks, const struct registry *registry)
{
    while (*tasks != NULL && (!(*tasks)->is_due || machine_is_held(registry, &(*tasks)->action.target)))
        tasks = &(*tasks)->next;
    return tasks;
}

struct task **tasks_find_action(struct task **tasks, uint64_t action_id)
{
    while (*tasks != NULL && (*tasks)->action.id != action_id)
        tasks = &(*tasks)->next;
    return tasks;
}

struct task **tasks_find_target(struct task **tasks, const struct machine_ref *target)
{
    while (*tasks != NULL && !machine_ref_equal(&(*tasks)->action.target, target))
        tasks = &(*tasks)->next;
    return tasks;
}

struct action task_ask(struct task *task, struct registry *registry, enum part owner, int64_t timeout_us)
{
    task->is_due = false;
    task->action.id = outbox_new_id(&registry->outbox, owner);
    task->action.as_of = registry->events;
    task->action.timeout_us = timeout_us;
    return task->action;
}

void task_hurry(struct task *task)
{
    if (task == NULL || task->retry_us == USEC_INFINITY)
        return;
    task->retry_us = USEC_INFINITY;
    task->is_due = true;
}

void tasks_drop(struct task **at)
{
    struct task *task = *at;

    *at = task->next;
    free(task);
}

void tasks_tick(struct task *tasks, int64_t now_us)
{
    for (; tasks != NULL; tasks = tasks->next)
        if (tasks->retry_us <= now_us) {
            tasks->retry_us = USEC_INFINITY;
            tasks->is_due = true;
        }
}

int64_t tasks_deadline(const struct task *tasks)
{
    int64_t deadline_us = USEC_INFINITY;

    for (; tasks != NULL; tasks = tasks->next)
        deadline_us = earlier_us(deadline_us, tasks->retry_us);
    return deadline_us;
}

void tasks_drop_all(struct task **tasks)
{
    while (*tasks != NULL)
        tasks_drop(tasks);
}
