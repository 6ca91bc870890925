/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads what it tells from the coordinator and the settings; keeps only what was told last. */
#include "manager.h"

#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/coordinator.h"
#include "nodes.h"
#include "service/clock.h"
#include "service/log.h"
#include "service/notify.h"
#include "service/timing.h"
#include "settings.h"

static size_t count_under_way(const struct coordinator *coordinator)
{
    size_t count = 0;

    for (size_t i = 0; i < coordinator_recovery_count(coordinator); i++)
        if (!recovery_state_is_final(coordinator_recovery(coordinator, i)->state))
            count++;
    return count;
}

/* Caller frees. NULL: out of memory. */
static char *format_status(const struct manager *manager)
{
    const struct coordinator *coordinator = manager->coordinator;
    const struct settings *settings = manager->settings;
    size_t n_machines = 0, n_connected = 0, n_hypervisors = coordinator_hypervisor_count(coordinator);
    _cleanup_(freep) char *waiting = settings_waiting_keys(settings);
    char *status;
    int length;

    for (size_t i = 0; i < n_hypervisors; i++) {
        struct hypervisor_status one = coordinator_hypervisor(coordinator, i);

        n_machines += one.machines;
        n_connected += one.is_connected;
    }
    length = asprintf(&status, "%s%s%zu machine%s on %zu of %zu hypervisors, %zu recoveries under way%s%s%s%s",
                      settings->config->mode == MODE_OBSERVE ? "observing only: " : "",
                      coordinator_is_braked(coordinator) ? "BRAKE ON (understudyctl release brake): " : "", n_machines,
                      PLURAL(n_machines), n_connected, n_hypervisors, count_under_way(coordinator),
                      waiting != NULL ? "; a restart is needed for " : "", waiting != NULL ? waiting : "",
                      settings->reload_error != NULL ? "; reload failed: " : "",
                      settings->reload_error != NULL ? settings->reload_error : "");
    return length < 0 ? NULL : status;
}

void manager_tell_status(struct manager *manager)
{
    _cleanup_(freep) char *status = format_status(manager);

    /* Telling may block on a service manager that does not read. */
    if (status == NULL || (manager->status != NULL && strcmp(manager->status, status) == 0))
        return;
    notify_status(status);
    free(manager->status);
    manager->status = steal_pointer(&status);
}

/* A hypervisor that is down must not keep the service manager waiting until it gives the daemon up. */
static bool has_looked_everywhere(const struct coordinator *coordinator)
{
    for (size_t i = 0; i < coordinator_hypervisor_count(coordinator); i++) {
        struct hypervisor_status status = coordinator_hypervisor(coordinator, i);

        if (!status.is_listed && status.trouble == NULL)
            return false;
    }
    return true;
}

void manager_warn_of_missing_roles(const struct manager *manager)
{
    const struct config *config = manager->settings->config;
    const struct pool *pool = coordinator_pool(manager->coordinator);

    if (!manager->is_ready || config->pool.protect.count > 0 || config->pool.standby.count > 0)
        return;
    for (const struct machine *machine = NULL; (machine = pool_next(pool, machine)) != NULL;)
        if ((machine->roles & (ROLE_PROTECTED | ROLE_STANDBY)) != 0 || machine->description->template != NULL)
            return;
    log_event(MESSAGE_NO_ROLES, NULL,
              "no machine is protected, and none is standby: pool.protect and pool.standby of %s are empty, and no "
              "machine has a role in its metadata",
              config->file);
}

/* The first that has not been listed since the start. */
static const char *find_unlisted(const struct coordinator *coordinator)
{
    for (size_t i = 0; i < coordinator_hypervisor_count(coordinator); i++) {
        struct hypervisor_status status = coordinator_hypervisor(coordinator, i);

        if (!status.is_listed)
            return status.name;
    }
    return "a hypervisor";
}

/* By the word that "understudyctl status" has, too. */
static void log_ready(struct manager *manager)
{
    size_t n_machines = pool_count(coordinator_pool(manager->coordinator));

    manager->has_listed_all = coordinator_is_ready(manager->coordinator);
    if (manager->has_listed_all)
        log_event(MESSAGE_READY, NULL, "ready: %zu machine%s in the pool", n_machines, PLURAL(n_machines));
    else
        log_event(MESSAGE_PARTLY_READY, NULL,
                  "watching %zu machine%s, but not ready: %s is not listed yet, and none of its machines is watched",
                  n_machines, PLURAL(n_machines), find_unlisted(manager->coordinator));
}

void manager_tell_ready(struct manager *manager)
{
    if (manager->is_ready && !manager->has_listed_all && coordinator_is_ready(manager->coordinator))
        log_ready(manager);
    if (manager->is_ready || !has_looked_everywhere(manager->coordinator))
        return;
    manager->is_ready = true;
    log_ready(manager);
    manager_warn_of_missing_roles(manager);
    notify_ready();
    manager_tell_status(manager);
}

void manager_tell_reloading(struct manager *manager)
{
    (void)manager;
    notify_reloading(clock_now().mono_us);
}

void manager_tell_reloaded(struct manager *manager)
{
    if (manager->is_ready)
        notify_ready();
    manager_tell_status(manager);
}

void manager_tell_stopping(struct manager *manager, const char *why)
{
    log_event(MESSAGE_STOPPING, NULL,
              "stopping (%s): no machine is watched until the next start; %zu recoveries under way go on then", why,
              count_under_way(manager->coordinator));
    notify_stopping();
}

/* The watchdog is fed only while the event loop turns and no call to a local hypervisor is past its deadline. */
static void on_watchdog(evutil_socket_t fd, short what, void *context)
{
    struct manager *manager = context;
    const char *stuck = nodes_stuck(manager->nodes);

    (void)fd;
    (void)what;
    if (stuck != NULL && !manager->is_stuck)
        log_event(MESSAGE_CALL_HANGS, NULL,
                  "%s: a call to this local hypervisor hangs; unless it returns soon, the watchdog of systemd starts "
                  "understudyd again; look at its libvirtd: systemctl status libvirtd",
                  stuck);
    manager->is_stuck = stuck != NULL;
    if (stuck == NULL)
        notify_watchdog();
    timing_wait_for_tick(manager->watchdog, notify_watchdog_interval_us());
}

int manager_open(struct manager *manager, struct event_base *base)
{
    int64_t interval_us = notify_watchdog_interval_us();

    if (interval_us == 0)
        return 0;
    manager->watchdog = evtimer_new(base, on_watchdog, manager);
    return manager->watchdog == NULL || timing_wait_for_tick(manager->watchdog, interval_us) < 0 ? -ENOMEM : 0;
}

void manager_done(struct manager *manager)
{
    if (manager->watchdog != NULL)
        event_free(manager->watchdog);
    free(manager->status);
    *manager = (struct manager){0};
}
