/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The listening socket that systemd made and holds for the daemon (socket activation, sd_listen_fds(3)). */
#ifndef UNDERSTUDY_DAEMON_LISTEN_H
#define UNDERSTUDY_DAEMON_LISTEN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"

/*
 * Takes what systemd handed over. 0 with a descriptor of a listening Unix stream socket, non-blocking and
 * close-on-exec, which the caller owns; or with -1: systemd handed nothing over. Descriptors after the first one are
 * closed. -ENOTSOCK: the descriptor is something else. Call once, before any thread is started.
 */
int listen_take(int *ret_fd) _must_check_;

/* Whether such a descriptor listens on this path. */
bool listen_is_at(int fd, const char *path);

/* The permission bits of the path at which such a descriptor listens. -ENOENT: it has none, or that is gone. */
int listen_get_mode(int fd, uint32_t *ret_mode) _must_check_;

#endif
