/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads the order, and hands it to the backend with the request that waits. */
#include "api/drill.h"

#include <errno.h>
#include <string.h>

#include "api/body.h"
#include "api/reply.h"
#include "report/json.h"

static const char *hint_for(int error)
{
    if (error == -EPERM)
        return "confirm it with --yes";
    return NULL;
}

void drill_begin(struct pending_list *list, const struct api_backend *backend, void *context,
                 struct evhttp_request *request, const struct machine *machine, const char *by)
{
    const char *name = pool_display_name(coordinator_pool(backend->coordinator(context)), machine);
    struct order order = {.kind = ORDER_DRILL, .machine = machine_ref_of(machine), .by = by};
    _cleanup_(order_answer_done) struct order_answer answer = {0};
    _cleanup_(freep) char *to = NULL; /* which means nothing here */
    struct pending *pending;
    struct body body;
    int r = body_read(request, &body);

    if (r == 0)
        r = json_parse_order(body.text, body.length, &order, &to, &body.problem);
    if (r < 0) {
        body_refuse(request, r, &body);
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
