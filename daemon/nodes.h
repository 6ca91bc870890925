/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The hypervisors of the configuration: what they tell goes to the coordinator. Main thread only. */
#ifndef UNDERSTUDY_DAEMON_NODES_H
#define UNDERSTUDY_DAEMON_NODES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"
#include "config/config.h"
#include "protocol/action.h"

struct answers;
struct catalog;
struct coordinator;
struct event;
struct event_base;
struct hypervisor;
struct node;
struct template_set;
struct templates;

/* A plain value: initialise what is borrowed, the rest is 0. End with nodes_done. */
struct nodes {
    struct event_base *base;
    struct coordinator *coordinator;
    struct answers *answers;
    struct event *pump;          /* activated after the coordinator has been told something */
    struct catalog *catalog;     /* its own reference; NULL: none yet */
    struct templates *templates; /* its own reference; NULL: none yet */
    struct node *items;
    size_t count;
};

/* What guests say is understood by this catalog from now on. */
void nodes_set_catalog(struct nodes *nodes, struct catalog *catalog);
/* From these each hypervisor, and each that is added, can make machines from now on. */
void nodes_set_templates(struct nodes *nodes, struct templates *templates);
/* As hypervisor_prove_endings, of all. */
void nodes_prove_endings(struct nodes *nodes, bool is_wanted);
/* Of all hypervisors, with their faults. NULL: none yet. */
const struct template_set *nodes_templates(const struct nodes *nodes);

/*
 * Starts to connect to every hypervisor of config that is not watched yet under its name and URI. -ENOMEM: none is
 * added. What they tell comes from the event loop, so config can still be put in force after this.
 */
int nodes_add(struct nodes *nodes, const struct config *config) _must_check_;

/* Takes back what nodes_add has added to the n_before that were there. */
void nodes_take_back(struct nodes *nodes, size_t n_before);

/* Stops watching every hypervisor that config does not have. The others take its timeouts. */
void nodes_keep(struct nodes *nodes, const struct config *config);

/* NULL: no hypervisor of that name is watched. */
struct hypervisor *nodes_find(const struct nodes *nodes, const char *name);

/* As hypervisor_submit, to the hypervisor of the action's target. -ENOTCONN: it is not watched. */
int nodes_submit(const struct nodes *nodes, const struct action *action) _must_check_;

/* A call to a hypervisor of this host is past its deadline. */
const char *nodes_stuck(const struct nodes *nodes);

/* Calls to hypervisors that are under way, or wait for a place. */
size_t nodes_call_count(const struct nodes *nodes);

/* Stops watching all of them. */
void nodes_done(struct nodes *nodes);

#endif
