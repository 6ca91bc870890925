/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What hypervisors tell, as plain values: libvirt's lifecycle events with their detail flattened into
 * one list (https://libvirt.org/html/libvirt-libvirt-domain.html#virDomainEventType), the few
 * other domain events that bear on a failure, and the end of a QEMU of this host, as the kernel tells it.
 */
#ifndef UNDERSTUDY_PROTOCOL_EVENT_H
#define UNDERSTUDY_PROTOCOL_EVENT_H

#include <stdbool.h>

#include "base/moment.h"
#include "model/description.h"

enum domain_event_kind {
    EVENT_DEFINED,   /* any detail: its definition is new or changed */
    EVENT_UNDEFINED, /* any detail */
    EVENT_CHANGED,   /* devices, memory, metadata …: not a lifecycle event, ask again */

    EVENT_STARTED_BOOTED,
    EVENT_STARTED_MIGRATED,
    EVENT_STARTED_RESTORED,
    EVENT_STARTED_FROM_SNAPSHOT,
    EVENT_STARTED_WAKEUP,

    EVENT_SUSPENDED_PAUSED,
    EVENT_SUSPENDED_MIGRATED,
    EVENT_SUSPENDED_IO_ERROR,
    EVENT_SUSPENDED_WATCHDOG,
    EVENT_SUSPENDED_RESTORED,
    EVENT_SUSPENDED_FROM_SNAPSHOT,
    EVENT_SUSPENDED_API_ERROR,
    EVENT_SUSPENDED_POSTCOPY,
    EVENT_SUSPENDED_POSTCOPY_FAILED,

    EVENT_RESUMED, /* any detail */

    EVENT_STOPPED_SHUTDOWN,
    EVENT_STOPPED_DESTROYED,
    EVENT_STOPPED_CRASHED,
    EVENT_STOPPED_MIGRATED,
    EVENT_STOPPED_SAVED,
    EVENT_STOPPED_FAILED,
    EVENT_STOPPED_FROM_SNAPSHOT,

    EVENT_SHUTDOWN_FINISHED, /* detail not told by this hypervisor */
    EVENT_SHUTDOWN_GUEST,
    EVENT_SHUTDOWN_HOST,

    EVENT_PM_SUSPENDED, /* any detail */

    EVENT_CRASHED_PANICKED,
    EVENT_CRASHED_CRASHLOADED,

    EVENT_REBOOT,
    EVENT_WATCHDOG,     /* fired, and paused, reset or merely reported */
    EVENT_WATCHDOG_OFF, /* fired, and is configured to power off or shut down */
    EVENT_AGENT_CONNECTED,
    EVENT_AGENT_DISCONNECTED,

    /*
     * Not told by libvirt: the kernel tells that the machine's QEMU has ended, before libvirt has noticed. If a shutdown
     * was told before, QEMU still ran when it was. All other ends are left to libvirt's word.
     */
    EVENT_ENDED_KILLED, /* by SIGKILL, which libvirt surely did not send */
    EVENT_ENDED_EXITED, /* with exit status 0 */

    EVENT_UNLISTED, /* a lifecycle event newer than this program */
    EVENT_COUNT,
};

/* "stopped/crashed" and so on: libvirt's words, where they are libvirt's. */
const char *domain_event_name(enum domain_event_kind kind);

/* The machine has started, or stopped, as libvirt says. */
bool domain_event_is_start(enum domain_event_kind kind);
bool domain_event_is_stop(enum domain_event_kind kind);

/* After it, more than the state may be different from what was last read. */
bool domain_event_changes_description(enum domain_event_kind kind);

struct domain_event {
    enum domain_event_kind kind;
    char uuid[UUID_TEXT_SIZE];
    const char *name; /* borrowed, valid during the call */
    struct moment at; /* when the callback was called */
};

#endif
