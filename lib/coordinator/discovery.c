/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which guest is asked next. */
#include "coordinator/discovery.h"

#include <errno.h>

#include "base/text.h"

#define AGAIN_US     (INT64_C(86400) * USEC_PER_SEC)
#define PAUSE_US     (INT64_C(600) * USEC_PER_SEC)
#define INTERVIEW_US (INT64_C(60) * USEC_PER_SEC)

/* Other machines are neither recovered nor started, so that it does not matter what their guests offer. */
static bool takes_part(const struct machine *machine)
{
    return machine_is_protected(machine) || (machine->roles & ROLE_STANDBY) != 0;
}

/* Why it cannot be asked: what is said behind its name. NULL: it can. */
static const char *obstacle_of(const struct machine *machine)
{
    if (!takes_part(machine))
        return "is neither protected nor standby, so it does not matter what it offers: pool.protect and pool.standby "
               "name those that take part, or understudyctl tag --role";
    if (machine->hold != NULL)
        return "is held, and left alone: understudyctl holds, then release";
    if (!machine->is_reachable)
        return "is on a host that cannot be reached";
    if (machine->state != MACHINE_RUNNING)
        return "does not run, and only a running guest can be asked; what it told last stays";
    if (!machine->description->has_agent_channel)
        return "has no channel for a guest agent: add one (org.qemu.guest_agent.0) and install qemu-guest-agent in the "
               "guest, or declare what it offers: understudyctl tag";
    if (!machine->agent_connected)
        return "has a guest agent that is not connected: is qemu-guest-agent installed and running in the guest?";
    return NULL;
}

static bool can_be_asked(const struct machine *machine)
{
    return machine != NULL && obstacle_of(machine) == NULL;
}

/* One that was asked lately waits for the end of the pause, so that no guest can take the time of all others. */
static void want(struct registry *registry, struct watch *watch)
{
    bool was_asked = number_set_has(&registry->interviewed, watch->number);

    watch_tell(registry, watch, QUEUE_DISCOVERY, was_asked ? MACHINE_FACT_FAILED : MACHINE_FACT_DUE);
}

static void want_all(struct registry *registry)
{
    for (struct watch *watch = NULL; (watch = watch_next(registry, watch)) != NULL;)
        if (can_be_asked(watch_machine(registry, watch)))
            want(registry, watch);
}

void discovery_configure(struct discovery *discovery)
{
    want_all(discovery->registry);
}

void discovery_see_agent(struct registry *registry, struct watch *watch, const struct machine *machine)
{
    if (can_be_asked(machine) && !watch->has_asked_agent)
        want(registry, watch);
    watch->has_asked_agent = can_be_asked(machine);
}

int discovery_order(struct discovery *discovery, const struct order *order, struct order_answer *ret)
{
    struct registry *registry = discovery->registry;
    struct watch *watch = watch_find(registry, &order->machine);
    const struct machine *machine = watch != NULL ? watch_machine(registry, watch) : NULL;
    const char *obstacle;

    if (machine == NULL)
        return -ENOENT;
    obstacle = obstacle_of(machine);
    if (obstacle != NULL) {
        ret->words = text_print("%s %s", machine->name, obstacle);
        return -EBUSY;
    }
    watch_tell(registry, watch, QUEUE_DISCOVERY, MACHINE_FACT_DUE);
    ret->words = text_print("the guest of %s is being asked what it offers: understudyctl show %s", machine->name,
                            machine->name);
    return 0;
}

static void end_pause(struct registry *registry)
{
    struct watch *watch;

    number_set_done(&registry->interviewed);
    registry->interviewed = (struct number_set){0};
    for (uint32_t from = 0; (watch = watch_queued(registry, QUEUE_DISCOVERY, from)) != NULL; from = watch->number + 1)
        watch_tell(registry, watch, QUEUE_DISCOVERY, MACHINE_FACT_DUE);
}

/* Some guest was asked lately, or is to be asked. */
static bool has_work(const struct registry *registry)
{
    return registry->interviewed.count > 0 || watch_is_any(registry, QUEUE_DISCOVERY);
}

static void tick_pause(struct discovery *discovery, struct moment now)
{
    if (discovery->pause_us == 0) {
        discovery->pause_us = now.mono_us + PAUSE_US;
    } else if (discovery->pause_us <= now.mono_us) {
        discovery->pause_us = 0;
        end_pause(discovery->registry);
    }
}

void discovery_tick(void *self, struct moment now)
{
    struct discovery *discovery = self;

    if (has_work(discovery->registry))
        tick_pause(discovery, now);
    if (discovery->next_us > now.mono_us)
        return;
    if (discovery->next_us != 0)
        want_all(discovery->registry);
    discovery->next_us = now.mono_us + AGAIN_US;
}

int64_t discovery_deadline(const void *self)
{
    const struct discovery *discovery = self;

    return has_work(discovery->registry) ? earlier_us(discovery->next_us, discovery->pause_us) : discovery->next_us;
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
        if (number_set_reserve(&registry->interviewed, (size_t)watch->number + 1) == 0)
            number_set_add(&registry->interviewed, watch->number);
        *ret = registry_new_action(registry, PART_DISCOVERY, ACTION_DISCOVER, &ref, INTERVIEW_US);
        ret->tries_ports = machine_is_protected(watch_machine(registry, watch));
        return true;
    }
    return false;
}

/* An error: nothing was learned, or there is more to come. */
void discovery_answer(void *self, const struct action *action, const struct action_result *result, struct moment now)
{
    const struct discovery *discovery = self;
    struct registry *registry = discovery->registry;
    struct host *host = host_find(registry, action->target.hypervisor);
    struct watch *watch = watch_find(registry, &action->target);
    const struct machine *machine = watch != NULL ? watch_machine(registry, watch) : NULL;

    if (host != NULL)
        host->is_discovering = false;
    if (machine != NULL)
        pool_set_asked(registry->pool, machine, now.real_us);
    if (watch != NULL && result->error != 0)
        watch_tell(registry, watch, QUEUE_DISCOVERY, MACHINE_FACT_FAILED);
}
