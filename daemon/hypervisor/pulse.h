/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whether a guest is alive: its agent, and the work of its disks and network. Blocks; decides nothing. */
#ifndef UNDERSTUDY_DAEMON_HYPERVISOR_PULSE_H
#define UNDERSTUDY_DAEMON_HYPERVISOR_PULSE_H

#include <libvirt/libvirt.h>

#include "protocol/action.h"

/*
 * Fills result->probe; error stays 0 when the agent does not answer. timeout_us: for the agent, see agent_ping.
 * -ENOENT, -ENOTCONN, -EIO with words in message: nothing is known of the guest, it does not run for example.
 */
void pulse_take(virConnectPtr connection, const char *uuid, int64_t timeout_us, struct action_result *result);

#endif
