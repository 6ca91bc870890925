/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The guest agent, and what it is asked: blocking calls for worker threads. */
#ifndef UNDERSTUDY_DAEMON_HYPERVISOR_AGENT_H
#define UNDERSTUDY_DAEMON_HYPERVISOR_AGENT_H

#include <stddef.h>
#include <stdint.h>

#include <libvirt/libvirt.h>

#include "base/cleanup.h"

/*
 * What libvirt itself waits for an agent in vain, at most, before it hands a question on: after one that
 * was not answered it first asks the agent to synchronise.
 */
#define AGENT_SYNC_US INT64_C(5000000)

/*
 * guest-ping. timeout_us: whole seconds of it are used, one at least; on top of AGENT_SYNC_US. 0: it
 * answered. -EAGAIN: it did not, or is not connected, with libvirt's words in message. Else as
 * translate_last_error: nothing is known of the agent.
 */
int agent_ping(virDomainPtr domain, int64_t timeout_us, char *message, size_t size) _must_check_;

#endif
