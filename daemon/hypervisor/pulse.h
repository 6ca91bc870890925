/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whether a guest is alive: its agent, and the work of its disks and network. Blocks; decides nothing. */
#ifndef UNDERSTUDY_DAEMON_HYPERVISOR_PULSE_H
#define UNDERSTUDY_DAEMON_HYPERVISOR_PULSE_H

#include <libvirt/libvirt.h>

#include "failover/action.h"
#include "hypervisor/agent.h"

/* What a probe may take beyond the timeout that is meant for the agent: libvirt's synchronising, and the counters. */
#define PULSE_EXTRA_US (AGENT_SYNC_US + INT64_C(5000000))

/*
 * Fills result->probe; error stays 0 when the agent does not answer. timeout_us: for the agent. -ENOENT,
 * -ENOTCONN, -EIO with words in message: nothing is known of the guest, it does not run for example.
 */
void pulse_take(virConnectPtr connection, const char *uuid, int64_t timeout_us, struct action_result *result);

#endif
