/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which guest is asked next. */
#include "coordinator/discovery.h"

#define AGAIN_US       (INT64_C(86400) * USEC_PER_SEC)
#define RETRY_PAUSE_US (INT64_C(600) * USEC_PER_SEC)
#define INTERVIEW_US   (INT64_C(60) * USEC_PER_SEC)

/* Of others nobody wants to know what they offer, and their guests are left alone. */
static bool takes_part(const struct machine *machine)
{
    return machine != NULL && (machine_is_protected(machine) || (machine->roles & ROLE_STANDBY) != 0);
}

static bool can_be_asked(const struct machine *machine)
{
    return takes_part(machine) && machine->state == MACHINE_RUNNING && machine->is_reachable &&
           machine->agent_connected && machine->hold == NULL;
}

void discovery_see_agent(struct registry *registry, struct watch *watch, const struct machine *machine)
{
    if (can_be_asked(machine) && !watch->has_asked_agent)
        watch_tell(registry, watch, QUEUE_DISCOVERY, MACHINE_FACT_DUE);
    watch->has_asked_agent = can_be_asked(machine);
}

void discovery_tick(void *self, struct moment now)
{
    struct discovery *discovery = self;
    struct registry *registry = discovery->registry;
    struct watch *watch = NULL;

    if (discovery->retry_us <= now.mono_us) {
        discovery->retry_us = USEC_INFINITY;
        for (uint32_t from = 0; (watch = watch_queued(registry, QUEUE_DISCOVERY, from)) != NULL;
             from = watch->number + 1)
            watch_tell(registry, watch, QUEUE_DISCOVERY, MACHINE_FACT_DUE);
    }
    if (discovery->next_us > now.mono_us)
        return;
    while (discovery->next_us != 0 && (watch = watch_next(registry, watch)) != NULL)
        if (can_be_asked(watch_machine(registry, watch)))
            watch_tell(registry, watch, QUEUE_DISCOVERY, MACHINE_FACT_DUE);
    discovery->next_us = now.mono_us + AGAIN_US;
}

int64_t discovery_deadline(const void *self)
{
    const struct discovery *discovery = self;

    return earlier_us(discovery->next_us, discovery->retry_us);
}

/* Else all that are queued wait, and need not be looked at. */
static bool is_any_free(const struct registry *registry)
{
    for (size_t i = 0; i < registry->n_hosts; i++)
        if (!registry->hosts[i].is_discovering)
            return true;
    return false;
}

bool discovery_next(void *self, struct action *ret)
{
    const struct discovery *discovery = self;
    struct registry *registry = discovery->registry;
    struct watch *watch;

    if (!is_any_free(registry))
        return false;
    for (uint32_t from = 0; (watch = watch_queued(registry, QUEUE_DISCOVERY, from)) != NULL; from = watch->number + 1) {
        struct machine_ref ref = watch_ref(registry, watch);
        struct host *host = host_find(registry, ref.hypervisor);

        if (host == NULL || !can_be_asked(watch_machine(registry, watch))) {
            watch_leave(registry, watch, QUEUE_DISCOVERY);
            watch->has_asked_agent = false;
            continue;
        }
        if (host->is_discovering || watch_is_taken(watch) ||
            (watch_facts(watch, QUEUE_DISCOVERY) & MACHINE_FACT_DUE) == 0)
            continue;
        watch_leave(registry, watch, QUEUE_DISCOVERY);
        host->is_discovering = true;
        *ret = registry_new_action(registry, PART_DISCOVERY, ACTION_DISCOVER, &ref, INTERVIEW_US);
        return true;
    }
    return false;
}

void discovery_end(struct discovery *discovery, const struct action *action, bool has_learned, struct moment now)
{
    struct registry *registry = discovery->registry;
    struct host *host = host_find(registry, action->target.hypervisor);
    struct watch *watch = watch_find(registry, &action->target);

    if (host != NULL)
        host->is_discovering = false;
    if (watch == NULL || has_learned)
        return;
    watch_tell(registry, watch, QUEUE_DISCOVERY, MACHINE_FACT_FAILED);
    discovery->retry_us = earlier_us(discovery->retry_us, now.mono_us + RETRY_PAUSE_US);
}

void discovery_answer(void *self, const struct action *action, const struct action_result *result, struct moment now)
{
    (void)result;
    discovery_end(self, action, false, now);
}
