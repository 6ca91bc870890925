/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* sd_listen_fds, checked. Does not know what is served there. */
#include "service/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

int listen_take(int *ret_fd)
{
    int n = sd_listen_fds(1), fd = SD_LISTEN_FDS_START;
    int r;

    if (n < 0)
        return n;
    for (int i = 1; i < n; i++)
        close(SD_LISTEN_FDS_START + i);
    if (n == 0) {
        *ret_fd = -1;
        return 0;
    }
    r = sd_is_socket_unix(fd, SOCK_STREAM, 1, NULL, 0);
    if (r > 0 && fcntl(fd, F_SETFL, O_NONBLOCK) < 0)
        r = -errno;
    if (r <= 0) {
        close(fd);
        return r < 0 ? r : -ENOTSOCK;
    }
    *ret_fd = fd;
    return 0;
}

bool listen_is_at(int fd, const char *path)
{
    return sd_is_socket_unix(fd, SOCK_STREAM, 1, path, 0) > 0;
}

int listen_get_mode(int fd, uint32_t *ret_mode)
{
    struct sockaddr_un address = {0};
    socklen_t size = sizeof(address) - 1;
    struct stat status;

    if (getsockname(fd, (struct sockaddr *)&address, &size) < 0)
        return -errno;
    if (address.sun_family != AF_UNIX || stat(address.sun_path, &status) < 0)
        return -ENOENT;
    *ret_mode = status.st_mode & 0777;
    return 0;
}
