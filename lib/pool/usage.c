/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An index of disks, addresses and devices. Judges no machine. */
#include "pool/usage.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* What a description names, before it is known whether it is in the index. */
struct key {
    enum exclusive_kind kind;
    uint32_t host;
    const char *name; /* borrowed from the description, or `address` */
    char address[MAC_TEXT_SIZE];
};

static uint32_t hash_of(const struct key *key)
{
    uint32_t hash = interned_hash_bytes((uint32_t)key->kind, key->name, strlen(key->name));

    return interned_hash(hash, &key->host, 1);
}

static bool is_key(const void *usage, uint32_t id, const void *wanted)
{
    const struct exclusive *exclusive = &((const struct usage *)usage)->items[id];
    const struct key *key = wanted;

    return exclusive->kind == key->kind && exclusive->host == key->host && strcmp(exclusive->name, key->name) == 0;
}

static bool begins_with(const char *name, const char *prefix)
{
    return strncmp(name, prefix, strlen(prefix)) == 0;
}

/* A network source is the same on all hosts; a local NVMe controller, which libvirt writes as a network source, is not. */
static bool is_on_host(const struct disk *disk)
{
    return disk->source[0] == '/' || disk->pool != NULL || begins_with(disk->source, "nvme:");
}

/* What a machine uses, one after the other: start with *place 0; false ends it. */
static bool next_key(const struct machine *machine, uint32_t host, uint32_t *place, struct key *ret)
{
    const struct domain_description *description = machine->description;
    uint32_t n_addresses = description->n_disks + description->n_macs, at;

    while (*place < description->n_disks) {
        const struct disk *disk = &description->disks[(*place)++];

        if (!disk->writable || disk->shareable)
            continue;
        *ret = (struct key){EXCLUSIVE_DISK, is_on_host(disk) ? host : 0, disk->source, ""};
        return true;
    }
    at = (*place)++;
    if (at < n_addresses) {
        *ret = (struct key){.kind = EXCLUSIVE_ADDRESS};
        mac_format(description->macs[at - description->n_disks], ret->address);
        ret->name = ret->address;
        return true;
    }
    if (at - n_addresses >= description->n_hostdevs)
        return false;
    *ret = (struct key){.kind = EXCLUSIVE_DEVICE, .name = description->hostdevs[at - n_addresses]};
    ret->host = begins_with(ret->name, "scsi iscsi:") ? 0 : host;
    return true;
}

static uint32_t count_keys(const struct machine *machine, uint32_t host)
{
    struct key key;
    uint32_t count = 0;

    for (uint32_t place = 0; next_key(machine, host, &place, &key);)
        count++;
    return count;
}

/* ---- users of one ---- */

static struct use **first_user(struct usage *usage, const struct use *use, bool is_up)
{
    struct exclusive *exclusive = &usage->items[use->exclusive];

    return is_up ? &exclusive->up : &exclusive->off;
}

static void link_use(struct usage *usage, struct use *use, bool is_up)
{
    struct use **first = first_user(usage, use, is_up);

    use->previous = NULL;
    use->next = *first;
    if (*first != NULL)
        (*first)->previous = use;
    *first = use;
}

static void unlink_use(struct usage *usage, struct use *use, bool is_up)
{
    if (use->next != NULL)
        use->next->previous = use->previous;
    if (use->previous != NULL)
        use->previous->next = use->next;
    else
        *first_user(usage, use, is_up) = use->next;
}

/* ---- the index ---- */

static int reserve(struct usage *usage)
{
    struct exclusive *items;

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

static int find_or_add(struct usage *usage, const struct key *key, uint32_t *ret)
{
    uint32_t hash = hash_of(key), id = interned_find(&usage->index, hash, is_key, usage, key);
    const char *name = key->name;

    if (id == INTERNED_NONE) {
        if (reserve(usage) < 0)
            return -ENOMEM;
        if (key->kind == EXCLUSIVE_ADDRESS)
            name = strdup(key->address);
        if (name == NULL)
            return -ENOMEM;
        id = interned_take(&usage->index, hash);
        usage->items[id] = (struct exclusive){.kind = key->kind, .host = key->host, .name = name};
    }
    *ret = id;
    return 0;
}

/* The one that leaves may have lent its name. */
static void borrow_name(struct exclusive *exclusive)
{
    const struct use *use = exclusive->up != NULL ? exclusive->up : exclusive->off;
    uint32_t place = use->place;
    struct key key;

    if (exclusive->kind != EXCLUSIVE_ADDRESS && next_key(use->machine, 0, &place, &key))
        exclusive->name = key.name;
}

static void leave(struct usage *usage, struct use *use, bool is_up)
{
    struct exclusive *exclusive = &usage->items[use->exclusive];

    unlink_use(usage, use, is_up);
    if (exclusive->up != NULL || exclusive->off != NULL) {
        borrow_name(exclusive);
        return;
    }
    if (exclusive->kind == EXCLUSIVE_ADDRESS)
        free((char *)exclusive->name);
    exclusive->name = NULL;
    interned_drop(&usage->index, use->exclusive);
}

void usage_drop(struct usage *usage, struct uses *uses)
{
    for (uint32_t i = 0; i < uses->count; i++)
        leave(usage, &uses->items[i], uses->is_up);
    free(uses->items);
    *uses = (struct uses){.is_up = uses->is_up};
}

int usage_add(struct usage *usage, const struct machine *machine, uint32_t host, struct uses *uses)
{
    uint32_t n = count_keys(machine, host), place = 0;
    struct key key;

    if (n == 0)
        return 0;
    uses->items = calloc(n, sizeof(*uses->items));
    if (uses->items == NULL)
        return -ENOMEM;
    for (; next_key(machine, host, &place, &key); uses->count++) {
        struct use *use = &uses->items[uses->count];

        use->machine = machine;
        use->place = place - 1;
        if (find_or_add(usage, &key, &use->exclusive) < 0) {
            usage_drop(usage, uses);
            return -ENOMEM;
        }
        link_use(usage, use, uses->is_up);
    }
    return 0;
}

void usage_set_up(struct usage *usage, struct uses *uses, bool is_up)
{
    if (uses->is_up == is_up)
        return;
    for (uint32_t i = 0; i < uses->count; i++) {
        unlink_use(usage, &uses->items[i], uses->is_up);
        link_use(usage, &uses->items[i], is_up);
    }
    uses->is_up = is_up;
}

void usage_done(struct usage *usage)
{
    interned_done(&usage->index);
    free(usage->items);
    *usage = USAGE_EMPTY;
}
