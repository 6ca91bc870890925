/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the coordinator knows, and the facts that are left for its components. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/registry.h"

#include "model/uri.h"

int registry_init(struct registry *registry)
{
    int r = feature_table_new(&registry->features);

    registry->watch_index = INTERNED_EMPTY;

    if (r == 0)
        r = pool_new(registry->features, &registry->pool);
    if (r == 0)
        r = plan_new(registry->pool, &registry->plan);
    if (r == 0)
        r = chooser_new(&registry->chooser);
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
    for (const struct machine *machine = pool_next(registry->pool, NULL); machine != NULL;
         machine = pool_next(registry->pool, machine))
        if (strcmp(machine->hypervisor, host->name) == 0)
            pool_edit(registry->pool, machine)->is_reachable = is_reachable;
}

int registry_apply(struct registry *registry, const char *hypervisor, struct domain_description *description,
                   const struct machine **ret_machine)
{
    struct machine_ref ref;
    int r = pool_apply(registry->pool, hypervisor, description, ret_machine);

    if (r < 0)
        return r;
    ref = machine_ref_of(*ret_machine);
    diversions_mark(&registry->diversions, registry->pool, &ref);
    return 0;
}

bool machine_is_surely_off(const struct registry *registry, const struct machine_ref *ref)
{
    const struct machine *machine = pool_find(registry->pool, ref->hypervisor, ref->uuid);
    const struct host *host = host_find(registry, ref->hypervisor);

    if (host != NULL && !host->is_listed)
        return false;
    return machine == NULL || !machine_is_up(machine);
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
    struct host *hosts = NULL;
    int r = pool_configure(registry->pool, config);

    if (r == 0)
        r = plan_configure(registry->plan, config->recovery.check_memory);
    if (r == 0)
        r = hosts_new(registry, config, &hosts);
    if (r < 0) {
        /* Best effort: with as little memory as this, some of the old facts may be missing. */
        if (registry->config != NULL && pool_configure(registry->pool, registry->config) == 0)
            (void)!plan_configure(registry->plan, registry->config->recovery.check_memory);
        return r;
    }
    registry->config = config;
    hosts_replace(registry, hosts, config->n_hypervisors);
    return 0;
}

struct choice_request registry_request(const struct registry *registry, const struct machine *failed, struct moment now)
{
    return (struct choice_request){
        .pool = registry->pool,
        .need = machine_need(failed),
        .failed = failed,
        .host = pool_host_of(failed),
        .spared = plan_spared(registry->plan),
        .now_us = now.mono_us,
        .check_memory = registry->config->recovery.check_memory,
    };
}

/* ---- machines ---- */

struct key {
    const char *hypervisor, *uuid;
};

static uint32_t hash_of(const struct key *key)
{
    uint32_t hash = interned_hash_bytes(0, key->uuid, strlen(key->uuid));

    return interned_hash_bytes(hash, key->hypervisor, strlen(key->hypervisor));
}

static bool is_watch(const void *context, uint32_t number, const void *wanted)
{
    const struct watch *watch = ((const struct registry *)context)->watches[number];
    const struct key *key = wanted;

    return strcmp(watch->uuid, key->uuid) == 0 && strcmp(watch->hypervisor, key->hypervisor) == 0;
}

static struct watch *find(const struct registry *registry, const struct key *key)
{
    uint32_t number = interned_find(&registry->watch_index, hash_of(key), is_watch, registry, key);

    return number != INTERNED_NONE ? registry->watches[number] : NULL;
}

struct watch *watch_find(const struct registry *registry, const struct machine_ref *ref)
{
    return find(registry, &(struct key){ref->hypervisor, ref->uuid});
}

struct watch *watch_of(const struct registry *registry, const struct machine *machine)
{
    return find(registry, &(struct key){machine->hypervisor, machine->uuid});
}

struct watch *watch_next(const struct registry *registry, const struct watch *watch)
{
    for (size_t i = watch != NULL ? (size_t)watch->number + 1 : 0; i < registry->watch_index.n_slots; i++)
        if (registry->watches[i] != NULL)
            return registry->watches[i];
    return NULL;
}

struct machine_ref watch_ref(const struct watch *watch)
{
    struct machine_ref ref = {0};

    strncpy(ref.hypervisor, watch->hypervisor, sizeof(ref.hypervisor) - 1);
    memcpy(ref.uuid, watch->uuid, sizeof(ref.uuid));
    return ref;
}

const struct machine *watch_machine(const struct registry *registry, const struct watch *watch)
{
    return pool_find(registry->pool, watch->hypervisor, watch->uuid);
}

/* The name, as long as the registry lives; NULL without memory. */
static const char *hypervisor_name(struct registry *registry, const char *name)
{
    for (size_t i = 0; i < registry->hypervisors.count; i++)
        if (strcmp(registry->hypervisors.items[i], name) == 0)
            return registry->hypervisors.items[i];
    if (string_list_add(&registry->hypervisors, name) < 0)
        return NULL;
    return registry->hypervisors.items[registry->hypervisors.count - 1];
}

static int reserve_watch(struct registry *registry)
{
    struct watch **watches;

    if (interned_reserve(&registry->watch_index) < 0)
        return -ENOMEM;
    if (registry->watch_index.slot_room <= registry->watch_room)
        return 0;
    watches = reallocarray(registry->watches, registry->watch_index.slot_room, sizeof(struct watch *));
    if (watches == NULL)
        return -ENOMEM;
    memset(&watches[registry->watch_room], 0,
           (registry->watch_index.slot_room - registry->watch_room) * sizeof(struct watch *));
    registry->watches = watches;
    registry->watch_room = registry->watch_index.slot_room;
    return 0;
}

struct watch *watch_get(struct registry *registry, const char *hypervisor, const char *uuid)
{
    struct key key = {hypervisor, uuid};
    struct watch *watch = find(registry, &key);
    const char *name;

    if (watch != NULL)
        return watch;
    name = hypervisor_name(registry, hypervisor);
    watch = name != NULL && reserve_watch(registry) == 0 ? calloc(1, sizeof(*watch)) : NULL;
    if (watch == NULL)
        return NULL;
    watch->hypervisor = name;
    strncpy(watch->uuid, uuid, sizeof(watch->uuid) - 1);
    watch->deferred_retry_us = USEC_INFINITY;
    watch->number = interned_take(&registry->watch_index, hash_of(&key));
    return registry->watches[watch->number] = watch;
}

void watch_set_track(struct watch *watch, struct failure_track track)
{
    free(watch->panics);
    watch->panics = NULL;
    watch->track = track;
}

struct failure_panics *watch_get_panics(struct watch *watch)
{
    if (watch->panics == NULL)
        watch->panics = calloc(1, sizeof(*watch->panics));
    return watch->panics;
}

struct hang_track *watch_get_hang(struct watch *watch)
{
    if (watch->hang == NULL)
        watch->hang = calloc(1, sizeof(*watch->hang));
    return watch->hang;
}

void watch_clear_hang(struct watch *watch)
{
    free(watch->hang);
    watch->hang = NULL;
}

struct watch_memory *watch_get_memory(struct watch *watch)
{
    if (watch->memory == NULL)
        watch->memory = calloc(1, sizeof(*watch->memory));
    return watch->memory;
}

const struct machine_memory *watch_remembered(const struct watch *watch)
{
    static const struct machine_memory nothing;

    return watch->memory != NULL ? &watch->memory->state : &nothing;
}

static void free_memory(struct watch *watch)
{
    if (watch->memory != NULL)
        string_list_done(&watch->memory->learned);
    free(watch->memory);
    watch->memory = NULL;
}

static void free_memory_if_empty(struct watch *watch)
{
    const struct watch_memory *memory = watch->memory;

    if (memory->state.state == MACHINE_UNKNOWN && memory->state.keeping == KEEPING_NONE && memory->learned.count == 0 &&
        memory->state.quarantine.times == 0)
        free_memory(watch);
}

void watch_forget_quarantine(struct watch *watch)
{
    if (watch->memory == NULL)
        return;
    watch->memory->state.quarantine = (struct quarantine_memory){0};
    free_memory_if_empty(watch);
}

void watch_forget_state(struct watch *watch)
{
    if (watch->memory == NULL)
        return;
    watch->memory->state.state = MACHINE_UNKNOWN;
    free_memory_if_empty(watch);
}

void watch_forget_learned(struct watch *watch)
{
    if (watch->memory == NULL)
        return;
    string_list_done(&watch->memory->learned);
    free_memory_if_empty(watch);
}

void watch_forget_keeping(struct watch *watch)
{
    if (watch->memory == NULL)
        return;
    watch->memory->state.keeping = KEEPING_NONE;
    free_memory_if_empty(watch);
}

bool watch_is_taken(const struct watch *watch)
{
    return watch->recovers != NULL || watch->serves != NULL || watch->warms != NULL;
}

bool watch_was_kept(const struct registry *registry, const struct watch *watch)
{
    const struct machine_memory *remembered = watch_remembered(watch);
    struct machine_ref ref = watch_ref(watch);

    return watch->warms == NULL && remembered->keeping != KEEPING_NONE &&
           !records_was_taken(&registry->records, &ref, remembered->kept_since_us);
}

struct watch *watch_after(const struct registry *registry, const struct watch *watch, enum machine_queue queue)
{
    return watch->next[queue] != INTERNED_NONE ? registry->watches[watch->next[queue]] : NULL;
}

void watch_tell(struct registry *registry, struct watch *watch, enum machine_queue queue, enum machine_fact fact)
{
    if (watch->facts[queue] == 0) {
        watch->next[queue] = INTERNED_NONE;
        if (registry->queues[queue].first == NULL)
            registry->queues[queue].first = watch;
        else
            registry->queues[queue].last->next[queue] = watch->number;
        registry->queues[queue].last = watch;
    }
    watch->facts[queue] = (uint8_t)(watch->facts[queue] | fact);
}

struct watch *watch_take(struct registry *registry, enum machine_queue queue, unsigned *ret_facts)
{
    struct watch *watch = registry->queues[queue].first;

    if (watch == NULL)
        return NULL;
    registry->queues[queue].first = watch_after(registry, watch, queue);
    *ret_facts = watch->facts[queue];
    watch->facts[queue] = 0;
    return watch;
}

static void leave_queue(struct registry *registry, const struct watch *watch, enum machine_queue queue)
{
    struct watch *before = NULL;

    if (watch->facts[queue] == 0)
        return;
    for (struct watch *at = registry->queues[queue].first; at != watch; at = watch_after(registry, at, queue))
        before = at;
    if (before == NULL)
        registry->queues[queue].first = watch_after(registry, watch, queue);
    else
        before->next[queue] = watch->next[queue];
    if (registry->queues[queue].last == watch)
        registry->queues[queue].last = before;
}

void watch_discard(struct registry *registry, struct watch *watch)
{
    for (enum machine_queue queue = 0; queue < QUEUE_COUNT; queue++)
        leave_queue(registry, watch, queue);
    interned_drop(&registry->watch_index, watch->number);
    registry->watches[watch->number] = NULL;
    free_memory(watch);
    free(watch->panics);
    free(watch->hang);
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
    for (size_t i = 0; i < registry->watch_index.n_slots; i++)
        if (registry->watches[i] != NULL)
            watch_discard(registry, registry->watches[i]);
    interned_done(&registry->watch_index);
    free(registry->watches);
    string_list_done(&registry->hypervisors);
    hosts_replace(registry, NULL, 0);
    records_done(&registry->records);
    diversions_done(&registry->diversions);
    outbox_done(&registry->outbox);
    chooser_free(registry->chooser);
    plan_free(registry->plan);
    pool_free(registry->pool);
    feature_table_free(registry->features);
}
