/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Guests that hang: the agent of every protected running machine is asked in turn. What an answer means,
 * or its lack, is detect/hang.
 */
#ifndef UNDERSTUDY_COORDINATOR_HEARTBEAT_H
#define UNDERSTUDY_COORDINATOR_HEARTBEAT_H

#include "coordinator/component.h"
#include "coordinator/registry.h"

struct heartbeat {
    struct registry *registry;
    int64_t next_us; /* mono_us; USEC_INFINITY: none */
};

/* After a new configuration. */
void heartbeat_configure(struct heartbeat *heartbeat);
component_answer heartbeat_answer;
component_tick heartbeat_tick;
component_deadline heartbeat_deadline;
component_next heartbeat_next;

#endif
