/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whether a guest is alive: its agent, and the work of its disks and network. Blocks; decides nothing. */
#ifndef UNDERSTUDY_DAEMON_HYPERVISOR_PULSE_H
#define UNDERSTUDY_DAEMON_HYPERVISOR_PULSE_H

#include <libvirt/libvirt.h>

#include "protocol/action.h"

/*
 * Fills result->probe; error stays 0 when the agent does not answer within action->timeout_us, see agent_ping.
 * -ENOENT, -ENOTCONN, -EIO with words in message: nothing is known of the guest; the machine does not run, say.
 */
void pulse_take(virConnectPtr connection, const struct action *action, struct action_result *result);

#endif
