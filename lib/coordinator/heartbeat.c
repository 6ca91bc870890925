/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Guests that hang: asks for signs of life, and leaves a failure where there are none. */
#include "coordinator/heartbeat.h"

#include "coordinator/failures.h"

void heartbeat_configure(struct heartbeat *heartbeat)
{
    if (!heartbeat->registry->config->failure.heartbeat.is_enabled)
        heartbeat->next_us = USEC_INFINITY;
    else if (heartbeat->next_us == USEC_INFINITY)
        heartbeat->next_us = 0;
}

static bool is_asked(const struct registry *registry, const struct watch *watch)
{
    const struct machine *machine = watch_machine(registry, watch);

    return registry->config->failure.heartbeat.is_enabled && machine != NULL && machine->state == MACHINE_RUNNING &&
           machine->is_reachable && machine_is_protected(machine) &&
           (machine->agent_connected || (watch_rare(watch)->hang != NULL && watch_rare(watch)->hang->misses > 0)) &&
           !watch_is_taken(watch);
}

/* It shuts down, as it was asked to. */
static bool may_be_silent(const struct watch *watch, struct moment now)
{
    return watch_rare(watch)->stopping_until_us > now.mono_us;
}

void heartbeat_tick(void *self, struct moment now)
{
    struct heartbeat *heartbeat = self;
    struct registry *registry = heartbeat->registry;

    if (heartbeat->next_us > now.mono_us)
        return;
    for (struct watch *watch = NULL; (watch = watch_next(registry, watch)) != NULL;)
        if (!watch->is_checking_alive && is_asked(registry, watch) && !may_be_silent(watch, now))
            watch_tell(registry, watch, QUEUE_CHECK_ALIVE, MACHINE_FACT_DUE);
    heartbeat->next_us = moment_next_tick_us(now.mono_us, registry->config->failure.heartbeat.interval_us);
}

int64_t heartbeat_deadline(const void *self)
{
    const struct heartbeat *heartbeat = self;

    return heartbeat->next_us;
}

bool heartbeat_next(void *self, struct action *ret)
{
    struct heartbeat *heartbeat = self;
    struct registry *registry = heartbeat->registry;
    struct machine_ref ref;
    struct watch *watch;
    unsigned facts;

    while ((watch = watch_take(registry, QUEUE_CHECK_ALIVE, &facts)) != NULL) {
        watch->is_checking_alive = is_asked(registry, watch);
        if (!watch->is_checking_alive)
            continue;
        ref = watch_ref(registry, watch);
        *ret = registry_new_action(registry, PART_HEARTBEAT, ACTION_CHECK_ALIVE, &ref,
                                   registry->config->failure.heartbeat.timeout_us);
        return true;
    }
    return false;
}

void heartbeat_answer(void *self, const struct action *action, const struct action_result *result, struct moment now)
{
    struct heartbeat *heartbeat = self;
    struct registry *registry = heartbeat->registry;
    struct watch *watch = watch_find(registry, &action->target);
    struct probe probe = result->probe;
    const struct machine *machine;
    struct hang_track *hang;

    if (watch == NULL)
        return;
    watch->is_checking_alive = false;
    /* A hypervisor that does not answer says nothing about the guest. */
    if (result->error != 0 || !is_asked(registry, watch) || may_be_silent(watch, now))
        return;
    if (probe.agent_answered) {
        watch->has_agent_answered = true;
        watch_clear_hang(watch);
        return;
    }
    /* Its guest may still boot, or has no agent that works. */
    if (!watch->has_agent_answered)
        return;
    machine = watch_machine(registry, watch);
    probe.has_counters |= probe.is_stopped && machine->description->n_disks > 0;
    hang = watch_get_hang(watch); /* without memory it is asked again */
    if (hang != NULL && hang_judge(hang, &probe, registry->config->failure.heartbeat.misses))
        failures_leave(registry, watch, machine, CAUSE_HUNG,
                       "its guest agent does not answer, and its disks and network are silent", now);
}
