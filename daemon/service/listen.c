/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* sd_listen_fds_with_names, checked. Does not know what is served there. */
#include "service/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

static int prepare(int fd)
{
    int r = sd_is_socket_unix(fd, SOCK_STREAM, 1, NULL, 0);

    if (r > 0 && fcntl(fd, F_SETFL, O_NONBLOCK) < 0)
        return -errno;
    return r > 0 ? 0 : r < 0 ? r : -ENOTSOCK;
}

/* Takes fd, also when it fails. */
static int take_one(int fd, const char *name, struct listening *listening)
{
    int *place = strcmp(name, LISTEN_NAME) == 0             ? &listening->fd
                 : strcmp(name, LISTEN_NAME_READ_ONLY) == 0 ? &listening->read_only_fd
                                                            : NULL;
    int r = place != NULL ? prepare(fd) : -EINVAL;

    if (r == 0 && *place < 0)
        *place = fd;
    else
        close(fd);
    return r;
}

static void close_all(const struct listening *listening)
{
    if (listening->fd >= 0)
        close(listening->fd);
    if (listening->read_only_fd >= 0)
        close(listening->read_only_fd);
}

int listen_take(struct listening *ret)
{
    struct listening listening = {.fd = -1, .read_only_fd = -1};
    char **names = NULL;
    int n = sd_listen_fds_with_names(1, &names), error = n < 0 ? n : 0;

    for (int i = 0; i < n; i++) {
        int r = take_one(SD_LISTEN_FDS_START + i, names[i], &listening);

        if (error == 0)
            error = r;
        free(names[i]);
    }
    free(names);
    if (error < 0) {
        close_all(&listening);
        return error;
    }
    *ret = listening;
    return 0;
}

bool listen_is_at(int fd, const char *path)
{
    return sd_is_socket_unix(fd, SOCK_STREAM, 1, path, 0) > 0;
}
