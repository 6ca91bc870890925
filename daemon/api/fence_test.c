/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* That an agent fails is an answer like any other: what the agents said is read off the coordinator afterwards. */
#include "api/fence_test.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/body.h"
#include "api/reply.h"
#include "report/json.h"

/* The backend outlives it. */
struct fence_test {
    struct pending *pending;
    const struct api_backend *backend;
    void *context;
    char *host;
    char *agent; /* NULL: all */
};

static void fence_test_free(struct fence_test *test)
{
    if (test == NULL)
        return;
    free(test->host);
    free(test->agent);
    free(test);
}
DEFINE_CLEANUP(struct fence_test, fence_test_free);

static void on_tested(void *token, int error, const char *message)
{
    _cleanup_(fence_test_freep) struct fence_test *test = token;
    char *json = NULL;

    if (error < 0)
        pending_end(test->pending, error, message);
    else if (json_format_fence_tests(test->backend->coordinator(test->context), test->host, test->agent, &json) < 0)
        pending_answer(test->pending, NULL);
    else
        pending_answer(test->pending, json);
}

static int read_agent(struct evhttp_request *request, char **ret)
{
    struct body body;
    int r = body_read(request, &body);

    if (r == 0)
        r = json_parse_fence_test(body.text, body.length, ret, &body.problem);
    if (r < 0)
        body_refuse(request, r, &body);
    return r;
}

void fence_test_begin(struct pending_list *list, const struct api_backend *backend, void *context,
                      struct evhttp_request *request, const char *host)
{
    _cleanup_(fence_test_freep) struct fence_test *test = calloc(1, sizeof(*test));
    const char *message = NULL;
    int r;

    if (test == NULL || (test->host = strdup(host)) == NULL) {
        reply_error(request, reply_status_of(-ENOMEM), strerror(ENOMEM), NULL);
        return;
    }
    test->backend = backend;
    test->context = context;
    if (read_agent(request, &test->agent) < 0)
        return;
    test->pending = pending_begin(list, request, host);
    if (test->pending == NULL)
        return;
    r = backend->test_fencing(context, host, test->agent, on_tested, test, &message);
    if (r == 0) {
        test = NULL; /* on_tested has it */
        return;
    }
    pending_drop(test->pending);
    reply_error(request, reply_status_of(r), message != NULL ? message : strerror(-r), NULL);
}
