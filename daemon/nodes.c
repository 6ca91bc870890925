/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The hypervisors of the configuration, and what they tell, handed to the coordinator. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon_internal.h"
#include "service/clock.h"
#include "service/log.h"

/* At the end, calls under way get this long before they are left behind. */
#define STOP_GRACE_US (2 * USEC_PER_SEC)

struct node *nodes_find(struct daemon *daemon, const char *name)
{
    for (size_t i = 0; i < daemon->n_nodes; i++)
        if (strcmp(daemon->nodes[i].name, name) == 0)
            return &daemon->nodes[i];
    return NULL;
}

static void on_connected(void *context, const char *hypervisor)
{
    struct daemon *daemon = context;

    coordinator_handle_connected(daemon->coordinator, hypervisor, clock_now());
    daemon_pump(daemon);
}

static void on_disconnected(void *context, const char *hypervisor, const char *why)
{
    struct daemon *daemon = context;

    coordinator_handle_disconnected(daemon->coordinator, hypervisor, why, clock_now());
    daemon_pump(daemon);
}

static void on_event(void *context, const char *hypervisor, const struct domain_event *event)
{
    struct daemon *daemon = context;

    log_line(LOG_DEBUG, "%s/%s: %s", hypervisor, event->name, domain_event_name(event->kind));
    coordinator_handle_event(daemon->coordinator, hypervisor, event);
    daemon_pump(daemon);
}

static void on_inventory(void *context, const struct action *action, struct inventory *inventory)
{
    struct daemon *daemon = context;

    coordinator_handle_inventory(daemon->coordinator, action, inventory, clock_now());
    daemon_pump(daemon);
}

static void on_inspection(void *context, const struct action *action, struct domain_report *report)
{
    struct daemon *daemon = context;

    coordinator_handle_inspection(daemon->coordinator, action, report, clock_now());
    daemon_pump(daemon);
}

static void on_result(void *context, const struct action *action, const struct action_result *result)
{
    struct daemon *daemon = context;

    if (backend_answer_drill(daemon, result))
        return;
    if (result->error < 0)
        log_line(LOG_DEBUG, "%s of %s/%s: %s", action_kind_name(action->kind), action->target.hypervisor,
                 action->target.uuid, result->message);
    coordinator_handle_result(daemon->coordinator, action, result, clock_now());
    daemon_pump(daemon);
}

static void on_came_back(void *context, const struct action *action, const struct action_result *result)
{
    struct daemon *daemon = context;

    coordinator_handle_late_result(daemon->coordinator, action, result, clock_now());
    daemon_pump(daemon);
}

static void on_capacity(void *context, const struct machine_ref *machine, const char *source, uint64_t capacity_bytes)
{
    struct daemon *daemon = context;

    coordinator_handle_capacity(daemon->coordinator, machine, source, capacity_bytes);
}

static void on_refused(void *context, const char *hypervisor)
{
    struct daemon *daemon = context;

    coordinator_handle_refused(daemon->coordinator, hypervisor, clock_now());
    daemon_pump(daemon);
}

static void on_overdue(void *context, const char *hypervisor, const char *call, int64_t for_us)
{
    struct daemon *daemon = context;
    _cleanup_(freep) char *text = NULL;

    if (asprintf(&text, "%s: %s has not returned for %.1f s; not waited for any longer", hypervisor, call,
                 (double)for_us / (double)USEC_PER_SEC) < 0)
        text = NULL;
    coordinator_note(daemon->coordinator, NOTICE_CALL_OVERDUE, NULL, text != NULL ? text : call, clock_now());
    daemon_pump(daemon);
}

static void on_fault(void *context, const struct machine_ref *machine, const char *text)
{
    struct daemon *daemon = context;

    coordinator_note(daemon->coordinator, NOTICE_MACHINE_FAULT, machine, text, clock_now());
    daemon_pump(daemon);
}

static const struct hypervisor_callbacks hypervisor_callbacks = {
    .connected = on_connected,
    .disconnected = on_disconnected,
    .refused = on_refused,
    .event = on_event,
    .inventory = on_inventory,
    .inspection = on_inspection,
    .result = on_result,
    .capacity = on_capacity,
    .overdue = on_overdue,
    .came_back = on_came_back,
    .fault = on_fault,
};

static void node_done(struct node *node)
{
    hypervisor_free(node->hypervisor, STOP_GRACE_US);
    free(node->name);
    free(node->uri);
    *node = (struct node){0};
}

/* So often that a host which is there again is reached before it counts as lost. */
static int64_t reconnect_max_us(const struct config *config)
{
    int64_t third_us = config->host_timeout_us / 3;

    return config->discovery.reconnect_max_us < third_us ? config->discovery.reconnect_max_us : third_us;
}

static int node_init(struct daemon *daemon, const struct config *config, const struct config_hypervisor *entry,
                     struct node *node)
{
    struct hypervisor_options options = {
        .name = entry->name,
        .uri = entry->uri,
        .call_timeout_us = config->recovery.call_timeout_us,
        .reconnect_max_us = reconnect_max_us(config),
    };
    int r;

    node->name = strdup(entry->name);
    node->uri = strdup(entry->uri);
    if (node->name == NULL || node->uri == NULL)
        r = -ENOMEM;
    else
        r = hypervisor_new(daemon->base, &options, &hypervisor_callbacks, daemon, &node->hypervisor);
    if (r < 0) {
        free(node->name);
        free(node->uri);
        *node = (struct node){0};
    }
    return r;
}

static bool is_still_configured(const struct config *config, const struct node *node)
{
    for (size_t i = 0; i < config->n_hypervisors; i++)
        if (strcmp(config->hypervisors[i].name, node->name) == 0 && strcmp(config->hypervisors[i].uri, node->uri) == 0)
            return true;
    return false;
}

void nodes_drop(struct daemon *daemon, const struct config *config)
{
    for (size_t i = 0; i < daemon->n_nodes;) {
        struct node *node = &daemon->nodes[i];

        if (config != NULL && is_still_configured(config, node)) {
            hypervisor_set_timeouts(node->hypervisor, config->recovery.call_timeout_us, reconnect_max_us(config));
            i++;
            continue;
        }
        coordinator_handle_disconnected(daemon->coordinator, node->name, "no longer configured", clock_now());
        node_done(node);
        daemon->nodes[i] = daemon->nodes[--daemon->n_nodes];
    }
}

static bool is_watched(const struct daemon *daemon, const struct config_hypervisor *entry)
{
    for (size_t i = 0; i < daemon->n_nodes; i++)
        if (strcmp(daemon->nodes[i].name, entry->name) == 0 && strcmp(daemon->nodes[i].uri, entry->uri) == 0)
            return true;
    return false;
}

void nodes_take_back(struct daemon *daemon, size_t n_before)
{
    while (daemon->n_nodes > n_before)
        node_done(&daemon->nodes[--daemon->n_nodes]);
}

int nodes_add(struct daemon *daemon, const struct config *config)
{
    size_t n_before = daemon->n_nodes;
    struct node *nodes = reallocarray(daemon->nodes, config->n_hypervisors + n_before, sizeof(*nodes));

    if (nodes == NULL)
        return -ENOMEM;
    daemon->nodes = nodes;
    for (size_t i = 0; i < config->n_hypervisors; i++) {
        int r;

        if (is_watched(daemon, &config->hypervisors[i]))
            continue;
        r = node_init(daemon, config, &config->hypervisors[i], &nodes[daemon->n_nodes]);
        if (r < 0) {
            log_line(LOG_ERR, "%s: cannot be watched: %s", config->hypervisors[i].name, strerror(-r));
            nodes_take_back(daemon, n_before);
            return r;
        }
        daemon->n_nodes++;
    }
    return 0;
}
