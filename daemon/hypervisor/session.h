/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One open connection to libvirt with its event callbacks. Opening and closing block; callbacks come
 * on the main thread, with an id that the owner looks up, so that late ones find nothing.
 */
#ifndef UNDERSTUDY_DAEMON_HYPERVISOR_SESSION_H
#define UNDERSTUDY_DAEMON_HYPERVISOR_SESSION_H

#include <stdbool.h>
#include <stddef.h>

#include <libvirt/libvirt.h>

#include "base/cleanup.h"
#include "protocol/event.h"

#define SESSION_EVENTS 8

struct cutter;

/* A plain value: initialise with {0} and a cutter. */
struct session {
    virConnectPtr handle; /* NULL: closed */
    virConnectPtr talk;   /* for calls that wait for the agent of a guest; NULL: these use the other one as well */
    int callback_ids[SESSION_EVENTS];
    int storage_callback_id; /* -1: none */
    struct cutter *cutter;   /* of what its calls wait for; belongs to it */
};

/* Where callbacks go. closed is called on any thread, the others on the main thread. */
struct session_listener {
    void (*event)(unsigned long id, const struct domain_event *event);
    void (*storage)(unsigned long id); /* a storage pool is active, or is not, or is another one */
    void (*closed)(unsigned long id, int reason);
};

/* Once, before the first session. */
void session_set_listener(const struct session_listener *listener);

/*
 * Opens uri, never asks for a password, and registers every event that the hypervisor has; lifecycle events are
 * obligatory. Blocks. Negative errno with libvirt's words in message.
 */
int session_open(struct session *session, const char *uri, unsigned long id, char *message, size_t size) _must_check_;

/* Deregisters and drops the reference. Blocks. Takes a closed one. The cutter stays. */
void session_close(struct session *session);

#endif
