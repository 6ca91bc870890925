/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Sockets are held by a descriptor of their own, so that no number is cut that is another file by now; programs by a pidfd,
 * for the same reason. Without a descriptor to hold one, it is not cut, and its call hangs as long as it likes.
 */
#include "hypervisor/cutter.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNECTIONS_MAX 2
#define PROGRAMS_MAX    4

struct cutter {
    pthread_mutex_t lock;
    bool is_cut;
    pid_t thread; /* of cutter_watch; 0: it does not open the session (any more) */
    size_t n_open;
    int sockets[CONNECTIONS_MAX]; /* -1: none */
    int programs[PROGRAMS_MAX];   /* once the session is open; -1: none */
};

static _Thread_local struct cutter *watcher;

struct cutter *cutter_new(void)
{
    struct cutter *cutter = calloc(1, sizeof(*cutter));

    if (cutter == NULL)
        return NULL;
    pthread_mutex_init(&cutter->lock, NULL);
    for (size_t i = 0; i < CONNECTIONS_MAX; i++)
        cutter->sockets[i] = -1;
    for (size_t i = 0; i < PROGRAMS_MAX; i++)
        cutter->programs[i] = -1;
    return cutter;
}

static void close_all(const int *files, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (files[i] >= 0)
            close(files[i]);
}

void cutter_free(struct cutter *cutter)
{
    if (cutter == NULL)
        return;
    close_all(cutter->sockets, CONNECTIONS_MAX);
    close_all(cutter->programs, PROGRAMS_MAX);
    pthread_mutex_destroy(&cutter->lock);
    free(cutter);
}

/* What the thread runs: programs that it started, and that have not been waited for. */
static void hold_programs(pid_t thread, int programs[PROGRAMS_MAX])
{
    char path[64], list[256], *at = list, *end;
    size_t n = 0;
    FILE *file;
    long pid;

    snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)thread);
    file = fopen(path, "re");
    if (file == NULL)
        return;
    list[fread(list, 1, sizeof(list) - 1, file)] = '\0';
    fclose(file);
    while (n < PROGRAMS_MAX && (pid = strtol(at, &end, 10)) > 0) {
        programs[n] = pidfd_open((pid_t)pid, 0);
        n += programs[n] >= 0;
        at = end;
    }
}

void cutter_watch(struct cutter *cutter)
{
    pthread_mutex_lock(&cutter->lock);
    cutter->thread = gettid();
    pthread_mutex_unlock(&cutter->lock);
    watcher = cutter;
}

void cutter_watch_next(struct cutter *cutter)
{
    pthread_mutex_lock(&cutter->lock);
    cutter->n_open++;
    pthread_mutex_unlock(&cutter->lock);
}

void cutter_rest(struct cutter *cutter)
{
    watcher = NULL;
    pthread_mutex_lock(&cutter->lock);
    if (!cutter->is_cut)
        hold_programs(cutter->thread, cutter->programs);
    cutter->thread = 0;
    pthread_mutex_unlock(&cutter->lock);
}

void cutter_cut(struct cutter *cutter)
{
    pthread_mutex_lock(&cutter->lock);
    cutter->is_cut = true;
    if (cutter->thread != 0)
        hold_programs(cutter->thread, cutter->programs);
    for (size_t i = 0; i < CONNECTIONS_MAX; i++)
        if (cutter->sockets[i] >= 0)
            shutdown(cutter->sockets[i], SHUT_RDWR);
    for (size_t i = 0; i < PROGRAMS_MAX; i++)
        if (cutter->programs[i] >= 0)
            pidfd_send_signal(cutter->programs[i], SIGKILL, NULL, 0);
    pthread_mutex_unlock(&cutter->lock);
}

/* False: the session is cut. The one before, to another address of the host, has failed. */
static bool hold_socket(struct cutter *cutter, int fd)
{
    bool is_cut;

    pthread_mutex_lock(&cutter->lock);
    is_cut = cutter->is_cut;
    if (!is_cut && cutter->n_open < CONNECTIONS_MAX) {
        int *place = &cutter->sockets[cutter->n_open];

        if (*place >= 0)
            close(*place);
        *place = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    }
    pthread_mutex_unlock(&cutter->lock);
    return !is_cut;
}

/* Instead of libc's, for the whole process. On other threads it does nothing else. */
__attribute__((visibility("default"))) int connect(int fd, const struct sockaddr *address, socklen_t length)
{
    static int (*real)(int, const struct sockaddr *, socklen_t);
    void *found = __atomic_load_n((void **)&real, __ATOMIC_RELAXED);
    int (*call)(int, const struct sockaddr *, socklen_t);

    if (found == NULL) {
        found = dlsym(RTLD_NEXT, "connect");
        __atomic_store_n((void **)&real, found, __ATOMIC_RELAXED);
    }
    if (watcher != NULL && !hold_socket(watcher, fd)) {
        errno = ECONNABORTED;
        return -1;
    }
    *(void **)&call = found;
    return call(fd, address, length);
}
