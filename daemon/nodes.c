/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One hypervisor for each entry of the configuration, and callbacks that hand on what it tells. */
#include "nodes.h"

#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "answers.h"
#include "config/policy.h"
#include "coordinator/coordinator.h"
#include "discovery/catalog.h"
#include "files/template_files.h"
#include "hypervisor/hypervisor.h"
#include "service/clock.h"
#include "service/log.h"

/* At the end, calls under way get this long before they are left behind. */
#define STOP_GRACE_US (2 * USEC_PER_SEC)

struct node {
    char *name;
    char *uri;
    struct hypervisor *hypervisor;
};

static void wake_pump(struct nodes *nodes)
{
    event_active(nodes->pump, 0, 0);
}

static void on_connected(void *context, const char *hypervisor)
{
    struct nodes *nodes = context;

    coordinator_handle_connected(nodes->coordinator, hypervisor, clock_now());
    wake_pump(nodes);
}

static void on_disconnected(void *context, const char *hypervisor, const char *why)
{
    struct nodes *nodes = context;

    coordinator_handle_disconnected(nodes->coordinator, hypervisor, why, clock_now());
    wake_pump(nodes);
}

static void on_event(void *context, const char *hypervisor, const struct domain_event *event)
{
    struct nodes *nodes = context;

    log_line(event->kind == EVENT_REBOOT ? LOG_INFO : LOG_DEBUG, "%s/%s: %s", hypervisor, event->name,
             domain_event_name(event->kind));
    coordinator_handle_event(nodes->coordinator, hypervisor, event);
    wake_pump(nodes);
}

static void on_inventory(void *context, const struct action *action, struct inventory *inventory)
{
    struct nodes *nodes = context;

    coordinator_handle_inventory(nodes->coordinator, action, inventory, clock_now());
    wake_pump(nodes);
}

static void on_inspection(void *context, const struct action *action, struct domain_report *report)
{
    struct nodes *nodes = context;

    coordinator_handle_description(nodes->coordinator, action, report, clock_now());
    wake_pump(nodes);
}

static void on_result(void *context, const struct action *action, const struct action_result *result)
{
    struct nodes *nodes = context;

    if (answers_give(nodes->answers, result->id, result->error, result->message))
        return;
    if (result->error < 0)
        log_line(LOG_DEBUG, "%s of %s/%s: %s", action_kind_name(action->kind), action->target.hypervisor,
                 action->target.uuid, result->message);
    coordinator_handle_result(nodes->coordinator, action, result, clock_now());
    wake_pump(nodes);
}

static void on_came_back(void *context, const struct action *action, const struct action_result *result)
{
    struct nodes *nodes = context;

    coordinator_handle_late_result(nodes->coordinator, action, result, clock_now());
    wake_pump(nodes);
}

static void on_capacity(void *context, const struct machine_ref *machine, const char *source, uint64_t capacity_bytes)
{
    struct nodes *nodes = context;

    coordinator_handle_capacity(nodes->coordinator, machine, source, capacity_bytes);
    wake_pump(nodes);
}

static void on_recognised(void *context, const char *hypervisor)
{
    struct nodes *nodes = context;

    coordinator_handle_recognised(nodes->coordinator, hypervisor, clock_now());
    wake_pump(nodes);
}

static void on_refused(void *context, const char *hypervisor)
{
    struct nodes *nodes = context;

    coordinator_handle_refused(nodes->coordinator, hypervisor, clock_now());
    wake_pump(nodes);
}

static void on_overdue(void *context, const char *hypervisor, const char *call, int64_t for_us)
{
    struct nodes *nodes = context;
    _cleanup_(freep) char *text = NULL;

    if (asprintf(&text, "%s: the call %s has not returned for %.1f s; understudyd no longer waits for it", hypervisor,
                 call, (double)for_us / (double)USEC_PER_SEC) < 0)
        text = NULL;
    coordinator_note(nodes->coordinator, NOTICE_CALL_OVERDUE, NULL, text != NULL ? text : call, clock_now());
    wake_pump(nodes);
}

static void on_fault(void *context, const struct machine_ref *machine, const char *text)
{
    struct nodes *nodes = context;

    coordinator_note(nodes->coordinator, NOTICE_MACHINE_FAULT, machine, text, clock_now());
    wake_pump(nodes);
}

static void on_noted(void *context, const struct machine_ref *machine, const char *text)
{
    struct nodes *nodes = context;

    coordinator_note(nodes->coordinator, NOTICE_EVENT_NOTED, machine, text, clock_now());
    wake_pump(nodes);
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
    .recognised = on_recognised,
    .overdue = on_overdue,
    .came_back = on_came_back,
    .fault = on_fault,
    .noted = on_noted,
};

static void node_done(struct node *node)
{
    hypervisor_free(node->hypervisor, STOP_GRACE_US);
    free(node->name);
    free(node->uri);
    *node = (struct node){0};
}

/* Short enough that a host which is back is reached before it counts as lost. */
static int64_t reconnect_max_us(const struct config *config)
{
    int64_t third_us = config->host_timeout_us / 3;

    return config->discovery.reconnect_max_us < third_us ? config->discovery.reconnect_max_us : third_us;
}

static int node_init(struct nodes *nodes, const struct config *config, const struct config_hypervisor *entry,
                     struct node *node)
{
    struct hypervisor_options options = {
        .name = entry->name,
        .uri = entry->uri,
        .call_timeout_us = config->recovery.call_timeout_us,
        .reconnect_max_us = reconnect_max_us(config),
        .catalog = nodes->catalog,
        .software = config->discovery.software,
        .templates = nodes->templates != NULL ? templates_of(nodes->templates, entry->name) : NULL,
    };
    int r;

    node->name = strdup(entry->name);
    node->uri = strdup(entry->uri);
    if (node->name == NULL || node->uri == NULL)
        r = -ENOMEM;
    else
        r = hypervisor_new(nodes->base, &options, &hypervisor_callbacks, nodes, &node->hypervisor);
    if (r < 0) {
        free(node->name);
        free(node->uri);
        *node = (struct node){0};
    }
    return r;
}

void nodes_set_catalog(struct nodes *nodes, struct catalog *catalog)
{
    catalog_free(nodes->catalog);
    nodes->catalog = catalog_ref(catalog);
}

void nodes_set_templates(struct nodes *nodes, struct templates *templates)
{
    templates_ref(templates);
    templates_free(nodes->templates);
    nodes->templates = templates;
    for (size_t i = 0; templates != NULL && i < nodes->count; i++) {
        hypervisor_set_templates(nodes->items[i].hypervisor, templates_of(templates, nodes->items[i].name));
        coordinator_handle_recognised(nodes->coordinator, nodes->items[i].name, clock_now());
    }
}

void nodes_prove_endings(struct nodes *nodes, bool is_wanted)
{
    for (size_t i = 0; i < nodes->count; i++)
        hypervisor_prove_endings(nodes->items[i].hypervisor, is_wanted);
}

const struct template_set *nodes_templates(const struct nodes *nodes)
{
    return nodes->templates != NULL ? nodes->templates->everywhere : NULL;
}

static bool is_still_configured(const struct config *config, const struct node *node)
{
    for (size_t i = 0; i < config->n_hypervisors; i++)
        if (strcmp(config->hypervisors[i].name, node->name) == 0 && strcmp(config->hypervisors[i].uri, node->uri) == 0)
            return true;
    return false;
}

/* Its calls are dropped without an answer, so who waits for one is told before. */
static void remove_node(struct nodes *nodes, size_t index)
{
    struct node node = nodes->items[index];

    nodes->items[index] = nodes->items[--nodes->count];
    coordinator_handle_disconnected(nodes->coordinator, node.name, "no longer configured", clock_now());
    answers_disconnect(nodes->answers, node.name, "the host is not watched any more: the configuration has changed");
    node_done(&node);
}

void nodes_keep(struct nodes *nodes, const struct config *config)
{
    for (size_t i = 0; i < nodes->count;) {
        struct node *node = &nodes->items[i];

        if (is_still_configured(config, node)) {
            hypervisor_set_timeouts(node->hypervisor, config->recovery.call_timeout_us, reconnect_max_us(config));
            hypervisor_set_discovery(node->hypervisor, nodes->catalog, config->discovery.software);
            i++;
        } else {
            remove_node(nodes, i);
        }
    }
    wake_pump(nodes);
}

static bool is_watched(const struct nodes *nodes, const struct config_hypervisor *entry)
{
    for (size_t i = 0; i < nodes->count; i++)
        if (strcmp(nodes->items[i].name, entry->name) == 0 && strcmp(nodes->items[i].uri, entry->uri) == 0)
            return true;
    return false;
}

void nodes_take_back(struct nodes *nodes, size_t n_before)
{
    while (nodes->count > n_before)
        node_done(&nodes->items[--nodes->count]);
}

int nodes_add(struct nodes *nodes, const struct config *config)
{
    size_t n_before = nodes->count;
    struct node *items = reallocarray(nodes->items, config->n_hypervisors + n_before, sizeof(*items));

    if (items == NULL)
        return -ENOMEM;
    nodes->items = items;
    for (size_t i = 0; i < config->n_hypervisors; i++) {
        int r;

        if (is_watched(nodes, &config->hypervisors[i]))
            continue;
        r = node_init(nodes, config, &config->hypervisors[i], &items[nodes->count]);
        if (r < 0) {
            log_line(LOG_ERR, "%s: cannot be watched: %s", config->hypervisors[i].name, strerror(-r));
            nodes_take_back(nodes, n_before);
            return r;
        }
        nodes->count++;
    }
    return 0;
}

struct hypervisor *nodes_find(const struct nodes *nodes, const char *name)
{
    for (size_t i = 0; i < nodes->count; i++)
        if (strcmp(nodes->items[i].name, name) == 0)
            return nodes->items[i].hypervisor;
    return NULL;
}

/* With what is said of its service, where a machine may have to be made for it. */
static int start(const struct nodes *nodes, struct hypervisor *hypervisor, const struct action *action)
{
    const struct recovery *recovery = coordinator_find_recovery(nodes->coordinator, action->recovery_id);
    const struct config *config = coordinator_config(nodes->coordinator);
    struct policy_sources sources;
    struct config policy = {0};

    if (recovery != NULL) {
        sources = policy_find_sources(config, recovery->service.hypervisor, recovery->service_name);
        policy = policy_apply(config, &sources);
    }
    return hypervisor_start_for(hypervisor, action, &policy.policy.hook_env);
}

int nodes_submit(const struct nodes *nodes, const struct action *action)
{
    struct hypervisor *hypervisor = nodes_find(nodes, action->target.hypervisor);

    if (hypervisor == NULL)
        return -ENOTCONN;
    return action->kind == ACTION_START ? start(nodes, hypervisor, action) : hypervisor_submit(hypervisor, action);
}

const char *nodes_stuck(const struct nodes *nodes)
{
    for (size_t i = 0; i < nodes->count; i++)
        if (hypervisor_is_stuck(nodes->items[i].hypervisor))
            return nodes->items[i].name;
    return NULL;
}

size_t nodes_call_count(const struct nodes *nodes)
{
    size_t count = 0;

    for (size_t i = 0; i < nodes->count; i++)
        count += hypervisor_call_count(nodes->items[i].hypervisor);
    return count;
}

void nodes_done(struct nodes *nodes)
{
    while (nodes->count > 0)
        remove_node(nodes, 0);
    free(nodes->items);
    nodes->items = NULL;
    nodes_set_catalog(nodes, NULL);
    nodes_set_templates(nodes, NULL);
}
