/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libvirt's event loop on top of libevent. libvirt asks from any thread; it is called back, and its data
 * released, on the main thread only.
 */
#ifndef UNDERSTUDY_DAEMON_HYPERVISOR_EVENTLOOP_H
#define UNDERSTUDY_DAEMON_HYPERVISOR_EVENTLOOP_H

#include <stdbool.h>

#include <libvirt/libvirt.h>

#include "base/cleanup.h"

struct event_base;

/*
 * Makes libvirt use this base, on which evthread_use_pthreads() must have been in force when it was
 * made. libvirt keeps its first event loop for ever, so there is one for each process; after
 * eventloop_done it may be given another base. -ENOMEM.
 */
int eventloop_init(struct event_base *base) _must_check_;

/* Lets go of the base. What libvirt still asks for afterwards, from threads that hang, has no effect. */
void eventloop_done(void);

/*
 * Whether descriptors that the calling thread adds from now on are refused. libvirt takes that well when it opens a connection: this has
 * no events then, and its host sends it no keepalive messages, each of which would wake the main thread.
 */
void eventloop_refuse_handles(bool are_refused);

/* The functions that libvirt is given, see virEventRegisterImpl. */
int eventloop_add_handle(int fd, int events, virEventHandleCallback callback, void *opaque, virFreeCallback release);
void eventloop_update_handle(int watch, int events);
int eventloop_remove_handle(int watch);
int eventloop_add_timeout(int milliseconds, virEventTimeoutCallback callback, void *opaque, virFreeCallback release);
void eventloop_update_timeout(int timer, int milliseconds);
int eventloop_remove_timeout(int timer);

#endif
