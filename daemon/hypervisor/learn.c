/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Failing is normal here: many guests have no agent, or an old one. */
#include "hypervisor/learn.h"

#include "base/moment.h"
#include "discovery/interview.h"
#include "hypervisor/addresses.h"
#include "hypervisor/agent.h"
#include "protocol/action.h"
#include "service/clock.h"

/* Seconds that the agent has for each command. */
#define ANSWER_TIMEOUT 5

/* For a connection to one port, all addresses at once. */
#define CONNECT_TIMEOUT_US (300 * USEC_PER_MSEC)

/* Connects to each port on which it listens, and closes the connection again. */
static struct ports try_ports(virDomainPtr domain, const struct ports *listening, int64_t until_us)
{
    struct addresses addresses = {0};
    struct ports reached = {0};
    char why[ACTION_MESSAGE_SIZE];

    if (listening->count > 0)
        addresses_find(domain, true, &addresses);
    for (size_t i = 0; i < listening->count && addresses.count > 0 && clock_now().mono_us < until_us; i++)
        if (reach_any(&addresses, listening->items[i], CONNECT_TIMEOUT_US, why, sizeof(why)) == 0)
            (void)ports_add(&reached, listening->items[i]);
    return reached;
}

static int conclude(virDomainPtr domain, const struct guest *guest, bool tries_ports, int64_t until_us,
                    struct feature_texts *ret)
{
    struct ports listening = guest_ports(guest), reached;
    int r = guest_conclude(guest, ret);

    if (r < 0 || !tries_ports || !guest->knows_ports || guest->is_starting)
        return r;
    reached = try_ports(domain, &listening, until_us);
    return ports_tell(&reached, PORTS_REACHED_KIND, ret);
}

bool learn_from_agent(virDomainPtr domain, const struct learn_options *options, struct learned *ret)
{
    _cleanup_(interview_freep) struct interview *interview = NULL;
    /* The last command may take as long as AGENT_EXTRA_US says, and the domain is described after it. */
    int64_t until_us = clock_now().mono_us + options->timeout_us - AGENT_EXTRA_US;

    if (options->catalog == NULL || interview_new(options->catalog, options->software, &interview) < 0)
        return false;
    if (!agent_talk(domain, interview, ANSWER_TIMEOUT, until_us))
        return false;
    if (conclude(domain, interview_guest(interview), options->tries_ports, until_us, &ret->features) < 0) {
        learned_done(ret);
        return false;
    }
    ret->is_partial = !interview_is_complete(interview);
    ret->is_starting = interview_guest(interview)->is_starting;
    ret->lack = interview_lack(interview);
    return true;
}
