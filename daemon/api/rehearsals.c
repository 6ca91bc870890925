/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/rehearsals.h"

#include "api/copy.h"
#include "api/exchange.h"
#include "report/json_plan.h"

static int make(void *context, char **ret_text)
{
    const struct exchange *exchange = *(const struct exchange **)context;

    return json_format_rehearsals(exchange->coordinator, exchange->routes->backend->now(exchange->routes->context),
                                  ret_text);
}

void rehearsals_list(const struct exchange *exchange)
{
    copies_answer(exchange->routes->copies, exchange->request, exchange->rights, make, &exchange);
}
