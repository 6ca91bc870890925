/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The order by which a host is emptied before it is held. Its hold stands from the beginning, as one that evacuates: no
 * machine is started there, and all else goes on. The services that machines of the host serve are failed over, the most
 * important first, one at a time. When each of them was tried, the hold begins. What could not be failed over stays, and
 * is named.
 *
 *     ordered ─▶ hold->is_evacuating ─▶ a failover ─ its end ─▶ … ─▶ the host is held
 *
 * That a host is being evacuated is on disk with its hold, and each failover is a recovery like any other. Which services
 * were tried is not: the next daemon tries them once more.
 */
#ifndef UNDERSTUDY_COORDINATOR_EVACUATION_H
#define UNDERSTUDY_COORDINATOR_EVACUATION_H

#include "coordinator/holds.h"
#include "coordinator/recoveries.h"
#include "protocol/order.h"

struct evacuation {
    struct recoveries *recoveries;
    struct holds *holds;
};

component_handle evacuation_handle;

/* ORDER_EVACUATE, as coordinator_order. */
int evacuation_order(struct evacuation *evacuation, const struct order *order, struct moment now,
                     struct order_answer *ret) _must_check_;

#endif
