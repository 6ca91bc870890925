/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * All runs together: which one an answer is for, what falls due, and what becomes of them when a hypervisor is there
 * again or is configured no longer. What one of them goes through is run.c's.
 */
#include <string.h>

#include "coordinator/coordinator_internal.h"

struct run *run_find(const struct coordinator *coordinator, uint64_t action_id)
{
    for (size_t i = 0; i < coordinator->n_runs; i++)
        if (coordinator->runs[i]->recovery->action_id == action_id)
            return coordinator->runs[i];
    return NULL;
}

void runs_reconsider(struct coordinator *coordinator, const char *hypervisor, struct moment now)
{
    struct recovery_event event = {.kind = RECOVERY_RECONSIDER, .now = now};

    for (size_t i = coordinator->n_runs; i-- > 0;) {
        struct run *run = coordinator->runs[i];

        if (run->has_action && (hypervisor == NULL || strcmp(run->action.target.hypervisor, hypervisor) == 0))
            run_handle(coordinator, run, &event);
    }
}

void runs_resume(struct coordinator *coordinator, const char *hypervisor, struct moment now)
{
    struct recovery_event event = {.kind = RECOVERY_RECONNECTED, .now = now};

    runs_reconsider(coordinator, hypervisor, now);
    for (size_t i = coordinator->n_runs; i-- > 0;) {
        struct run *run = coordinator->runs[i];
        const char *awaited = recovery_waits_for(run->recovery);

        if (run->is_postponed)
            run->wants_candidate = true;
        if (awaited != NULL && strcmp(awaited, hypervisor) == 0)
            run_handle(coordinator, run, &event);
    }
}

void runs_tick(struct coordinator *coordinator, struct moment now)
{
    struct recovery_event event = {.kind = RECOVERY_TICK, .now = now};

    for (size_t i = coordinator->n_runs; i-- > 0;) {
        struct run *run = coordinator->runs[i];

        if (run->retry_us <= now.mono_us) {
            run->retry_us = USEC_INFINITY;
            run->wants_candidate = run->recovery->state == RECOVERY_SELECTING;
            if (run->recovery->state == RECOVERY_WAITING)
                run->recovery->deadline_us = now.mono_us;
        }
        if (run->recovery->deadline_us <= now.mono_us)
            run_handle(coordinator, run, &event);
    }
}

int64_t runs_deadline(const struct coordinator *coordinator)
{
    int64_t deadline_us = USEC_INFINITY;

    for (size_t i = 0; i < coordinator->n_runs; i++) {
        const struct run *run = coordinator->runs[i];

        if (run->retry_us < deadline_us)
            deadline_us = run->retry_us;
        if (run->recovery->deadline_us < deadline_us)
            deadline_us = run->recovery->deadline_us;
    }
    return deadline_us;
}

static bool is_configured(const struct config *config, const char *hypervisor)
{
    for (size_t i = 0; i < config->n_hypervisors; i++)
        if (strcmp(config->hypervisors[i].name, hypervisor) == 0)
            return true;
    return false;
}

void runs_abandon_unconfigured(struct coordinator *coordinator, const struct config *config, struct moment now)
{
    struct recovery_event event = {
        .kind = RECOVERY_ABANDON,
        .now = now,
        .detail = "its hypervisor is no longer configured",
    };

    for (size_t i = coordinator->n_runs; i-- > 0;) {
        struct run *run = coordinator->runs[i];

        if (!is_configured(config, run->recovery->failed.hypervisor) ||
            (run->recovery->replacement_name != NULL && !is_configured(config, run->recovery->replacement.hypervisor)))
            run_handle(coordinator, run, &event);
    }
}
