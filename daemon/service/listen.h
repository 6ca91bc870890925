/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The listening sockets that systemd made and holds for the daemon (socket activation, sd_listen_fds(3)). */
#ifndef UNDERSTUDY_DAEMON_LISTEN_H
#define UNDERSTUDY_DAEMON_LISTEN_H

#include <stdbool.h>

#include "base/cleanup.h"

/* FileDescriptorName= of the two socket units. */
#define LISTEN_NAME           "api"
#define LISTEN_NAME_READ_ONLY "api-ro"

/* Descriptors, which the caller owns; -1: not handed over. */
struct listening {
    int fd;
    int read_only_fd; /* of the socket whose clients may only read */
};

/*
 * Takes what systemd handed over. 0 with descriptors of listening Unix stream sockets, non-blocking and close-on-exec; both
 * -1: systemd handed nothing over. A second descriptor of one name is closed. -EINVAL: one has another name; -ENOTSOCK: one
 * is something else; all are closed then. Call once, before any thread is started.
 */
int listen_take(struct listening *ret) _must_check_;

/* Whether such a descriptor listens on this path. */
bool listen_is_at(int fd, const char *path);

#endif
