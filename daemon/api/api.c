/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Puts the control interface together: two sockets, a server with its limits for each, stream, routes. */
#include "api/api.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>
#include <event2/http.h>
#include <event2/listener.h>

#include "api/copy.h"
#include "api/gate.h"
#include "api/lists.h"
#include "api/routes.h"
#include "api/socket.h"
#include "api/stream.h"
#include "api/watcher.h"
#include "api/web.h"
#include "config/endpoint.h"
#include "report/json.h"

#define HEADERS_MAX_BYTES (8 * 1024)
#define BODY_MAX_BYTES    (512 * 1024) /* a configuration with facts of thousands of machines */

/* Every client that can connect may ask over TCP, and a long list may wait for each. At most half of them follow events. */
#define TCP_CONNECTIONS_MAX 64

/* The Unix socket of each kind of rights, and TCP. */
enum { LISTENER_TCP = API_RIGHTS_COUNT, LISTENER_COUNT };

/* A socket, with a server of its own, so that a request tells by its server what its client may do. */
struct listener {
    struct api *api;
    enum api_rights rights;
    struct socket_file file;
    const struct string_list *names; /* of this host, for TCP; NULL: a Unix socket */
    struct evhttp *http;             /* owns the listening descriptor; NULL: nothing listens here */
    struct gate *gate;
};

struct api {
    struct event_base *base;
    struct listener listeners[LISTENER_COUNT];
    struct stream *stream;
    struct copies *copies;
    struct lists *lists;
    struct watcher *watcher;
    struct routes routes;
};

/* Every method there is: which of them a path allows is the routes' business. */
#define ALL_METHODS                                                                                                    \
    (EVHTTP_REQ_GET | EVHTTP_REQ_POST | EVHTTP_REQ_HEAD | EVHTTP_REQ_PUT | EVHTTP_REQ_DELETE | EVHTTP_REQ_OPTIONS |    \
     EVHTTP_REQ_TRACE | EVHTTP_REQ_CONNECT | EVHTTP_REQ_PATCH)

static void on_request(struct evhttp_request *request, void *context)
{
    struct listener *listener = context;

    gate_pass(listener->gate, request);
    if (listener->names == NULL || web_admit(request, listener->names))
        routes_dispatch(&listener->api->routes, request, listener->rights);
}

static void set_limits(struct evhttp *http)
{
    evhttp_set_max_headers_size(http, HEADERS_MAX_BYTES);
    evhttp_set_max_body_size(http, BODY_MAX_BYTES);
    evhttp_set_timeout(http, API_IDLE_SECONDS);
    evhttp_set_allowed_methods(http, ALL_METHODS);
}

/* Takes the socket: from here on the server closes it. */
static int serve_socket(struct listener *listener, struct event_base *base, int fd)
{
    struct evconnlistener *accepting =
        evconnlistener_new(base, NULL, NULL, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, SOMAXCONN, fd);

    if (accepting == NULL) {
        close(fd);
        return -ENOMEM;
    }
    if (evhttp_bind_listener(listener->http, accepting) == NULL) {
        evconnlistener_free(accepting);
        return -ENOMEM;
    }
    return gate_new(base, listener->http, accepting,
                    listener->names != NULL ? TCP_CONNECTIONS_MAX : GATE_CONNECTIONS_MAX, &listener->gate);
}

static void api_freep(struct api **api)
{
    api_free(*api);
}

int api_new(struct event_base *base, const struct api_backend *backend, void *context, struct api **ret)
{
    _cleanup_(api_freep) struct api *api = calloc(1, sizeof(*api));
    int r;

    if (api == NULL)
        return -ENOMEM;
    api->base = base;
    LIST_INIT(&api->routes.pending);
    /* Numbered by the clock, so that a follower that comes back after a restart has missed the new events. */
    r = stream_new(base, (uint64_t)backend->now(context).real_us, &api->stream);
    if (r == 0)
        r = copies_new(base, backend, context, &api->copies);
    if (r == 0)
        r = lists_new(base, &api->routes, &api->lists);
    if (r == 0)
        r = watcher_new(base, &api->routes, &api->watcher);
    if (r < 0)
        return r;
    api->routes.backend = backend;
    api->routes.context = context;
    api->routes.stream = api->stream;
    api->routes.copies = api->copies;
    api->routes.lists = api->lists;
    api->routes.watcher = api->watcher;
    *ret = steal_pointer(&api);
    return 0;
}

/* Takes fd. */
static int open_listener(struct api *api, struct listener *listener, enum api_rights rights, int fd)
{
    listener->api = api;
    listener->rights = rights;
    listener->http = evhttp_new(api->base);
    if (listener->http == NULL) {
        close(fd);
        return -ENOMEM;
    }
    set_limits(listener->http);
    evhttp_set_gencb(listener->http, on_request, listener);
    return serve_socket(listener, api->base, fd);
}

int api_listen_inherited(struct api *api, enum api_rights rights, int fd)
{
    return open_listener(api, &api->listeners[rights], rights, fd);
}

int api_listen_tcp(struct api *api, const char *endpoint, const struct string_list *names, struct diags *diags)
{
    struct listener *listener = &api->listeners[LISTENER_TCP];
    struct endpoint parsed;
    int fd, r = endpoint_parse(endpoint, &parsed) ? web_bind(&parsed, &fd) : -EINVAL;

    if (r < 0) {
        diags_add(diags, DIAG_ERROR, NULL, 0, 0, "cannot listen on %s: %s", endpoint,
                  r == -EADDRINUSE ? "another program listens there" : strerror(-r));
        return r;
    }
    listener->names = names;
    return open_listener(api, listener, API_READ, fd);
}

int api_listen(struct api *api, enum api_rights rights, const char *path, struct diags *diags)
{
    int fd, r = socket_bind(path, diags, &api->listeners[rights].file, &fd);

    return r < 0 ? r : api_listen_inherited(api, rights, fd);
}

void api_publish(struct api *api, const struct notice *notice)
{
    _cleanup_(freep) char *json = NULL;

    if (json_format_notice(notice, &json) == 0)
        stream_send(api->stream, notice_kind_name(notice->kind), json);
}

size_t api_follower_count(const struct api *api)
{
    return stream_follower_count(api->stream);
}

void api_look(struct api *api)
{
    watcher_look(api->watcher);
}

void api_free(struct api *api)
{
    if (api == NULL)
        return;
    pending_abandon_all(&api->routes.pending);
    copies_free(api->copies);
    lists_free(api->lists);
    watcher_free(api->watcher);
    stream_free(api->stream);
    for (size_t i = 0; i < LISTENER_COUNT; i++) {
        if (api->listeners[i].http != NULL)
            evhttp_free(api->listeners[i].http);
        gate_free(api->listeners[i].gate);
        socket_file_remove(&api->listeners[i].file);
    }
    free(api);
}
