/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A pidfd becomes readable when its process is a zombie, and tells the exit status when that was reaped, of which it tells as
 * well. In between it stays readable: a level-triggered wait would spin.
 */
#include "hypervisor/processes.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <event2/event.h>

#define HASH_NONFATAL_OOM        1
#define uthash_nonfatal_oom(obj) ((obj)->is_lost = true)
#include <uthash.h>

#include "base/text.h"
#include "model/machine.h"

/* <linux/pidfd.h> of Linux 6.15, which is newer than the headers of many systems. */
struct exit_info {
    uint64_t mask;
    uint64_t cgroup_id;
    uint32_t ids[11];
    int32_t exit_code;
};
#define EXIT_INFO_EXIT (UINT64_C(1) << 3)
#define EXIT_INFO_GET  _IOWR(0xFF, 11, struct exit_info)

/* libvirt's client needs another turn of the event loop or two for what has arrived. */
#define MOMENT_US 1000

struct process {
    char uuid[UUID_TEXT_SIZE];
    char *name;
    struct processes *processes;
    int fd;
    struct event *end;
    int64_t free_us;
    int status;       /* how it ended; told when what libvirt had told before was heard */
    bool is_doubtful; /* free_us stays 0 */
    bool is_lost;     /* uthash had no memory to add it */
    UT_hash_handle hh;
};

struct processes {
    struct event_base *base;
    size_t most;
    char *directory;
    process_ended ended;
    void *context;
    struct process *all;
};

static void process_free(struct process *process)
{
    if (process->end != NULL)
        event_free(process->end);
    if (process->fd >= 0)
        close(process->fd);
    free(process->name);
    free(process);
}

static void forget(struct process *process)
{
    HASH_DEL(process->processes->all, process);
    process_free(process);
}

static struct process *find(const struct processes *processes, const char *uuid)
{
    struct process *process = NULL;

    HASH_FIND_STR(processes->all, uuid, process);
    return process;
}

static bool has_ended(const struct process *process)
{
    struct pollfd wait = {.fd = process->fd, .events = POLLIN};

    return poll(&wait, 1, 0) != 0;
}

static bool get_status(struct process *process)
{
    struct exit_info info = {.mask = EXIT_INFO_EXIT};

    if (ioctl(process->fd, EXIT_INFO_GET, &info) < 0 || (info.mask & EXIT_INFO_EXIT) == 0)
        return false;
    process->status = info.exit_code;
    return true;
}

static void tell(struct process *process)
{
    struct processes *processes = process->processes;
    struct process_end end = {
        .uuid = process->uuid,
        .name = process->name,
        .status = process->status,
        .free_us = process->free_us,
    };

    HASH_DEL(processes->all, process);
    processes->ended(processes->context, &end);
    process_free(process);
}

static void on_end(evutil_socket_t fd, short what, void *arg)
{
    static const struct timeval moment = {.tv_usec = MOMENT_US};
    struct process *process = arg;

    (void)fd;
    if ((what & EV_TIMEOUT) != 0)
        tell(process);
    else if (get_status(process)) /* else a zombie yet; or the kernel does not tell, and libvirt will */
        event_add(process->end, &moment);
}

/* The process that holds the lock on the file. -1: none, or it cannot be seen from here. */
static pid_t find_holder(const struct processes *processes, const char *name)
{
    _cleanup_(freep) char *path = text_print("%s/%s.pid", processes->directory, name);
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int fd = path != NULL && strchr(name, '/') == NULL ? open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) : -1;
    bool is_known = fd >= 0 && fcntl(fd, F_GETLK, &lock) == 0 && lock.l_pid > 0; /* 0, as it was: there is no lock */

    if (fd >= 0)
        close(fd);
    return is_known ? lock.l_pid : -1;
}

/* -1: it has none, or there is no way to know how it ends. */
static int open_process(const struct processes *processes, const char *name)
{
    pid_t pid = find_holder(processes, name);
    int fd = pid > 0 ? (int)syscall(SYS_pidfd_open, pid, 0) : -1;

    if (fd < 0 || find_holder(processes, name) == pid)
        return fd;
    close(fd);
    return -1;
}

void processes_watch(struct processes *processes, const char *uuid, const char *name)
{
    bool is_new = find(processes, uuid) == NULL && processes_count(processes) < processes->most;
    struct process *process = is_new ? calloc(1, sizeof(*process)) : NULL;

    if (process == NULL)
        return;
    snprintf(process->uuid, sizeof(process->uuid), "%s", uuid);
    process->processes = processes;
    process->name = strdup(name);
    process->fd = process->name != NULL ? open_process(processes, name) : -1;
    if (process->fd >= 0)
        process->end = event_new(processes->base, process->fd, EV_READ | EV_PERSIST | EV_ET, on_end, process);
    if (process->end == NULL || event_add(process->end, NULL) < 0) {
        process_free(process);
        return;
    }
    HASH_ADD_STR(processes->all, uuid, process);
    if (process->is_lost)
        process_free(process);
}

void processes_forget(struct processes *processes, const char *uuid)
{
    struct process *process = find(processes, uuid);

    if (process != NULL)
        forget(process);
}

void processes_forget_all(struct processes *processes)
{
    struct process *process, *next;

    HASH_ITER(hh, processes->all, process, next)
    {
        forget(process);
    }
}

void processes_see_shutdown(struct processes *processes, const char *uuid)
{
    struct process *process = find(processes, uuid);

    if (process != NULL && has_ended(process))
        forget(process);
}

void processes_see_free(struct processes *processes, int64_t asked_us)
{
    for (struct process *process = processes->all; process != NULL; process = process->hh.next)
        if (!process->is_doubtful && !has_ended(process))
            process->free_us = asked_us;
}

void processes_doubt(struct processes *processes)
{
    for (struct process *process = processes->all; process != NULL; process = process->hh.next) {
        process->is_doubtful = true;
        process->free_us = 0;
    }
}

size_t processes_count(const struct processes *processes)
{
    return HASH_COUNT(processes->all);
}

int processes_new(struct event_base *base, const char *directory, process_ended ended, void *context,
                  struct processes **ret)
{
    _cleanup_(freep) struct processes *processes = calloc(1, sizeof(*processes));
    struct rlimit limit;

    if (processes == NULL)
        return -ENOMEM;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
        processes->most = limit.rlim_cur / 2;
    processes->directory = strdup(directory);
    if (processes->directory == NULL)
        return -ENOMEM;
    processes->base = base;
    processes->ended = ended;
    processes->context = context;
    *ret = steal_pointer(&processes);
    return 0;
}

void processes_free(struct processes *processes)
{
    if (processes == NULL)
        return;
    processes_forget_all(processes);
    free(processes->directory);
    free(processes);
}
