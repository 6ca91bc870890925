/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files that put the daemon together share, and nobody else includes. Main thread only. */
#ifndef UNDERSTUDY_DAEMON_INTERNAL_H
#define UNDERSTUDY_DAEMON_INTERNAL_H

#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/api.h"
#include "config/config.h"
#include "failover/coordinator.h"
#include "hypervisor/hypervisor.h"

/* One configured hypervisor. */
struct node {
    char *name;
    char *uri;
    struct hypervisor *hypervisor;
};

/* A drill whose crash was asked for and not answered yet. */
struct drill {
    uint64_t action_id;
    api_drill_done done;
    void *token;
    struct drill *next;
};

struct daemon {
    struct event_base *base;
    struct event *timer; /* at coordinator_deadline */
    struct event *watchdog;
    struct event *signals[4];
    struct config *config;
    struct coordinator *coordinator;
    struct node *nodes;
    size_t n_nodes;
    struct api *api;
    struct drill *drills;
    uint64_t last_drill;
    struct moment started;
    char *status;       /* as last told to systemd */
    char *reload_error; /* NULL: the last reload went well, or there was none */
    bool is_ready;
    bool is_stuck; /* a hypervisor call is past its deadline */
};

/* ---- daemon.c ---- */

/* After everything that came in: what the coordinator asks for and tells goes out. */
void daemon_pump(struct daemon *daemon);
void daemon_tell_status(struct daemon *daemon);

/* ---- nodes.c ---- */

struct node *nodes_find(struct daemon *daemon, const char *name);
/* Starts watching every configured hypervisor that is not watched yet. */
int nodes_add(struct daemon *daemon) _must_check_;
/* Stops watching what config does not have (any more); NULL: everything. The others take its timeouts. */
void nodes_drop(struct daemon *daemon, const struct config *config);

/* ---- backend.c ---- */

/* What the API sees of the daemon; its context is the daemon. */
extern const struct api_backend backend;
/* True: the answer belonged to a drill. */
bool backend_answer_drill(struct daemon *daemon, const struct action_result *result);
/* Answers every drill that waits: the daemon ends. */
void backend_cancel_drills(struct daemon *daemon);

/* ---- reload.c ---- */

/* Reads the configuration file again. One that is wrong changes nothing. */
void daemon_reload(struct daemon *daemon);

#endif
