/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Unix socket files. A socket that no process answers on was left behind by an earlier run. */
#include "api/socket.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define MODE 0660

static void closep(int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

static int fill_address(const char *path, struct sockaddr_un *ret)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    if (strlen(path) >= sizeof(address.sun_path))
        return -ENAMETOOLONG;
    strcpy(address.sun_path, path);
    *ret = address;
    return 0;
}

static int new_socket(int *ret_fd)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0)
        return -errno;
    *ret_fd = fd;
    return 0;
}

/* 0: nothing is in the way any more. -EADDRINUSE, -EEXIST or another error. */
static int clear_path(const struct sockaddr_un *address)
{
    _cleanup_(closep) int fd = -1;
    struct stat status;
    int r;

    if (lstat(address->sun_path, &status) < 0)
        return errno == ENOENT ? 0 : -errno;
    if (!S_ISSOCK(status.st_mode))
        return -EEXIST;
    r = new_socket(&fd);
    if (r < 0)
        return r;
    /* EAGAIN is a full backlog: another process listens. */
    if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 || errno == EAGAIN)
        return -EADDRINUSE;
    if (errno != ECONNREFUSED)
        return -errno;
    return unlink(address->sun_path) < 0 && errno != ENOENT ? -errno : 0;
}

static int bind_socket(const struct sockaddr_un *address, struct socket_file *file, int *ret_fd)
{
    _cleanup_(closep) int fd = -1;
    struct stat status;
    int r = new_socket(&fd);

    if (r < 0)
        return r;
    if (bind(fd, (const struct sockaddr *)address, sizeof(*address)) < 0)
        return -errno;
    if (chmod(address->sun_path, MODE) < 0 || lstat(address->sun_path, &status) < 0) {
        r = -errno;
        unlink(address->sun_path);
        return r;
    }
    file->device = status.st_dev;
    file->inode = status.st_ino;
    *ret_fd = fd;
    fd = -1;
    return 0;
}

static const char *describe(int error)
{
    switch (error) {
    case -EADDRINUSE:
        return "another process is listening there; is understudyd running already?";
    case -EEXIST:
        return "the path exists and is no socket";
    case -ENAMETOOLONG:
        return "the path is too long for a Unix socket";
    case -ENOENT:
        return "its directory does not exist";
    default:
        return strerror(-error);
    }
}

int socket_bind(const char *path, struct diags *diags, struct socket_file *ret_file, int *ret_fd)
{
    struct socket_file file = {.path = strdup(path)};
    struct sockaddr_un address;
    int fd = -1, r = -ENOMEM;

    if (file.path != NULL)
        r = fill_address(path, &address);
    if (r == 0)
        r = clear_path(&address);
    if (r == 0)
        r = bind_socket(&address, &file, &fd);
    if (r < 0) {
        diags_add(diags, DIAG_ERROR, NULL, 0, 0, "cannot listen on %s: %s", path, describe(r));
        free(file.path);
        return r;
    }
    *ret_file = file;
    *ret_fd = fd;
    return 0;
}

void socket_file_remove(struct socket_file *file)
{
    struct stat status;

    if (file->path != NULL && lstat(file->path, &status) == 0 && status.st_dev == file->device &&
        status.st_ino == file->inode)
        unlink(file->path);
    free(file->path);
    *file = (struct socket_file){0};
}
