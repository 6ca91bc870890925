/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Guests are asked what they offer: when their agent connects, once a day, after a reload, when one did not answer or was
 * still starting, and when an operator wants it; of itself no guest more often than once in 10 minutes. Only guests of
 * protected and standby machines are asked, one at a time on each host, and none while a recovery or a standby's course has
 * its machine. Where a guest does not answer, what is known of it stays.
 */
#ifndef UNDERSTUDY_COORDINATOR_DISCOVERY_H
#define UNDERSTUDY_COORDINATOR_DISCOVERY_H

#include "coordinator/component.h"
#include "coordinator/registry.h"
#include "protocol/order.h"

struct discovery {
    struct registry *registry;
    int64_t next_us;  /* when all are asked again: mono_us */
    int64_t pause_us; /* when those may be asked again that were asked lately: mono_us; 0: no pause yet */
};

/* After a new configuration: by another catalog, guests may offer something else. */
void discovery_configure(struct discovery *discovery);

/* The agent of a machine is connected, by a report: it is asked, if it was not since it connected. */
void discovery_see_agent(struct registry *registry, struct watch *watch, const struct machine *machine);

/* ORDER_REFRESH: it is asked next, even if it was asked lately. As coordinator_order. */
int discovery_order(struct discovery *discovery, const struct order *order, struct order_answer *ret);

component_answer discovery_answer;
component_tick discovery_tick;
component_deadline discovery_deadline;
component_next discovery_next;

#endif
