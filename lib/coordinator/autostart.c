/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The autostart of originals. What is to be done follows from the diversions and QUEUE_AUTOSTART, and is looked at anew. */
#include "coordinator/autostart.h"

#include <errno.h>
#include <string.h>

#include "workflow/question.h"

#define RETRY_PAUSE_US (30 * USEC_PER_SEC)

static bool is_on_again(const struct task *task)
{
    return task->action.kind == ACTION_SET_AUTOSTART && task->action.autostart;
}

/* Its host answers, and something may be done with it. NULL: not. */
static const struct machine *find(const struct registry *registry, const struct machine_ref *ref)
{
    const struct machine *machine = pool_find(registry->pool, ref->hypervisor, ref->uuid);
    const struct host *host = host_find(registry, ref->hypervisor);

    return registry->config->mode == MODE_AUTOMATIC && host != NULL && host->is_listed && machine != NULL &&
                   machine->is_present && machine->persistent
               ? machine
               : NULL;
}

/* It serves itself, or is to: one whose service another one was given for good, or that was migrated away, does not. */
static bool is_to_be_on(const struct registry *registry, const struct machine *machine)
{
    struct machine_ref ref = machine_ref_of(machine);

    return (machine->roles & ROLE_PROTECTED) != 0 && machine->reason != REASON_MIGRATED &&
           diversions_of(&registry->diversions, &ref) == NULL;
}

static bool is_wanted(const struct registry *registry, const struct task *task)
{
    const struct machine *machine = find(registry, &task->action.target);

    if (machine == NULL)
        return false;
    return is_on_again(task) ? is_to_be_on(registry, machine)
                             : diversions_of(&registry->diversions, &task->action.target) != NULL;
}

static bool is_under_way(const struct task *task)
{
    return !task->is_due && task->retry_us == USEC_INFINITY;
}

static void drop_unwanted(struct autostart *autostart)
{
    struct task **at = &autostart->tasks;

    while (*at != NULL)
        if (!is_under_way(*at) && !is_wanted(autostart->registry, *at))
            tasks_drop(at);
        else
            at = &(*at)->next;
}

/* Without memory it is asked for after the next input. */
static void want(struct autostart *autostart, const struct machine_ref *ref, enum action_kind kind)
{
    struct task *task =
        *tasks_find_target(&autostart->tasks, ref) == NULL ? tasks_add(&autostart->tasks, kind, ref, "") : NULL;

    if (task != NULL)
        task->action.autostart = kind == ACTION_SET_AUTOSTART;
}

bool autostart_handle(void *self, struct moment now)
{
    struct autostart *autostart = self;
    struct registry *registry = autostart->registry;
    const struct watch *watch;

    (void)now;
    drop_unwanted(autostart);
    for (size_t i = 0; i < registry->diversions.count; i++) {
        struct diversion *diversion = registry->diversions.all[i];
        const struct machine_ref *original = &diversion->service.original;
        const struct host *host = host_find(registry, original->hypervisor);

        if (host == NULL || !host->is_listed)
            diversion->autostart_is_off = false;
        if (!diversion->is_over && !diversion->autostart_is_off && find(registry, original) != NULL)
            want(autostart, original, ACTION_GET_AUTOSTART);
    }
    for (uint32_t from = 0; (watch = watch_queued(registry, QUEUE_AUTOSTART, from)) != NULL; from = watch->number + 1) {
        struct machine_ref ref = watch_ref(registry, watch);
        const struct machine *machine = find(registry, &ref);

        if (machine != NULL && is_to_be_on(registry, machine))
            want(autostart, &ref, ACTION_SET_AUTOSTART);
    }
    return false;
}

bool autostart_next(void *self, struct action *ret)
{
    struct autostart *autostart = self;
    struct registry *registry = autostart->registry;
    struct task *task = *tasks_find_due(&autostart->tasks, registry);

    if (task == NULL)
        return false;
    *ret =
        task_ask(task, registry, PART_AUTOSTART, question_time_us(task->action.kind, VERIFY_RUNNING, registry->config));
    return true;
}

/* ---- answers ---- */

static void go_on_with(struct task *task, enum action_kind kind)
{
    task->action.kind = kind;
    task->is_due = true;
}

static void be_off(struct autostart *autostart, const struct machine *machine, struct moment now)
{
    struct machine_ref ref = machine_ref_of(machine);
    struct diversion *diversion = diversions_of(&autostart->registry->diversions, &ref);

    if (diversion == NULL)
        return;
    diversion->autostart_is_off = true;
    outbox_tell(&autostart->registry->outbox, NOTICE_CHANGED, now, machine,
                "the autostart of %s is switched off while %s serves %s",
                pool_display_name(autostart->registry->pool, machine), diversion->service.replacement_name,
                diversion->service.name);
}

/* A call that was given up may switch it off yet: on record it stays off, and it is switched on once more after that time. */
static void stay_in_doubt(const struct registry *registry, struct task *task, struct watch *watch, struct moment now)
{
    watch->may_go_off = false;
    task->retry_us = now.mono_us + registry->config->recovery.late_start_us;
}

static void be_on(struct autostart *autostart, const struct machine *machine, struct watch *watch, struct moment now)
{
    watch_leave(autostart->registry, watch, QUEUE_AUTOSTART);
    watch_mark_changed(autostart->registry, watch);
    outbox_tell(&autostart->registry->outbox, NOTICE_CHANGED, now, machine, "the autostart of %s is switched on again",
                pool_display_name(autostart->registry->pool, machine));
}

/* What follows the step that was done. */
static void go_on(struct autostart *autostart, struct task **at, const struct machine *machine,
                  const struct action_result *result, struct moment now)
{
    struct registry *registry = autostart->registry;
    struct watch *watch = watch_of(registry, machine);
    struct task *task = *at;

    if (task->action.kind == ACTION_GET_AUTOSTART && result->autostart && watch != NULL) {
        watch_tell(registry, watch, QUEUE_AUTOSTART, MACHINE_FACT_DUE);
        go_on_with(task, ACTION_REMEMBER);
        return;
    }
    if (task->action.kind == ACTION_REMEMBER) {
        go_on_with(task, ACTION_SET_AUTOSTART);
        return;
    }
    if (is_on_again(task) && watch != NULL && watch->may_go_off) {
        stay_in_doubt(registry, task, watch, now);
        return;
    }
    if (task->action.kind == ACTION_GET_AUTOSTART)
        diversions_of(&registry->diversions, &task->action.target)->autostart_is_off = true;
    else if (!is_on_again(task))
        be_off(autostart, machine, now);
    else if (watch != NULL)
        be_on(autostart, machine, watch, now);
    tasks_drop(at);
}

static void try_later(struct autostart *autostart, struct task *task, const struct machine *machine,
                      const struct action_result *result, struct moment now)
{
    task->retry_us = now.mono_us + RETRY_PAUSE_US;
    if (task->tries++ > 0)
        return;
    outbox_tell(&autostart->registry->outbox, NOTICE_EVENT_NOTED, now, machine,
                is_on_again(task)
                    ? "the autostart of %s could not be switched on again: %s; it is tried again, or by: virsh "
                      "autostart %s"
                    : "the autostart of %s could not be switched off while another machine serves: %s; it is tried "
                      "again, or by: virsh autostart --disable %s",
                pool_display_name(autostart->registry->pool, machine),
                result->message[0] != '\0' ? result->message : strerror(-result->error), machine->name);
}

void autostart_answer(void *self, const struct action *action, const struct action_result *result, struct moment now)
{
    struct autostart *autostart = self;
    struct task **at = tasks_find_action(&autostart->tasks, action->id);
    const struct machine *machine = *at != NULL ? find(autostart->registry, &(*at)->action.target) : NULL;
    struct watch *watch = watch_find(autostart->registry, &action->target);

    if (watch != NULL && action->kind == ACTION_SET_AUTOSTART && !action->autostart && result->error == -ETIMEDOUT)
        watch->may_go_off = true;
    if (*at == NULL)
        return;
    if (machine == NULL || !is_wanted(autostart->registry, *at))
        tasks_drop(at);
    else if (result->error == 0)
        go_on(autostart, at, machine, result, now);
    else
        try_later(autostart, *at, machine, result, now);
}

void autostart_handle_late_result(struct autostart *autostart, const struct action *action,
                                  const struct action_result *result)
{
    struct registry *registry = autostart->registry;
    struct diversion *diversion = diversions_of(&registry->diversions, &action->target);
    struct watch *watch = watch_find(registry, &action->target);

    if (watch != NULL && action->kind == ACTION_SET_AUTOSTART && !action->autostart)
        watch->may_go_off = false;
    if (action->kind != ACTION_SET_AUTOSTART || result->error != 0)
        return;
    if (diversion != NULL) {
        diversion->autostart_is_off = false; /* it is asked again */
    } else if (!action->autostart && watch != NULL) {
        watch_tell(registry, watch, QUEUE_AUTOSTART, MACHINE_FACT_DUE);
        watch_mark_changed(registry, watch);
        task_hurry(*tasks_find_target(&autostart->tasks, &action->target));
    }
}

void autostart_done(struct autostart *autostart)
{
    tasks_drop_all(&autostart->tasks);
}
