/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of this room share; nobody else includes it. */
#ifndef UNDERSTUDY_DAEMON_API_INTERNAL_H
#define UNDERSTUDY_DAEMON_API_INTERNAL_H

#include <stdbool.h>
#include <sys/queue.h>

#include "api/api.h"
#include "api/socket.h"
#include "report/metrics.h"

struct drill;
struct evhttp;
struct evhttp_request;
struct gate;
struct stream;

#define API_IDLE_SECONDS 30

struct api {
    const struct api_backend *backend; /* borrowed, and so is its context */
    void *context;
    struct socket_file file;
    struct evhttp *http; /* owns the listener */
    struct gate *gate;
    struct stream *stream;
    struct metrics_counters counters;
    LIST_HEAD(, drill) drills; /* asked for and not yet answered */
};

/* Answers a request by the table of routes. */
void routes_dispatch(struct api *api, struct evhttp_request *request);

/* POST …/drill: the request is answered when the drill is. */
void drill_begin(struct api *api, struct evhttp_request *request, const struct machine *machine);
/* The API goes: drills under way have nobody left to answer. */
void drill_abandon_all(struct api *api);

#endif
