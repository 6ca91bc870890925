/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Guests that hang: the agent of every protected running machine is asked in turn. A missing answer
 * counts only while a second witness agrees, disks and network being silent: a busy guest that merely
 * answers slowly is alive. What cannot be counted counts as silent.
 */
#include <utlist.h>

#include "coordinator/coordinator_internal.h"

void heartbeat_configure(struct coordinator *coordinator)
{
    if (!coordinator->config->failure.heartbeat.is_enabled)
        coordinator->heartbeat_us = USEC_INFINITY;
    else if (coordinator->heartbeat_us == USEC_INFINITY)
        coordinator->heartbeat_us = 0;
}

static bool is_asked(const struct coordinator *coordinator, const struct watch *watch)
{
    const struct machine *machine = pool_find(coordinator->pool, watch->ref.hypervisor, watch->ref.uuid);

    return coordinator->config->failure.heartbeat.is_enabled && machine != NULL && machine->state == MACHINE_RUNNING &&
           machine->is_reachable && (machine->roles & ROLE_PROTECTED) != 0 &&
           (machine->agent_connected || watch->misses > 0) && watch->recovers == NULL && watch->serves == NULL &&
           watch->warms == NULL;
}

void heartbeat_tick(struct coordinator *coordinator, struct moment now)
{
    for (struct watch *watch = coordinator->watches; watch != NULL; watch = watch->hh.next) {
        if (watch->wants_probe || watch->is_probing || !is_asked(coordinator, watch))
            continue;
        watch->wants_probe = true;
        LL_PREPEND2(coordinator->to_probe, watch, next_to_probe);
    }
    coordinator->heartbeat_us = now.mono_us + coordinator->config->failure.heartbeat.interval_us;
}

struct watch *heartbeat_next(struct coordinator *coordinator)
{
    struct watch *watch;

    while ((watch = coordinator->to_probe) != NULL) {
        LL_DELETE2(coordinator->to_probe, watch, next_to_probe);
        watch->wants_probe = false;
        watch->is_probing = is_asked(coordinator, watch);
        if (watch->is_probing)
            return watch;
    }
    return NULL;
}

/* A guest that was not executing and does so again is alive, too. */
static bool shows_disk_activity(const struct probe *last, const struct probe *probe)
{
    return !probe->lacks_disks && (last->lacks_disks || probe->disk_requests != last->disk_requests);
}

/* Something was read, written, sent or received since the first answer was missing. */
static bool shows_activity(const struct watch *watch, const struct probe *probe)
{
    const struct probe *last = &watch->last_probe;

    return last->has_counters && probe->has_counters &&
           (shows_disk_activity(last, probe) || probe->network_packets != last->network_packets);
}

static void count_miss(struct watch *watch, const struct probe *probe)
{
    if (watch->misses == 0 || shows_activity(watch, probe)) {
        watch->misses = 1;
        watch->last_probe = *probe;
        return;
    }
    watch->misses++;
}

void heartbeat_handle_result(struct coordinator *coordinator, const struct action *action,
                             const struct action_result *result, struct moment now)
{
    struct watch *watch = watch_find(coordinator, &action->target);
    struct machine *machine = pool_find(coordinator->pool, action->target.hypervisor, action->target.uuid);

    if (watch == NULL)
        return;
    watch->is_probing = false;
    /* A hypervisor that does not answer says nothing about the guest. */
    if (machine == NULL || !coordinator->config->failure.heartbeat.is_enabled || !is_asked(coordinator, watch) ||
        result->error != 0)
        return;
    if (result->probe.agent_answered) {
        watch->misses = 0;
        watch->is_hung = false;
        return;
    }
    count_miss(watch, &result->probe);
    if (watch->misses < coordinator->config->failure.heartbeat.misses)
        return;
    watch->misses = 0;
    if (watch->is_hung)
        return;
    watch->is_hung = true;
    watch_handle_failure(coordinator, watch, machine, CAUSE_HUNG,
                         "its guest agent does not answer, and its disks and network are silent", now);
}
