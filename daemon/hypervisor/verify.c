/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The agent, or a TCP port at an address that the agent, a DHCP lease or the host's neighbour table knows. */
#include "hypervisor/verify.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/moment.h"
#include "hypervisor/actions.h"
#include "hypervisor/agent.h"
#include "hypervisor/reach.h"

/* The question is asked again anyway: no single attempt has to wait long. */
#define PATIENCE_US (2 * USEC_PER_SEC)

static int64_t patience_us(const struct action *action)
{
    return action->timeout_us < PATIENCE_US ? action->timeout_us : PATIENCE_US;
}

static void verify_agent(virDomainPtr domain, const struct action *action, struct action_result *result)
{
    result->error = agent_ping(domain, patience_us(action), result->message, sizeof(result->message));
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
