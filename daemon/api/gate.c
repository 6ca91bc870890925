/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Counts connections. evhttp 2.1 has no limit of its own, and does not report a connection that ends before its first
 * request. So each connection is remembered by its descriptor and inode; when there seem to be too many, the kernel is
 * asked which are still open. Of these, the one that has been silent for longest makes room.
 */
#include "api/gate.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/listener.h>
#include <event2/util.h>

#include "api/refusal.h"
#include "base/moment.h"
#include "service/clock.h"
#include "service/log.h"

/* A failure to accept that comes sooner after another one belongs to it, and is not told again. */
#define TROUBLE_US (60 * USEC_PER_SEC)
/* A client that reads takes some of an answer sooner than this. */
#define STUCK_US USEC_PER_SEC

struct connection {
    evutil_socket_t fd;
    ino_t inode;
    bool is_asking;   /* from the request until its answer is written */
    int64_t stuck_us; /* since when, as seen, some of the answer waits to be read: mono_us; 0: none does */
};

struct gate {
    LIST_ENTRY(gate) link;
    struct evconnlistener *listener;
    struct event *look_again;
    struct event *accepted;
    struct bufferevent
        *newest; /* just accepted: evhttp sets its descriptor after it has asked for the bufferevent; NULL */
    struct connection connections[GATE_CONNECTIONS_MAX]; /* in the order of their last answers, or of coming in */
    size_t n_connections, max;
    int64_t failed_us; /* when accepting failed last: mono_us; 0: it never did */
};

/* By listener: evhttp sets the listener's own context to itself, and the error callback is called with that. */
static LIST_HEAD(, gate) gates = LIST_HEAD_INITIALIZER(gates);

static const struct timeval look_again_after = {.tv_usec = 100000};
static const struct timeval next_turn = {0};

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

static void forget(struct gate *gate, size_t i)
{
    memmove(&gate->connections[i], &gate->connections[i + 1],
            (--gate->n_connections - i) * sizeof(gate->connections[0]));
}

/*
 * Ends the connection that has been silent for longest, if one is silent but for the latest, which may be about to ask.
 * evhttp reads the end of it in the next turn of the loop, and closes it. Only after forget_closed.
 */
static bool end_most_silent(struct gate *gate)
{
    for (size_t i = 0; i + 1 < gate->n_connections; i++) {
        if (gate->connections[i].is_asking)
            continue;
        shutdown(gate->connections[i].fd, SHUT_RDWR);
        forget(gate, i);
        return true;
    }
    return false;
}

/* Some of what was written to it has not been read. */
static bool is_unread(const struct connection *connection)
{
    int unread = 0;

    return ioctl(connection->fd, SIOCOUTQ, &unread) == 0 && unread > 0;
}

/*
 * Ends the connection that has not read its answer for longest, if one is stuck. evhttp waits until it can write, and finds
 * that it cannot any more. Only after forget_closed.
 */
static bool end_longest_stuck(struct gate *gate)
{
    const int64_t now_us = clock_now().mono_us;
    struct connection *longest = NULL;

    for (size_t i = 0; i < gate->n_connections; i++) {
        struct connection *connection = &gate->connections[i];

        if (!connection->is_asking || !is_unread(connection))
            connection->stuck_us = 0;
        else if (connection->stuck_us == 0)
            connection->stuck_us = now_us;
        if (connection->stuck_us > 0 && (longest == NULL || connection->stuck_us < longest->stuck_us))
            longest = connection;
    }
    if (longest == NULL || now_us - longest->stuck_us < STUCK_US)
        return false;
    shutdown(longest->fd, SHUT_RDWR);
    forget(gate, (size_t)(longest - gate->connections));
    return true;
}

/* True: there is room for one more, or will be in the next turn of the loop. */
static bool make_room(struct gate *gate)
{
    return end_most_silent(gate) || end_longest_stuck(gate);
}

/* The latest, since older ones with this descriptor may have been closed. NULL: it came in by another gate. */
static struct connection *find_connection(struct gate *gate, struct evhttp_request *request)
{
    struct evhttp_connection *connection = evhttp_request_get_connection(request);
    evutil_socket_t fd = connection != NULL ? bufferevent_getfd(evhttp_connection_get_bufferevent(connection)) : -1;

    for (size_t i = gate->n_connections; i > 0; i--)
        if (gate->connections[i - 1].fd == fd)
            return &gate->connections[i - 1];
    return NULL;
}

static void on_answered(struct evhttp_request *request, void *context)
{
    struct gate *gate = context;
    struct connection *found = find_connection(gate, request), answered;

    if (found == NULL)
        return;
    answered = *found;
    answered.is_asking = false;
    answered.stuck_us = 0;
    forget(gate, (size_t)(found - gate->connections));
    gate->connections[gate->n_connections++] = answered;
}

void gate_pass(struct gate *gate, struct evhttp_request *request)
{
    struct connection *found = find_connection(gate, request);

    if (found == NULL)
        return;
    found->is_asking = true;
    evhttp_request_set_on_complete_cb(request, on_answered, gate);
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
    if (gate->n_connections == gate->max)
        forget_closed(gate);
    if (gate->n_connections < gate->max || make_room(gate)) {
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
    refusal_watch(connection);
    bufferevent_incref(connection);
    gate->newest = connection;
    evconnlistener_disable(gate->listener);
    event_active(gate->accepted, EV_TIMEOUT, 0);
    return connection;
}

/* Descriptors are the same for all gates: where this one has no silent connection, one of another gate makes room. */
static bool free_descriptor(struct gate *gate)
{
    bool is_freed;

    forget_closed(gate);
    is_freed = make_room(gate);
    for (struct gate *other = LIST_FIRST(&gates); other != NULL && !is_freed; other = LIST_NEXT(other, link)) {
        forget_closed(other);
        is_freed = make_room(other);
    }
    return is_freed;
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

/* No descriptors left: accepting again at once would only fail again, unless one is about to be closed. context is evhttp's. */
static void on_accept_error(struct evconnlistener *listener, void *context)
{
    const char *why = evutil_socket_error_to_string(EVUTIL_SOCKET_ERROR());

    (void)context;
    evconnlistener_disable(listener);
    for (struct gate *gate = LIST_FIRST(&gates); gate != NULL; gate = LIST_NEXT(gate, link)) {
        if (gate->listener != listener)
            continue;
        tell_failure(gate, why);
        event_add(gate->look_again, free_descriptor(gate) ? &next_turn : &look_again_after);
    }
}

int gate_new(struct event_base *base, struct evhttp *http, struct evconnlistener *listener, size_t max,
             struct gate **ret)
{
    _cleanup_(gate_freep) struct gate *gate = calloc(1, sizeof(*gate));

    if (gate == NULL)
        return -ENOMEM;
    LIST_INSERT_HEAD(&gates, gate, link);
    gate->listener = listener;
    gate->max = max;
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
