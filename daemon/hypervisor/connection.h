/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One connection to libvirt, made again whenever it is lost:
 *
 *     CONNECTING ──ok, events registered──▶ UP ──closed, mute, or every call hangs──▶ WAITING
 *       ▲    │                                                                        ▲   │
 *       │    └───────────────────── failed, or past its deadline ─────────────────────┘   │
 *       └──────────────────────────── after a growing pause ──────────────────────────────┘
 *
 * Lives on the main thread and blocks nowhere: what may block is a job for the workers.
 */
#ifndef UNDERSTUDY_DAEMON_HYPERVISOR_CONNECTION_H
#define UNDERSTUDY_DAEMON_HYPERVISOR_CONNECTION_H

#include <stdbool.h>
#include <stdint.h>

#include <libvirt/libvirt.h>

#include "base/cleanup.h"
#include "protocol/event.h"
#include "hypervisor/worker.h"

struct connection;

/* Called from the event loop. why: for people. */
struct connection_callbacks {
    void (*up)(void *context);
    /* The connection was lost; or attempts to make it fail, once for each way in which they do. */
    void (*down)(void *context, const char *why);
    /* An attempt failed in a way that is no evidence against the host: something answered, or the fault is here. */
    void (*refused)(void *context);
    void (*event)(void *context, const struct domain_event *event); /* only while it is up */
    void (*storage)(void *context);                                 /* likewise; as of struct session_listener */
};

/* Once, before the first connection. */
void connection_prepare(void);

/* Starts to connect at once. workers are borrowed and must live as long; uri is copied. */
int connection_new(struct event_base *base, struct workers *workers, const char *uri,
                   const struct connection_callbacks *callbacks, void *context, int64_t timeout_us,
                   int64_t reconnect_max_us, struct connection **ret) _must_check_;

void connection_set_timeouts(struct connection *connection, int64_t timeout_us, int64_t reconnect_max_us);

/* The number of the connection as it is now, for jobs; 0: not connected. */
unsigned long connection_link(const struct connection *connection);

/*
 * On a job's thread: a reference to the connection with this number, to be ended with virConnectClose
 * on the same thread, since closing the last one may block. NULL: it is gone.
 */
virConnectPtr connection_acquire(unsigned long link);
/* The same for a call that waits for the agent of a guest, and must hold up no other. */
virConnectPtr connection_acquire_talk(unsigned long link);

/* A call has become overdue: where every place is taken by such calls, a new connection is made. */
void connection_check(struct connection *connection);

/* A call on this link has ended with -ENOTCONN: libvirt does not always tell by itself. why: libvirt's words. */
void connection_is_broken(struct connection *connection, unsigned long link, const char *why);

/*
 * A call on this link that ends with -ENOTCONN was cut off by connection.c, because libvirt did not answer: libvirt may
 * carry it out all the same.
 */
bool connection_has_cut(const struct connection *connection, unsigned long link);

/* So many calls hang on connections given up that no new one is made until some return. */
bool connection_is_exhausted(const struct connection *connection);

/* Closes the connection in a last job; workers_free comes after this. Takes NULL. */
void connection_free(struct connection *connection);

#endif
