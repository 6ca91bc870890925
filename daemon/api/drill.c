/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The answer may come after the client has gone, or after the API has: a drill belongs to the backend that will
 * answer it, and the list only tells which requests still wait.
 */
#include "api/drill.h"

#include <errno.h>
#include <string.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/http.h>

#include "api/reply.h"
#include "report/json.h"

struct drill {
    LIST_ENTRY(drill) link;
    struct evhttp_request *request; /* NULL: the API has gone */
    char *machine;
};

static void free_drill(struct drill *drill)
{
    free(drill->machine);
    free(drill);
}

/* While a drill is under way the client sends nothing, and its silence is no reason to close the connection. */
static void set_idle_limit(struct evhttp_request *request, bool unlimited)
{
    struct evhttp_connection *connection = evhttp_request_get_connection(request);
    static const struct timeval limit = {.tv_sec = API_IDLE_SECONDS};

    if (connection != NULL)
        bufferevent_set_timeouts(evhttp_connection_get_bufferevent(connection), unlimited ? NULL : &limit, &limit);
}

static void on_done(void *token, int error, const char *message)
{
    struct drill *drill = token;
    struct evhttp_request *request = drill->request;
    char *json = NULL;

    if (request != NULL) {
        LIST_REMOVE(drill, link);
        set_idle_limit(request, false);
        /* Where the client has gone, evhttp only frees the request here. */
        if (error < 0)
            reply_error(request, reply_status_of(error), message, NULL);
        else
            reply_json(request, HTTP_OK, json_format_drill(drill->machine, message, &json) < 0 ? NULL : json);
    }
    free_drill(drill);
}

static int read_order(struct evhttp_request *request, struct order *order, const char **ret_problem)
{
    struct evbuffer *body = evhttp_request_get_input_buffer(request);
    size_t length = evbuffer_get_length(body);
    const char *text = (const char *)evbuffer_pullup(body, -1);
    _cleanup_(freep) char *to = NULL; /* which means nothing here */

    if (text == NULL && length > 0)
        return -ENOMEM;
    return json_parse_order(text, length, order, &to, ret_problem);
}

static const char *hint_for(int error)
{
    if (error == -EPERM)
        return "confirm it with --yes";
    return NULL;
}

void drill_begin(struct drill_list *drills, const struct api_backend *backend, void *context,
                 struct evhttp_request *request, const struct machine *machine)
{
    const char *name = pool_display_name(coordinator_pool(backend->coordinator(context)), machine);
    struct order order = {.kind = ORDER_DRILL, .machine = machine_ref_of(machine)};
    _cleanup_(order_answer_done) struct order_answer answer = {0};
    const char *problem = "out of memory";
    struct drill *drill;
    int r = read_order(request, &order, &problem);

    if (r < 0) {
        reply_error(request, r == -EINVAL ? HTTP_BADREQUEST : HTTP_SERVUNAVAIL, problem, NULL);
        return;
    }
    drill = calloc(1, sizeof(*drill));
    if (drill != NULL)
        drill->machine = strdup(name);
    if (drill == NULL || drill->machine == NULL) {
        free(drill);
        reply_error(request, HTTP_SERVUNAVAIL, problem, NULL);
        return;
    }

    drill->request = request;
    LIST_INSERT_HEAD(drills, drill, link);
    set_idle_limit(request, true);
    r = backend->drill(context, &order, on_done, drill, &answer);
    if (r < 0) {
        LIST_REMOVE(drill, link);
        free_drill(drill);
        set_idle_limit(request, false);
        reply_error(request, reply_status_of(r), answer.words != NULL ? answer.words : strerror(-r), hint_for(r));
    }
}

void drill_abandon_all(struct drill_list *drills)
{
    while (!LIST_EMPTY(drills)) {
        struct drill *drill = LIST_FIRST(drills);

        LIST_REMOVE(drill, link);
        /* evhttp frees the request with its connection; without one, nothing else does. */
        if (evhttp_request_get_connection(drill->request) == NULL)
            evhttp_request_free(drill->request);
        drill->request = NULL;
    }
}
