/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whether a machine does its work, as seen from outside: blocking questions for worker threads. */
#ifndef UNDERSTUDY_DAEMON_HYPERVISOR_VERIFY_H
#define UNDERSTUDY_DAEMON_HYPERVISOR_VERIFY_H

#include <libvirt/libvirt.h>

#include "protocol/action.h"

/*
 * By action->level, which is VERIFY_AGENT or VERIFY_TCP. Fills result->error and message; -EAGAIN: not (yet),
 * and the message says what is missing. Else -ENOENT, -ENOTCONN, -EIO, -ENOMEM. 0 with a message: the agent answers, and the
 * message says why not all of action->ports could be looked at.
 */
void verify_machine(virConnectPtr connection, const struct action *action, struct action_result *result);

#endif
