/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One program: from its start to its last line and its end. A pidfd tells the end, so that no SIGCHLD handler is needed
 * and no other child of the process is touched. Never blocks the loop.
 */
#ifndef UNDERSTUDY_HOOKS_PROCESS_H
#define UNDERSTUDY_HOOKS_PROCESS_H

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

#define PROCESS_MESSAGE_SIZE 512

/* What every program finds in its environment; nothing of the daemon's own is handed on. */
#define PROCESS_PATH "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#define PROCESS_LANG "LANG=C.UTF-8"

struct event_base;
struct process;

/* Borrowed while process_start runs. */
struct program {
    const char *path;
    const char *argument;     /* NULL: none */
    char *const *environment; /* ends with NULL */
    const char *input;        /* what it finds on standard input */
    int64_t timeout_us;
};

struct process_callbacks {
    void (*line)(void *context, const char *text);
    /* Once; error and message as for hooks_callbacks.done. No line comes after it. */
    void (*ended)(void *context, int error, const char *message);
    /* The last callback: the program has been reaped. Usually at once after ended; free the process later. */
    void (*gone)(void *context);
};

/* Negative errno: it could not be started, and message (PROCESS_MESSAGE_SIZE) says why; no callback comes then. */
int process_start(struct event_base *base, const struct program *program, const struct process_callbacks *callbacks,
                  void *context, char *ret_message, struct process **ret) _must_check_;

/* After `ended`: its exit status; -1: it ended otherwise, or was killed at its time limit. */
int process_exit_status(const struct process *process);

/* Kills its process group if it is not gone. Takes NULL. */
void process_free(struct process *process);
DEFINE_CLEANUP(struct process, process_free);

#endif
