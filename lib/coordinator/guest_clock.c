/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Clocks of guests that slept, suspended or saved, and run again: set through their agents, beside the
 * recovery and never in its way. An agent that does not answer yet is asked again a few times.
 */
#include <errno.h>
#include <utlist.h>

#include "coordinator/coordinator_internal.h"

#define TRIES_MAX      8
#define RETRY_PAUSE_US USEC_PER_SEC

static void forget(struct coordinator *coordinator, struct watch *watch)
{
    LL_DELETE2(coordinator->to_set_clock, watch, next_to_set_clock);
    watch->wants_clock = false;
    watch->clock_is_due = false;
    watch->clock_action = 0;
    watch->clock_at_us = USEC_INFINITY;
}

void guest_clock_want(struct coordinator *coordinator, const struct machine *machine, struct moment now)
{
    struct watch *watch = watch_get(coordinator, machine->hypervisor, machine->uuid);

    if (watch == NULL || !machine->description->has_agent_channel)
        return;
    if (!watch->wants_clock)
        LL_PREPEND2(coordinator->to_set_clock, watch, next_to_set_clock);
    watch->wants_clock = true;
    watch->clock_is_due = true;
    watch->clock_tries = 0;
    watch->clock_action = 0;
    watch->clock_at_us = now.mono_us;
}

bool guest_clock_next(struct coordinator *coordinator, struct action *ret)
{
    for (struct watch *watch = coordinator->to_set_clock; watch != NULL; watch = watch->next_to_set_clock) {
        if (!watch->clock_is_due)
            continue;
        watch->clock_is_due = false;
        watch->clock_action = ++coordinator->last_action;
        watch->clock_at_us = USEC_INFINITY;
        *ret = (struct action){
            .id = watch->clock_action,
            .kind = ACTION_SET_CLOCK,
            .target = watch->ref,
            .timeout_us = coordinator->config->recovery.call_timeout_us,
        };
        return true;
    }
    return false;
}

void guest_clock_handle_result(struct coordinator *coordinator, const struct action *action,
                               const struct action_result *result, struct moment now)
{
    struct watch *watch = watch_find(coordinator, &action->target);
    const struct machine *machine = pool_find(coordinator->pool, action->target.hypervisor, action->target.uuid);

    if (watch == NULL || watch->clock_action != action->id)
        return;
    watch->clock_action = 0;
    /* One that is off, or was laid down again, is told the time when it runs next; that it runs may be told late. */
    if (result->error == 0 || machine == NULL || !machine_state_is_active(machine->state) ||
        machine->keeping == KEEPING_WARM) {
        forget(coordinator, watch);
        return;
    }
    if (++watch->clock_tries < TRIES_MAX) {
        watch->clock_at_us = now.mono_us + RETRY_PAUSE_US;
        return;
    }
    forget(coordinator, watch);
    notices_add(coordinator, NOTICE_CLOCK_FAILED, now, machine,
                "%s slept, and its clock could not be set through its agent: %s", machine->name, result->message);
}

void guest_clock_tick(struct coordinator *coordinator, struct moment now)
{
    for (struct watch *watch = coordinator->to_set_clock; watch != NULL; watch = watch->next_to_set_clock)
        if (watch->clock_at_us <= now.mono_us) {
            watch->clock_is_due = true;
            watch->clock_at_us = USEC_INFINITY;
        }
}

int64_t guest_clock_deadline(const struct coordinator *coordinator)
{
    int64_t deadline_us = USEC_INFINITY;

    for (const struct watch *watch = coordinator->to_set_clock; watch != NULL; watch = watch->next_to_set_clock)
        if (watch->clock_at_us < deadline_us)
            deadline_us = watch->clock_at_us;
    return deadline_us;
}
