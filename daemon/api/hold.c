/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Holds over the API: the body is read, the name is looked up, and the backend is asked. */
#include "api/hold.h"

#include <errno.h>
#include <event2/http.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/body.h"
#include "api/reply.h"
#include "api/target.h"
#include "report/json.h"

void hold_list(const struct api_backend *backend, void *context, struct evhttp_request *request)
{
    char *json = NULL;

    if (json_format_holds(backend->coordinator(context), &json) < 0)
        json = NULL;
    reply_json(request, HTTP_OK, json);
}

/* Answers the request itself where there is nothing of that name. */
static bool find(const struct api_backend *backend, void *context, struct evhttp_request *request, const char *name,
                 struct target *ret)
{
    _cleanup_(freep) char *error = NULL, *hint = NULL;
    int r = target_find(backend->coordinator(context), name, ret, &error, &hint);

    if (r < 0)
        reply_error(request, reply_status_of(r), error != NULL ? error : strerror(-r), hint);
    return r == 0;
}

static void answer_held(const struct api_backend *backend, void *context, struct evhttp_request *request,
                        const struct target *target)
{
    const struct coordinator *coordinator = backend->coordinator(context);
    char *json = NULL;

    for (size_t i = 0; i < coordinator_hold_count(coordinator) && json == NULL; i++) {
        const struct hold *hold = coordinator_hold_at(coordinator, i);

        if (!hold->is_over && hold->scope == target->scope && machine_ref_equal(&hold->target, &target->ref) &&
            json_format_hold(hold, &json) < 0)
            json = NULL;
    }
    reply_json(request, HTTP_OK, json);
}

static void evacuate(const struct api_backend *backend, void *context, struct evhttp_request *request,
                     const struct target *target, const struct hold_request *wanted, const char *by)
{
    const struct order order = {
        .kind = ORDER_EVACUATE,
        .machine = target->ref,
        .is_confirmed = wanted->is_confirmed,
        .by = by,
        .reason = wanted->reason,
        .time_us = wanted->time_us,
    };
    _cleanup_(order_answer_done) struct order_answer answered = {0};
    char *json = NULL;
    int r;

    if (target->scope != HOLD_HOST) {
        reply_error(request, HTTP_BADREQUEST, "only a host can be evacuated", NULL);
        return;
    }
    r = backend->order(context, &order, &answered);
    if (r < 0) {
        reply_error(request, reply_status_of(r), answered.words != NULL ? answered.words : strerror(-r), NULL);
        return;
    }
    if (json_format_order(&answered, &json) < 0)
        json = NULL;
    reply_json(request, HTTP_OK, json);
}

void hold_begin(const struct api_backend *backend, void *context, struct evhttp_request *request, const char *by)
{
    _cleanup_(hold_request_done) struct hold_request wanted = {0};
    struct target target;
    struct body body;
    int r = body_read(request, &body);

    if (r == 0)
        r = json_parse_hold(body.text, body.length, &wanted, &body.problem);
    if (r < 0) {
        body_refuse(request, r, &body);
        return;
    }
    if (!find(backend, context, request, wanted.target, &target))
        return;
    if (wanted.evacuates) {
        evacuate(backend, context, request, &target, &wanted, by);
        return;
    }
    r = backend->hold(context, target.scope, &target.ref, target.name, wanted.reason, by, wanted.time_us);
    if (r < 0)
        reply_error(request, reply_status_of(r), strerror(-r), NULL);
    else
        answer_held(backend, context, request, &target);
}

static void answer_released(struct evhttp_request *request, bool was_there)
{
    char *json = NULL;

    if (json_format_released(was_there, &json) < 0)
        json = NULL;
    reply_json(request, HTTP_OK, json);
}

/* It is not held itself; a wider hold may cover it. */
static void refuse(const struct api_backend *backend, void *context, struct evhttp_request *request,
                   const struct target *target)
{
    const struct coordinator *coordinator = backend->coordinator(context);
    _cleanup_(freep) char *error = NULL, *hint = NULL;

    for (size_t i = 0; i < coordinator_hold_count(coordinator) && hint == NULL; i++) {
        const struct hold *hold = coordinator_hold_at(coordinator, i);

        if (!hold->is_over && hold_covers(hold, &target->ref) &&
            asprintf(&hint, "it is covered by the hold on %s: understudyctl release %s",
                     hold->scope == HOLD_ALL ? "everything" : hold->name, hold->name) < 0)
            hint = NULL;
    }
    if (asprintf(&error, "%s is not held%s", target->scope == HOLD_ALL ? "everything" : target->name,
                 hint != NULL ? " itself" : "") < 0)
        error = NULL;
    reply_error(request, HTTP_CONFLICT, error != NULL ? error : "it is not held",
                hint != NULL ? hint : "understudyctl holds lists what is held");
}

void hold_release(const struct api_backend *backend, void *context, struct evhttp_request *request, const char *name)
{
    struct target target;
    int r;

    if (strcmp(name, "brake") == 0) {
        answer_released(request, backend->release_brake(context));
        return;
    }
    if (!find(backend, context, request, name, &target))
        return;
    r = backend->release(context, target.scope, &target.ref);
    if (r == 0)
        answer_released(request, true);
    else
        refuse(backend, context, request, &target);
}
