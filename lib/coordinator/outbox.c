/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the coordinator asks of the world next. What must not wait goes first: machines that are to be ended, hosts that
 * are to be fenced, then recoveries, then warmth, and last what is only looked at.
 */
#include <string.h>

#include "coordinator/coordinator_internal.h"

/* For LIST and INSPECT. */
static struct action question(struct coordinator *coordinator, enum action_kind kind, const char *hypervisor,
                              const char *uuid)
{
    struct action action = {
        .id = ++coordinator->last_action,
        .kind = kind,
        .as_of = coordinator->events,
        .timeout_us = coordinator->config->recovery.call_timeout_us,
    };

    strncpy(action.target.hypervisor, hypervisor, sizeof(action.target.hypervisor) - 1);
    strncpy(action.target.uuid, uuid, sizeof(action.target.uuid) - 1);
    return action;
}

static bool next_listing(struct coordinator *coordinator, struct action *ret)
{
    for (size_t i = 0; i < coordinator->n_links; i++) {
        struct link *link = &coordinator->links[i];

        if (!link->wants_list || link->is_listing)
            continue;
        *ret = question(coordinator, ACTION_LIST, link->name, "");
        link->wants_list = false;
        link->is_listing = true;
        link->list_id = ret->id;
        return true;
    }
    return false;
}

static bool next_inspection(struct coordinator *coordinator, struct action *ret)
{
    struct watch *watch = coordinator->to_inspect;

    if (watch == NULL)
        return false;
    coordinator->to_inspect = watch->next_to_inspect;
    watch->next_to_inspect = NULL;
    watch->wants_inspection = false;
    watch->is_inspecting = true;
    *ret = question(coordinator, ACTION_INSPECT, watch->ref.hypervisor, watch->ref.uuid);
    return true;
}

static bool next_probe(struct coordinator *coordinator, struct action *ret)
{
    struct watch *watch = heartbeat_next(coordinator);

    if (watch == NULL)
        return false;
    *ret = question(coordinator, ACTION_PROBE, watch->ref.hypervisor, watch->ref.uuid);
    ret->timeout_us = coordinator->config->failure.heartbeat.timeout_us;
    return true;
}

/* Nothing is begun or ended while the brake is on, nor begun where the view of the hypervisor is old. */
static bool is_withheld(const struct coordinator *coordinator, const struct run *run)
{
    const struct link *link = link_find(coordinator, run->action.target.hypervisor);

    if (run->recovery->state == RECOVERY_DESTROYING)
        return coordinator->is_held;
    if (run->action.kind != ACTION_RECORD && run->action.kind != ACTION_HOOK && run->action.kind != ACTION_START)
        return false;
    return coordinator->is_held || (link != NULL && !link->is_listed);
}

bool coordinator_next_action(struct coordinator *coordinator, struct action *ret)
{
    if (late_next(coordinator, ret) || hosts_next(coordinator, ret) || both_next(coordinator, ret))
        return true;
    for (size_t i = 0; i < coordinator->n_runs; i++) {
        struct run *run = coordinator->runs[i];

        if (!run->has_action || is_withheld(coordinator, run))
            continue;
        run->has_action = false;
        run->recovery->is_asked = true;
        run->was_asked |= run->action.kind == ACTION_START;
        *ret = run->action;
        return true;
    }
    if (keeper_next(coordinator, ret) || guest_clock_next(coordinator, ret))
        return true;
    return next_listing(coordinator, ret) || next_inspection(coordinator, ret) || next_probe(coordinator, ret);
}
