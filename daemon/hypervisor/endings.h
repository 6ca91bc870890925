/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reports the end of a QEMU of this host before libvirt notices it (libvirt polls every 200 ms), as the events
 * EVENT_ENDED_KILLED and EVENT_ENDED_EXITED. processes.h knows how a QEMU ended; this file decides what follows from that.
 *
 * libvirt ends a QEMU by SIGTERM, and by SIGKILL ten seconds later if it is still there, and holds the lock of the domain all
 * that time. So a QEMU that dies of SIGKILL was not killed by libvirt if its lock was free at some time in the nine seconds
 * before. That is asked for every eight seconds, with one call for all domains, while it is wanted.
 */
#ifndef UNDERSTUDY_DAEMON_HYPERVISOR_ENDINGS_H
#define UNDERSTUDY_DAEMON_HYPERVISOR_ENDINGS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"
#include "protocol/action.h"
#include "protocol/event.h"
#include "hypervisor/worker.h"

struct endings;

/* Called from the event loop. */
struct endings_callbacks {
    void (*event)(void *context, const struct domain_event *event);
    /* A QEMU ended in a way that its operator will want to know of; text is for people. */
    void (*noted)(void *context, const char *uuid, const char *text);
    /* Of a QEMU that has ended, libvirt has told no stop in all that time: it is to be asked. */
    void (*untold)(void *context);
};

/*
 * workers are borrowed. directory: where libvirt keeps the PID files of its QEMUs, copied. patience_us: so long libvirt's word
 * of an end is waited for.
 */
int endings_new(struct event_base *base, struct workers *workers, const char *directory, int64_t patience_us,
                const struct endings_callbacks *callbacks, void *context, struct endings **ret) _must_check_;

/* All of these take NULL, where nothing is watched. */

/* link: of the connection that is up from now on; 0: none is, and nothing is watched. */
void endings_set_link(struct endings *endings, unsigned long link);
/* Before the event is told on. */
void endings_see_event(struct endings *endings, const struct domain_event *event);
void endings_see_inventory(struct endings *endings, const struct inventory *inventory);

/* is_wanted: from now on, ask every eight seconds whether the locks of the domains are free. */
void endings_prove(struct endings *endings, bool is_wanted);

void endings_free(struct endings *endings);

#endif
