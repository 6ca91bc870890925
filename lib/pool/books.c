/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the pool derives from its machines, brought up to date for those that were edited: which of them stand by, where
 * on the shelves, which use what, what their hosts have to spare. Decides nothing.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define uthash_nonfatal_oom(element) ((element)->lost = true)
#define HASH_NONFATAL_OOM            1
#include <uthash.h>

#include "pool/entry.h"

void books_mark(struct pool *pool, struct entry *entry)
{
    number_set_add(&pool->edited, entry->machine.number);
}

static void tell(const struct pool *pool, struct entry *entry, enum pool_change change)
{
    if (change == POOL_CHANGED_CANDIDATE)
        entry->changed_us = pool->settled_us;
    if (pool->observer != NULL)
        pool->observer(pool->context, &entry->machine, change);
}

static void tell_each(const struct pool *pool, const struct entry *entry, const struct use *own, enum users users)
{
    for (struct use use = {0}; pool_sharer_next(pool, own, users, &use);)
        if (use.machine != &entry->machine)
            tell(pool, entry_of(use.machine), POOL_CHANGED_CANDIDATE);
}

/*
 * Those that use the same; one that is paused is up, and may be a candidate all the same. Many may have one image below
 * their disks: to these, what is told is only what becomes of one that writes to it.
 */
static void tell_sharers(const struct pool *pool, const struct entry *entry)
{
    for (struct use own = {0}; use_next(&entry->machine, &own);) {
        tell_each(pool, entry, &own, USERS_OWNING);
        if (!use_is_backing(&own))
            tell_each(pool, entry, &own, USERS_BACKING);
    }
}

/* ---- policies and siblings ---- */

int entry_find_policy(struct pool *pool, struct entry *entry)
{
    const struct machine *machine = &entry->machine;
    const struct diverted_service *serves = machine->serves;
    uint16_t number;
    int r = policies_find(&pool->policies, serves != NULL ? serves->original.hypervisor : machine->hypervisor,
                          machine_service_name(machine), &number);

    if (r == 0)
        entry->policy = number;
    return r;
}

const struct policy *pool_policy_at(const struct pool *pool, uint16_t number)
{
    return pool->policies.items[number < pool->policies.count ? number : 0];
}

const struct policy *pool_find_policy(struct pool *pool, const char *hypervisor, const char *name)
{
    uint16_t number;

    return policies_find(&pool->policies, hypervisor, name, &number) == 0 ? pool_policy_at(pool, number) : NULL;
}

uint16_t pool_policy_number(const struct machine *machine)
{
    return entry_of(machine)->policy;
}

const struct policy *pool_policy(const struct pool *pool, const struct machine *machine)
{
    return pool_policy_at(pool, pool_policy_number(machine));
}

void books_forget_sibling(struct pool *pool, struct entry *entry)
{
    if (entry->sibling_of > 0)
        siblings_count(&pool->siblings, entry->sibling_of, entry_host(entry)->number, -1);
    entry->sibling_of = 0;
}

/* It runs for a service that is to be kept apart from others. */
static void settle_sibling(struct pool *pool, struct entry *entry)
{
    const struct machine *machine = &entry->machine;
    bool serves = machine_is_protected(machine) && machine->keeping == KEEPING_NONE;
    unsigned own = serves ? pool_policy(pool, machine)->config->policy.apart : 0;
    unsigned group = !machine_is_up(machine) ? 0 : machine->apart > 0 ? machine->apart : own;

    if (group == entry->sibling_of)
        return;
    books_forget_sibling(pool, entry);
    /* That of a configuration that is not in force any more is none. */
    entry->sibling_of = group < pool->siblings.n_groups ? (uint16_t)group : 0;
    if (entry->sibling_of > 0)
        siblings_count(&pool->siblings, entry->sibling_of, entry_host(entry)->number, 1);
}

static int settle_policy(struct pool *pool, struct entry *entry)
{
    int r = 0;

    if (pool->policies.count == 0)
        return 0;
    r = entry_find_policy(pool, entry);
    settle_sibling(pool, entry);
    return r;
}

/* ---- one machine ---- */

static bool is_candidate(const struct machine *machine)
{
    return machine->is_present && (machine->roles & ROLE_IGNORED) == 0;
}

static void count_standing(struct pool *pool, struct entry *entry, enum standing standing)
{
    if (entry->standing < STANDING_COUNT)
        pool->standing[entry->standing]--;
    if (standing < STANDING_COUNT)
        pool->standing[standing]++;
    entry->standing = standing;
}

static void set_quarantined(struct pool *pool, struct entry *entry, bool is_quarantined)
{
    if (is_quarantined)
        number_set_add(&pool->quarantined, entry->machine.number);
    else
        number_set_remove(&pool->quarantined, entry->machine.number);
}

/* Counts the memory that its description says, or takes it back: before it is described anew. */
static void count_starting(struct entry *entry, bool is_starting)
{
    uint64_t needed_kib = domain_description_host_memory_kib(entry->machine.description);

    if (is_starting == entry->is_counted_starting)
        return;
    entry_host(entry)->starting_kib += is_starting ? needed_kib : -needed_kib;
    entry->is_counted_starting = is_starting;
}

/* Whose disks and addresses are in use. True: other machines may stand in other ways. */
static bool settle_up(struct entry *entry)
{
    const struct machine *machine = &entry->machine;
    bool is_up = machine_is_up(machine);
    bool has_changed = is_up != entry->is_up || (is_up && machine->keeping != entry->keeping);

    entry->is_up = is_up;
    return has_changed;
}

static int settle_usage(struct pool *pool, struct entry *entry)
{
    bool has_turned = settle_up(entry);
    int r = 0;

    if (entry->is_renewed) {
        r = usage_add(pool, &entry->machine);
        entry->is_renewed = r < 0;
        has_turned = true; /* what stands below its disks is kept from others even while it is off */
    }
    if (has_turned)
        tell_sharers(pool, entry);
    return r;
}

static struct shelf *shelf_of(struct pool *pool, const struct entry *entry)
{
    if (entry->standing == STANDING_COUNT || pool->policies.count == 0)
        return NULL;
    return &pool->shelves[entry->standing == STANDING_BY ? POOL_STANDING_BY : POOL_OTHERS];
}

static int settle_entry(struct pool *pool, struct entry *entry, int64_t now_us)
{
    const struct machine *machine = &entry->machine;
    enum standing standing = is_candidate(machine) ? machine_standing(machine, now_us) : STANDING_COUNT;
    bool is_other = pool->is_reconfigured || entry->is_renewed || entry->keeping != machine->keeping ||
                    entry->is_diverted != (machine->diverted != NULL);
    struct shelf *shelf;
    int r = 0;

    if (entry_host(entry)->largest_kib < machine->description->memory_kib)
        entry_host(entry)->largest_kib = machine->description->memory_kib;
    count_starting(entry, machine->is_starting && !machine_state_is_active(machine->state));
    count_standing(pool, entry, standing);
    set_quarantined(pool, entry, machine->is_present && machine_rare(machine)->quarantined_until_us > now_us);
    r = settle_policy(pool, entry);
    if (settle_usage(pool, entry) < 0)
        r = -ENOMEM;

    shelf = shelf_of(pool, entry);
    if (!shelf_is_right(shelf, machine)) {
        is_other = true;
        shelf_remove(pool->shelves, machine);
        if (shelf != NULL && r == 0)
            r = shelf_add(shelf, machine);
    }
    entry->keeping = machine->keeping;
    entry->is_diverted = machine->diverted != NULL;
    tell(pool, entry, is_other ? POOL_CHANGED_CANDIDATE : POOL_CHANGED);
    return r;
}

/* ---- all of them ---- */

/* The machines of a set: start with *at 0; NULL ends it. */
static struct entry *next_of(const struct pool *pool, const struct number_set *set, uint32_t *at)
{
    uint32_t number = number_set_next(set, *at);

    *at = number + 1;
    return number != NUMBER_NONE ? pool->entries[number] : NULL;
}

/* Of a host whose memory is another, the machines that fit no longer, or fit now, or have another place. */
static void settle_host(const struct pool *pool, struct pool_host *host)
{
    struct entry *entry;
    bool is_known;
    uint64_t spare_kib = pool_host_spare_kib(host, &is_known);
    unsigned class = pool_host_memory_class(host);
    bool has_changed =
        class != host->told_class || (spare_kib != host->told_spare_kib &&
                                      (spare_kib < host->largest_kib || host->told_spare_kib < host->largest_kib));

    host->told_spare_kib = spare_kib;
    host->told_class = class;
    if (!has_changed)
        return;
    for (uint32_t at = 0; (entry = next_of(pool, &host->machines, &at)) != NULL;)
        if (entry->standing == STANDING_BY)
            tell(pool, entry, POOL_CHANGED_CANDIDATE);
}

int pool_settle(struct pool *pool, int64_t now_us)
{
    struct entry *entry;
    int r = 0;

    pool->settled_us = now_us;
    for (uint32_t at = 0; (entry = next_of(pool, &pool->quarantined, &at)) != NULL;)
        if (machine_rare(&entry->machine)->quarantined_until_us <= now_us)
            books_mark(pool, entry);
    for (uint32_t at = 0; (entry = next_of(pool, &pool->edited, &at)) != NULL;) {
        if (settle_entry(pool, entry, now_us) < 0)
            r = -ENOMEM;
        else
            number_set_remove(&pool->edited, entry->machine.number);
    }
    for (struct pool_host *host = pool->hosts; host != NULL; host = host->hh.next)
        settle_host(pool, host);
    pool->is_reconfigured &= r < 0;
    return r;
}

int64_t pool_deadline(const struct pool *pool)
{
    int64_t deadline_us = INT64_MAX;
    const struct entry *entry;

    for (uint32_t at = 0; (entry = next_of(pool, &pool->quarantined, &at)) != NULL;)
        if (machine_rare(&entry->machine)->quarantined_until_us < deadline_us)
            deadline_us = machine_rare(&entry->machine)->quarantined_until_us;
    return deadline_us;
}

void pool_observe(struct pool *pool, pool_observer *observer, void *context)
{
    pool->observer = observer;
    pool->context = context;
}

void books_renew(struct pool *pool, struct entry *entry)
{
    tell_sharers(pool, entry); /* with some of them it may share nothing afterwards */
    usage_drop(pool, &entry->machine);
    count_starting(entry, false);
    entry->is_renewed = true;
}

void books_remove(struct pool *pool, struct entry *entry)
{
    tell(pool, entry, POOL_CHANGED_LEAVES);
    tell_sharers(pool, entry);
    shelf_remove(pool->shelves, &entry->machine);
    usage_drop(pool, &entry->machine);
    count_starting(entry, false);
    books_forget_sibling(pool, entry);
    count_standing(pool, entry, STANDING_COUNT);
    set_quarantined(pool, entry, false);
    number_set_remove(&pool->edited, entry->machine.number);
}

int books_set_rules(struct pool *pool, const struct similarity_rules *rules)
{
    for (enum pool_set set = 0; set < POOL_SET_COUNT; set++) {
        struct shelf *shelf = &pool->shelves[set];

        if (shelf->columns != NULL)
            columns_set_rules(shelf->columns, rules);
        else if (shelf_init(shelf, set, rules) < 0)
            return -ENOMEM;
    }
    return 0;
}

/* ---- to be read ---- */

uint32_t pool_siblings_on(const struct pool *pool, uint16_t group, const struct pool_host *host)
{
    return siblings_on(&pool->siblings, group, host->number);
}

bool pool_is_sibling(const struct machine *machine, uint16_t group)
{
    return group > 0 && entry_of(machine)->sibling_of == group;
}

uint64_t pool_sibling_changes(const struct pool *pool)
{
    return pool->siblings.changes;
}

const struct columns *pool_columns(const struct pool *pool, enum pool_set set)
{
    return pool->shelves[set].columns;
}

const struct cohort *pool_cohorts(const struct pool *pool, enum pool_set set, uint32_t entry)
{
    return pool->shelves[set].cohorts[entry];
}

size_t pool_standing_count(const struct pool *pool, enum standing standing)
{
    return pool->standing[standing];
}

int64_t pool_changed_us(const struct machine *machine)
{
    return entry_of(machine)->changed_us;
}

enum standing pool_standing(const struct machine *machine)
{
    return entry_of(machine)->standing;
}

bool pool_is_standing_by(const struct machine *machine)
{
    return entry_of(machine)->standing == STANDING_BY && entry_of(machine)->place.cohort != NULL;
}

const struct pool_host *pool_host_of(const struct machine *machine)
{
    return entry_host(entry_of(machine));
}

const char *pool_host_name(const struct pool_host *host)
{
    return host->name;
}

uint64_t pool_host_spare_kib(const struct pool_host *host, bool *ret_is_known)
{
    *ret_is_known = host->free_kib != 0;
    return host->free_kib > host->starting_kib ? host->free_kib - host->starting_kib : 0;
}

unsigned pool_host_memory_class(const struct pool_host *host)
{
    return host->free_kib == 0 ? 0 : 64 - (unsigned)__builtin_clzll(host->free_kib);
}
