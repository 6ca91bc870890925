/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Machines that run twice: told, and one of the two stopped where that is wished. */
#include "coordinator/doubles.h"

#include <errno.h>

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

/* The machine replaces yet another one, or is on its way there: it does not run as the original. */
static bool replaces_another(const struct registry *registry, const struct machine *machine)
{
    struct machine_ref ref = machine_ref_of(machine);
    const struct watch *watch = watch_find(registry, &ref);

    if (watch != NULL && watch->serves != NULL)
        return true;
    for (size_t i = 0; i < registry->records.count; i++)
        if (registry->records.all[i]->stands_in && machine_ref_equal(&registry->records.all[i]->replacement, &ref))
            return true;
    return false;
}

/* The failed machine, or the one at the head of the chain, if it runs. */
static const struct machine *running_original(const struct registry *registry, const struct recovery *recovery)
{
    const struct machine *failed = find(registry, &recovery->failed), *root = find(registry, &recovery->root);

    if (runs(failed) && !replaces_another(registry, failed))
        return failed;
    return runs(root) && !replaces_another(registry, root) ? root : NULL;
}

/* While the survivor runs. */
static void stop(struct doubles *doubles, const struct recovery *recovery, const struct machine *victim,
                 const struct machine *survivor, struct moment now)
{
    struct machine_ref ref = machine_ref_of(victim);
    struct task *task = tasks_add(&doubles->surplus, ACTION_DESTROY, &ref, recovery->id);

    if (task != NULL)
        task->survivor = machine_ref_of(survivor);
    else
        outbox_tell(&doubles->registry->outbox, NOTICE_OUT_OF_MEMORY, now, victim, "no memory to stop %s",
                    victim->name);
}

static void tell(struct doubles *doubles, const struct recovery *recovery, const struct machine *original,
                 const struct machine *replacement, struct moment now)
{
    static const char *const consequences[] = {
        [BOTH_RUN_ALERT] = "stop one of them",
        [BOTH_RUN_STOP_REPLACEMENT] = "the replacement is stopped",
        [BOTH_RUN_STOP_ORIGINAL] = "the original is stopped",
    };
    enum when_both_run when =
        doubles->registry->config->mode == MODE_AUTOMATIC ? doubles->registry->config->when_both_run : BOTH_RUN_ALERT;

    outbox_tell(&doubles->registry->outbox, NOTICE_BOTH_RUN, now, original,
                "%s/%s runs, and %s/%s, which took its place in recovery %s, runs as well: %s", original->hypervisor,
                original->name, replacement->hypervisor, replacement->name, recovery->id, consequences[when]);
    if (when == BOTH_RUN_STOP_REPLACEMENT)
        stop(doubles, recovery, replacement, original, now);
    if (when == BOTH_RUN_STOP_ORIGINAL)
        stop(doubles, recovery, original, replacement, now);
}

/* Only its hypervisor's own word ends it: out of reach it may run on, and an agent may be wrong. */
static bool has_stopped(const struct registry *registry, const struct recovery *recovery)
{
    const struct machine *replacement = find(registry, &recovery->replacement);
    const struct host *host = host_find(registry, recovery->replacement.hypervisor);

    if (host != NULL && !host->is_listed)
        return false;
    return replacement == NULL || !machine_state_is_active(replacement->state);
}

static void look(struct doubles *doubles, struct recovery *recovery, struct moment now)
{
    const struct machine *replacement = find(doubles->registry, &recovery->replacement);
    const struct machine *original = running_original(doubles->registry, recovery);
    struct machine_ref ref;

    if (has_stopped(doubles->registry, recovery)) {
        recovery->stands_in = false;
        recovery->is_changed = true;
        return;
    }
    if (!runs(replacement) || original == NULL || original == replacement) {
        recovery->doubled = (struct machine_ref){0};
        return;
    }
    ref = machine_ref_of(original);
    if (machine_ref_equal(&recovery->doubled, &ref))
        return;
    recovery->doubled = ref;
    tell(doubles, recovery, original, replacement, now);
}

bool doubles_handle(void *self, struct moment now)
{
    struct doubles *doubles = self;
    struct records *records = &doubles->registry->records;

    if (!registry_take(doubles->registry, FACT_SERVING_CHANGED))
        return false;
    for (size_t i = 0; i < records->count; i++)
        if (records->all[i]->stands_in)
            look(doubles, records->all[i], now);
    return true;
}

/* Should both be seen to run (again), it is told, and resolved, anew. */
static void look_later(struct doubles *doubles, const struct task *task)
{
    struct recovery *recovery = records_find(&doubles->registry->records, task->action.recovery_id);

    if (recovery != NULL)
        recovery->doubled = (struct machine_ref){0};
}

bool doubles_next(void *self, struct action *ret)
{
    struct doubles *doubles = self;
    struct registry *registry = doubles->registry;
    struct task **at;

    while (*(at = tasks_find_due(&doubles->surplus)) != NULL) {
        /* If the other one has stopped meanwhile, this is the last one, and stays. */
        if (!runs(find(registry, &(*at)->survivor)) || !runs(find(registry, &(*at)->action.target))) {
            look_later(doubles, *at);
            tasks_drop(at);
            continue;
        }
        *ret = task_ask(*at, registry, PART_DOUBLES, QUESTION_STOP_US);
        return true;
    }
    return false;
}

void doubles_answer(void *self, const struct action *action, const struct action_result *result, struct moment now)
{
    struct doubles *doubles = self;
    const struct machine *machine = find(doubles->registry, &action->target);
    struct task **at = tasks_find_action(&doubles->surplus, action->id);

    if (*at == NULL)
        return;
    if (result->error != 0 && result->error != -ENOENT) {
        (*at)->retry_us = now.mono_us + RETRY_US;
        return;
    }
    outbox_tell(&doubles->registry->outbox, NOTICE_BOTH_RESOLVED, now, machine,
                "%s was stopped, because two machines ran for one",
                machine != NULL ? machine->name : action->target.uuid);
    tasks_drop(at);
}

void doubles_done(struct doubles *doubles)
{
    tasks_drop_all(&doubles->surplus);
}
