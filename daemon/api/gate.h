/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How many clients may be connected at once. When that many are, or no descriptor is left for the next, the one that
 * has asked nothing for longest is closed; where there is none, the one that has not read its answer for longest. While all
 * of them wait for answers, the next wait in the queue of the listener.
 */
#ifndef UNDERSTUDY_DAEMON_API_GATE_H
#define UNDERSTUDY_DAEMON_API_GATE_H

#include <stddef.h>

#include "base/cleanup.h"

struct event_base;
struct evconnlistener;
struct evhttp;
struct evhttp_request;
struct gate;

#define GATE_CONNECTIONS_MAX 128

/*
 * Stands before every connection that `http` accepts from `listener`, and lets in at most so many at the same time, up to
 * GATE_CONNECTIONS_MAX. Free it after them. -ENOMEM.
 */
int gate_new(struct event_base *base, struct evhttp *http, struct evconnlistener *listener, size_t max,
             struct gate **ret) _must_check_;
/* A request has come in: its connection is not closed before the answer is written, or is left unread. */
void gate_pass(struct gate *gate, struct evhttp_request *request);
void gate_free(struct gate *gate);
DEFINE_CLEANUP(struct gate, gate_free);

#endif
