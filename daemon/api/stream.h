/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The event stream: one text/event-stream (https://html.spec.whatwg.org/multipage/server-sent-events.html)
 * for each follower, and the latest messages for those that come back. Knows no notice, only its text.
 */
#ifndef UNDERSTUDY_DAEMON_API_STREAM_H
#define UNDERSTUDY_DAEMON_API_STREAM_H

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

struct event_base;
struct evhttp_request;
struct stream;

#define STREAM_REPLAY_MAX    512 /* messages kept for those that come back */
#define STREAM_FOLLOWERS_MAX 64  /* half of the connections, so that commands still get through */
#define STREAM_READERS_MAX   32 /* followers that may only read begin no later, so that an operator can follow an order */

/* The event that says that messages were lost: the follower has to ask for everything again. */
#define STREAM_MISSED "missed"

/* Messages are numbered upwards from first_id. -ENOMEM. */
int stream_new(struct event_base *base, uint64_t first_id, struct stream **ret) _must_check_;

/* Ends every stream. Takes NULL. */
void stream_free(struct stream *stream);
DEFINE_CLEANUP(struct stream, stream_free);

/*
 * Takes the request over and answers it for as long as it is followed; with a Last-Event-ID header, the messages after
 * that come first, after STREAM_MISSED where some of these are not kept any more. -EBUSY: `max` clients follow already, or more; -ENOMEM; the request is untouched then.
 */
int stream_follow(struct stream *stream, struct evhttp_request *request, size_t max) _must_check_;

size_t stream_follower_count(const struct stream *stream);

/* One message to every follower. event and data hold no newline. A follower that reads too slowly is cut off. */
void stream_send(struct stream *stream, const char *event, const char *data);

#endif
