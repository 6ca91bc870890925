/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/exchange.h"

#include <event2/http.h>

#include "api/reply.h"

struct moment exchange_now(const struct exchange *exchange)
{
    return exchange->routes->backend->now(exchange->routes->context);
}

void exchange_answer(const struct exchange *exchange, int error, char *json)
{
    reply_json(exchange->request, HTTP_OK, error < 0 ? NULL : json);
}
