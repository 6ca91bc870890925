/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the service manager is told of the daemon: readiness, one line of status, the watchdog. Decides nothing. */
#ifndef UNDERSTUDY_DAEMON_MANAGER_H
#define UNDERSTUDY_DAEMON_MANAGER_H

#include <stdbool.h>

#include "base/cleanup.h"

struct coordinator;
struct event;
struct event_base;
struct nodes;
struct settings;

/* A plain value: initialise what is borrowed, the rest is 0. End with manager_done. */
struct manager {
    const struct coordinator *coordinator;
    const struct settings *settings;
    const struct nodes *nodes;
    struct event *watchdog; /* NULL: the service manager has none */
    char *status;           /* as last told */
    bool is_ready;          /* told so */
    bool has_listed_all;    /* and the log says so */
    bool is_stuck;          /* a hypervisor call is past its deadline, and the log says so */
};

int manager_open(struct manager *manager, struct event_base *base) _must_check_;
void manager_done(struct manager *manager);

/* Tells that the daemon is ready, once every hypervisor has been listed or has failed to connect. */
void manager_tell_ready(struct manager *manager);

/* Warns where neither the configuration nor metadata names any machine; says nothing before the daemon is ready. */
void manager_warn_of_missing_roles(const struct manager *manager);

/* Tells the line of status where it has changed. */
void manager_tell_status(struct manager *manager);

/* Around a reload, whether it went well or not. */
void manager_tell_reloading(struct manager *manager);
void manager_tell_reloaded(struct manager *manager);

/* why: the signal, in words. */
void manager_tell_stopping(struct manager *manager, const char *why);

#endif
