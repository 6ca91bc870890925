/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Starts that succeed when nobody waits for them any more: two machines must not serve for one failure. */
#include <errno.h>
#include <stdlib.h>

#include "failover/coordinator_internal.h"

/* libvirt gives a process 10 s to end and up to 5 s more to be gone. */
#define STOP_TIMEOUT_US (20 * USEC_PER_SEC)

/* A recovery counts on this machine: the one that asked, one under way, or one that chose it later. */
static bool is_wanted(const struct coordinator *coordinator, const struct action *action)
{
    const struct recovery *asker = coordinator_find_recovery(coordinator, action->recovery_id);

    for (size_t i = 0; i < coordinator->n_records; i++) {
        const struct recovery *recovery = coordinator->records[i];

        if (recovery->replacement_name == NULL || !machine_ref_equal(&recovery->replacement, &action->target))
            continue;
        if (!recovery_state_is_final(recovery->state))
            return true;
        if (recovery->state == RECOVERY_RECOVERED &&
            (asker == NULL || recovery == asker || recovery->decided.mono_us > asker->decided.mono_us))
            return true;
    }
    return false;
}

void coordinator_handle_late_result(struct coordinator *coordinator, const struct action *action,
                                    const struct action_result *result, struct moment now)
{
    struct machine *machine = pool_find(coordinator->pool, action->target.hypervisor, action->target.uuid);
    struct late *late;

    /* A start that failed may have taken effect all the same; only one that somebody else came before has not. */
    if (action->kind != ACTION_START || result->error == -EALREADY || result->error == -ENOENT ||
        is_wanted(coordinator, action))
        return;
    if (result->error == 0)
        notices_add(coordinator, NOTICE_ATTEMPT_FAILED, now, machine,
                    "%s came up after recovery %s had given it up; it is stopped again",
                    machine != NULL ? machine->name : action->target.uuid, action->recovery_id);
    late = calloc(1, sizeof(*late));
    if (late == NULL) {
        notices_add(coordinator, NOTICE_OUT_OF_MEMORY, now, machine, "no memory to stop it");
        return;
    }
    late->action = *action;
    late->action.kind = ACTION_DESTROY;
    late->is_due = true;
    late->retry_us = USEC_INFINITY;
    late->next = coordinator->late;
    coordinator->late = late;
}

bool late_next(struct coordinator *coordinator, struct action *ret)
{
    for (struct late *late = coordinator->late; late != NULL; late = late->next) {
        if (!late->is_due)
            continue;
        late->is_due = false;
        late->action.id = ++coordinator->last_action;
        late->action.timeout_us = STOP_TIMEOUT_US;
        *ret = late->action;
        return true;
    }
    return false;
}

bool late_answer(struct coordinator *coordinator, const struct action_result *result, struct moment now)
{
    for (struct late **at = &coordinator->late; *at != NULL; at = &(*at)->next) {
        struct late *late = *at;

        if (late->action.id != result->id)
            continue;
        if (result->error == 0 || result->error == -ENOENT) {
            *at = late->next;
            free(late);
        } else {
            late->retry_us = now.mono_us + RETRY_US;
        }
        return true;
    }
    return false;
}

void late_tick(struct coordinator *coordinator, struct moment now)
{
    for (struct late *late = coordinator->late; late != NULL; late = late->next)
        if (late->retry_us <= now.mono_us) {
            late->retry_us = USEC_INFINITY;
            late->is_due = true;
        }
}

int64_t late_deadline(const struct coordinator *coordinator)
{
    int64_t deadline_us = USEC_INFINITY;

    for (const struct late *late = coordinator->late; late != NULL; late = late->next)
        if (late->retry_us < deadline_us)
            deadline_us = late->retry_us;
    return deadline_us;
}
