/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What an operator orders: refused with the way out, or begun. */
#ifndef UNDERSTUDY_COORDINATOR_ORDERS_H
#define UNDERSTUDY_COORDINATOR_ORDERS_H

#include "coordinator/recoveries.h"
#include "protocol/order.h"

/* As coordinator_order. */
int orders_take(struct recoveries *recoveries, const struct order *order, struct moment now, struct order_answer *ret);

#endif
