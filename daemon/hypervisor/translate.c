/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Switches over libvirt's enumerations without a default, so that the compiler names what a newer
 * libvirt has added. What an even newer one sends at run time falls out below each switch.
 */
#include "hypervisor/translate.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <libvirt/virterror.h>

static enum domain_event_kind started(int detail)
{
    switch ((virDomainEventStartedDetailType)detail) {
    case VIR_DOMAIN_EVENT_STARTED_BOOTED:
        return EVENT_STARTED_BOOTED;
    case VIR_DOMAIN_EVENT_STARTED_MIGRATED:
        return EVENT_STARTED_MIGRATED;
    case VIR_DOMAIN_EVENT_STARTED_RESTORED:
        return EVENT_STARTED_RESTORED;
    case VIR_DOMAIN_EVENT_STARTED_FROM_SNAPSHOT:
        return EVENT_STARTED_FROM_SNAPSHOT;
    case VIR_DOMAIN_EVENT_STARTED_WAKEUP:
        return EVENT_STARTED_WAKEUP;
    }
    return EVENT_UNLISTED;
}

static enum domain_event_kind suspended(int detail)
{
    switch ((virDomainEventSuspendedDetailType)detail) {
    case VIR_DOMAIN_EVENT_SUSPENDED_PAUSED:
        return EVENT_SUSPENDED_PAUSED;
    case VIR_DOMAIN_EVENT_SUSPENDED_MIGRATED:
        return EVENT_SUSPENDED_MIGRATED;
    case VIR_DOMAIN_EVENT_SUSPENDED_IOERROR:
        return EVENT_SUSPENDED_IO_ERROR;
    case VIR_DOMAIN_EVENT_SUSPENDED_WATCHDOG:
        return EVENT_SUSPENDED_WATCHDOG;
    case VIR_DOMAIN_EVENT_SUSPENDED_RESTORED:
        return EVENT_SUSPENDED_RESTORED;
    case VIR_DOMAIN_EVENT_SUSPENDED_FROM_SNAPSHOT:
        return EVENT_SUSPENDED_FROM_SNAPSHOT;
    case VIR_DOMAIN_EVENT_SUSPENDED_API_ERROR:
        return EVENT_SUSPENDED_API_ERROR;
    case VIR_DOMAIN_EVENT_SUSPENDED_POSTCOPY:
        return EVENT_SUSPENDED_POSTCOPY;
    case VIR_DOMAIN_EVENT_SUSPENDED_POSTCOPY_FAILED:
        return EVENT_SUSPENDED_POSTCOPY_FAILED;
    }
    return EVENT_UNLISTED;
}

static enum domain_event_kind stopped(int detail)
{
    switch ((virDomainEventStoppedDetailType)detail) {
    case VIR_DOMAIN_EVENT_STOPPED_SHUTDOWN:
        return EVENT_STOPPED_SHUTDOWN;
    case VIR_DOMAIN_EVENT_STOPPED_DESTROYED:
        return EVENT_STOPPED_DESTROYED;
    case VIR_DOMAIN_EVENT_STOPPED_CRASHED:
        return EVENT_STOPPED_CRASHED;
    case VIR_DOMAIN_EVENT_STOPPED_MIGRATED:
        return EVENT_STOPPED_MIGRATED;
    case VIR_DOMAIN_EVENT_STOPPED_SAVED:
        return EVENT_STOPPED_SAVED;
    case VIR_DOMAIN_EVENT_STOPPED_FAILED:
        return EVENT_STOPPED_FAILED;
    case VIR_DOMAIN_EVENT_STOPPED_FROM_SNAPSHOT:
        return EVENT_STOPPED_FROM_SNAPSHOT;
    }
    return EVENT_UNLISTED;
}

static enum domain_event_kind shutdown_begun(int detail)
{
    switch ((virDomainEventShutdownDetailType)detail) {
    case VIR_DOMAIN_EVENT_SHUTDOWN_FINISHED:
        return EVENT_SHUTDOWN_FINISHED;
    case VIR_DOMAIN_EVENT_SHUTDOWN_GUEST:
        return EVENT_SHUTDOWN_GUEST;
    case VIR_DOMAIN_EVENT_SHUTDOWN_HOST:
        return EVENT_SHUTDOWN_HOST;
    }
    return EVENT_UNLISTED;
}

static enum domain_event_kind crashed(int detail)
{
    switch ((virDomainEventCrashedDetailType)detail) {
    case VIR_DOMAIN_EVENT_CRASHED_PANICKED:
        return EVENT_CRASHED_PANICKED;
    case VIR_DOMAIN_EVENT_CRASHED_CRASHLOADED:
        return EVENT_CRASHED_CRASHLOADED;
    }
    return EVENT_UNLISTED;
}

enum domain_event_kind translate_lifecycle(int type, int detail)
{
    switch ((virDomainEventType)type) {
    case VIR_DOMAIN_EVENT_DEFINED:
        return EVENT_DEFINED;
    case VIR_DOMAIN_EVENT_UNDEFINED:
        return EVENT_UNDEFINED;
    case VIR_DOMAIN_EVENT_STARTED:
        return started(detail);
    case VIR_DOMAIN_EVENT_SUSPENDED:
        return suspended(detail);
    case VIR_DOMAIN_EVENT_RESUMED:
        return EVENT_RESUMED;
    case VIR_DOMAIN_EVENT_STOPPED:
        return stopped(detail);
    case VIR_DOMAIN_EVENT_SHUTDOWN:
        return shutdown_begun(detail);
    case VIR_DOMAIN_EVENT_PMSUSPENDED:
        return EVENT_PM_SUSPENDED;
    case VIR_DOMAIN_EVENT_CRASHED:
        return crashed(detail);
    }
    return EVENT_UNLISTED;
}

enum domain_event_kind translate_watchdog(int action)
{
    switch ((virDomainEventWatchdogAction)action) {
    case VIR_DOMAIN_EVENT_WATCHDOG_POWEROFF:
    case VIR_DOMAIN_EVENT_WATCHDOG_SHUTDOWN:
        return EVENT_WATCHDOG_OFF;
    case VIR_DOMAIN_EVENT_WATCHDOG_NONE:
    case VIR_DOMAIN_EVENT_WATCHDOG_PAUSE:
    case VIR_DOMAIN_EVENT_WATCHDOG_RESET:
    case VIR_DOMAIN_EVENT_WATCHDOG_DEBUG:
    case VIR_DOMAIN_EVENT_WATCHDOG_INJECTNMI:
        return EVENT_WATCHDOG;
    }
    return EVENT_WATCHDOG;
}

enum domain_event_kind translate_agent(int state)
{
    switch ((virConnectDomainEventAgentLifecycleState)state) {
    case VIR_CONNECT_DOMAIN_EVENT_AGENT_LIFECYCLE_STATE_CONNECTED:
        return EVENT_AGENT_CONNECTED;
    case VIR_CONNECT_DOMAIN_EVENT_AGENT_LIFECYCLE_STATE_DISCONNECTED:
        return EVENT_AGENT_DISCONNECTED;
    }
    return EVENT_UNLISTED;
}

static enum machine_state machine_state_of(int state)
{
    switch ((virDomainState)state) {
    case VIR_DOMAIN_NOSTATE:
    case VIR_DOMAIN_RUNNING:
    case VIR_DOMAIN_BLOCKED:
        return MACHINE_RUNNING;
    case VIR_DOMAIN_PAUSED:
        return MACHINE_PAUSED;
    case VIR_DOMAIN_SHUTDOWN:
        return MACHINE_STOPPING;
    case VIR_DOMAIN_SHUTOFF:
        return MACHINE_SHUT_OFF;
    case VIR_DOMAIN_CRASHED:
        return MACHINE_CRASHED;
    case VIR_DOMAIN_PMSUSPENDED:
        return MACHINE_SUSPENDED;
    }
    return MACHINE_UNKNOWN;
}

/* A machine reverted to a paused snapshot stays paused until it is resumed, like one paused on request. */
static enum machine_reason paused_reason(int reason)
{
    switch ((virDomainPausedReason)reason) {
    case VIR_DOMAIN_PAUSED_UNKNOWN:
#if LIBVIR_CHECK_VERSION(9, 2, 0)
    case VIR_DOMAIN_PAUSED_API_ERROR: /* as EVENT_SUSPENDED_API_ERROR: noted, and left to the operator whose call it was
                                       */
#endif
        return REASON_UNKNOWN;
    case VIR_DOMAIN_PAUSED_USER:
    case VIR_DOMAIN_PAUSED_FROM_SNAPSHOT:
        return REASON_USER;
    case VIR_DOMAIN_PAUSED_MIGRATION:
    case VIR_DOMAIN_PAUSED_SAVE:
    case VIR_DOMAIN_PAUSED_DUMP:
    case VIR_DOMAIN_PAUSED_SHUTTING_DOWN:
    case VIR_DOMAIN_PAUSED_SNAPSHOT:
    case VIR_DOMAIN_PAUSED_POSTCOPY:
        return REASON_BUSY;
    case VIR_DOMAIN_PAUSED_IOERROR:
        return REASON_IO_ERROR;
    case VIR_DOMAIN_PAUSED_WATCHDOG:
        return REASON_WATCHDOG;
    case VIR_DOMAIN_PAUSED_CRASHED:
        return REASON_PANICKED;
    case VIR_DOMAIN_PAUSED_STARTING_UP:
        return REASON_STARTING_UP;
    case VIR_DOMAIN_PAUSED_POSTCOPY_FAILED:
        return REASON_POSTCOPY_FAILED;
    }
    return REASON_UNKNOWN;
}

static enum machine_reason shut_off_reason(int reason)
{
    switch ((virDomainShutoffReason)reason) {
    case VIR_DOMAIN_SHUTOFF_UNKNOWN:
        return REASON_UNKNOWN;
    case VIR_DOMAIN_SHUTOFF_SHUTDOWN:
        return REASON_SHUTDOWN;
    case VIR_DOMAIN_SHUTOFF_DESTROYED:
        return REASON_DESTROYED;
    case VIR_DOMAIN_SHUTOFF_CRASHED:
        return REASON_CRASHED;
    case VIR_DOMAIN_SHUTOFF_MIGRATED:
        return REASON_MIGRATED;
    case VIR_DOMAIN_SHUTOFF_SAVED:
        return REASON_SAVED;
    case VIR_DOMAIN_SHUTOFF_FAILED:
        return REASON_FAILED;
    case VIR_DOMAIN_SHUTOFF_FROM_SNAPSHOT:
        return REASON_SNAPSHOT;
    case VIR_DOMAIN_SHUTOFF_DAEMON:
        return REASON_DAEMON;
    }
    return REASON_UNKNOWN;
}

void translate_state(int state, int reason, enum machine_state *ret_state, enum machine_reason *ret_reason)
{
    *ret_state = machine_state_of(state);
    if (*ret_state == MACHINE_PAUSED)
        *ret_reason = paused_reason(reason);
    else if (*ret_state == MACHINE_SHUT_OFF)
        *ret_reason = shut_off_reason(reason);
    else if (*ret_state == MACHINE_CRASHED && reason == VIR_DOMAIN_CRASHED_PANICKED)
        *ret_reason = REASON_PANICKED;
    else
        *ret_reason = REASON_UNKNOWN;
}

const char *translate_close_reason(int reason)
{
    switch ((virConnectCloseReason)reason) {
    case VIR_CONNECT_CLOSE_REASON_ERROR:
        return "the connection broke";
    case VIR_CONNECT_CLOSE_REASON_EOF:
        return "libvirt closed the connection";
    case VIR_CONNECT_CLOSE_REASON_KEEPALIVE:
        return "libvirt did not answer keepalive messages";
    case VIR_CONNECT_CLOSE_REASON_CLIENT:
        return "the connection was closed";
    }
    return "the connection was lost";
}

/*
 * Errors that mean that no host answers. No other error says that: a refused connection comes from a host that runs; a
 * name that is not found, an expired certificate or ssh without a key are faults of this side.
 */
bool translate_is_absence(int code, int system_error, const char *message)
{
    static const char *const words[] = {"No route to host", "Connection timed out", "Operation timed out",
                                        "Host is down", "Network is unreachable"};

    if (code == VIR_ERR_SYSTEM_ERROR && (system_error == EHOSTUNREACH || system_error == ETIMEDOUT ||
                                         system_error == EHOSTDOWN || system_error == ENETUNREACH))
        return true;
    for (size_t i = 0; i < ELEMENTS_OF(words); i++)
        if (strstr(message, words[i]) != NULL)
            return true;
    return false;
}

int translate_connect_error(char *message, size_t size)
{
    const virError *error = virGetLastError();
    int r = translate_last_error(NULL, message, size);

    return error != NULL && translate_is_absence(error->code, error->int1, message) ? -EHOSTUNREACH : r;
}

int translate_last_error(virConnectPtr connection, char *message, size_t size)
{
    const virError *error = virGetLastError();

    snprintf(message, size, "%s", virGetLastErrorMessage());
    /* What QEMU printed comes in lines. */
    for (char *at = message; (at = strchr(at, '\n')) != NULL;)
        *at = ' ';
    if (error != NULL && error->code == VIR_ERR_NO_DOMAIN)
        return -ENOENT;
    if (error != NULL && error->code == VIR_ERR_NO_MEMORY)
        return -ENOMEM;
    if (connection != NULL && virConnectIsAlive(connection) == 0)
        return -ENOTCONN;
    return -EIO;
}
