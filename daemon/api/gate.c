/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Counts connections. evhttp 2.1 has no limit of its own, and does not report a connection that ends before its first
 * request. So each connection is remembered by its descriptor and inode; when there seem to be too many, the kernel is
 * asked which are still open.
 */
#include "api/gate.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/stat.h>

#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/listener.h>
#include <event2/util.h>

#include "base/moment.h"
#include "service/clock.h"
#include "service/log.h"

/* A failure to accept that comes sooner after another one belongs to it, and is not told again. */
#define TROUBLE_US (60 * USEC_PER_SEC)

struct connection {
    evutil_socket_t fd;
    ino_t inode;
};

struct gate {
    LIST_ENTRY(gate) link;
    struct evconnlistener *listener;
    struct event *look_again;
    struct event *accepted;
    struct bufferevent
        *newest; /* just accepted: evhttp sets its descriptor after it has asked for the bufferevent; NULL */
    struct connection connections[GATE_CONNECTIONS_MAX];
    size_t n_connections;
    int64_t failed_us; /* when accepting failed last: mono_us; 0: it never did */
};

/* By listener: evhttp sets the listener's own context to itself, and the error callback is called with that. */
static LIST_HEAD(, gate) gates = LIST_HEAD_INITIALIZER(gates);

static const struct timeval look_again_after = {.tv_usec = 100000};

static bool is_open(const struct connection *connection)
{
    struct stat status;

    return fstat(connection->fd, &status) == 0 && status.st_ino == connection->inode;
}

static void forget_closed(struct gate *gate)
{
    size_t kept = 0;

    for (size_t i = 0; i < gate->n_connections; i++)
        if (is_open(&gate->connections[i]))
            gate->connections[kept++] = gate->connections[i];
    gate->n_connections = kept;
}

/* Nothing but the accepting itself has run since on_accept, so the descriptor is still the one it was given. */
static void remember_newest(struct gate *gate)
{
    struct bufferevent *newest = gate->newest;
    struct stat status;

    gate->newest = NULL;
    if (newest == NULL)
        return;
    if (fstat(bufferevent_getfd(newest), &status) == 0)
        gate->connections[gate->n_connections++] =
            (struct connection){.fd = bufferevent_getfd(newest), .inode = status.st_ino};
    bufferevent_decref(newest);
}

static void open_or_close(struct gate *gate)
{
    if (gate->n_connections == GATE_CONNECTIONS_MAX)
        forget_closed(gate);
    if (gate->n_connections < GATE_CONNECTIONS_MAX) {
        evconnlistener_enable(gate->listener);
        return;
    }
    evconnlistener_disable(gate->listener);
    event_add(gate->look_again, &look_again_after);
}

static void on_look_again(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    open_or_close(context);
}

static void on_accepted(evutil_socket_t fd, short what, void *context)
{
    struct gate *gate = context;

    (void)fd;
    (void)what;
    remember_newest(gate);
    open_or_close(gate);
}

/*
 * evhttp's way of asking for the bufferevent of a connection that it just accepted. No further one is
 * accepted before this one is remembered.
 */
static struct bufferevent *on_accept(struct event_base *base, void *context)
{
    struct gate *gate = context;
    struct bufferevent *connection = bufferevent_socket_new(base, -1, 0);

    if (connection == NULL)
        return NULL;
    bufferevent_incref(connection);
    gate->newest = connection;
    evconnlistener_disable(gate->listener);
    event_active(gate->accepted, EV_TIMEOUT, 0);
    return connection;
}

static void tell_failure(struct gate *gate, const char *why)
{
    int64_t now_us = clock_now().mono_us;

    if (gate->failed_us == 0 || now_us - gate->failed_us > TROUBLE_US)
        log_line(LOG_WARNING,
                 "control interface: cannot accept a connection (%s); clients wait until the daemon can. "
                 "LimitNOFILE= of its unit limits how many files it may have open",
                 why);
    gate->failed_us = now_us;
}

/* No descriptors left: accepting again at once would only fail again. context is evhttp's. */
static void on_accept_error(struct evconnlistener *listener, void *context)
{
    const char *why = evutil_socket_error_to_string(EVUTIL_SOCKET_ERROR());

    (void)context;
    evconnlistener_disable(listener);
    for (struct gate *gate = LIST_FIRST(&gates); gate != NULL; gate = LIST_NEXT(gate, link)) {
        if (gate->listener != listener)
            continue;
        tell_failure(gate, why);
        event_add(gate->look_again, &look_again_after);
    }
}

int gate_new(struct event_base *base, struct evhttp *http, struct evconnlistener *listener, struct gate **ret)
{
    _cleanup_(gate_freep) struct gate *gate = calloc(1, sizeof(*gate));

    if (gate == NULL)
        return -ENOMEM;
    LIST_INSERT_HEAD(&gates, gate, link);
    gate->listener = listener;
    gate->look_again = evtimer_new(base, on_look_again, gate);
    gate->accepted = event_new(base, -1, 0, on_accepted, gate);
    if (gate->look_again == NULL || gate->accepted == NULL)
        return -ENOMEM;
    evhttp_set_bevcb(http, on_accept, gate);
    evconnlistener_set_error_cb(listener, on_accept_error);
    *ret = steal_pointer(&gate);
    return 0;
}

void gate_free(struct gate *gate)
{
    if (gate == NULL)
        return;
    LIST_REMOVE(gate, link);
    if (gate->look_again != NULL)
        event_free(gate->look_again);
    if (gate->accepted != NULL)
        event_free(gate->accepted);
    if (gate->newest != NULL)
        bufferevent_decref(gate->newest);
    free(gate);
}
