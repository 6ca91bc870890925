/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The agent, and the ports on which its guest listens; or a TCP port at an address that the agent, a DHCP lease or the
 * host's neighbour table knows.
 */
#include "hypervisor/verify.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/moment.h"
#include "hypervisor/actions.h"
#include "hypervisor/agent.h"
#include "hypervisor/reach.h"
#include "service/clock.h"

/* The question is asked again anyway: no single attempt has to wait long. */
#define PATIENCE_US (2 * USEC_PER_SEC)
/* Seconds that the agent has for each command about ports. */
#define ANSWER_TIMEOUT 2

static int64_t patience_us(const struct action *action)
{
    return action->timeout_us < PATIENCE_US ? action->timeout_us : PATIENCE_US;
}

/* Those of `wanted` on which it does not listen. */
static struct ports find_deaf(const struct guest *guest, const struct ports *wanted)
{
    struct ports deaf = {0};

    for (size_t i = 0; i < wanted->count; i++)
        if (!guest_listens(guest, wanted->items[i]))
            (void)ports_add(&deaf, wanted->items[i]);
    return deaf;
}

/* Of a guest whose agent answers. That it cannot be asked is no fault of it: the message says why, and there is no error. */
static void verify_ports(virDomainPtr domain, const struct action *action, struct action_result *result)
{
    _cleanup_(interview_freep) struct interview *interview = NULL;
    char text[PORTS_TEXT_SIZE];
    const char *lack;
    struct ports deaf;

    if (interview_new_of_ports(action->software, &interview) < 0) {
        result->error = -ENOMEM;
        return;
    }
    if (!agent_talk(domain, interview, ANSWER_TIMEOUT, clock_now().mono_us + patience_us(action))) {
        result->error = -EAGAIN;
        snprintf(result->message, sizeof(result->message), "its guest agent stopped answering");
        return;
    }
    lack = interview_lack_of_ports(interview);
    if (lack != NULL) {
        snprintf(result->message, sizeof(result->message), "%s", lack);
        return;
    }
    deaf = find_deaf(interview_guest(interview), &action->ports);
    if (deaf.count == 0)
        return;
    ports_format(&deaf, text);
    result->error = -EAGAIN;
    snprintf(result->message, sizeof(result->message), "nothing in it listens on port %.200s", text);
}

static void verify_agent(virDomainPtr domain, const struct action *action, struct action_result *result)
{
    result->error = agent_ping(domain, patience_us(action), result->message, sizeof(result->message));
    if (result->error == 0 && action->ports.count > 0)
        verify_ports(domain, action, result);
}

static void add_addresses(virDomainPtr domain, unsigned source, struct addresses *addresses)
{
    virDomainInterfacePtr *interfaces = NULL;
    int n = virDomainInterfaceAddresses(domain, &interfaces, source, 0);

    for (int i = 0; i < n; i++) {
        for (unsigned j = 0; j < interfaces[i]->naddrs; j++)
            addresses_add(addresses, interfaces[i]->addrs[j].addr);
        virDomainInterfaceFree(interfaces[i]);
    }
    free(interfaces);
}

static void verify_tcp(virDomainPtr domain, const struct action *action, struct action_result *result)
{
    static const unsigned sources[] = {
        VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_AGENT,
        VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_LEASE,
        VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_ARP,
    };
    struct addresses addresses = {0};
    /* libvirt asks the agent for addresses without a timeout, so only an agent that has just answered is asked. */
    bool has_agent = agent_ping(domain, patience_us(action), result->message, sizeof(result->message)) == 0;

    for (size_t i = has_agent ? 0 : 1; i < ELEMENTS_OF(sources) && addresses.count == 0; i++)
        add_addresses(domain, sources[i], &addresses);
    if (addresses.count == 0) {
        result->error = -EAGAIN;
        snprintf(
            result->message, sizeof(result->message),
            "the address of the machine is not known: neither its guest agent nor a DHCP lease nor the host tells one");
        return;
    }
    result->error = reach_any(&addresses, action->port, patience_us(action), result->message, sizeof(result->message));
}

void verify_machine(virConnectPtr connection, const struct action *action, struct action_result *result)
{
    virDomainPtr domain = action_look_up(connection, action->target.uuid, result);

    if (domain == NULL)
        return;
    if (action->level == VERIFY_AGENT)
        verify_agent(domain, action, result);
    else if (action->level == VERIFY_TCP)
        verify_tcp(domain, action, result);
    else
        result->error = -EINVAL;
    virDomainFree(domain);
}
