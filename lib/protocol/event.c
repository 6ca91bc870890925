/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Words for events. */
#include "protocol/event.h"

static const char *const names[EVENT_COUNT] = {
    [EVENT_DEFINED] = "defined",
    [EVENT_UNDEFINED] = "undefined",
    [EVENT_CHANGED] = "changed",
    [EVENT_STARTED_BOOTED] = "started/booted",
    [EVENT_STARTED_MIGRATED] = "started/migrated",
    [EVENT_STARTED_RESTORED] = "started/restored",
    [EVENT_STARTED_FROM_SNAPSHOT] = "started/from-snapshot",
    [EVENT_STARTED_WAKEUP] = "started/wakeup",
    [EVENT_SUSPENDED_PAUSED] = "suspended/paused",
    [EVENT_SUSPENDED_MIGRATED] = "suspended/migrated",
    [EVENT_SUSPENDED_IO_ERROR] = "suspended/io-error",
    [EVENT_SUSPENDED_WATCHDOG] = "suspended/watchdog",
    [EVENT_SUSPENDED_RESTORED] = "suspended/restored",
    [EVENT_SUSPENDED_FROM_SNAPSHOT] = "suspended/from-snapshot",
    [EVENT_SUSPENDED_API_ERROR] = "suspended/api-error",
    [EVENT_SUSPENDED_POSTCOPY] = "suspended/postcopy",
    [EVENT_SUSPENDED_POSTCOPY_FAILED] = "suspended/postcopy-failed",
    [EVENT_RESUMED] = "resumed",
    [EVENT_STOPPED_SHUTDOWN] = "stopped/shutdown",
    [EVENT_STOPPED_DESTROYED] = "stopped/destroyed",
    [EVENT_STOPPED_CRASHED] = "stopped/crashed",
    [EVENT_STOPPED_MIGRATED] = "stopped/migrated",
    [EVENT_STOPPED_SAVED] = "stopped/saved",
    [EVENT_STOPPED_FAILED] = "stopped/failed",
    [EVENT_STOPPED_FROM_SNAPSHOT] = "stopped/from-snapshot",
    [EVENT_SHUTDOWN_FINISHED] = "shutdown/finished",
    [EVENT_SHUTDOWN_GUEST] = "shutdown/guest",
    [EVENT_SHUTDOWN_HOST] = "shutdown/host",
    [EVENT_PM_SUSPENDED] = "pmsuspended",
    [EVENT_CRASHED_PANICKED] = "crashed/panicked",
    [EVENT_CRASHED_CRASHLOADED] = "crashed/crashloaded",
    [EVENT_REBOOT] = "reboot",
    [EVENT_WATCHDOG] = "watchdog",
    [EVENT_WATCHDOG_OFF] = "watchdog/off",
    [EVENT_AGENT_CONNECTED] = "agent/connected",
    [EVENT_AGENT_DISCONNECTED] = "agent/disconnected",
    [EVENT_UNLISTED] = "unlisted",
};

const char *domain_event_name(enum domain_event_kind kind)
{
    return names[kind];
}
