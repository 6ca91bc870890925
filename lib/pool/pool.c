/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The machines, found by identity and by name, and which is claimed for what. Decides nothing. */
#include "pool/pool.h"

#include <ctype.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define uthash_nonfatal_oom(element) ((element)->lost = true)
#define HASH_NONFATAL_OOM            1
#include <uthash.h>

#include "pool/facts.h"

/* machine comes first: a machine handed out is its entry. */
struct entry {
    struct machine machine;
    struct machine_ref ref;
    char *qualified; /* "hypervisor/name" */
    char *claim;
    char *not_warm;
    unsigned holds;
    bool lost; /* uthash had no memory to add it */
    struct entry *next_of_name;
    UT_hash_handle hh;
};

/* All machines of one name, on several hypervisors or not. */
struct name {
    struct entry *entries;
    bool lost;
    UT_hash_handle hh;
    char text[];
};

struct host {
    UT_hash_handle hh;
    uint64_t free_kib;
    uint64_t starting_kib; /* needed by machines on their way up */
    bool lost;
    char name[HYPERVISOR_NAME_SIZE];
};

struct pool {
    struct feature_table *table; /* borrowed */
    const struct config *config; /* borrowed; NULL before the first pool_configure */
    struct entry *entries;
    struct name *names;
    struct host *hosts;
    uint64_t version;
};

static struct entry *entry_of(const struct machine *machine)
{
    return (struct entry *)machine;
}

int pool_new(struct feature_table *table, struct pool **ret)
{
    struct pool *pool = calloc(1, sizeof(*pool));

    if (pool == NULL)
        return -ENOMEM;
    pool->table = table;
    *ret = pool;
    return 0;
}

static void entry_free(struct entry *entry)
{
    if (entry == NULL)
        return;
    free(entry->machine.hypervisor);
    free(entry->machine.name);
    domain_description_free(entry->machine.description);
    for (enum knowledge_source s = 0; s < KNOWLEDGE_COUNT; s++)
        knowledge_done(&entry->machine.knowledge[s]);
    spec_done(&entry->machine.spec);
    free(entry->qualified);
    free(entry->claim);
    free(entry->not_warm);
    free(entry);
}

DEFINE_CLEANUP(struct entry, entry_free);

static struct name *find_name(const struct pool *pool, const char *text)
{
    struct name *name;

    HASH_FIND_STR(pool->names, text, name);
    return name;
}

static int add_name(struct pool *pool, struct entry *entry)
{
    struct name *name = find_name(pool, entry->machine.name);

    if (name == NULL) {
        size_t size = strlen(entry->machine.name) + 1;

        name = calloc(1, sizeof(*name) + size);
        if (name == NULL)
            return -ENOMEM;
        memcpy(name->text, entry->machine.name, size);
        HASH_ADD_STR(pool->names, text, name);
        if (name->lost) {
            free(name);
            return -ENOMEM;
        }
    }
    entry->next_of_name = name->entries;
    name->entries = entry;
    return 0;
}

static void remove_name(struct pool *pool, struct entry *entry)
{
    struct name *name = find_name(pool, entry->machine.name);

    if (name == NULL)
        return;
    for (struct entry **at = &name->entries; *at != NULL; at = &(*at)->next_of_name)
        if (*at == entry) {
            *at = entry->next_of_name;
            break;
        }
    entry->next_of_name = NULL;
    if (name->entries == NULL) {
        HASH_DEL(pool->names, name);
        free(name);
    }
}

static void discard(struct pool *pool, struct entry *entry)
{
    remove_name(pool, entry);
    HASH_DEL(pool->entries, entry);
    entry_free(entry);
    pool->version++;
}

void pool_free(struct pool *pool)
{
    struct entry *entry, *next;
    struct host *host, *next_host;

    if (pool == NULL)
        return;
    HASH_ITER(hh, pool->entries, entry, next)
    {
        discard(pool, entry);
    }
    HASH_ITER(hh, pool->hosts, host, next_host)
    {
        HASH_DEL(pool->hosts, host);
        free(host);
    }
    free(pool);
}

static bool is_configured(const struct config *config, const char *hypervisor)
{
    for (size_t i = 0; i < config->n_hypervisors; i++)
        if (strcmp(config->hypervisors[i].name, hypervisor) == 0)
            return true;
    return false;
}

/* Role, priority and features from the description as it stands. */
static int resolve(struct pool *pool, struct machine *machine)
{
    unsigned roles_before = machine->roles;
    bool has_changed;
    int r = facts_resolve(pool->config, pool->table, machine, &has_changed);

    if (r < 0)
        return r;
    machine->roles = facts_roles(pool->config, machine);
    pool->version += has_changed || machine->roles != roles_before;
    machine->priority = machine->description->priority;
    return 0;
}

int pool_configure(struct pool *pool, const struct config *config)
{
    struct entry *entry, *next;
    int r = 0;

    pool->config = config;
    pool->version++;
    HASH_ITER(hh, pool->entries, entry, next)
    {
        int one;

        if (!is_configured(config, entry->machine.hypervisor)) {
            pool_remove(pool, &entry->machine);
            continue;
        }
        one = resolve(pool, &entry->machine);
        if (one < 0)
            r = one;
    }
    return r;
}

static int make_qualified(const char *hypervisor, const char *name, char **ret)
{
    return asprintf(ret, "%s/%s", hypervisor, name) < 0 ? -ENOMEM : 0;
}

/* A new entry outside of any index. Takes the description only on success. */
static int entry_new(struct pool *pool, const char *hypervisor, struct domain_description *description,
                     struct entry **ret)
{
    _cleanup_(entry_freep) struct entry *entry = calloc(1, sizeof(*entry));
    int r;

    if (entry == NULL)
        return -ENOMEM;
    entry->machine.hypervisor = strdup(hypervisor);
    entry->machine.name = strdup(description->name);
    if (entry->machine.hypervisor == NULL || entry->machine.name == NULL)
        return -ENOMEM;
    if (make_qualified(hypervisor, description->name, &entry->qualified) < 0) {
        entry->qualified = NULL;
        return -ENOMEM;
    }
    memcpy(entry->machine.uuid, description->uuid, sizeof(entry->machine.uuid));
    entry->ref = machine_ref_of(&entry->machine);
    entry->machine.is_present = true;

    entry->machine.description = description;
    r = resolve(pool, &entry->machine);
    if (r < 0) {
        entry->machine.description = NULL;
        return r;
    }
    *ret = steal_pointer(&entry);
    return 0;
}

static int add(struct pool *pool, const char *hypervisor, struct domain_description *description,
               struct machine **ret_machine)
{
    struct entry *entry = NULL;
    int r = entry_new(pool, hypervisor, description, &entry);

    if (r < 0) {
        domain_description_free(description);
        return r;
    }
    r = add_name(pool, entry);
    if (r < 0) {
        entry_free(entry);
        return r;
    }
    HASH_ADD(hh, pool->entries, ref, sizeof(entry->ref), entry);
    if (entry->lost) {
        remove_name(pool, entry);
        entry_free(entry);
        return -ENOMEM;
    }
    pool->version++;
    if (ret_machine != NULL)
        *ret_machine = &entry->machine;
    return 0;
}

/* Prepares the new name completely before the old one goes. */
static int rename_entry(struct pool *pool, struct entry *entry, const char *to)
{
    _cleanup_(freep) char *name = strdup(to);
    _cleanup_(freep) char *qualified = NULL;
    char *old_name = entry->machine.name;
    int r;

    if (name == NULL || make_qualified(entry->machine.hypervisor, to, &qualified) < 0) {
        qualified = NULL;
        return -ENOMEM;
    }
    pool->version++;
    remove_name(pool, entry);
    entry->machine.name = name;
    r = add_name(pool, entry);
    if (r < 0) {
        entry->machine.name = old_name;
        /* Without memory to make the old name's record anew, the machine is found by UUID only. */
        if (add_name(pool, entry) < 0)
            entry->next_of_name = NULL;
        return r;
    }
    name = old_name;
    free(entry->qualified);
    entry->qualified = steal_pointer(&qualified);
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

static int update(struct pool *pool, struct entry *entry, struct domain_description *description)
{
    struct machine *machine = &entry->machine;
    struct domain_description *old = machine->description;
    int r = 0;

    if (strcmp(machine->name, description->name) != 0)
        r = rename_entry(pool, entry, description->name);
    if (r == 0) {
        keep_capacities(description, old);
        machine->description = description;
        r = resolve(pool, machine);
    }
    if (r < 0) {
        machine->description = old;
        domain_description_free(description);
        return r;
    }
    pool_set_present(pool, machine, true);
    domain_description_free(old);
    return 0;
}

int pool_apply(struct pool *pool, const char *hypervisor, struct domain_description *description,
               struct machine **ret_machine)
{
    struct machine *machine = pool_find(pool, hypervisor, description->uuid);
    int r;

    if (machine == NULL)
        return add(pool, hypervisor, description, ret_machine);
    r = update(pool, entry_of(machine), description);
    if (r == 0 && ret_machine != NULL)
        *ret_machine = machine;
    return r;
}

int pool_remember_learned(struct pool *pool, struct machine *machine, const struct string_list *features)
{
    struct knowledge *known = &machine->knowledge[KNOWLEDGE_AGENT];

    for (size_t i = 0; i < features->count; i++) {
        const char *slash = strchr(features->items[i], '/');
        char kind[FEATURE_KIND_MAX + 1];
        int r;

        if (slash == NULL || (size_t)(slash - features->items[i]) >= sizeof(kind))
            continue;
        memcpy(kind, features->items[i], (size_t)(slash - features->items[i]));
        kind[slash - features->items[i]] = '\0';
        r = knowledge_add(known, pool->table, kind, slash + 1);
        if (r < 0 && r != -EINVAL)
            return r;
    }
    return resolve(pool, machine);
}

void pool_refresh_environment(struct pool *pool, struct machine *machine)
{
    uint64_t bytes = domain_description_disk_bytes(machine->description);

    pool->version += machine->spec.environment[ENVIRONMENT_DISK] != bytes;
    machine->spec.environment[ENVIRONMENT_DISK] = bytes;
}

uint64_t pool_version(const struct pool *pool)
{
    return pool->version;
}

void pool_set_present(struct pool *pool, struct machine *machine, bool is_present)
{
    pool->version += machine->is_present != is_present;
    machine->is_present = is_present;
}

void pool_set_not_warm(struct pool *pool, struct machine *machine, const char *why)
{
    struct entry *entry = entry_of(machine);

    (void)pool;
    if (why != NULL && entry->not_warm != NULL && strcmp(why, entry->not_warm) == 0)
        return;
    free(entry->not_warm);
    entry->not_warm = why != NULL ? strdup(why) : NULL;
    machine->not_warm = entry->not_warm;
}

static void discard_if_unneeded(struct pool *pool, struct entry *entry)
{
    if (!entry->machine.is_present && entry->holds == 0 && entry->claim == NULL)
        discard(pool, entry);
}

void pool_remove(struct pool *pool, struct machine *machine)
{
    pool_set_present(pool, machine, false);
    machine->state = MACHINE_GONE;
    discard_if_unneeded(pool, entry_of(machine));
}

void pool_hold(struct pool *pool, struct machine *machine)
{
    (void)pool;
    entry_of(machine)->holds++;
}

void pool_let_go(struct pool *pool, struct machine *machine)
{
    struct entry *entry = entry_of(machine);

    entry->holds--;
    discard_if_unneeded(pool, entry);
}

struct machine *pool_find(const struct pool *pool, const char *hypervisor, const char *uuid)
{
    struct machine_ref ref = {0};
    struct entry *entry;

    if (strlen(hypervisor) >= sizeof(ref.hypervisor) || strlen(uuid) >= sizeof(ref.uuid))
        return NULL;
    memcpy(ref.hypervisor, hypervisor, strlen(hypervisor));
    memcpy(ref.uuid, uuid, strlen(uuid));
    HASH_FIND(hh, pool->entries, &ref, sizeof(ref), entry);
    return entry != NULL ? &entry->machine : NULL;
}

/* The one machine that `matches`; -ENOENT for none, -ENOTUNIQ for several. */
static int find_by_uuid(const struct pool *pool, const char *text, struct machine **ret)
{
    char uuid[UUID_TEXT_SIZE] = {0};
    struct machine *found = NULL;

    if (strlen(text) != sizeof(uuid) - 1)
        return -ENOENT;
    for (size_t i = 0; i < sizeof(uuid) - 1; i++)
        uuid[i] = (char)tolower((unsigned char)text[i]);

    for (struct machine *machine = pool_next(pool, NULL); machine != NULL; machine = pool_next(pool, machine)) {
        if (strcmp(machine->uuid, uuid) != 0)
            continue;
        if (found != NULL)
            return -ENOTUNIQ;
        found = machine;
    }
    if (found == NULL)
        return -ENOENT;
    *ret = found;
    return 0;
}

static int find_qualified(const struct pool *pool, const char *text, struct machine **ret)
{
    const char *slash = strchr(text, '/');
    const struct name *name = slash != NULL ? find_name(pool, slash + 1) : NULL;

    if (name == NULL)
        return -ENOENT;
    for (struct entry *entry = name->entries; entry != NULL; entry = entry->next_of_name)
        if (strcmp(entry->qualified, text) == 0) {
            *ret = &entry->machine;
            return 0;
        }
    return -ENOENT;
}

int pool_find_by_name(const struct pool *pool, const char *text, struct machine **ret)
{
    const struct name *name = find_name(pool, text);
    int r;

    if (name != NULL) {
        if (name->entries->next_of_name != NULL)
            return -ENOTUNIQ;
        *ret = &name->entries->machine;
        return 0;
    }
    r = find_qualified(pool, text, ret);
    return r == -ENOENT ? find_by_uuid(pool, text, ret) : r;
}

const char *pool_display_name(const struct pool *pool, const struct machine *machine)
{
    const struct name *name = find_name(pool, machine->name);

    if (name != NULL && name->entries->next_of_name == NULL)
        return machine->name;
    return entry_of(machine)->qualified;
}

struct machine *pool_next(const struct pool *pool, const struct machine *machine)
{
    struct entry *next = machine == NULL ? pool->entries : entry_of(machine)->hh.next;

    return next != NULL ? &next->machine : NULL;
}

size_t pool_count(const struct pool *pool)
{
    return HASH_COUNT(pool->entries);
}

int pool_claim(struct pool *pool, struct machine *machine, const char *recovery_id)
{
    struct entry *entry = entry_of(machine);

    (void)pool;
    if (entry->claim != NULL)
        return strcmp(entry->claim, recovery_id) == 0 ? 0 : -EBUSY;
    entry->claim = strdup(recovery_id);
    if (entry->claim == NULL)
        return -ENOMEM;
    machine->claimed_by = entry->claim;
    return 0;
}

void pool_release(struct pool *pool, struct machine *machine, const char *recovery_id)
{
    struct entry *entry = entry_of(machine);

    if (entry->claim == NULL || strcmp(entry->claim, recovery_id) != 0)
        return;
    free(entry->claim);
    entry->claim = NULL;
    machine->claimed_by = NULL;
    discard_if_unneeded(pool, entry);
}

static struct host *find_host(const struct pool *pool, const char *hypervisor)
{
    struct host *host;

    HASH_FIND_STR(pool->hosts, hypervisor, host);
    return host;
}

/* NULL without memory: what is not known of a host rules no machine out. */
static struct host *get_host(struct pool *pool, const char *hypervisor)
{
    struct host *host = find_host(pool, hypervisor);

    if (host != NULL)
        return host;
    host = calloc(1, sizeof(*host));
    if (host == NULL)
        return NULL;
    strncpy(host->name, hypervisor, sizeof(host->name) - 1);
    HASH_ADD_STR(pool->hosts, name, host);
    if (host->lost) {
        free(host);
        return NULL;
    }
    return host;
}

void pool_set_free_memory(struct pool *pool, const char *hypervisor, uint64_t free_kib)
{
    struct host *host = get_host(pool, hypervisor);

    if (host != NULL)
        host->free_kib = free_kib;
}

void pool_set_starting(struct pool *pool, struct machine *machine, bool is_starting)
{
    machine->is_starting = is_starting;
    for (struct host *host = pool->hosts; host != NULL; host = host->hh.next)
        host->starting_kib = 0;
    for (const struct machine *other = pool_next(pool, NULL); other != NULL; other = pool_next(pool, other)) {
        struct host *host =
            other->is_starting && !machine_state_is_active(other->state) ? get_host(pool, other->hypervisor) : NULL;

        if (host != NULL)
            host->starting_kib += other->description->memory_kib;
    }
}

uint64_t pool_starting_memory(const struct pool *pool, const char *hypervisor)
{
    const struct host *host = find_host(pool, hypervisor);

    return host != NULL ? host->starting_kib : 0;
}

uint64_t pool_free_memory(const struct pool *pool, const char *hypervisor)
{
    const struct host *host = find_host(pool, hypervisor);

    return host != NULL ? host->free_kib : 0;
}
