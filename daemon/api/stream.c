/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Followers and the ring of latest messages. What is queued for one follower is bounded. */
#include "api/stream.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/queue.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>

/* What changes at once in a large room fits in. */
#define BACKLOG_MAX_BYTES ((size_t)1024 * 1024)

static const struct timeval keepalive_interval = {.tv_sec = 15};
static const struct timeval write_timeout = {.tv_sec = 30};

struct follower {
    LIST_ENTRY(follower) link;
    struct stream *stream;
    struct evhttp_request *request;
    struct evhttp_connection *connection;
};

struct stream {
    struct event *keepalive; /* pending while there are followers */
    LIST_HEAD(, follower) followers;
    size_t n_followers;
    uint64_t next_id;
    char *replay[STREAM_REPLAY_MAX]; /* the message with id n is at n % STREAM_REPLAY_MAX */
    size_t n_replay;
};

static void forget(struct follower *follower)
{
    struct stream *stream = follower->stream;

    LIST_REMOVE(follower, link);
    if (--stream->n_followers == 0)
        event_del(stream->keepalive);
    free(follower);
}

static void on_closed(struct evhttp_connection *connection, void *context)
{
    struct follower *follower = context;
    struct evhttp_request *request = follower->request;

    (void)connection;
    forget(follower);
    /* evhttp takes the connection out of a request that is still being answered, and does not free the request. */
    if (evhttp_request_get_connection(request) == NULL)
        evhttp_request_free(request);
}

/* Ends the stream at once; the request goes with its connection. */
static void cut_off(struct follower *follower)
{
    struct evhttp_connection *connection = follower->connection;

    evhttp_connection_set_closecb(connection, NULL, NULL);
    forget(follower);
    evhttp_connection_free(connection);
}

static void pass_on(struct follower *follower, const char *text)
{
    struct bufferevent *transport = evhttp_connection_get_bufferevent(follower->connection);
    struct evbuffer *chunk = evbuffer_new();
    bool lost = chunk == NULL || evbuffer_add_printf(chunk, "%s", text) < 0;

    if (!lost)
        evhttp_send_reply_chunk(follower->request, chunk);
    if (chunk != NULL)
        evbuffer_free(chunk);
    /* A follower that misses one must come back and ask for it. */
    if (lost || evbuffer_get_length(bufferevent_get_output(transport)) > BACKLOG_MAX_BYTES)
        cut_off(follower);
}

static void pass_on_to_all(struct stream *stream, const char *text)
{
    struct follower *follower = LIST_FIRST(&stream->followers);

    while (follower != NULL) {
        struct follower *next = LIST_NEXT(follower, link);

        pass_on(follower, text);
        follower = next;
    }
}

static void on_keepalive(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    pass_on_to_all(context, ":\n\n");
}

int stream_new(struct event_base *base, uint64_t first_id, struct stream **ret)
{
    _cleanup_(stream_freep) struct stream *stream = calloc(1, sizeof(*stream));

    if (stream == NULL)
        return -ENOMEM;
    LIST_INIT(&stream->followers);
    stream->next_id = first_id;
    stream->keepalive = event_new(base, -1, EV_PERSIST, on_keepalive, stream);
    if (stream->keepalive == NULL)
        return -ENOMEM;
    *ret = steal_pointer(&stream);
    return 0;
}

void stream_free(struct stream *stream)
{
    if (stream == NULL)
        return;
    while (!LIST_EMPTY(&stream->followers))
        cut_off(LIST_FIRST(&stream->followers));
    if (stream->keepalive != NULL)
        event_free(stream->keepalive);
    for (size_t i = 0; i < STREAM_REPLAY_MAX; i++)
        free(stream->replay[i]);
    free(stream);
}

size_t stream_follower_count(const struct stream *stream)
{
    return stream->n_followers;
}

/* Sends the messages after `last_id`, as far as they are kept. */
static int collect_missed(const struct stream *stream, uint64_t last_id, struct evbuffer *buffer)
{
    uint64_t oldest = stream->next_id - stream->n_replay;

    if (last_id + 1 < oldest && evbuffer_add_printf(buffer, "event: " STREAM_MISSED "\ndata: {}\n\n") < 0)
        return -ENOMEM;
    for (uint64_t id = oldest; id < stream->next_id; id++)
        if (id > last_id && evbuffer_add_printf(buffer, "%s", stream->replay[id % STREAM_REPLAY_MAX]) < 0)
            return -ENOMEM;
    return 0;
}

/* A comment first: a client that has read it knows that it misses nothing from here on. */
static int make_beginning(const struct stream *stream, struct evhttp_request *request, struct evbuffer *buffer)
{
    const char *last = evhttp_find_header(evhttp_request_get_input_headers(request), "Last-Event-ID");
    char *end;
    uint64_t last_id;

    if (evbuffer_add_printf(buffer, ": following\n\n") < 0)
        return -ENOMEM;
    if (last == NULL)
        return 0;
    last_id = strtoull(last, &end, 10);
    return collect_missed(stream, end == last || *end != '\0' ? 0 : last_id, buffer);
}

int stream_follow(struct stream *stream, struct evhttp_request *request, size_t max)
{
    struct evkeyvalq *headers = evhttp_request_get_output_headers(request);
    struct evhttp_connection *connection = evhttp_request_get_connection(request);
    _cleanup_(freep) struct follower *follower = NULL;
    struct evbuffer *beginning;
    int r;

    if (stream->n_followers >= max)
        return -EBUSY;
    follower = calloc(1, sizeof(*follower));
    beginning = evbuffer_new();
    r = follower == NULL || beginning == NULL ? -ENOMEM : make_beginning(stream, request, beginning);
    if (r == 0 && stream->n_followers == 0 && event_add(stream->keepalive, &keepalive_interval) < 0)
        r = -ENOMEM;
    if (r == 0) {
        *follower = (struct follower){.stream = stream, .request = request, .connection = connection};
        evhttp_add_header(headers, "Content-Type", "text/event-stream");
        evhttp_add_header(headers, "Cache-Control", "no-store");
        /* A follower sends nothing more, so its silence is no sign that it is gone. */
        bufferevent_set_timeouts(evhttp_connection_get_bufferevent(connection), NULL, &write_timeout);
        evhttp_connection_set_closecb(connection, on_closed, follower);
        LIST_INSERT_HEAD(&stream->followers, follower, link);
        stream->n_followers++;
        follower = NULL;
        evhttp_send_reply_start(request, HTTP_OK, NULL);
        evhttp_send_reply_chunk(request, beginning);
    }
    if (beginning != NULL)
        evbuffer_free(beginning);
    return r;
}

void stream_send(struct stream *stream, const char *event, const char *data)
{
    char *message;

    if (asprintf(&message, "id: %" PRIu64 "\nevent: %s\ndata: %s\n\n", stream->next_id, event, data) < 0)
        return;
    free(stream->replay[stream->next_id % STREAM_REPLAY_MAX]);
    stream->replay[stream->next_id % STREAM_REPLAY_MAX] = message;
    stream->next_id++;
    if (stream->n_replay < STREAM_REPLAY_MAX)
        stream->n_replay++;
    pass_on_to_all(stream, message);
}
