/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The machines, found by identity and by name, and which is claimed for what. Decides nothing. */
#include "pool/pool.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define uthash_nonfatal_oom(element) ((element)->lost = true)
#define HASH_NONFATAL_OOM            1
#include <uthash.h>

#include "base/text.h"
#include "pool/entry.h"
#include "pool/shared.h"
#include "pool/facts.h"

int pool_new(struct feature_table *table, struct pool **ret)
{
    struct pool *pool = calloc(1, sizeof(*pool));

    if (pool == NULL)
        return -ENOMEM;
    pool->table = table;
    pool->index = pool->names = INTERNED_EMPTY;
    pool->usage = USAGE_EMPTY;
    pool->facts = FACTS_TABLE_EMPTY;
    *ret = pool;
    return 0;
}

/* Of a machine, whose metadata is not its own. */
static void free_description(struct domain_description *description)
{
    if (description != NULL)
        description->features = (struct feature_texts){0};
    domain_description_free(description);
}

static void entry_free(struct entry *entry)
{
    if (entry == NULL)
        return;
    free_description(entry->machine.description);
    rare_free(entry);
    free(entry);
}

DEFINE_CLEANUP(struct entry, entry_free);

/* NULL: it has none yet. */
static const struct facts *facts_of(const struct machine *machine)
{
    return (const struct facts *)machine->spec;
}

const struct knowledge *pool_knowledge(const struct machine *machine)
{
    return facts_of(machine)->knowledge;
}

/* ---- hosts ---- */

static struct pool_host *find_host(const struct pool *pool, const char *hypervisor)
{
    struct pool_host *host;

    HASH_FIND_STR(pool->hosts, hypervisor, host);
    return host;
}

/* NULL without memory, or for a name that is too long. */
static struct pool_host *get_host(struct pool *pool, const char *hypervisor)
{
    struct pool_host *host = find_host(pool, hypervisor);

    if (host != NULL || strlen(hypervisor) >= sizeof(host->name))
        return host;
    host = calloc(1, sizeof(*host));
    if (host == NULL)
        return NULL;
    strncpy(host->name, hypervisor, sizeof(host->name) - 1);
    host->number = HASH_COUNT(pool->hosts) + 1; /* none is ever removed */
    HASH_ADD_STR(pool->hosts, name, host);
    if (host->lost) {
        free(host);
        return NULL;
    }
    /* Its number is the last: without memory it goes as it came. */
    if (siblings_reserve(&pool->siblings, pool->siblings.n_groups, host->number + 1) < 0) {
        HASH_DEL(pool->hosts, host);
        free(host);
        return NULL;
    }
    return host;
}

/* ---- names ---- */

static uint32_t hash_text(uint32_t hash, const char *text)
{
    return interned_hash_bytes(hash, text, strlen(text));
}

/* The machines of a name, one after the other: start with NULL; NULL ends it. */
static const struct entry *next_of_name(const struct pool *pool, const char *name, const struct entry *entry)
{
    uint32_t hash = entry != NULL ? interned_hash_of(&pool->names, entry->machine.number) : hash_text(0, name);
    uint32_t number = entry != NULL ? entry->machine.number : INTERNED_NONE;

    while ((number = interned_next_of(&pool->names, hash, number)) != INTERNED_NONE)
        if (strcmp(pool->entries[number]->machine.name, name) == 0)
            return pool->entries[number];
    return NULL;
}

/* Another machine has the name, too, and this one does not stand for it. Of most none ever had, which is known at once. */
static bool has_namesake(const struct pool *pool, const struct machine *machine)
{
    uint32_t hash, number = INTERNED_NONE;

    if (!entry_of(machine)->may_have_namesake)
        return false;
    hash = interned_hash_of(&pool->names, machine->number);
    while ((number = interned_next_of(&pool->names, hash, number)) != INTERNED_NONE)
        if (number != machine->number && strcmp(pool->entries[number]->machine.name, machine->name) == 0 &&
            !machine_stands_for(machine, &pool->entries[number]->machine))
            return true;
    return false;
}

/* After interned_reserve_id. */
static void add_name(struct pool *pool, struct entry *entry)
{
    uint32_t hash = hash_text(0, entry->machine.name), number = INTERNED_NONE;

    entry->may_have_namesake = false;
    while ((number = interned_next_of(&pool->names, hash, number)) != INTERNED_NONE)
        entry->may_have_namesake = pool->entries[number]->may_have_namesake = true;
    interned_put(&pool->names, entry->machine.number, hash);
}

static void remove_name(struct pool *pool, const struct entry *entry)
{
    interned_remove(&pool->names, entry->machine.number);
}

/* ---- coming and going ---- */

/* A machine by what it is found by. */
struct key {
    const struct pool_host *host;
    const uint8_t *uuid;
};

static bool is_machine(const void *context, uint32_t id, const void *wanted)
{
    const struct entry *entry = ((const struct pool *)context)->entries[id];
    const struct key *key = wanted;

    return entry_host(entry) == key->host && uuid_equal(entry->machine.description->uuid, key->uuid);
}

static uint32_t hash_uuid(const uint8_t uuid[static UUID_SIZE])
{
    return interned_hash_bytes(0, uuid, UUID_SIZE);
}

/* The machine need not be known; NULL: it has no number either. */
static struct entry *find_entry(const struct pool *pool, const struct pool_host *host, const uint8_t *uuid)
{
    struct key key = {host, uuid};
    uint32_t number = interned_find(&pool->index, hash_uuid(uuid), is_machine, pool, &key);

    return number != INTERNED_NONE ? pool->entries[number] : NULL;
}

static int reserve_number(struct pool *pool)
{
    struct entry **entries;

    if (interned_reserve(&pool->index) < 0)
        return -ENOMEM;
    if (pool->index.slot_room <= pool->room)
        return 0;
    if (number_set_reserve(&pool->edited, pool->index.slot_room) < 0 ||
        number_set_reserve(&pool->quarantined, pool->index.slot_room) < 0)
        return -ENOMEM;
    entries = reallocarray(pool->entries, pool->index.slot_room, sizeof(struct entry *));
    if (entries == NULL)
        return -ENOMEM;
    memset(&entries[pool->room], 0, (pool->index.slot_room - pool->room) * sizeof(struct entry *));
    pool->entries = entries;
    pool->room = pool->index.slot_room;
    return 0;
}

/* Outside of any index; NULL: no memory. */
static struct entry *entry_new(const struct pool_host *host, const uint8_t uuid[static UUID_SIZE])
{
    _cleanup_(entry_freep) struct entry *entry = calloc(1, sizeof(*entry));

    if (entry == NULL)
        return NULL;
    entry->standing = STANDING_COUNT;
    entry->machine.hypervisor = host->name;
    entry->machine.description = calloc(1, sizeof(*entry->machine.description));
    if (entry->machine.description == NULL)
        return NULL;
    memcpy(entry->machine.description->uuid, uuid, UUID_SIZE);
    return steal_pointer(&entry);
}

/* The machine need not be known. NULL: no memory. */
static struct entry *get_entry(struct pool *pool, const struct pool_host *host, const uint8_t uuid[static UUID_SIZE])
{
    struct entry *entry = find_entry(pool, host, uuid);

    if (entry != NULL)
        return entry;
    entry = reserve_number(pool) == 0 ? entry_new(host, uuid) : NULL;
    if (entry == NULL)
        return NULL;
    entry->machine.number = interned_take(&pool->index, hash_uuid(uuid));
    return pool->entries[entry->machine.number] = entry;
}

static void free_if_unknown(struct pool *pool, struct entry *entry)
{
    if (entry_is_known(entry) || entry->is_kept)
        return;
    pool->entries[entry->machine.number] = NULL;
    interned_drop(&pool->index, entry->machine.number);
    entry_free(entry);
}

static void discard(struct pool *pool, struct entry *entry)
{
    struct machine *machine = &entry->machine;

    books_remove(pool, entry);
    remove_name(pool, entry);
    number_set_remove(&entry_host(entry)->machines, machine->number);
    facts_table_remove(&pool->facts, facts_of(machine));
    pool->n_machines--;
    rare_free(entry);
    machine->description->features = (struct feature_texts){0}; /* of the facts */
    *entry = (struct entry){
        .machine = {.hypervisor = machine->hypervisor, .description = machine->description, .number = machine->number},
        .standing = STANDING_COUNT,
        .is_kept = entry->is_kept,
    };
    free_if_unknown(pool, entry);
}

void pool_free(struct pool *pool)
{
    struct pool_host *host, *next;

    if (pool == NULL)
        return;
    pool->observer = NULL;
    catalog_free(pool->catalog);
    for (size_t i = 0; i < pool->index.n_slots; i++)
        if (pool->entries[i] != NULL) {
            pool->entries[i]->is_kept = false;
            if (entry_is_known(pool->entries[i]))
                discard(pool, pool->entries[i]);
            else
                free_if_unknown(pool, pool->entries[i]);
        }
    for (enum pool_set set = 0; set < POOL_SET_COUNT; set++)
        shelf_done(&pool->shelves[set]);
    HASH_ITER(hh, pool->hosts, host, next)
    {
        HASH_DEL(pool->hosts, host);
        number_set_done(&host->machines);
        free(host);
    }
    usage_done(&pool->usage);
    facts_table_done(&pool->facts);
    number_set_done(&pool->edited);
    number_set_done(&pool->quarantined);
    interned_done(&pool->index);
    interned_done(&pool->names);
    free(pool->entries);
    policies_done(&pool->policies);
    siblings_done(&pool->siblings);
    free(pool);
}

static bool is_configured(const struct config *config, const char *hypervisor)
{
    for (size_t i = 0; i < config->n_hypervisors; i++)
        if (strcmp(config->hypervisors[i].name, hypervisor) == 0)
            return true;
    return false;
}

/* What is texts of its own is released: it is knowledge now. */
static void set_facts(struct machine *machine, const struct facts *facts)
{
    const struct facts *old = facts_of(machine);

    if (old == NULL || machine->description->features.texts != old->metadata.texts)
        feature_texts_done(&machine->description->features);
    feature_texts_done(&machine->description->learned);
    machine->description->features = facts->metadata;
    machine->spec = &facts->spec;
}

/* Of the service that it is the original of; -ENOMEM. */
static int find_priority(struct pool *pool, const struct machine *machine, int *ret)
{
    const struct policy *own = NULL;

    *ret = machine->description->priority;
    if (machine->description->has_priority || pool->config == NULL || pool->config->n_services == 0)
        return 0;
    own = pool_find_policy(pool, machine->hypervisor, machine_own_service_name(machine));
    if (own == NULL)
        return -ENOMEM;
    *ret = own->config->policy.priority;
    return 0;
}

/* Role, priority, policy and features from the description as it stands, and what the agent told; -ENOMEM changes nothing. */
static int resolve(struct pool *pool, struct machine *machine, const struct knowledge *told)
{
    _cleanup_(facts_done) struct facts gathered = {.metadata = {0}};
    const struct facts_context context = {.config = pool->config, .catalog = pool->catalog, .table = pool->table};
    const struct facts *old = facts_of(machine), *facts;
    int priority, r = facts_gather(&context, machine, told, &gathered);

    if (r == 0)
        r = entry_find_policy(pool, entry_of(machine));
    if (r == 0)
        r = find_priority(pool, machine, &priority);
    if (r == 0)
        r = facts_table_add(&pool->facts, &gathered, &facts);
    if (r != 0)
        return r;
    set_facts(machine, facts);
    facts_table_remove(&pool->facts, old);
    machine->roles = (uint8_t)facts_roles(pool->config, machine);
    machine->priority = priority;
    return 0;
}

static const struct knowledge *agent_of(const struct machine *machine)
{
    return &pool_knowledge(machine)[KNOWLEDGE_AGENT];
}

static int configure_machines(struct pool *pool, const struct config *config)
{
    int r = 0;

    for (size_t i = 0; i < pool->index.n_slots; i++) {
        struct entry *entry = pool->entries[i];

        if (entry == NULL || !entry_is_known(entry))
            continue;
        if (!is_configured(config, entry->machine.hypervisor)) {
            pool_remove(pool, &entry->machine);
            continue;
        }
        if (shared_is_otherwise(&config->storage.shared, entry->machine.description)) {
            books_renew(pool, entry);
            shared_declare(&config->storage.shared, entry->machine.description);
        }
        books_mark(pool, entry);
        if (resolve(pool, &entry->machine, agent_of(&entry->machine)) < 0)
            r = -ENOMEM;
    }
    return r;
}

void pool_set_catalog(struct pool *pool, struct catalog *catalog)
{
    catalog_ref(catalog);
    catalog_free(pool->catalog);
    pool->catalog = catalog;
}

const struct catalog *pool_catalog(const struct pool *pool)
{
    return pool->catalog;
}

/* Numbers of policies and groups are others in another configuration. */
static void forget_policies(struct pool *pool)
{
    for (size_t i = 0; i < pool->index.n_slots; i++) {
        struct entry *entry = pool->entries[i];

        if (entry == NULL || !entry_is_known(entry))
            continue;
        entry->policy = 0;
        entry->machine.apart = 0;
        books_forget_sibling(pool, entry);
        books_mark(pool, entry);
    }
}

int pool_configure(struct pool *pool, const struct config *config)
{
    struct policies policies, old = pool->policies;
    int r = policies_init(&policies, config, pool->catalog, pool->table);

    if (r < 0)
        return r;
    forget_policies(pool);
    r = siblings_reserve(&pool->siblings, config->n_services + 1, HASH_COUNT(pool->hosts) + 1);
    if (r == 0)
        r = books_set_rules(pool, policies.items[0]->rules);
    if (r < 0) {
        policies_done(&policies);
        return r;
    }
    pool->policies = policies;
    pool->config = config;
    pool->is_reconfigured = true;
    r = configure_machines(pool, config);
    policies_done(&old);
    return r;
}

const struct similarity_rules *pool_rules(const struct pool *pool)
{
    return pool->policies.count > 0 ? pool->policies.items[0]->rules : NULL;
}

static void set_description(struct machine *machine, struct domain_description *description)
{
    machine->description = description;
    machine->name = description->name;
}

/* Of a machine that was not known. Takes the description only on success. */
static int describe(struct pool *pool, struct entry *entry, struct domain_description *description)
{
    struct machine *machine = &entry->machine;
    struct domain_description *unknown = machine->description;
    int r;

    set_description(machine, description);
    r = resolve(pool, machine, NULL);
    if (r < 0) {
        set_description(machine, unknown);
        return r;
    }
    domain_description_free(unknown);
    machine->is_present = true;
    pool->n_machines++;
    return 0;
}

static int reserve(struct pool *pool, struct pool_host *host, uint32_t number)
{
    if (interned_reserve_id(&pool->names, number) < 0)
        return -ENOMEM;
    return number_set_reserve(&host->machines, pool->room);
}

static int add(struct pool *pool, const char *hypervisor, struct domain_description *description,
               const struct machine **ret_machine)
{
    struct pool_host *host = get_host(pool, hypervisor);
    struct entry *entry = host != NULL ? get_entry(pool, host, description->uuid) : NULL;
    int r = entry != NULL ? reserve(pool, host, entry->machine.number) : -ENOMEM;

    if (r == 0)
        r = domain_description_pack(&description);
    if (r == 0)
        r = describe(pool, entry, description);
    if (r != 0) {
        domain_description_free(description);
        if (entry != NULL)
            free_if_unknown(pool, entry);
        return r;
    }
    add_name(pool, entry);
    number_set_add(&host->machines, entry->machine.number);
    entry->is_renewed = true;
    books_mark(pool, entry);
    if (ret_machine != NULL)
        *ret_machine = &entry->machine;
    return 0;
}

/* Capacities are asked for after the definition: what is known of a disk that stays must not be forgotten. */
static void keep_capacities(struct domain_description *description, const struct domain_description *old)
{
    for (size_t i = 0; i < description->n_disks; i++)
        for (size_t j = 0; j < old->n_disks && description->disks[i].capacity_bytes == 0; j++)
            if (strcmp(description->disks[i].source, old->disks[j].source) == 0)
                description->disks[i].capacity_bytes = old->disks[j].capacity_bytes;
}

/* What comes and goes while it runs, of equal descriptions; a second time it is as before. */
static void exchange_passing(struct domain_description *a, struct domain_description *b)
{
    struct feature_texts learned = a->learned;
    bool has_learned = a->has_learned, has_learned_part = a->has_learned_part, agent_connected = a->agent_connected;
    bool is_live = a->is_live;
    enum guest_lack lack = a->lack;
    char *mark = a->mark;

    a->learned = b->learned;
    a->has_learned = b->has_learned;
    a->has_learned_part = b->has_learned_part;
    a->lack = b->lack;
    a->agent_connected = b->agent_connected;
    a->is_live = b->is_live;
    a->mark = b->mark;
    b->learned = learned;
    b->has_learned = has_learned;
    b->has_learned_part = has_learned_part;
    b->lack = lack;
    b->agent_connected = agent_connected;
    b->is_live = is_live;
    b->mark = mark;
    for (uint32_t i = 0; i < a->n_disks; i++) {
        uint64_t capacity_bytes = a->disks[i].capacity_bytes;

        a->disks[i].capacity_bytes = b->disks[i].capacity_bytes;
        b->disks[i].capacity_bytes = capacity_bytes;
    }
}

/* Nothing is known of it then that was not: its agent tells nothing, and the disks are as large. */
static bool brings_nothing(const struct domain_description *description, const struct domain_description *old)
{
    for (uint32_t i = 0; i < description->n_disks; i++)
        if (description->disks[i].capacity_bytes != old->disks[i].capacity_bytes)
            return false;
    return !description->has_learned;
}

/* The machine keeps its description, which others borrow from. */
static int refresh(struct pool *pool, struct machine *machine, struct domain_description *description)
{
    bool is_known = brings_nothing(description, machine->description);
    int r;

    exchange_passing(machine->description, description);
    r = is_known ? 0 : resolve(pool, machine, agent_of(machine));
    if (r < 0)
        exchange_passing(machine->description, description);
    domain_description_free(description);
    return r;
}

/* Where it stands by name, it stood by the old one. */
static void take_name(struct pool *pool, struct entry *entry, struct domain_description *description)
{
    bool is_other = strcmp(entry->machine.name, description->name) != 0;

    if (is_other) {
        shelf_remove(pool->shelves, &entry->machine);
        remove_name(pool, entry);
        (void)!rare_set_text(entry, RARE_QUALIFIED, NULL);
    }
    set_description(&entry->machine, description);
    if (is_other)
        add_name(pool, entry);
}

static int replace(struct pool *pool, struct entry *entry, struct domain_description *description)
{
    struct machine *machine = &entry->machine;
    struct domain_description *old = machine->description;
    int r = domain_description_pack(&description);
    bool is_other = false; /* its guest may be another one */

    if (r == 0) {
        is_other = !domain_description_keeps_disks(old, description);
        machine->description = description;
        r = resolve(pool, machine, is_other ? NULL : agent_of(machine));
        machine->description = old;
    }
    if (r < 0) {
        domain_description_free(description);
        return r;
    }
    if (is_other)
        pool_set_learned(pool, machine, 0, GUEST_LACKS_NOTHING);
    books_renew(pool, entry);
    take_name(pool, entry, description);
    free_description(old);
    return 0;
}

static int update(struct pool *pool, struct entry *entry, struct domain_description *description)
{
    struct machine *machine = &entry->machine;
    int r;

    books_mark(pool, entry);
    keep_capacities(description, machine->description);
    r = domain_description_equal(machine->description, description) ? refresh(pool, machine, description)
                                                                    : replace(pool, entry, description);
    if (r == 0)
        machine->is_present = true;
    return r;
}

int pool_apply(struct pool *pool, const char *hypervisor, struct domain_description *description,
               const struct machine **ret_machine)
{
    const struct pool_host *host = find_host(pool, hypervisor);
    struct entry *entry = host != NULL ? find_entry(pool, host, description->uuid) : NULL;
    int r;

    if (pool->config != NULL)
        shared_declare(&pool->config->storage.shared, description);
    if (entry == NULL || !entry_is_known(entry))
        return add(pool, hypervisor, description, ret_machine);
    r = update(pool, entry, description);
    if (r == 0 && ret_machine != NULL)
        *ret_machine = &entry->machine;
    return r;
}

struct machine *pool_edit(struct pool *pool, const struct machine *machine)
{
    books_mark(pool, entry_of(machine));
    return &entry_of(machine)->machine;
}

int pool_remember_learned(struct pool *pool, const struct machine *machine, const struct string_list *features)
{
    _cleanup_(knowledge_done) struct knowledge known = {0};
    int r = id_set_copy(&known.features, &agent_of(machine)->features);

    if (r == 0)
        r = id_set_copy(&known.kinds, &agent_of(machine)->kinds);
    for (size_t i = 0; i < features->count && r == 0; i++) {
        const char *slash = strchr(features->items[i], '/');
        char kind[FEATURE_KIND_MAX + 1];

        if (slash == NULL || (size_t)(slash - features->items[i]) >= sizeof(kind))
            continue;
        memcpy(kind, features->items[i], (size_t)(slash - features->items[i]));
        kind[slash - features->items[i]] = '\0';
        r = knowledge_add(&known, pool->table, kind, slash + 1);
        if (r == -EINVAL)
            r = 0;
    }
    return r < 0 ? r : resolve(pool, pool_edit(pool, machine), &known);
}

void pool_set_learned(struct pool *pool, const struct machine *machine, int64_t learned_us, enum guest_lack lack)
{
    (void)pool;
    rare_set_number(entry_of(machine), RARE_LEARNED_US, (uint64_t)learned_us);
    rare_set_number(entry_of(machine), RARE_LACK, lack);
}

void pool_set_asked(struct pool *pool, const struct machine *machine, int64_t asked_us)
{
    (void)pool;
    rare_set_number(entry_of(machine), RARE_ASKED_US, (uint64_t)asked_us);
}

void pool_set_removal(struct pool *pool, const struct machine *machine, int64_t removal_us)
{
    (void)pool;
    rare_set_number(entry_of(machine), RARE_REMOVAL_US, (uint64_t)removal_us);
}

void pool_set_resets_until(struct pool *pool, const struct machine *machine, int64_t until_us)
{
    (void)pool;
    rare_set_number(entry_of(machine), RARE_RESETS_UNTIL_US, (uint64_t)until_us);
}

int pool_refresh_environment(struct pool *pool, const struct machine *machine)
{
    return resolve(pool, pool_edit(pool, machine), agent_of(machine));
}

void pool_set_present(struct pool *pool, const struct machine *machine, bool is_present)
{
    pool_edit(pool, machine)->is_present = is_present;
}

void pool_set_not_warm(struct pool *pool, const struct machine *machine, const char *why)
{
    (void)pool;
    (void)!rare_set_text(entry_of(machine), RARE_NOT_WARM, why);
}

void pool_set_quarantine(struct pool *pool, const struct machine *machine, int64_t until_us, const char *why)
{
    if (machine_rare(machine)->quarantined_until_us != until_us)
        pool_edit(pool, machine);
    rare_set_number(entry_of(machine), RARE_QUARANTINED_UNTIL_US, (uint64_t)until_us);
    (void)!rare_set_text(entry_of(machine), RARE_QUARANTINE_WHY, why != NULL && why[0] != '\0' ? why : NULL);
}

void pool_set_stopped(struct pool *pool, const struct machine *machine, int64_t stopped_us)
{
    pool_edit(pool, machine);
    rare_set_number(entry_of(machine), RARE_STOPPED_US, (uint64_t)stopped_us);
}

void pool_set_resident(struct pool *pool, const struct machine *machine, uint64_t resident_kib)
{
    (void)pool;
    rare_set_number(entry_of(machine), RARE_RESIDENT_KIB, resident_kib);
}

static void discard_if_unneeded(struct pool *pool, struct entry *entry)
{
    if (!entry->machine.is_present && entry->holds == 0 && machine_rare(&entry->machine)->claimed_by == NULL)
        discard(pool, entry);
}

void pool_remove(struct pool *pool, const struct machine *machine)
{
    struct machine *edited = pool_edit(pool, machine);

    edited->is_present = false;
    edited->state = MACHINE_GONE;
    discard_if_unneeded(pool, entry_of(machine));
}

void pool_hold(struct pool *pool, const struct machine *machine)
{
    (void)pool;
    entry_of(machine)->holds++;
}

void pool_let_go(struct pool *pool, const struct machine *machine)
{
    struct entry *entry = entry_of(machine);

    entry->holds--;
    discard_if_unneeded(pool, entry);
}

const struct machine *pool_find(const struct pool *pool, const char *hypervisor, const char *uuid)
{
    return pool_at(pool, pool_number_of(pool, hypervisor, uuid));
}

const struct machine *pool_find_twin(const struct pool *pool, const char *hypervisor, const struct machine *machine)
{
    const struct pool_host *host = find_host(pool, hypervisor);
    const struct entry *entry = host != NULL ? find_entry(pool, host, machine->description->uuid) : NULL;

    return entry != NULL && entry_is_known(entry) ? &entry->machine : NULL;
}

/* The one that stands for all others of that UUID; -ENOENT for none, -ENOTUNIQ for several. */
static int find_by_uuid(const struct pool *pool, const char *text, const struct machine **ret)
{
    uint8_t uuid[UUID_SIZE];
    const struct machine *found = NULL;
    bool is_unique = true;
    uint32_t at = INTERNED_NONE, hash;

    if (!uuid_parse(text, uuid))
        return -ENOENT;
    hash = hash_uuid(uuid);
    while ((at = interned_next_of(&pool->index, hash, at)) != INTERNED_NONE) {
        const struct machine *machine = pool_at(pool, at);

        if (machine == NULL || !uuid_equal(machine->description->uuid, uuid))
            continue;
        is_unique =
            found == NULL || machine_stands_for(machine, found) || (is_unique && machine_stands_for(found, machine));
        if (found == NULL || machine_stands_for(machine, found))
            found = machine;
    }
    if (found == NULL)
        return -ENOENT;
    if (!is_unique)
        return -ENOTUNIQ;
    *ret = found;
    return 0;
}

/* A domain by its name, before a template of that name. */
static bool is_meant_before(const struct machine *machine, const struct machine *other)
{
    /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): it is the machine of an entry */
    return machine->state != MACHINE_TEMPLATE && other->state == MACHINE_TEMPLATE;
}

static int find_qualified(const struct pool *pool, const char *text, const struct machine **ret)
{
    const char *slash = strchr(text, '/');
    const struct entry *entry = NULL;
    const struct machine *found = NULL;
    size_t length = slash != NULL ? (size_t)(slash - text) : 0;

    while (slash != NULL && (entry = next_of_name(pool, slash + 1, entry)) != NULL)
        if (strncmp(entry_host(entry)->name, text, length) == 0 && entry_host(entry)->name[length] == '\0' &&
            (found == NULL || is_meant_before(&entry->machine, found)))
            found = &entry->machine;
    if (found == NULL)
        return -ENOENT;
    *ret = found;
    return 0;
}

/* The one that stands for all others of that name. */
static int find_by_own_name(const struct pool *pool, const char *name, const struct machine **ret)
{
    const struct machine *found = NULL;

    for (const struct entry *entry = NULL; (entry = next_of_name(pool, name, entry)) != NULL;)
        if (found == NULL || machine_stands_for(&entry->machine, found) || is_meant_before(&entry->machine, found))
            found = &entry->machine;
    for (const struct entry *entry = NULL; (entry = next_of_name(pool, name, entry)) != NULL;)
        if (&entry->machine != found && !machine_stands_for(found, &entry->machine) &&
            !is_meant_before(found, &entry->machine))
            return -ENOTUNIQ;
    if (found == NULL)
        return -ENOENT;
    *ret = found;
    return 0;
}

int pool_find_by_name(const struct pool *pool, const char *text, const struct machine **ret)
{
    int r = find_by_own_name(pool, text, ret);

    if (r == -ENOENT)
        r = find_qualified(pool, text, ret);
    return r == -ENOENT ? find_by_uuid(pool, text, ret) : r;
}

const char *pool_display_name(const struct pool *pool, const struct machine *machine)
{
    _cleanup_(freep) char *qualified = NULL;

    if (!has_namesake(pool, machine))
        return machine->name;
    if (machine_rare(machine)->qualified == NULL) {
        qualified = text_print("%s/%s", machine->hypervisor, machine->name);
        (void)!rare_set_text(entry_of(machine), RARE_QUALIFIED, qualified);
    }
    return machine_rare(machine)->qualified != NULL ? machine_rare(machine)->qualified : machine->name;
}

const struct machine *pool_next(const struct pool *pool, const struct machine *machine)
{
    for (size_t i = machine != NULL ? (size_t)machine->number + 1 : 0; i < pool->index.n_slots; i++)
        if (pool_at(pool, (uint32_t)i) != NULL)
            return &pool->entries[i]->machine;
    return NULL;
}

const struct machine *pool_at(const struct pool *pool, uint32_t number)
{
    const struct entry *entry = number < pool->index.n_slots ? pool->entries[number] : NULL;

    return entry != NULL && entry_is_known(entry) ? &entry->machine : NULL;
}

size_t pool_count(const struct pool *pool)
{
    return pool->n_machines;
}

size_t pool_count_on(const struct pool *pool, const char *hypervisor)
{
    const struct pool_host *host = find_host(pool, hypervisor);

    return host != NULL ? host->machines.count : 0;
}

size_t pool_number_end(const struct pool *pool)
{
    return pool->index.n_slots;
}

uint32_t pool_keep_number(struct pool *pool, const char *hypervisor, const char *uuid)
{
    uint8_t bytes[UUID_SIZE];
    const struct pool_host *host = uuid_parse(uuid, bytes) ? get_host(pool, hypervisor) : NULL;
    struct entry *entry = host != NULL ? get_entry(pool, host, bytes) : NULL;

    if (entry == NULL)
        return NUMBER_NONE;
    entry->is_kept = true;
    return entry->machine.number;
}

void pool_drop_number(struct pool *pool, uint32_t number)
{
    pool->entries[number]->is_kept = false;
    free_if_unknown(pool, pool->entries[number]);
}

uint32_t pool_number_of(const struct pool *pool, const char *hypervisor, const char *uuid)
{
    uint8_t bytes[UUID_SIZE];
    const struct pool_host *host = uuid_parse(uuid, bytes) ? find_host(pool, hypervisor) : NULL;
    const struct entry *entry = host != NULL ? find_entry(pool, host, bytes) : NULL;

    return entry != NULL ? entry->machine.number : NUMBER_NONE;
}

struct machine_ref pool_ref(const struct pool *pool, uint32_t number)
{
    return machine_ref_of(&pool->entries[number]->machine);
}

const char *pool_hypervisor(const struct pool *pool, uint32_t number)
{
    return pool->entries[number]->machine.hypervisor;
}

int pool_claim(struct pool *pool, const struct machine *machine, const char *recovery_id)
{
    const char *claimed_by = machine_rare(machine)->claimed_by;

    if (claimed_by != NULL)
        return strcmp(claimed_by, recovery_id) == 0 ? 0 : -EBUSY;
    pool_edit(pool, machine);
    return rare_set_text(entry_of(machine), RARE_CLAIMED_BY, recovery_id);
}

void pool_release(struct pool *pool, const struct machine *machine, const char *recovery_id)
{
    struct entry *entry = entry_of(machine);

    if (!text_equal(machine_rare(machine)->claimed_by, recovery_id))
        return;
    pool_edit(pool, machine);
    (void)!rare_set_text(entry, RARE_CLAIMED_BY, NULL);
    discard_if_unneeded(pool, entry);
}

void pool_set_free_memory(struct pool *pool, const char *hypervisor, uint64_t free_kib)
{
    struct pool_host *host = get_host(pool, hypervisor);

    /* Without memory: what is not known of a host rules no machine out. */
    if (host != NULL)
        host->free_kib = free_kib;
}

uint64_t pool_free_memory(const struct pool *pool, const char *hypervisor)
{
    const struct pool_host *host = find_host(pool, hypervisor);

    return host != NULL ? host->free_kib : 0;
}

uint64_t pool_spare_memory(struct pool *pool, const char *hypervisor, bool *ret_is_known)
{
    const struct pool_host *host = find_host(pool, hypervisor);

    *ret_is_known = false;
    (void)!pool_settle(pool, pool->settled_us); /* what is on its way up is counted, even without memory */
    return host != NULL ? pool_host_spare_kib(host, ret_is_known) : 0;
}
