/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is known of each event by itself. */
#include "protocol/event.h"

static const struct {
    const char *name;
    bool changes_description; /* more than the state may be different from what was last read */
} events[EVENT_COUNT] = {
    [EVENT_DEFINED] = {"defined", true},
    [EVENT_UNDEFINED] = {"undefined", true},
    [EVENT_CHANGED] = {"changed", true},
    [EVENT_STARTED_BOOTED] = {"started/booted", true},
    [EVENT_STARTED_MIGRATED] = {"started/migrated", true},
    [EVENT_STARTED_RESTORED] = {"started/restored", true},
    [EVENT_STARTED_FROM_SNAPSHOT] = {"started/from-snapshot", true},
    [EVENT_STARTED_WAKEUP] = {"started/wakeup", false},
    [EVENT_SUSPENDED_PAUSED] = {"suspended/paused", false},
    [EVENT_SUSPENDED_MIGRATED] = {"suspended/migrated", false},
    [EVENT_SUSPENDED_IO_ERROR] = {"suspended/io-error", false},
    [EVENT_SUSPENDED_WATCHDOG] = {"suspended/watchdog", false},
    [EVENT_SUSPENDED_RESTORED] = {"suspended/restored", false},
    [EVENT_SUSPENDED_FROM_SNAPSHOT] = {"suspended/from-snapshot", false},
    [EVENT_SUSPENDED_API_ERROR] = {"suspended/api-error", false},
    [EVENT_SUSPENDED_POSTCOPY] = {"suspended/postcopy", false},
    [EVENT_SUSPENDED_POSTCOPY_FAILED] = {"suspended/postcopy-failed", false},
    [EVENT_RESUMED] = {"resumed", false},
    [EVENT_STOPPED_SHUTDOWN] = {"stopped/shutdown", true},
    [EVENT_STOPPED_DESTROYED] = {"stopped/destroyed", true},
    [EVENT_STOPPED_CRASHED] = {"stopped/crashed", true},
    [EVENT_STOPPED_MIGRATED] = {"stopped/migrated", true},
    [EVENT_STOPPED_SAVED] = {"stopped/saved", true},
    [EVENT_STOPPED_FAILED] = {"stopped/failed", true},
    [EVENT_STOPPED_FROM_SNAPSHOT] = {"stopped/from-snapshot", true},
    [EVENT_SHUTDOWN_FINISHED] = {"shutdown/finished", false},
    [EVENT_SHUTDOWN_GUEST] = {"shutdown/guest", false},
    [EVENT_SHUTDOWN_HOST] = {"shutdown/host", false},
    [EVENT_PM_SUSPENDED] = {"pmsuspended", false},
    [EVENT_CRASHED_PANICKED] = {"crashed/panicked", false},
    [EVENT_CRASHED_CRASHLOADED] = {"crashed/crashloaded", false},
    [EVENT_REBOOT] = {"reboot", false},
    [EVENT_WATCHDOG] = {"watchdog", false},
    [EVENT_WATCHDOG_OFF] = {"watchdog/off", false},
    [EVENT_AGENT_CONNECTED] = {"agent/connected", true},
    [EVENT_AGENT_DISCONNECTED] = {"agent/disconnected", true},
    [EVENT_ENDED_KILLED] = {"ended/killed", false},
    [EVENT_ENDED_EXITED] = {"ended/exited", false},
    [EVENT_UNLISTED] = {"unlisted", false},
};

const char *domain_event_name(enum domain_event_kind kind)
{
    return events[kind].name;
}

bool domain_event_changes_description(enum domain_event_kind kind)
{
    return events[kind].changes_description;
}

bool domain_event_is_start(enum domain_event_kind kind)
{
    return kind >= EVENT_STARTED_BOOTED && kind <= EVENT_STARTED_FROM_SNAPSHOT;
}

bool domain_event_is_stop(enum domain_event_kind kind)
{
    return kind >= EVENT_STOPPED_SHUTDOWN && kind <= EVENT_STOPPED_FROM_SNAPSHOT;
}
