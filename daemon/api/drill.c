/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads the order, and hands it to the backend with the request that waits. */
#include "api/drill.h"

#include <errno.h>
#include <string.h>

#include <event2/buffer.h>
#include <event2/http.h>

#include "api/reply.h"
#include "report/json.h"

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

void drill_begin(struct pending_list *list, const struct api_backend *backend, void *context,
                 struct evhttp_request *request, const struct machine *machine)
{
    const char *name = pool_display_name(coordinator_pool(backend->coordinator(context)), machine);
    struct order order = {.kind = ORDER_DRILL, .machine = machine_ref_of(machine)};
    _cleanup_(order_answer_done) struct order_answer answer = {0};
    const char *problem = "out of memory";
    struct pending *pending;
    int r = read_order(request, &order, &problem);

    if (r < 0) {
        reply_error(request, r == -EINVAL ? HTTP_BADREQUEST : HTTP_SERVUNAVAIL, problem, NULL);
        return;
    }
    pending = pending_begin(list, request, name);
    if (pending == NULL)
        return;
    r = backend->drill(context, &order, pending_end, pending, &answer);
    if (r < 0) {
        pending_drop(pending);
        reply_error(request, reply_status_of(r), answer.words != NULL ? answer.words : strerror(-r), hint_for(r));
    }
}
