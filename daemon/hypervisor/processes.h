/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The QEMU processes of a libvirtd of this host, each watched by a pidfd: how one ends is known when it ends, where the kernel
 * tells that (PIDFD_GET_INFO with exit information, Linux 6.15). On an older kernel the end of a process is not told.
 *
 * Which process belongs to a domain stands in DIRECTORY/NAME.pid: the process itself holds a lock on that file as long as it
 * lives, and no other process can. So it is the right one if it has the lock before and after its pidfd is opened.
 * /proc need not be seen, and no right is needed beyond reading that file.
 */
#ifndef UNDERSTUDY_DAEMON_HYPERVISOR_PROCESSES_H
#define UNDERSTUDY_DAEMON_HYPERVISOR_PROCESSES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

struct event_base;
struct processes;

/* Borrowed during the call. */
struct process_end {
    const char *uuid;
    const char *name;
    int status;      /* as of waitpid(2) */
    int64_t free_us; /* of processes_see_free, mono_us; 0: never, or processes_doubt since it was watched */
};

typedef void (*process_ended)(void *context, const struct process_end *end);

/* ended is called from the event loop, once for a process; it is not watched any more then. directory is copied. */
int processes_new(struct event_base *base, const char *directory, process_ended ended, void *context,
                  struct processes **ret) _must_check_;

/*
 * Watches the process from now on, if it can. At most half of the descriptors of this daemon are used for that. A second call for
 * the same uuid changes nothing.
 */
void processes_watch(struct processes *processes, const char *uuid, const char *name);

void processes_forget(struct processes *processes, const char *uuid);
void processes_forget_all(struct processes *processes);

/*
 * libvirt tells that the domain shuts down. If its process has ended by now, which of the two came first cannot be known, and
 * it is not watched any more.
 */
void processes_see_shutdown(struct processes *processes, const char *uuid);

/* An answer for which the locks of all domains were needed, and that was asked for then (mono_us), is here. */
void processes_see_free(struct processes *processes, int64_t asked_us);

/* Such an answer is overdue: libvirt may have been at work on any of them, and may have sent what still takes effect. */
void processes_doubt(struct processes *processes);

size_t processes_count(const struct processes *processes);

/* Takes NULL. */
void processes_free(struct processes *processes);

#endif
