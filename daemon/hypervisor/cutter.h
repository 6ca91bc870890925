/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Cuts off what the calls of one session wait for, so that they return: its sockets, and the programs that libvirt runs for
 * it (ssh). libvirt itself has no call for that, and tells the event loop of a socket only after the handshake of TLS, in
 * which a host that accepts and is silent is waited for without end. So the daemon has a connect() of its own, which libvirt
 * finds before that of libc.
 */
#ifndef UNDERSTUDY_DAEMON_HYPERVISOR_CUTTER_H
#define UNDERSTUDY_DAEMON_HYPERVISOR_CUTTER_H

#include "base/cleanup.h"

struct cutter;

/* NULL: no memory. */
struct cutter *cutter_new(void);
/* Takes NULL. Not while the thread between cutter_watch and cutter_rest runs. */
void cutter_free(struct cutter *cutter);

/* The calling thread opens a connection: the socket that it connects last, and its programs, are the session's. */
void cutter_watch(struct cutter *cutter);
/* It is open. Between the two calls of cutter_watch and cutter_rest; a session has two connections at the most. */
void cutter_watch_next(struct cutter *cutter);
/* All are open, or failed. On the same thread. */
void cutter_rest(struct cutter *cutter);

/* From any thread, at any time: calls that wait return with an error, and what is opened from now on fails. */
void cutter_cut(struct cutter *cutter);

#endif
