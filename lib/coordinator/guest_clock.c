/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Clocks of guests that slept. */
#include "coordinator/guest_clock.h"

#include <stdlib.h>

#define TRIES_MAX      8
#define RETRY_PAUSE_US USEC_PER_SEC

/* A guest that slept and whose clock is to be set. */
struct sleeper {
    struct machine_ref ref;
    unsigned tries;
    bool is_due;
    uint64_t action_id; /* whose answer is awaited; 0: none */
    int64_t at_us;      /* when it is due: mono_us; USEC_INFINITY: due, or asked */
    struct sleeper *next;
};

static struct sleeper **find(struct guest_clock *guest_clock, const struct machine_ref *ref)
{
    struct sleeper **at = &guest_clock->sleepers;

    while (*at != NULL && !machine_ref_equal(&(*at)->ref, ref))
        at = &(*at)->next;
    return at;
}

static void drop(struct sleeper **at)
{
    struct sleeper *sleeper = *at;

    *at = sleeper->next;
    free(sleeper);
}

void guest_clock_want(struct guest_clock *guest_clock, const struct machine *machine, struct moment now)
{
    struct registry *registry = guest_clock->registry;
    struct machine_ref ref = machine_ref_of(machine);
    struct sleeper **at = find(guest_clock, &ref), *next;

    if (!machine->description->has_agent_channel)
        return;
    if (*at == NULL)
        *at = calloc(1, sizeof(**at));
    if (*at == NULL) {
        outbox_tell(&registry->outbox, NOTICE_OUT_OF_MEMORY, now, machine, "no memory to set the clock of %s",
                    machine->name);
        return;
    }
    next = (*at)->next;
    **at = (struct sleeper){.ref = ref, .is_due = true, .at_us = now.mono_us, .next = next};
}

bool guest_clock_next(void *self, struct action *ret)
{
    struct guest_clock *guest_clock = self;
    struct registry *registry = guest_clock->registry;

    for (struct sleeper *sleeper = guest_clock->sleepers; sleeper != NULL; sleeper = sleeper->next) {
        if (!sleeper->is_due)
            continue;
        *ret = registry_new_action(registry, PART_GUEST_CLOCK, ACTION_SET_CLOCK, &sleeper->ref,
                                   registry->config->recovery.call_timeout_us);
        sleeper->is_due = false;
        sleeper->action_id = ret->id;
        sleeper->at_us = USEC_INFINITY;
        return true;
    }
    return false;
}

void guest_clock_answer(void *self, const struct action *action, const struct action_result *result, struct moment now)
{
    struct guest_clock *guest_clock = self;
    struct registry *registry = guest_clock->registry;
    struct sleeper **at = find(guest_clock, &action->target), *sleeper = *at;
    const struct machine *machine = pool_find(registry->pool, action->target.hypervisor, action->target.uuid);

    if (sleeper == NULL || sleeper->action_id != action->id)
        return;
    sleeper->action_id = 0;
    /* One that is off, or warm again, is told the time when it runs next; that it runs may be told late. */
    if (result->error == 0 || machine == NULL || !machine_state_is_active(machine->state) ||
        machine->keeping == KEEPING_WARM) {
        drop(at);
        return;
    }
    if (++sleeper->tries < TRIES_MAX) {
        sleeper->at_us = now.mono_us + RETRY_PAUSE_US;
        return;
    }
    drop(at);
    outbox_tell(&registry->outbox, NOTICE_CLOCK_FAILED, now, machine,
                "%s slept, and its clock could not be set through its agent: %s", machine->name, result->message);
}

void guest_clock_tick(void *self, struct moment now)
{
    struct guest_clock *guest_clock = self;

    for (struct sleeper *sleeper = guest_clock->sleepers; sleeper != NULL; sleeper = sleeper->next)
        if (sleeper->at_us <= now.mono_us) {
            sleeper->is_due = true;
            sleeper->at_us = USEC_INFINITY;
        }
}

int64_t guest_clock_deadline(const void *self)
{
    const struct guest_clock *guest_clock = self;
    int64_t deadline_us = USEC_INFINITY;

    for (const struct sleeper *sleeper = guest_clock->sleepers; sleeper != NULL; sleeper = sleeper->next)
        deadline_us = earlier_us(deadline_us, sleeper->at_us);
    return deadline_us;
}

void guest_clock_done(struct guest_clock *guest_clock)
{
    while (guest_clock->sleepers != NULL)
        drop(&guest_clock->sleepers);
}
