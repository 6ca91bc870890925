/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A damaged database is kept under another name, for the administrator to look at. */
#include "store/database.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/moment.h"

/* The log first: a new database would take a log that is left for its own. */
static const char *const suffixes[] = {"-wal", "-shm", ""};

static int rename_one(const char *path, const char *name, const char *suffix)
{
    _cleanup_(freep) char *from = NULL, *to = NULL;

    if (asprintf(&from, "%s%s", path, suffix) < 0) {
        from = NULL;
        return -ENOMEM;
    }
    if (asprintf(&to, "%s%s", name, suffix) < 0) {
        to = NULL;
        return -ENOMEM;
    }
    return rename(from, to) == 0 || errno == ENOENT ? 0 : -errno;
}

/* So that a crash of the machine does not undo the renaming. */
static int sync_directory_of(const char *path)
{
    _cleanup_(freep) char *copy = strdup(path);
    int directory, r;

    if (copy == NULL)
        return -ENOMEM;
    directory = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0)
        return -errno;
    r = fsync(directory) == 0 ? 0 : -errno;
    close(directory);
    return r;
}

int database_set_aside(const char *path, int64_t real_us, char **ret_name)
{
    _cleanup_(freep) char *name = NULL;
    const time_t seconds = (time_t)(real_us / USEC_PER_SEC);
    char stamp[32];
    struct tm utc;
    int r = 0;

    gmtime_r(&seconds, &utc);
    strftime(stamp, sizeof(stamp), "%Y%m%d-%H%M%S", &utc);
    if (asprintf(&name, "%s.damaged-%s", path, stamp) < 0) {
        name = NULL;
        return -ENOMEM;
    }
    for (size_t i = 0; i < ELEMENTS_OF(suffixes) && r == 0; i++)
        r = rename_one(path, name, suffixes[i]);
    if (r == 0)
        r = sync_directory_of(path);
    if (r == 0)
        *ret_name = steal_pointer(&name);
    return r;
}
