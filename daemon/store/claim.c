/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A file of its own: closing a second descriptor of the database would end the locks that sqlite3 has on it. */
#include "store/claim.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define CLAIM_FILE "understudy.lock"

int claim_take(const char *database_path, int *ret_fd)
{
    const char *name = strrchr(database_path, '/');
    _cleanup_(freep) char *path = NULL;
    int fd, r = 0;

    *ret_fd = -1;
    if (asprintf(&path, "%.*s%s", name != NULL ? (int)(name + 1 - database_path) : 0, database_path, CLAIM_FILE) < 0) {
        path = NULL;
        return -ENOMEM;
    }
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return 0;
    if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
        *ret_fd = fd;
        return 0;
    }
    r = errno == EWOULDBLOCK ? -EBUSY : 0;
    close(fd);
    return r;
}
