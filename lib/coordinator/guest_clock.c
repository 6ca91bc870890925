/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Clocks of guests that slept. */
#include "coordinator/guest_clock.h"

#define TRIES_MAX      8
#define RETRY_PAUSE_US USEC_PER_SEC

void guest_clock_want(struct guest_clock *guest_clock, const struct machine *machine, struct moment now)
{
    struct machine_ref ref = machine_ref_of(machine);
    struct task **at = tasks_find_target(&guest_clock->sleepers, &ref);

    if (!machine->description->has_agent_channel)
        return;
    if (*at != NULL)
        tasks_drop(at);
    if (tasks_add(&guest_clock->sleepers, ACTION_SET_CLOCK, &ref, "") == NULL)
        outbox_tell(&guest_clock->registry->outbox, NOTICE_OUT_OF_MEMORY, now, machine,
                    "no memory to set the clock of %s", machine->name);
}

bool guest_clock_next(void *self, struct action *ret)
{
    struct guest_clock *guest_clock = self;
    struct registry *registry = guest_clock->registry;
    struct task *task = *tasks_find_due(&guest_clock->sleepers, registry);

    if (task == NULL)
        return false;
    *ret = task_ask(task, registry, PART_GUEST_CLOCK, registry->config->recovery.call_timeout_us);
    return true;
}

void guest_clock_answer(void *self, const struct action *action, const struct action_result *result, struct moment now)
{
    struct guest_clock *guest_clock = self;
    struct registry *registry = guest_clock->registry;
    struct task **at = tasks_find_action(&guest_clock->sleepers, action->id);
    const struct machine *machine = pool_find(registry->pool, action->target.hypervisor, action->target.uuid);

    if (*at == NULL)
        return;
    /* One that is off, or warm again, is told the time when it runs next; that it runs may be told late. */
    if (result->error == 0 || machine == NULL || !machine_state_is_active(machine->state) ||
        machine->keeping == KEEPING_WARM) {
        tasks_drop(at);
        return;
    }
    if (++(*at)->tries < TRIES_MAX) {
        (*at)->retry_us = now.mono_us + RETRY_PAUSE_US;
        return;
    }
    tasks_drop(at);
    outbox_tell(&registry->outbox, NOTICE_CLOCK_FAILED, now, machine,
                "%s slept, and its clock could not be set through its agent: %s",
                pool_display_name(registry->pool, machine), result->message);
}

void guest_clock_done(struct guest_clock *guest_clock)
{
    tasks_drop_all(&guest_clock->sleepers);
}
