/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/lists.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>
#include <event2/http.h>

#include "api/copy.h"
#include "api/exchange.h"
#include "api/reply.h"
#include "report/json.h"

struct requests {
    struct pending *all[LISTS_WAITING_MAX];
    size_t count;
};

struct list {
    struct lists *lists;
    enum list_kind kind;
    struct requests waiting; /* for the next copy */
    struct requests served;  /* by the copy at work */
    bool is_made;            /* one is at work, or will be */
    struct event *again;
};

struct lists {
    const struct routes *routes;
    struct pending_list pending;
    struct list all[LIST_KIND_COUNT];
};

static int make(const struct routes *routes, enum list_kind kind, char **ret)
{
    const struct coordinator *coordinator = routes->backend->coordinator(routes->context);
    struct plan *plan = coordinator_plan(coordinator, routes->backend->now(routes->context));
    _cleanup_(service_list_done) struct service_list services = {0};
    int r;

    if (kind == LIST_OF_MACHINES)
        return json_format_machines(coordinator_pool(coordinator), plan, coordinator_features(coordinator), ret);
    r = service_list_collect(coordinator, &services);
    return r < 0 ? r : json_format_services(&services, coordinator_pool(coordinator), plan, ret);
}

/* In the copy. */
static int make_in_copy(void *context, char **ret)
{
    const struct list *list = context;

    return make(list->lists->routes, list->kind, ret);
}

static void begin(struct list *list);

static void answer(struct pending *pending, int error, const char *text)
{
    if (error == 0)
        pending_answer(pending, text != NULL ? strdup(text) : NULL);
    else
        pending_refuse(pending, HTTP_SERVUNAVAIL, text != NULL ? text : strerror(-error), "ask again in a moment");
}

static void on_made(void *token, int error, char *taken)
{
    _cleanup_(freep) char *text = taken;
    struct list *list = token;

    for (size_t i = 0; i < list->served.count; i++)
        answer(list->served.all[i], error, text);
    list->served.count = 0;
    list->is_made = false;
    if (list->waiting.count > 0)
        begin(list);
}

/* While something is being written, it is tried again; those that have come meanwhile are served by the next copy. */
static void make_copy(struct list *list)
{
    static const struct timeval pause = {.tv_usec = COPY_PAUSE_MS * 1000};
    int r = copies_make(list->lists->routes->copies, make_in_copy, list, on_made, list);

    if (r == -EBUSY)
        event_add(list->again, &pause);
    else if (r < 0)
        on_made(list, -ENOMEM, NULL);
}

static void on_again(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    make_copy(context);
}

static void begin(struct list *list)
{
    list->served = list->waiting;
    list->waiting.count = 0;
    list->is_made = true;
    make_copy(list);
}

static void join(struct list *list, struct evhttp_request *request)
{
    struct pending *pending;

    if (list->waiting.count == LISTS_WAITING_MAX) {
        reply_error(request, HTTP_SERVUNAVAIL, "too many wait for this list", "ask again in a moment");
        return;
    }
    pending = pending_begin(&list->lists->pending, request, "");
    if (pending == NULL)
        return;
    list->waiting.all[list->waiting.count++] = pending;
    if (!list->is_made)
        begin(list);
}

void lists_answer(struct lists *lists, struct exchange *exchange, enum list_kind kind)
{
    char *json = NULL;
    int r;

    if (pool_count(exchange->pool) > LISTS_LONG) {
        join(&lists->all[kind], exchange->request);
        return;
    }
    r = make(lists->routes, kind, &json);
    exchange_answer(exchange, r, json);
}

int lists_new(struct event_base *base, const struct routes *routes, struct lists **ret)
{
    _cleanup_(lists_freep) struct lists *lists = calloc(1, sizeof(*lists));

    if (lists == NULL)
        return -ENOMEM;
    lists->routes = routes;
    LIST_INIT(&lists->pending);
    for (enum list_kind kind = 0; kind < LIST_KIND_COUNT; kind++) {
        lists->all[kind].lists = lists;
        lists->all[kind].kind = kind;
        lists->all[kind].again = evtimer_new(base, on_again, &lists->all[kind]);
        if (lists->all[kind].again == NULL)
            return -ENOMEM;
    }
    *ret = steal_pointer(&lists);
    return 0;
}

static void forget(struct requests *requests)
{
    for (size_t i = 0; i < requests->count; i++)
        pending_forget(requests->all[i]);
}

void lists_free(struct lists *lists)
{
    if (lists == NULL)
        return;
    for (size_t i = 0; i < LIST_KIND_COUNT; i++) {
        forget(&lists->all[i].waiting);
        forget(&lists->all[i].served);
        if (lists->all[i].again != NULL)
            event_free(lists->all[i].again);
    }
    free(lists);
}
