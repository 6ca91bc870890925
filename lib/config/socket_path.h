/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where the second socket of the control interface is. Knows no sockets. */
#ifndef UNDERSTUDY_CONFIG_SOCKET_PATH_H
#define UNDERSTUDY_CONFIG_SOCKET_PATH_H

/* What the path of the socket that only reads has more than api.socket: "-ro", before ".sock" or at the end. */
#define SOCKET_READ_ONLY_MARK "-ro"

/* "/run/understudy/api-ro.sock" of "/run/understudy/api.sock". Caller frees. NULL: no memory. */
char *socket_path_read_only(const char *path);

#endif
