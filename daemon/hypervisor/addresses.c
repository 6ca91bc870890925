/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Addresses as libvirt knows them. Connects to none. */
#include "hypervisor/addresses.h"

#include <stdlib.h>

static void add_all(virDomainPtr domain, unsigned source, struct addresses *addresses)
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

void addresses_find(virDomainPtr domain, bool agent_answers, struct addresses *addresses)
{
    static const unsigned sources[] = {
        VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_AGENT,
        VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_LEASE,
        VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_ARP,
    };

    for (size_t i = agent_answers ? 0 : 1; i < ELEMENTS_OF(sources) && addresses->count == 0; i++)
        add_all(domain, sources[i], addresses);
}
