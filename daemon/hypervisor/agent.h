/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The guest agent, and what it is asked: blocking calls for worker threads. */
#ifndef UNDERSTUDY_DAEMON_HYPERVISOR_AGENT_H
#define UNDERSTUDY_DAEMON_HYPERVISOR_AGENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <libvirt/libvirt.h>

#include "base/cleanup.h"
#include "discovery/interview.h"

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

/*
 * Sends the commands of an interview until it ends; the last one may be sent just before until_us (mono_us), and each may
 * take timeout_s, and AGENT_EXTRA_US. False: the agent is silent, its time is over, or it must not be asked now.
 */
bool agent_talk(virDomainPtr domain, struct interview *interview, int timeout_s, int64_t until_us);

#endif
