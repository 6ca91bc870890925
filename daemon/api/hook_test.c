/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* That a hook fails is an answer like any other. */
#include "api/hook_test.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/body.h"
#include "api/reply.h"
#include "report/json.h"

static void on_tested(void *token, const struct hook_test *tests, size_t n)
{
    char *json = NULL;

    pending_answer(token, json_format_hook_tests(tests, n, &json) < 0 ? NULL : json);
}

void hook_test_begin(struct pending_list *list, const struct api_backend *backend, void *context,
                     struct evhttp_request *request)
{
    _cleanup_(freep) char *hook = NULL;
    struct pending *pending;
    const char *message = NULL;
    struct body body;
    int r = body_read(request, &body);

    if (r == 0)
        r = json_parse_hook_test(body.text, body.length, &hook, &body.problem);
    if (r < 0) {
        body_refuse(request, r, &body);
        return;
    }
    pending = pending_begin(list, request, "");
    if (pending == NULL)
        return;
    r = backend->test_hooks(context, hook, on_tested, pending, &message);
    if (r == 0)
        return; /* on_tested has it */
    pending_drop(pending);
    reply_error(request, reply_status_of(r), message != NULL ? message : strerror(-r), NULL);
}
