/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Under a hidden name first, which no directory of the daemon's counts, in the same directory. */
#include "ctl/new_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctl/message.h"

static int fail(const char *path, const char *doing)
{
    int error = errno != 0 ? errno : EIO;

    complain("cannot %s %s: %s", doing, path, strerrordesc_np(error));
    return -error;
}

/* "web.xml", in this directory. Caller frees. */
static char *name_directory(const char *path)
{
    const char *slash = strrchr(path, '/');

    if (slash == NULL)
        return format_text(".");
    return format_text("%.*s", slash > path ? (int)(slash - path) : 1, path);
}

static int write_all(int fd, const char *text)
{
    size_t length = strlen(text);

    while (length > 0) {
        ssize_t n = write(fd, text, length);

        if (n < 0 && errno != EINTR)
            return -1;
        if (n < 0)
            continue;
        text += n;
        length -= (size_t)n;
    }
    return fsync(fd);
}

static int give_group(int fd, const char *directory)
{
    struct stat own, wanted;

    if (stat(directory, &wanted) < 0 || fstat(fd, &own) < 0)
        return -1;
    return own.st_gid == wanted.st_gid ? 0 : fchown(fd, (uid_t)-1, wanted.st_gid);
}

static int fill(int fd, const char *path, const char *directory, const char *text, bool takes_group)
{
    if (takes_group && give_group(fd, directory) < 0)
        return fail(path, "give the group of its directory to");
    if (fchmod(fd, 0640) < 0 || write_all(fd, text) < 0)
        return fail(path, "write");
    return 0;
}

/* A link, other than a rename, replaces nothing. */
static int put(const char *from, const char *path, bool replaces)
{
    if ((replaces ? rename(from, path) : link(from, path)) == 0)
        return 0;
    if (errno != EEXIST)
        return fail(path, "write");
    complain("%s is there already, and stays as it is; --force replaces it", path);
    return -EEXIST;
}

int new_file_write(const char *path, const char *text, bool takes_group, bool replaces)
{
    _cleanup_(freep) char *directory = name_directory(path);
    const char *slash = strrchr(path, '/');
    _cleanup_(freep) char *hidden = format_text("%s/.%s.XXXXXX", directory, slash != NULL ? slash + 1 : path);
    int r, fd = mkostemp(hidden, O_CLOEXEC);

    if (fd < 0)
        return fail(path, "write");
    r = fill(fd, path, directory, text, takes_group);
    if (close(fd) < 0 && r == 0)
        r = fail(path, "write");
    if (r == 0)
        r = put(hidden, path, replaces);
    if (r < 0 || !replaces)
        unlink(hidden);
    return r;
}
