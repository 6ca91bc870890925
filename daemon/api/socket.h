/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The Unix socket that the control interface listens on: made, found stale, removed. Knows no HTTP. */
#ifndef UNDERSTUDY_DAEMON_API_SOCKET_H
#define UNDERSTUDY_DAEMON_API_SOCKET_H

#include <sys/types.h>

#include "base/cleanup.h"
#include "base/diag.h"

/* A socket file that this process made, by its identity, so that no file of another process is removed. */
struct socket_file {
    char *path;
    dev_t device;
    ino_t inode;
};

/*
 * Binds a new socket to `path`, for its owner and its group; no client can connect before listen(2). The caller owns the
 * descriptor, and *ret_file until socket_file_remove. -EADDRINUSE: another process serves it. -EEXIST: the path is
 * something else than a socket. -ENAMETOOLONG, or another error of the system; words for people go to diags.
 */
int socket_bind(const char *path, struct diags *diags, struct socket_file *ret_file, int *ret_fd) _must_check_;

/* Removes the file if it is still the one that was made, and frees what `file` holds. */
void socket_file_remove(struct socket_file *file);

#endif
