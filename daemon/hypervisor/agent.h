/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The guest agent, and what it is asked: blocking calls for worker threads. */
#ifndef UNDERSTUDY_DAEMON_HYPERVISOR_AGENT_H
#define UNDERSTUDY_DAEMON_HYPERVISOR_AGENT_H

#include <stddef.h>
#include <stdint.h>

#include <libvirt/libvirt.h>

#include "base/cleanup.h"

/*
 * The time that a question to an agent may take beyond its timeout: after a question without an answer, libvirt first
 * asks the agent to synchronise, and waits 5 s for that. The calls made beside the question take a moment, too.
 */
#define AGENT_EXTRA_US INT64_C(10000000)

/*
 * guest-ping. timeout_us: whole seconds of it are used, one at least; see AGENT_EXTRA_US. 0: the agent answered.
 * -EAGAIN: it did not, or is not connected, with libvirt's words in message. Else as translate_last_error: nothing is
 * known of the agent.
 */
int agent_ping(virDomainPtr domain, int64_t timeout_us, char *message, size_t size) _must_check_;

#endif
