/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What runs twice: a machine beside the one that took its place, as when a host comes back that had been
 * given up. Tells it, and has one of the two stopped where when_both_run says so, but never the last one.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/coordinator_internal.h"

/* libvirt gives a process 10 s to end and up to 5 s more to be gone. */
#define STOP_TIMEOUT_US (20 * USEC_PER_SEC)

/* For somebody: one that is on its way to being warm does nothing. */
static bool runs(const struct machine *machine)
{
    return machine != NULL && machine->is_reachable && machine->keeping == KEEPING_NONE &&
           (machine->state == MACHINE_RUNNING || machine->state == MACHINE_SUSPENDED);
}

static const struct machine *find(const struct coordinator *coordinator, const struct machine_ref *ref)
{
    return pool_find(coordinator->pool, ref->hypervisor, ref->uuid);
}

/* It runs in the place of yet another one, or is on its way there: that is its own duty now. */
static bool has_other_duty(const struct coordinator *coordinator, const struct machine *machine)
{
    struct machine_ref ref = machine_ref_of(machine);
    const struct watch *watch = watch_find(coordinator, &ref);

    if (watch != NULL && watch->serves != NULL)
        return true;
    for (size_t i = 0; i < coordinator->n_records; i++)
        if (coordinator->records[i]->stands_in && machine_ref_equal(&coordinator->records[i]->replacement, &ref))
            return true;
    return false;
}

/* The failed machine, or the one at the head of the chain, if it runs. */
static const struct machine *running_original(const struct coordinator *coordinator, const struct recovery *recovery)
{
    const struct machine *failed = find(coordinator, &recovery->failed), *root = find(coordinator, &recovery->root);

    if (runs(failed) && !has_other_duty(coordinator, failed))
        return failed;
    return runs(root) && !has_other_duty(coordinator, root) ? root : NULL;
}

static void stop(struct coordinator *coordinator, const struct recovery *recovery, const struct machine *victim,
                 const struct machine *survivor, struct moment now)
{
    struct surplus *surplus = calloc(1, sizeof(*surplus));

    if (surplus == NULL) {
        notices_add(coordinator, NOTICE_OUT_OF_MEMORY, now, victim, "no memory to stop %s", victim->name);
        return;
    }
    surplus->action.kind = ACTION_DESTROY;
    surplus->action.target = machine_ref_of(victim);
    memcpy(surplus->action.recovery_id, recovery->id, sizeof(recovery->id));
    surplus->survivor = machine_ref_of(survivor);
    surplus->is_due = true;
    surplus->retry_us = USEC_INFINITY;
    surplus->next = coordinator->surplus;
    coordinator->surplus = surplus;
}

static void tell(struct coordinator *coordinator, const struct recovery *recovery, const struct machine *original,
                 const struct machine *replacement, struct moment now)
{
    static const char *const consequences[] = {
        [BOTH_RUN_ALERT] = "stop one of them",
        [BOTH_RUN_STOP_REPLACEMENT] = "the replacement is stopped",
        [BOTH_RUN_STOP_ORIGINAL] = "the original is stopped",
    };
    enum when_both_run when =
        coordinator->config->mode == MODE_AUTOMATIC ? coordinator->config->when_both_run : BOTH_RUN_ALERT;

    notices_add(coordinator, NOTICE_BOTH_RUN, now, original,
                "%s/%s runs, and %s/%s, which took its place in recovery %s, runs as well: %s", original->hypervisor,
                original->name, replacement->hypervisor, replacement->name, recovery->id, consequences[when]);
    if (when == BOTH_RUN_STOP_REPLACEMENT)
        stop(coordinator, recovery, replacement, original, now);
    if (when == BOTH_RUN_STOP_ORIGINAL)
        stop(coordinator, recovery, original, replacement, now);
}

/* Only its hypervisor's own word ends it: out of reach it may run on, and an agent may be wrong. */
static bool has_stopped(const struct coordinator *coordinator, const struct recovery *recovery)
{
    const struct machine *replacement = find(coordinator, &recovery->replacement);
    const struct link *link = link_find(coordinator, recovery->replacement.hypervisor);

    if (link != NULL && !link->is_listed)
        return false;
    return replacement == NULL || !machine_state_is_active(replacement->state);
}

static void look(struct coordinator *coordinator, struct recovery *recovery, struct moment now)
{
    const struct machine *replacement = find(coordinator, &recovery->replacement);
    const struct machine *original = running_original(coordinator, recovery);
    struct machine_ref ref;

    if (has_stopped(coordinator, recovery)) {
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
    tell(coordinator, recovery, original, replacement, now);
}

void both_review(struct coordinator *coordinator, struct moment now)
{
    if (!coordinator->is_both_due)
        return;
    coordinator->is_both_due = false;
    for (size_t i = 0; i < coordinator->n_records; i++)
        if (coordinator->records[i]->stands_in)
            look(coordinator, coordinator->records[i], now);
}

static void drop(struct surplus **at)
{
    struct surplus *surplus = *at;

    *at = surplus->next;
    free(surplus);
}

/* Should both be seen to run (again), it is told, and resolved, anew. */
static void look_later(struct coordinator *coordinator, const struct surplus *surplus)
{
    for (size_t i = 0; i < coordinator->n_records; i++)
        if (strcmp(coordinator->records[i]->id, surplus->action.recovery_id) == 0)
            coordinator->records[i]->doubled = (struct machine_ref){0};
}

bool both_next(struct coordinator *coordinator, struct action *ret)
{
    for (struct surplus **at = &coordinator->surplus; *at != NULL;) {
        struct surplus *surplus = *at;

        if (!surplus->is_due) {
            at = &surplus->next;
            continue;
        }
        /* If the other one has stopped meanwhile, this is the last one, and stays. */
        if (!runs(find(coordinator, &surplus->survivor)) || !runs(find(coordinator, &surplus->action.target))) {
            look_later(coordinator, surplus);
            drop(at);
            continue;
        }
        surplus->is_due = false;
        surplus->action.id = ++coordinator->last_action;
        surplus->action.as_of = coordinator->events;
        surplus->action.timeout_us = STOP_TIMEOUT_US;
        *ret = surplus->action;
        return true;
    }
    return false;
}

bool both_answer(struct coordinator *coordinator, const struct action_result *result, struct moment now)
{
    for (struct surplus **at = &coordinator->surplus; *at != NULL; at = &(*at)->next) {
        struct surplus *surplus = *at;
        const struct machine *machine = find(coordinator, &surplus->action.target);

        if (surplus->action.id != result->id)
            continue;
        if (result->error != 0 && result->error != -ENOENT) {
            surplus->retry_us = now.mono_us + RETRY_US;
            return true;
        }
        notices_add(coordinator, NOTICE_BOTH_RESOLVED, now, machine, "%s was stopped, because it ran twice",
                    machine != NULL ? machine->name : surplus->action.target.uuid);
        drop(at);
        return true;
    }
    return false;
}

void both_tick(struct coordinator *coordinator, struct moment now)
{
    for (struct surplus *surplus = coordinator->surplus; surplus != NULL; surplus = surplus->next)
        if (surplus->retry_us <= now.mono_us) {
            surplus->retry_us = USEC_INFINITY;
            surplus->is_due = true;
        }
}

int64_t both_deadline(const struct coordinator *coordinator)
{
    int64_t deadline_us = USEC_INFINITY;

    for (const struct surplus *surplus = coordinator->surplus; surplus != NULL; surplus = surplus->next)
        if (surplus->retry_us < deadline_us)
            deadline_us = surplus->retry_us;
    return deadline_us;
}

void both_free_all(struct coordinator *coordinator)
{
    while (coordinator->surplus != NULL)
        drop(&coordinator->surplus);
}
