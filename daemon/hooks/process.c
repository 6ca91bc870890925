/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 *   running ──time limit: SIGTERM──▶ asked to end ──2 s: SIGKILL, ended──▶ killed
 *      └────────────exit: ended, gone───┴──────────────────exit: gone────────┘
 *
 * The process ends when the program itself ends, even where another process still holds the pipe. The number of its
 * process group may be used again once it is reaped, so the group gets no signal after that. Knows nothing of runs
 * and directories.
 */
#include "hooks/process.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/moment.h"
#include "hooks/output.h"
#include "hooks/spawn.h"

#define GRACE_US    (2 * USEC_PER_SEC) /* from SIGTERM to SIGKILL */
#define DYING_MS    1000               /* how long freeing waits for what it killed */
#define CHUNK_BYTES 16384 /* read at a time, so that a flood of output does not keep the loop from everything else */

struct process {
    pid_t pid; /* 0: reaped */
    int pidfd;
    int pipe; /* -1: at its end */
    struct event *exited;
    struct event *readable;
    struct event *timer;
    int64_t timeout_us;
    bool is_asked; /* SIGTERM was sent */
    bool is_ended; /* and the owner knows */
    int status;    /* of its exit; -1: none */
    struct output output;
    struct process_callbacks callbacks;
    void *context;
};

static int set_timer(struct process *process, int64_t after_us)
{
    struct timeval after = {.tv_sec = after_us / USEC_PER_SEC, .tv_usec = after_us % USEC_PER_SEC};

    return event_add(process->timer, &after) < 0 ? -ENOMEM : 0;
}

static void close_pipe(struct process *process)
{
    if (process->pipe < 0)
        return;
    if (process->readable != NULL)
        event_del(process->readable);
    close(process->pipe);
    process->pipe = -1;
}

/* False: there is nothing more to read now. */
static bool read_pipe(struct process *process, size_t at_most, size_t *ret)
{
    char data[CHUNK_BYTES];
    ssize_t n = read(process->pipe, data, at_most < sizeof(data) ? at_most : sizeof(data));

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    if (n <= 0) {
        close_pipe(process);
        return false;
    }
    output_take(&process->output, data, (size_t)n);
    *ret = (size_t)n;
    return true;
}

static void on_readable(evutil_socket_t fd, short what, void *context)
{
    struct process *process = context;
    size_t n;

    (void)fd;
    (void)what;
    (void)read_pipe(process, CHUNK_BYTES, &n);
}

/* Reads what is in the pipe now, and no more: another process may go on filling it. */
static void drain(struct process *process)
{
    int waiting = 0;
    size_t left, n;

    if (process->pipe >= 0 && ioctl(process->pipe, FIONREAD, &waiting) == 0)
        for (left = (size_t)waiting; left > 0 && read_pipe(process, left, &n);)
            left -= n;
    close_pipe(process);
    output_end(&process->output);
}

static void tell_end(struct process *process, int error, const char *message)
{
    drain(process);
    process->is_ended = true;
    process->callbacks.ended(process->context, error, message);
}

static void tell_timeout(struct process *process)
{
    char message[PROCESS_MESSAGE_SIZE];

    snprintf(message, sizeof(message), "killed: it had not ended after %g s",
             (double)process->timeout_us / USEC_PER_SEC);
    tell_end(process, -ETIMEDOUT, message);
}

static void on_time(evutil_socket_t fd, short what, void *context)
{
    struct process *process = context;

    (void)fd;
    (void)what;
    if (!process->is_asked) {
        process->is_asked = true;
        kill(-process->pid, SIGTERM);
        if (set_timer(process, GRACE_US) == 0)
            return;
    }
    kill(-process->pid, SIGKILL);
    tell_timeout(process);
}

static void tell_exit(struct process *process, const siginfo_t *info)
{
    char message[PROCESS_MESSAGE_SIZE] = "";
    const char *signal = info->si_code == CLD_EXITED ? NULL : sigabbrev_np(info->si_status);

    if (info->si_code == CLD_EXITED) {
        process->status = info->si_status;
        snprintf(message, sizeof(message), "exit status %d", info->si_status);
    } else if (signal != NULL)
        snprintf(message, sizeof(message), "ended by SIG%s", signal);
    else
        snprintf(message, sizeof(message), "ended by signal %d", info->si_status);
    if (info->si_code == CLD_EXITED && info->si_status == 0)
        tell_end(process, 0, "");
    else
        tell_end(process, -ECANCELED, message);
}

/* Code that waits for any child, against the rules of this process, may have reaped it. */
static void reap(struct process *process, siginfo_t *ret)
{
    *ret = (siginfo_t){.si_code = CLD_EXITED, .si_status = -1};
    while (waitid(P_PIDFD, (id_t)process->pidfd, ret, WEXITED | WNOHANG) < 0 && errno == EINTR)
        ;
    process->pid = 0;
}

static void on_exit_of_program(evutil_socket_t fd, short what, void *context)
{
    struct process *process = context;
    siginfo_t info;

    (void)fd;
    (void)what;
    event_del(process->timer);
    if (process->is_asked)
        kill(-process->pid, SIGKILL);
    reap(process, &info);
    if (!process->is_ended && process->is_asked)
        tell_timeout(process);
    else if (!process->is_ended)
        tell_exit(process, &info);
    process->callbacks.gone(process->context);
}

static int watch(struct process *process, struct event_base *base)
{
    process->timer = evtimer_new(base, on_time, process);
    process->exited = event_new(base, process->pidfd, EV_READ, on_exit_of_program, process);
    process->readable = event_new(base, process->pipe, EV_READ | EV_PERSIST, on_readable, process);
    if (process->timer == NULL || process->exited == NULL || process->readable == NULL)
        return -ENOMEM;
    if (event_add(process->exited, NULL) < 0 || event_add(process->readable, NULL) < 0)
        return -ENOMEM;
    return set_timer(process, process->timeout_us);
}

int process_start(struct event_base *base, const struct program *program, const struct process_callbacks *callbacks,
                  void *context, char *ret_message, struct process **ret)
{
    _cleanup_(process_freep) struct process *process = calloc(1, sizeof(*process));
    int r = -ENOMEM;

    if (process != NULL) {
        process->pidfd = process->pipe = process->status = -1;
        process->timeout_us = program->timeout_us;
        process->output = (struct output){.line = callbacks->line, .context = context};
        process->callbacks = *callbacks;
        process->context = context;
        r = spawn_program(program, ret_message, &process->pid, &process->pidfd, &process->pipe);
        if (r < 0)
            return r;
        r = watch(process, base);
    }
    if (r < 0) {
        snprintf(ret_message, PROCESS_MESSAGE_SIZE, "cannot be run: %s", strerrordesc_np(-r));
        return r;
    }
    *ret = steal_pointer(&process);
    return 0;
}

int process_exit_status(const struct process *process)
{
    return process->status;
}

/* A process that hangs in the kernel is left to init. */
static void kill_and_reap(struct process *process)
{
    struct pollfd exited = {.fd = process->pidfd, .events = POLLIN};
    siginfo_t info;

    kill(-process->pid, SIGKILL);
    while (poll(&exited, 1, DYING_MS) < 0 && errno == EINTR)
        ;
    reap(process, &info);
}

static void free_event(struct event *event)
{
    if (event != NULL)
        event_free(event);
}

void process_free(struct process *process)
{
    if (process == NULL)
        return;
    if (process->pid != 0)
        kill_and_reap(process);
    close_pipe(process);
    free_event(process->readable);
    free_event(process->exited);
    free_event(process->timer);
    if (process->pidfd >= 0)
        close(process->pidfd);
    free(process);
}
