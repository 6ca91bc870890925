/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One request on its way to its answer: what the functions of the routes are given. */
#ifndef UNDERSTUDY_DAEMON_API_EXCHANGE_H
#define UNDERSTUDY_DAEMON_API_EXCHANGE_H

#include <sys/queue.h>

#include <event2/keyvalq_struct.h>

#include "api/api.h"
#include "api/routes.h"

/* All of it goes when the function returns; the request does, once it is answered. */
struct exchange {
    struct routes *routes;
    struct evhttp_request *request;
    enum api_rights rights;
    char by[OPERATOR_NAME_SIZE]; /* who gives an order; "": not known, or it is none */
    const struct coordinator *coordinator;
    const struct pool *pool;
    char *name;             /* what stood at {} in the path, decoded; NULL without one */
    struct evkeyvalq query; /* decoded */
};

struct moment exchange_now(const struct exchange *exchange);

/* Answers with a document of lib/report, which it takes; where there was no memory to make it (error), says so. */
void exchange_answer(const struct exchange *exchange, int error, char *json);

#endif
