/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads and forgets. Knows nothing of the writer. */
#include "hypervisor/drain.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct drain {
    char *directory;
    char *path;
    int fd; /* open for writing too: it never ends, and takes the byte that wakes the reader */
    bool is_running;
    atomic_bool is_stopping;
    pthread_t reader;
};

static void *read_and_forget(void *arg)
{
    struct drain *drain = arg;
    char buffer[65536];
    ssize_t n;

    do
        n = read(drain->fd, buffer, sizeof(buffer));
    while (!atomic_load(&drain->is_stopping) && (n > 0 || (n < 0 && errno == EINTR)));
    return NULL;
}

static int make_directory(char **ret)
{
    const char *parents = getenv("RUNTIME_DIRECTORY");
    _cleanup_(freep) char *directory = NULL;

    if (parents == NULL || parents[0] != '/')
        parents = "/tmp";
    if (asprintf(&directory, "%.*s/understudy-drain-XXXXXX", (int)strcspn(parents, ":"), parents) < 0) {
        directory = NULL;
        return -ENOMEM;
    }
    if (mkdtemp(directory) == NULL)
        return -errno;
    *ret = steal_pointer(&directory);
    return 0;
}

int drain_new(struct drain **ret)
{
    _cleanup_(drain_freep) struct drain *drain = calloc(1, sizeof(*drain));
    int r;

    if (drain == NULL)
        return -ENOMEM;
    drain->fd = -1;
    r = make_directory(&drain->directory);
    if (r < 0)
        return r;
    if (asprintf(&drain->path, "%s/fifo", drain->directory) < 0) {
        drain->path = NULL;
        return -ENOMEM;
    }
    if (mkfifo(drain->path, 0600) < 0)
        return -errno;
    drain->fd = open(drain->path, O_RDWR | O_CLOEXEC);
    if (drain->fd < 0)
        return -errno;
    r = pthread_create(&drain->reader, NULL, read_and_forget, drain);
    if (r != 0)
        return -r;
    drain->is_running = true;
    *ret = steal_pointer(&drain);
    return 0;
}

const char *drain_path(const struct drain *drain)
{
    return drain->path;
}

void drain_free(struct drain *drain)
{
    if (drain == NULL)
        return;
    if (drain->is_running) {
        atomic_store(&drain->is_stopping, true);
        while (write(drain->fd, "", 1) < 0 && errno == EINTR)
            ;
        pthread_join(drain->reader, NULL);
    }
    if (drain->fd >= 0)
        close(drain->fd);
    if (drain->path != NULL)
        unlink(drain->path);
    if (drain->directory != NULL)
        rmdir(drain->directory);
    free(drain->path);
    free(drain->directory);
    free(drain);
}
