/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where a running machine can be connected to. A blocking question, for worker threads. */
#ifndef UNDERSTUDY_DAEMON_HYPERVISOR_ADDRESSES_H
#define UNDERSTUDY_DAEMON_HYPERVISOR_ADDRESSES_H

#include <stdbool.h>

#include <libvirt/libvirt.h>

#include "hypervisor/reach.h"

/*
 * Adds the addresses of the first source that tells any: its guest agent, a DHCP lease, the neighbour table of its host. The
 * agent is asked only where it has just answered, since libvirt asks it for addresses without a timeout.
 */
void addresses_find(virDomainPtr domain, bool agent_answers, struct addresses *addresses);

#endif
