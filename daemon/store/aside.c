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
#include "base/text.h"

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

static bool is_taken(const char *name)
{
    for (size_t i = 0; i < ELEMENTS_OF(suffixes); i++) {
        _cleanup_(freep) char *file = text_print("%s%s", name, suffixes[i]);

        if (file == NULL || access(file, F_OK) == 0)
            return true;
    }
    return false;
}

/* A second one of the same second is given a number: what the first one holds is kept. NULL: no memory. */
static char *name_aside(const char *path, int64_t real_us)
{
    const time_t seconds = (time_t)(real_us / USEC_PER_SEC);
    char stamp[32], *name;
    struct tm utc;

    gmtime_r(&seconds, &utc);
    strftime(stamp, sizeof(stamp), "%Y%m%d-%H%M%S", &utc);
    name = text_print("%s.damaged-%s", path, stamp);
    for (unsigned number = 2; name != NULL && is_taken(name); number++) {
        free(name);
        name = text_print("%s.damaged-%s-%u", path, stamp, number);
    }
    return name;
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
    _cleanup_(freep) char *name = name_aside(path, real_us);
    int r = name != NULL ? 0 : -ENOMEM;

    for (size_t i = 0; i < ELEMENTS_OF(suffixes) && r == 0; i++)
        r = rename_one(path, name, suffixes[i]);
    if (r == 0)
        r = sync_directory_of(path);
    if (r == 0)
        *ret_name = steal_pointer(&name);
    return r;
}
