/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The answer may come after the client has gone, or after the API has: one that is pending belongs to the backend that
 * will answer it, and the list only tells which requests still wait.
 */
#include "api/pending.h"

#include <stdlib.h>
#include <string.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/http.h>

#include "api/api.h"
#include "api/reply.h"
#include "report/json.h"

struct pending {
    LIST_ENTRY(pending) link;
    struct evhttp_request *request; /* NULL: the API has gone */
    char *machine;
};

static void free_pending(struct pending *pending)
{
    free(pending->machine);
    free(pending);
}

/* Meanwhile the client sends nothing, and its silence is no reason to close the connection. */
static void set_idle_limit(struct evhttp_request *request, bool unlimited)
{
    struct evhttp_connection *connection = evhttp_request_get_connection(request);
    static const struct timeval limit = {.tv_sec = API_IDLE_SECONDS};

    if (connection != NULL)
        bufferevent_set_timeouts(evhttp_connection_get_bufferevent(connection), unlimited ? NULL : &limit, &limit);
}

struct pending *pending_begin(struct pending_list *list, struct evhttp_request *request, const char *machine)
{
    struct pending *pending = calloc(1, sizeof(*pending));

    if (pending != NULL)
        pending->machine = strdup(machine);
    if (pending == NULL || pending->machine == NULL) {
        free(pending);
        reply_error(request, HTTP_SERVUNAVAIL, "out of memory", NULL);
        return NULL;
    }
    pending->request = request;
    LIST_INSERT_HEAD(list, pending, link);
    set_idle_limit(request, true);
    return pending;
}

/* The request that still waits; NULL: the API has gone. Where the client has gone, evhttp only frees it with the answer. */
static struct evhttp_request *take_request(struct pending *pending)
{
    struct evhttp_request *request = pending->request;

    if (request != NULL) {
        LIST_REMOVE(pending, link);
        set_idle_limit(request, false);
    }
    return request;
}

void pending_end(void *token, int error, const char *message)
{
    struct pending *pending = token;
    struct evhttp_request *request = take_request(pending);
    char *json = NULL;

    if (request != NULL && error < 0)
        reply_error(request, reply_status_of(error), message, NULL);
    else if (request != NULL)
        reply_json(request, HTTP_OK, json_format_done(pending->machine, message, &json) < 0 ? NULL : json);
    free_pending(pending);
}

void pending_answer(struct pending *pending, char *json)
{
    struct evhttp_request *request = take_request(pending);

    if (request != NULL)
        reply_json(request, HTTP_OK, json);
    else
        free(json);
    free_pending(pending);
}

void pending_refuse(struct pending *pending, int status, const char *error, const char *hint)
{
    struct evhttp_request *request = take_request(pending);

    if (request != NULL)
        reply_error(request, status, error, hint);
    free_pending(pending);
}

void pending_drop(struct pending *pending)
{
    LIST_REMOVE(pending, link);
    set_idle_limit(pending->request, false);
    free_pending(pending);
}

static void abandon(struct pending *pending)
{
    LIST_REMOVE(pending, link);
    /* evhttp frees the request with its connection; without one, nothing else does. */
    if (evhttp_request_get_connection(pending->request) == NULL)
        evhttp_request_free(pending->request);
    pending->request = NULL;
}

void pending_forget(struct pending *pending)
{
    abandon(pending);
    free_pending(pending);
}

void pending_abandon_all(struct pending_list *list)
{
    while (!LIST_EMPTY(list))
        abandon(LIST_FIRST(list));
}
