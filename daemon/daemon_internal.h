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
#include "coordinator/coordinator.h"
#include "hooks/fence.h"
#include "hooks/hooks.h"
#include "hypervisor/hypervisor.h"
#include "service/host.h"
#include "store/store.h"

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
    struct config *started_with; /* what is only read at the start is in force as it stands here */
    struct coordinator *coordinator;
    struct node *nodes;
    size_t n_nodes;
    struct api *api;
    struct drill *drills;
    struct store *store;
    struct hooks *hooks;
    struct fencer *fencer;
    struct host *host;
    struct local *locals;    /* actions that the daemon performs itself, not answered yet */
    struct errand *errands;  /* runs of hooks that have not ended */
    uint64_t last_run;       /* of hooks that nobody waits for */
    int64_t clock_offset_us; /* as last seen: a change tells that the host slept or its clock was set */
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

/* ---- local.c ---- */

/* True: an action that the daemon performs itself, and has begun or answered. */
bool local_perform(struct daemon *daemon, const struct action *action);
/* The answer to such an action; unknown ids are ignored. */
void local_answer(struct daemon *daemon, uint64_t id, int error, const char *message);
void local_forget_all(struct daemon *daemon);

/* ---- persistence.c ---- */

/* Opens the store and hands what it holds to the coordinator. */
int persistence_open(struct daemon *daemon) _must_check_;
/* Writes down what has changed. */
void persistence_write(struct daemon *daemon);
/* Writes one recovery with a ticket: answered through local_answer. */
void persistence_write_intent(struct daemon *daemon, const struct action *action);
/* The same for what is known of the action's target. */
void persistence_write_machine(struct daemon *daemon, const struct action *action);
void persistence_close(struct daemon *daemon);

/* ---- external.c ---- */

int external_open(struct daemon *daemon) _must_check_;
/* Kills what still runs. */
void external_close(struct daemon *daemon);
/* Pre-start hooks, or the command that verifies: answered through local_answer. */
void external_run(struct daemon *daemon, const struct action *action);
/* The fence agent: answered through local_answer. */
void external_fence(struct daemon *daemon, const struct action *action);
/* Hooks that nobody waits for, where the notice calls for some. */
void external_tell(struct daemon *daemon, const struct notice *notice);

/* ---- nodes.c ---- */

struct node *nodes_find(struct daemon *daemon, const char *name);
/*
 * Starts to connect to every hypervisor of config that is not watched yet under its name and URI. -ENOMEM: none is
 * added. What they tell comes from the event loop, so config can still be put in force after this.
 */
int nodes_add(struct daemon *daemon, const struct config *config) _must_check_;
/* Takes back what nodes_add has added to the n_before that were there. */
void nodes_take_back(struct daemon *daemon, size_t n_before);
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

/* Reads the configuration file again. One that is wrong changes nothing; daemon->reload_error says why then. */
void daemon_reload(struct daemon *daemon);
/* Keys that have changed since the start and that only a restart puts in force, with ", " between; NULL: none. */
char *reload_waiting_keys(const struct daemon *daemon) _must_check_;

#endif
