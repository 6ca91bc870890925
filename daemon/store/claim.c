/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A lock on a file of its own: closing a second descriptor of the database would end the locks that sqlite3 has on it. It
 * belongs to the open file (F_OFD_SETLK), so that it holds between two descriptors of one process as well.
 */
#include "store/claim.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"

#define CLAIM_FILE "understudy.lock"

static int open_in(const char *directory, size_t length, int flags)
{
    _cleanup_(freep) char *path = NULL;
    int fd;

    if (asprintf(&path, "%.*s/" CLAIM_FILE, (int)length, directory) < 0) {
        path = NULL;
        return -ENOMEM;
    }
    fd = open(path, flags | O_CLOEXEC | O_NOFOLLOW, 0600);
    return fd < 0 ? -errno : fd;
}

/* One that root made by hand is for the owner of the directory as well, as what sqlite3 makes there is. */
static void give_to_owner(int fd, const char *directory, size_t length)
{
    _cleanup_(freep) char *path = strndup(directory, length);
    struct stat owner;

    if (path != NULL && geteuid() == 0 && stat(path, &owner) == 0)
        (void)!fchown(fd, owner.st_uid, owner.st_gid);
}

int claim_take(const char *database_path, int *ret_fd)
{
    const char *name = strrchr(database_path, '/');
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int fd = name != NULL ? open_in(database_path, (size_t)(name - database_path), O_RDWR | O_CREAT) : -EINVAL, r;

    *ret_fd = -1;
    if (fd < 0)
        return fd == -ENOMEM ? fd : 0;
    give_to_owner(fd, database_path, (size_t)(name - database_path));
    if (fcntl(fd, F_OFD_SETLK, &whole) == 0) {
        *ret_fd = fd;
        return 0;
    }
    r = errno == EAGAIN || errno == EACCES ? -EBUSY : 0;
    close(fd);
    return r;
}

bool claim_holds(const char *database_path, int fd)
{
    const char *name = strrchr(database_path, '/');
    _cleanup_(freep) char *path = text_print("%.*s/" CLAIM_FILE, (int)(name - database_path), database_path);
    struct stat claimed, found;

    /* Where that cannot be seen, it is still held. */
    if (path == NULL || fstat(fd, &claimed) < 0)
        return true;
    if (stat(path, &found) < 0)
        return errno != ENOENT && errno != ENOTDIR;
    return claimed.st_dev == found.st_dev && claimed.st_ino == found.st_ino;
}

int claim_look(const char *directory)
{
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int fd = open_in(directory, strlen(directory), O_RDONLY), r;

    if (fd < 0)
        return fd == -ENOENT ? 0 : fd;
    r = fcntl(fd, F_OFD_GETLK, &whole) < 0 ? -errno : whole.l_type != F_UNLCK;
    close(fd);
    return r;
}
