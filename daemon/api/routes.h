/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What can be asked for at which path. */
#ifndef UNDERSTUDY_DAEMON_API_ROUTES_H
#define UNDERSTUDY_DAEMON_API_ROUTES_H

#include "api/api.h"
#include "api/pending.h"

struct copies;
struct lists;
struct evhttp_request;
struct stream;
struct watcher;

/* What the answers are made from; a plain value. */
struct routes {
    const struct api_backend *backend; /* borrowed, and so are its context and the stream */
    void *context;
    struct stream *stream;
    struct pending_list pending;
    struct copies *copies;   /* borrowed */
    struct lists *lists;     /* borrowed */
    struct watcher *watcher; /* borrowed */
};

/* Answers the request of a client with these rights, at once or later. */
void routes_dispatch(struct routes *routes, struct evhttp_request *request, enum api_rights rights);

#endif
