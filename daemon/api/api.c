/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Puts the control interface together: socket, server with its limits, stream, routes. */
#include "api/api.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>
#include <event2/http.h>
#include <event2/listener.h>

#include "api/gate.h"
#include "api/routes.h"
#include "api/socket.h"
#include "api/stream.h"
#include "report/json.h"

#define HEADERS_MAX_BYTES (8 * 1024)
#define BODY_MAX_BYTES    (512 * 1024) /* a configuration with facts of thousands of machines */

struct api {
    struct socket_file file;
    struct evhttp *http; /* owns the listener */
    struct gate *gate;
    struct stream *stream;
    struct routes routes;
};

/* Every method there is: which of them a path allows is the routes' business. */
#define ALL_METHODS                                                                                                    \
    (EVHTTP_REQ_GET | EVHTTP_REQ_POST | EVHTTP_REQ_HEAD | EVHTTP_REQ_PUT | EVHTTP_REQ_DELETE | EVHTTP_REQ_OPTIONS |    \
     EVHTTP_REQ_TRACE | EVHTTP_REQ_CONNECT | EVHTTP_REQ_PATCH)

static void on_request(struct evhttp_request *request, void *context)
{
    struct api *api = context;

    gate_pass(api->gate, request);
    routes_dispatch(&api->routes, request);
}

static void set_limits(struct evhttp *http)
{
    evhttp_set_max_headers_size(http, HEADERS_MAX_BYTES);
    evhttp_set_max_body_size(http, BODY_MAX_BYTES);
    evhttp_set_timeout(http, API_IDLE_SECONDS);
    evhttp_set_allowed_methods(http, ALL_METHODS);
}

/* Takes the socket: from here on the server closes it. */
static int serve_socket(struct api *api, struct event_base *base, int fd)
{
    struct evconnlistener *listener =
        evconnlistener_new(base, NULL, NULL, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, SOMAXCONN, fd);

    if (listener == NULL) {
        close(fd);
        return -ENOMEM;
    }
    if (evhttp_bind_listener(api->http, listener) == NULL) {
        evconnlistener_free(listener);
        return -ENOMEM;
    }
    return gate_new(base, api->http, listener, &api->gate);
}

static void api_freep(struct api **api)
{
    api_free(*api);
}

/* Everything but the socket. */
static int open_server(struct api *api, struct event_base *base, const struct api_backend *backend, void *context)
{
    /* Numbered by the clock, so that a follower that comes back after a restart has missed the new events. */
    int r = stream_new(base, (uint64_t)backend->now(context).real_us, &api->stream);

    if (r < 0)
        return r;
    api->routes = (struct routes){.backend = backend, .context = context, .stream = api->stream};
    LIST_INIT(&api->routes.pending);
    api->http = evhttp_new(base);
    if (api->http == NULL)
        return -ENOMEM;
    set_limits(api->http);
    evhttp_set_gencb(api->http, on_request, api);
    return 0;
}

int api_new(struct event_base *base, const char *path, uint32_t mode, const struct api_backend *backend, void *context,
            struct diags *diags, struct api **ret)
{
    _cleanup_(api_freep) struct api *api = calloc(1, sizeof(*api));
    int fd, r;

    if (api == NULL)
        return -ENOMEM;
    r = open_server(api, base, backend, context);
    if (r == 0)
        r = socket_bind(path, mode, diags, &api->file, &fd);
    if (r == 0)
        r = serve_socket(api, base, fd);
    if (r < 0)
        return r;
    *ret = steal_pointer(&api);
    return 0;
}

int api_new_inherited(struct event_base *base, int fd, const struct api_backend *backend, void *context,
                      struct api **ret)
{
    _cleanup_(api_freep) struct api *api = calloc(1, sizeof(*api));
    int r = api != NULL ? open_server(api, base, backend, context) : -ENOMEM;

    if (r < 0) {
        close(fd);
        return r;
    }
    r = serve_socket(api, base, fd);
    if (r < 0)
        return r;
    *ret = steal_pointer(&api);
    return 0;
}

void api_publish(struct api *api, const struct notice *notice)
{
    _cleanup_(freep) char *json = NULL;

    metrics_count(&api->routes.counters, notice);
    if (json_format_notice(notice, &json) == 0)
        stream_send(api->stream, notice_kind_name(notice->kind), json);
}

void api_free(struct api *api)
{
    if (api == NULL)
        return;
    pending_abandon_all(&api->routes.pending);
    stream_free(api->stream);
    if (api->http != NULL)
        evhttp_free(api->http);
    gate_free(api->gate);
    socket_file_remove(&api->file);
    free(api);
}
