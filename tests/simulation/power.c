/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Hosts that lose their power or their link, the agent that fences them, and how they come back. The agent
 * fails, succeeds after it was given up, or lies; what it does, it does although the daemon may have died.
 */
#include <errno.h>
#include <string.h>

#include "simulation.h"

/* A connection may take so long to be noticed as broken. */
#define UNNOTICED_US (12 * USEC_PER_SEC)

enum agent {
    AGENT_WORKS,
    AGENT_FAILS,
    AGENT_LATE,
    AGENT_LIES,
};

bool power_is_out_of_reach(const struct site *site)
{
    return site->is_cut || !site->has_power;
}

static void notice_cut(struct simulation *simulation, const struct thing *thing)
{
    struct site *site = &simulation->hosts[thing->host];

    if (site->link != thing->number || !power_is_out_of_reach(site))
        return;
    shell_disconnect(simulation, thing->host, "nothing is heard of it");
    shell_connect_later(simulation, thing->host, USEC_PER_SEC);
}

static void fall_silent(struct simulation *simulation, unsigned index)
{
    int64_t longest_us = simulation->options->has_short_hosts ? USEC_PER_SEC / 2 : UNNOTICED_US;

    agenda_add(simulation, random_between(&simulation->random_calls, 0, longest_us),
               (struct thing){.happen = notice_cut, .host = index, .number = simulation->hosts[index].link});
}

/* The operator pulls the plug back in, or has seen to what was wrong. */
static void power_on(struct simulation *simulation, const struct thing *thing)
{
    struct site *site = &simulation->hosts[thing->host];

    if (site->has_power)
        return;
    say(simulation, "world    %s is switched on", site->name);
    site->has_power = true;
    site->is_up = true;
    site->booted_us = simulation->now.mono_us;
    if (!site->is_connected)
        return;
    shell_disconnect(simulation, thing->host, "the connection did not survive");
    shell_connect_later(simulation, thing->host, 200 * USEC_PER_MSEC);
}

void power_restore(struct simulation *simulation, unsigned index)
{
    power_on(simulation, &(struct thing){.host = index});
}

/* What libvirt knew of how its machines ended is gone with the rest. */
void power_off(struct simulation *simulation, unsigned index, const char *how)
{
    struct site *site = &simulation->hosts[index];

    if (!site->has_power)
        return;
    say(simulation, "world    %s %s", site->name, how);
    promises_reasons_lost(simulation, index);
    site->has_power = false;
    site->is_up = false;
    site->has_lied = false;
    site->boots++;
    for (unsigned i = 0; i < simulation->n_domains; i++) {
        struct domain *domain = &simulation->domains[i];

        if (domain->host != index)
            continue;
        if (machine_state_is_active(domain->state)) {
            promises_power_lost(simulation, domain);
            world_stop(simulation, domain, REASON_UNKNOWN);
        } else if (domain->state == MACHINE_SHUT_OFF) {
            domain->reason = REASON_UNKNOWN;
        }
    }
    fall_silent(simulation, index);
    if (simulation->options->foretells)
        return;
    agenda_add(simulation,
               random_between(&simulation->random_calls, simulation->options->has_short_hosts ? 60 : 10, 90) *
                   USEC_PER_SEC,
               (struct thing){.happen = power_on, .host = index});
}

static void mend(struct simulation *simulation, const struct thing *thing)
{
    struct site *site = &simulation->hosts[thing->host];

    if (!site->is_cut)
        return;
    say(simulation, "world    the link to %s is there again", site->name);
    site->is_cut = false;
    shell_disconnect(simulation, thing->host, "the connection did not survive");
    shell_connect_later(simulation, thing->host, 200 * USEC_PER_MSEC);
}

void power_mend(struct simulation *simulation, unsigned index)
{
    mend(simulation, &(struct thing){.host = index});
}

void power_cut(struct simulation *simulation, unsigned index, int64_t for_us)
{
    struct site *site = &simulation->hosts[index];

    if (site->is_cut)
        return;
    say(simulation, "world    the link to %s is cut", site->name);
    site->is_cut = true;
    fall_silent(simulation, index);
    agenda_add(simulation, for_us, (struct thing){.happen = mend, .host = index});
}

static enum agent make_fate(struct simulation *simulation)
{
    uint64_t *dice = &simulation->random_calls;
    unsigned place = simulation->places[3]++;
    enum agent fate = AGENT_WORKS;

    if (strikes(simulation, dice, FAULT_FENCE_FAILS, 25) || spot_is(simulation, SPOT_FENCE_FAILS, place))
        fate = AGENT_FAILS;
    if (strikes(simulation, dice, FAULT_FENCE_LATE, 10) || spot_is(simulation, SPOT_FENCE_LATE, place))
        fate = AGENT_LATE;
    if (strikes(simulation, dice, FAULT_FENCE_LIES, 8) || spot_is(simulation, SPOT_FENCE_LIES, place))
        fate = AGENT_LIES;
    return fate;
}

static void go_off_late(struct simulation *simulation, const struct thing *thing)
{
    power_off(simulation, thing->host, "is switched off by an agent that was given up");
}

static void agent_ends(struct simulation *simulation, const struct thing *thing)
{
    struct site *site = &simulation->hosts[thing->host];
    enum agent fate = (enum agent)thing->life;
    struct action action = {.id = thing->number, .kind = ACTION_FENCE};
    struct action_result result = {.id = thing->number};

    if (fate == AGENT_WORKS)
        power_off(simulation, thing->host, "is switched off by the agent");
    if (fate == AGENT_LATE)
        agenda_add(simulation, random_between(&simulation->random_calls, 1, 20) * USEC_PER_SEC,
                   (struct thing){.happen = go_off_late, .host = thing->host});
    if (!shell_is_up(simulation, thing->epoch))
        return;
    if (fate == AGENT_FAILS || fate == AGENT_LATE) {
        result.error = fate == AGENT_FAILS ? -ECANCELED : -ETIMEDOUT;
        strcpy(result.message, "the agent failed");
    }
    strcpy(action.target.hypervisor, site->name);
    say(simulation, "agent    %s: %s%s", site->name, result.error == 0 ? "off" : strerrorname_np(-result.error),
        fate == AGENT_LIES ? ", which is a lie" : "");
    site->has_lied |= fate == AGENT_LIES;
    for (unsigned i = 0; fate == AGENT_LIES && i < simulation->n_domains; i++)
        if (simulation->domains[i].host == thing->host)
            simulation->domains[i].lied_life = simulation->domains[i].life;
    losses_answered(simulation, thing->host, result.error == 0);
    coordinator_handle_result(simulation->coordinator, &action, &result, simulation->now);
    shell_pump(simulation);
}

void power_fence(struct simulation *simulation, const struct action *action)
{
    const struct site *site = world_host(simulation, action->target.hypervisor);
    struct thing thing = {.happen = agent_ends, .epoch = simulation->epoch, .number = action->id};

    say(simulation, "asks     fence %s", action->target.hypervisor);
    if (site == NULL)
        abort();
    thing.host = (unsigned)(site - simulation->hosts);
    thing.life = make_fate(simulation);
    losses_fence_asked(simulation, thing.host);
    if (spot_is(simulation, SPOT_CRASH_AT_FENCE, simulation->places[3] - 1))
        simulation->crash_is_due = true;
    agenda_add(simulation, random_between(&simulation->random_calls, 300 * USEC_PER_MSEC, 8 * USEC_PER_SEC), thing);
}
