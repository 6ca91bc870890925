/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the coordinator knows, and the facts that are left for its components. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define uthash_nonfatal_oom(element) ((element)->lost = true)
#define HASH_NONFATAL_OOM            1
#include "coordinator/registry.h"

#include "model/uri.h"

int registry_init(struct registry *registry)
{
    int r = feature_table_new(&registry->features);

    if (r == 0)
        r = pool_new(registry->features, &registry->pool);
    registry->outbox.pool = registry->pool;
    return r;
}

/* ---- hosts ---- */

struct host *host_find(const struct registry *registry, const char *hypervisor)
{
    for (size_t i = 0; i < registry->n_hosts; i++)
        if (strcmp(registry->hosts[i].name, hypervisor) == 0)
            return &registry->hosts[i];
    return NULL;
}

void host_tell(struct host *host, enum host_reader reader, enum host_fact fact)
{
    host->facts[reader] |= fact;
}

unsigned host_take(struct host *host, enum host_reader reader)
{
    unsigned facts = host->facts[reader];

    host->facts[reader] = 0;
    return facts;
}

void host_set_reachable(struct registry *registry, const struct host *host, bool is_reachable)
{
    for (struct machine *machine = pool_next(registry->pool, NULL); machine != NULL;
         machine = pool_next(registry->pool, machine))
        if (strcmp(machine->hypervisor, host->name) == 0)
            machine->is_reachable = is_reachable;
}

void host_list_at(struct host *host, int64_t at_us)
{
    if (at_us < host->list_at_us)
        host->list_at_us = at_us;
}

bool host_is_fenced(const struct registry *registry, const char *hypervisor)
{
    const struct host *host = host_find(registry, hypervisor);

    return host != NULL && host->track.state == HOST_FENCED;
}

static struct host host_new(const char *name)
{
    struct host host = {
        .list_at_us = USEC_INFINITY,
        .heard_us = INT64_MIN,
        .track = {.deadline_us = USEC_INFINITY},
    };

    strncpy(host.name, name, sizeof(host.name) - 1);
    return host;
}

/* In the configuration in force; NULL: it is not there. */
static const char *uri_of(const struct registry *registry, const char *hypervisor)
{
    for (size_t i = 0; registry->config != NULL && i < registry->config->n_hypervisors; i++)
        if (strcmp(registry->config->hypervisors[i].name, hypervisor) == 0)
            return registry->config->hypervisors[i].uri;
    return NULL;
}

/* The hosts of a configuration: those that stay are moved over from the old ones. */
static int hosts_new(const struct registry *registry, const struct config *config, struct host **ret)
{
    struct host *hosts = calloc(config->n_hypervisors + 1, sizeof(*hosts));

    if (hosts == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < config->n_hypervisors; i++) {
        struct host *old = host_find(registry, config->hypervisors[i].name);
        const char *old_uri = uri_of(registry, config->hypervisors[i].name);

        hosts[i] = old != NULL ? *old : host_new(config->hypervisors[i].name);
        hosts[i].is_local = uri_is_local(config->hypervisors[i].uri);
        if (old_uri != NULL && strcmp(old_uri, config->hypervisors[i].uri) != 0) {
            hosts[i].is_unproven = true;
            hosts[i].uptime_us = 0; /* it may be another host */
        }
        if (old != NULL) {
            old->trouble = NULL;
            old->track.trouble = NULL;
        }
    }
    *ret = hosts;
    return 0;
}

static void hosts_replace(struct registry *registry, struct host *hosts, size_t n_hosts)
{
    for (size_t i = 0; i < registry->n_hosts; i++) {
        free(registry->hosts[i].trouble);
        host_done(&registry->hosts[i].track);
    }
    free(registry->hosts);
    registry->hosts = hosts;
    registry->n_hosts = n_hosts;
}

int registry_configure(struct registry *registry, const struct config *config)
{
    _cleanup_(similarity_rules_freep) struct similarity_rules *rules = NULL;
    struct host *hosts = NULL;
    int r = similarity_rules_new(&config->similarity, registry->features, &rules);

    if (r < 0)
        return r;
    r = pool_configure(registry->pool, config);
    if (r == 0)
        r = hosts_new(registry, config, &hosts);
    if (r < 0) {
        /* Best effort: with as little memory as this, some of the old facts may be missing. */
        if (registry->config != NULL)
            (void)!pool_configure(registry->pool, registry->config);
        return r;
    }
    registry->config = config;
    hosts_replace(registry, hosts, config->n_hypervisors);
    similarity_rules_free(registry->rules);
    registry->rules = steal_pointer(&rules);
    return 0;
}

/* ---- machines ---- */

struct watch *watch_find(const struct registry *registry, const struct machine_ref *ref)
{
    struct watch *watch;

    HASH_FIND(hh, registry->watches, ref, sizeof(*ref), watch);
    return watch;
}

struct watch *watch_of(const struct registry *registry, const struct machine *machine)
{
    struct machine_ref ref = machine_ref_of(machine);

    return watch_find(registry, &ref);
}

struct machine *watch_machine(const struct registry *registry, const struct watch *watch)
{
    return pool_find(registry->pool, watch->ref.hypervisor, watch->ref.uuid);
}

struct watch *watch_get(struct registry *registry, const char *hypervisor, const char *uuid)
{
    struct machine_ref ref = {0};
    struct watch *watch;

    strncpy(ref.hypervisor, hypervisor, sizeof(ref.hypervisor) - 1);
    strncpy(ref.uuid, uuid, sizeof(ref.uuid) - 1);
    watch = watch_find(registry, &ref);
    if (watch != NULL)
        return watch;
    watch = calloc(1, sizeof(*watch));
    if (watch == NULL)
        return NULL;
    watch->ref = ref;
    watch->deferred.retry_us = USEC_INFINITY;
    HASH_ADD(hh, registry->watches, ref, sizeof(watch->ref), watch);
    if (watch->lost) {
        free(watch);
        return NULL;
    }
    return watch;
}

bool watch_is_taken(const struct watch *watch)
{
    return watch->recovers != NULL || watch->serves != NULL || watch->warms != NULL;
}

bool watch_was_kept(const struct registry *registry, const struct watch *watch)
{
    return watch->warms == NULL && watch->remembered.keeping != KEEPING_NONE &&
           !records_was_taken(&registry->records, &watch->ref, watch->remembered.kept_since_us);
}

void watch_tell(struct registry *registry, struct watch *watch, enum machine_queue queue, enum machine_fact fact)
{
    if (watch->facts[queue] == 0) {
        watch->next[queue] = NULL;
        if (registry->queues[queue].first == NULL)
            registry->queues[queue].first = watch;
        else
            registry->queues[queue].last->next[queue] = watch;
        registry->queues[queue].last = watch;
    }
    watch->facts[queue] = (uint8_t)(watch->facts[queue] | fact);
}

struct watch *watch_take(struct registry *registry, enum machine_queue queue, unsigned *ret_facts)
{
    struct watch *watch = registry->queues[queue].first;

    if (watch == NULL)
        return NULL;
    registry->queues[queue].first = watch->next[queue];
    *ret_facts = watch->facts[queue];
    watch->facts[queue] = 0;
    return watch;
}

static void leave_queue(struct registry *registry, struct watch *watch, enum machine_queue queue)
{
    struct watch **at = &registry->queues[queue].first, *before = NULL;

    if (watch->facts[queue] == 0)
        return;
    while (*at != watch) {
        before = *at;
        at = &before->next[queue];
    }
    *at = watch->next[queue];
    if (registry->queues[queue].last == watch)
        registry->queues[queue].last = before;
}

void watch_discard(struct registry *registry, struct watch *watch)
{
    for (enum machine_queue queue = 0; queue < QUEUE_COUNT; queue++)
        leave_queue(registry, watch, queue);
    string_list_done(&watch->remembered_learned);
    HASH_DEL(registry->watches, watch); /* NOLINT(clang-analyzer-core.NullDereference): it is in the table */
    free(watch);
}

void watch_mark_changed(struct registry *registry, struct watch *watch)
{
    watch_tell(registry, watch, QUEUE_WRITE, MACHINE_FACT_DUE);
}

struct action registry_new_action(struct registry *registry, enum part owner, enum action_kind kind,
                                  const struct machine_ref *target, int64_t timeout_us)
{
    return (struct action){
        .id = outbox_new_id(&registry->outbox, owner),
        .kind = kind,
        .target = *target,
        .as_of = registry->events,
        .timeout_us = timeout_us,
    };
}

bool machine_runs_elsewhere(const struct registry *registry, const struct machine *machine)
{
    for (size_t i = 0; i < registry->n_hosts; i++) {
        const struct host *host = &registry->hosts[i];
        const struct machine *other;

        if (!host->is_listed || strcmp(host->name, machine->hypervisor) == 0)
            continue;
        other = pool_find(registry->pool, host->name, machine->uuid);
        if (other != NULL && machine_state_is_active(other->state))
            return true;
    }
    return false;
}

/* ---- facts about the whole ---- */

void registry_tell(struct registry *registry, enum fact fact)
{
    registry->facts |= 1u << fact;
}

bool registry_take(struct registry *registry, enum fact fact)
{
    bool was_left = (registry->facts & 1u << fact) != 0;

    registry->facts &= ~(1u << fact);
    return was_left;
}

void registry_done(struct registry *registry)
{
    struct watch *watch, *next;

    HASH_ITER(hh, registry->watches, watch, next)
    {
        watch_discard(registry, watch);
    }
    hosts_replace(registry, NULL, 0);
    records_done(&registry->records);
    outbox_done(&registry->outbox);
    pool_free(registry->pool);
    similarity_rules_free(registry->rules);
    feature_table_free(registry->features);
}
