/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Words for orders. */
#include "protocol/order.h"

#include <stdlib.h>

const char *order_kind_name(enum order_kind kind)
{
    static const char *const names[ORDER_COUNT] = {
        [ORDER_RECOVER] = "recover",   [ORDER_CLEAR] = "clear",     [ORDER_FAILOVER] = "failover",
        [ORDER_FAILBACK] = "failback", [ORDER_KEEP] = "keep",       [ORDER_DRILL] = "drill",
        [ORDER_EVACUATE] = "evacuate", [ORDER_REFRESH] = "refresh", [ORDER_REHEARSE] = "rehearse",
    };

    return names[kind];
}

void order_answer_done(struct order_answer *answer)
{
    free(answer->words);
    *answer = (struct order_answer){0};
}
