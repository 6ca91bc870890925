/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An index of the uses of disks, addresses and devices. Judges no machine. */
#include "pool/usage.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "pool/entry.h"

/* What is used once, by what it is recognised. */
struct key {
    enum exclusive_kind kind;
    const char *within; /* a hypervisor; "": it is the same everywhere */
    const void *name;   /* borrowed from the description: a text, or the bytes of an address or UUID */
    size_t size;
};

static bool begins_with(const char *name, const char *prefix)
{
    return strncmp(name, prefix, strlen(prefix)) == 0;
}

/* A network source is the same on all hosts; a local NVMe controller and a Unix socket, which are written as one, are not. */
static bool is_on_host(const struct disk *disk)
{
    if (disk->is_networked || disk->is_declared)
        return false;
    return disk_identity(disk)[0] == '/' || disk_pool(disk) != NULL || begins_with(disk->source, "nvme:") ||
           strstr(disk->source, "@/") != NULL;
}

static struct key text_key(enum exclusive_kind kind, const char *within, const char *name)
{
    return (struct key){kind, within, name, strlen(name)};
}

/* Disks come first, and the images below them, then addresses, then devices, then the machine itself. */
static struct key key_at(const struct machine *machine, uint32_t place)
{
    const struct domain_description *description = machine->description;
    const struct disk *disk;
    const char *device;

    if (place < description->n_disks) {
        disk = &description->disks[place];
        return text_key(EXCLUSIVE_DISK, is_on_host(disk) ? machine->hypervisor : "", disk_identity(disk));
    }
    place -= description->n_disks;
    if (place < description->n_macs)
        return (struct key){EXCLUSIVE_ADDRESS, "", description->macs[place], MAC_SIZE};
    place -= description->n_macs;
    if (place == description->n_hostdevs)
        return (struct key){EXCLUSIVE_IDENTITY, "", description->uuid, UUID_SIZE};
    device = description->hostdevs[place];
    return text_key(EXCLUSIVE_DEVICE, begins_with(device, "scsi iscsi:") ? "" : machine->hypervisor, device);
}

static uint32_t count_places(const struct domain_description *description)
{
    return description->n_disks + description->n_macs + description->n_hostdevs + 1;
}

/* Only one running machine may have what is named there, or write to it. */
static bool is_exclusive(const struct domain_description *description, uint32_t place)
{
    const struct disk *disk = &description->disks[place];

    return place >= description->n_disks || (disk->writable && !disk->shareable) || disk->is_backing;
}

bool use_is_backing(const struct use *use)
{
    const struct domain_description *description = use->machine->description;

    return use->place < description->n_disks && description->disks[use->place].is_backing;
}

/* Many may have one image below their disks: these are found apart from those that write to it. */
static uint32_t hash_of(const struct key *key, enum users users)
{
    uint32_t hash = interned_hash_bytes((uint32_t)key->kind, key->name, key->size);

    return interned_hash_bytes(hash, key->within, strlen(key->within)) ^ (uint32_t)users;
}

static enum users users_of(const struct use *use)
{
    return use_is_backing(use) ? USERS_BACKING : USERS_OWNING;
}

bool use_is_of_same(const struct use *a, const struct use *b)
{
    struct key left = key_at(a->machine, a->place), right = key_at(b->machine, b->place);

    return left.kind == right.kind && left.size == right.size && memcmp(left.name, right.name, left.size) == 0 &&
           strcmp(left.within, right.within) == 0;
}

enum exclusive_kind use_kind(const struct use *use)
{
    return key_at(use->machine, use->place).kind;
}

const char *use_name(const struct use *use, char buffer[static USE_NAME_SIZE])
{
    struct key key = key_at(use->machine, use->place);

    switch (key.kind) {
    case EXCLUSIVE_DISK:
        return use->machine->description->disks[use->place].source;
    case EXCLUSIVE_ADDRESS:
        mac_format(key.name, buffer);
        return buffer;
    case EXCLUSIVE_IDENTITY:
        uuid_format(key.name, buffer);
        return buffer;
    case EXCLUSIVE_DEVICE:
    default:
        return key.name;
    }
}

bool use_next(const struct machine *machine, struct use *use)
{
    uint32_t place = use->machine != NULL ? use->place + 1 : 0, end = count_places(machine->description);

    while (place < end && !is_exclusive(machine->description, place))
        place++;
    *use = place < end ? (struct use){.machine = machine, .place = place} : (struct use){0};
    return place < end;
}

/* ---- the index ---- */

/* The machine itself is in the index of the pool. */
static bool next_place(const struct machine *machine, struct use *use)
{
    return use_next(machine, use) && use_kind(use) != EXCLUSIVE_IDENTITY;
}

static uint32_t hash_of_use(const struct use *use)
{
    struct key key = key_at(use->machine, use->place);

    return hash_of(&key, users_of(use));
}

static int reserve(struct usage *usage)
{
    struct usage_item *items;

    if (interned_reserve(&usage->index) < 0)
        return -ENOMEM;
    if (usage->index.slot_room <= usage->room)
        return 0;
    items = reallocarray(usage->items, usage->index.slot_room, sizeof(*items));
    if (items == NULL)
        return -ENOMEM;
    usage->items = items;
    usage->room = usage->index.slot_room;
    return 0;
}

static bool is_item(const void *context, uint32_t id, const void *key)
{
    const struct usage_item *item = &((const struct usage *)context)->items[id];
    const struct use *use = key;

    return item->machine == use->machine->number && item->place == use->place;
}

void usage_drop(struct pool *pool, const struct machine *machine)
{
    struct usage *usage = &pool->usage;

    entry_of(machine)->may_share = false;
    for (struct use use = {0}; next_place(machine, &use);) {
        uint32_t at = interned_find(&usage->index, hash_of_use(&use), is_item, usage, &use);

        if (at != INTERNED_NONE)
            interned_drop(&usage->index, at);
    }
}

/* Of most machines no other has a use of the same: it is noted of those that it may be so of. */
static void note_sharing(const struct pool *pool, const struct machine *a, uint32_t b)
{
    if (a->number == b)
        return;
    entry_of(a)->may_share = true;
    pool->entries[b]->may_share = true;
}

static void note_sharers(const struct pool *pool, const struct use *use)
{
    const struct usage *usage = &pool->usage;
    struct key key = key_at(use->machine, use->place);

    for (enum users users = USERS_OWNING; users <= USERS_BACKING; users++) {
        uint32_t hash = hash_of(&key, users), at = INTERNED_NONE;

        while ((at = interned_next_of(&usage->index, hash, at)) != INTERNED_NONE)
            note_sharing(pool, use->machine, usage->items[at].machine);
    }
}

static void note_twins(const struct pool *pool, const struct machine *machine)
{
    uint32_t hash = interned_hash_of(&pool->index, machine->number), at = INTERNED_NONE;

    while ((at = interned_next_of(&pool->index, hash, at)) != INTERNED_NONE)
        if (entry_is_known(pool->entries[at]))
            note_sharing(pool, machine, at);
}

int usage_add(struct pool *pool, const struct machine *machine)
{
    struct usage *usage = &pool->usage;

    for (struct use use = {0}; next_place(machine, &use);) {
        uint32_t at;

        if (reserve(usage) < 0) {
            usage_drop(pool, machine);
            return -ENOMEM;
        }
        at = interned_take(&usage->index, hash_of_use(&use));
        usage->items[at] = (struct usage_item){machine->number, use.place};
        note_sharers(pool, &use);
    }
    note_twins(pool, machine);
    return 0;
}

void usage_done(struct usage *usage)
{
    interned_done(&usage->index);
    free(usage->items);
    *usage = USAGE_EMPTY;
}

/* ---- to be read ---- */

/* Machines of the same UUID on other hosts. */
static bool next_twin(const struct pool *pool, const struct use *use, struct use *twin)
{
    uint32_t hash = interned_hash_of(&pool->index, use->machine->number);
    uint32_t at = twin->machine != NULL ? twin->at : INTERNED_NONE;

    while ((at = interned_next_of(&pool->index, hash, at)) != INTERNED_NONE) {
        const struct entry *other = pool->entries[at];

        if (!entry_is_known(other) || &other->machine == use->machine)
            continue;
        *twin = (struct use){&other->machine, count_places(other->machine.description) - 1, at};
        if (use_is_of_same(use, twin))
            return true;
    }
    *twin = (struct use){0};
    return false;
}

bool pool_sharer_next(const struct pool *pool, const struct use *use, enum users users, struct use *sharer)
{
    const struct usage *usage = &pool->usage;
    struct key key;
    uint32_t hash, at = sharer->machine != NULL ? sharer->at : INTERNED_NONE;

    if (!entry_of(use->machine)->may_share)
        return false;
    key = key_at(use->machine, use->place);
    if (key.kind == EXCLUSIVE_IDENTITY && users == USERS_OWNING)
        return next_twin(pool, use, sharer);
    hash = hash_of(&key, users);
    while ((at = interned_next_of(&usage->index, hash, at)) != INTERNED_NONE) {
        *sharer = (struct use){&pool->entries[usage->items[at].machine]->machine, usage->items[at].place, at};
        if (sharer->machine != use->machine && users_of(sharer) == users && use_is_of_same(use, sharer))
            return true;
    }
    *sharer = (struct use){0};
    return false;
}
