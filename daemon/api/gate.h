/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How many clients may be connected at once: when that many are, the next wait in the queue of the listener. */
#ifndef UNDERSTUDY_DAEMON_API_GATE_H
#define UNDERSTUDY_DAEMON_API_GATE_H

#include "base/cleanup.h"

struct event_base;
struct evconnlistener;
struct evhttp;
struct gate;

#define GATE_CONNECTIONS_MAX 128

/* Stands before every connection that `http` accepts from `listener`. Free it after them. -ENOMEM. */
int gate_new(struct event_base *base, struct evhttp *http, struct evconnlistener *listener,
             struct gate **ret) _must_check_;
void gate_free(struct gate *gate);
DEFINE_CLEANUP(struct gate, gate_free);

#endif
