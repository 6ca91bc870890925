/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An index of the uses of disks, addresses and devices. Judges no machine. */
#include "pool/usage.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* What is used once, by what it is recognised. */
struct key {
    enum exclusive_kind kind;
    const char *within; /* a hypervisor; "": it is the same everywhere */
    const void *name;   /* borrowed from the description: a text, or the bytes of an address */
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
        return text_key(EXCLUSIVE_IDENTITY, "", description->uuid);
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

const char *use_name(const struct use *use, char buffer[static MAC_TEXT_SIZE])
{
    const struct domain_description *description = use->machine->description;
    struct key key = key_at(use->machine, use->place);

    if (key.kind == EXCLUSIVE_DISK)
        return description->disks[use->place].source;
    if (key.kind != EXCLUSIVE_ADDRESS)
        return key.name;
    mac_format(key.name, buffer);
    return buffer;
}

/* ---- the index ---- */

static int reserve(struct usage *usage)
{
    struct use *uses;

    if (interned_reserve(&usage->index) < 0)
        return -ENOMEM;
    if (usage->index.slot_room <= usage->room)
        return 0;
    uses = reallocarray(usage->uses, usage->index.slot_room, sizeof(*uses));
    if (uses == NULL)
        return -ENOMEM;
    usage->uses = uses;
    usage->room = usage->index.slot_room;
    return 0;
}

void usage_drop(struct usage *usage, uint32_t *first)
{
    while (*first != USE_NONE) {
        uint32_t next = usage->uses[*first].next;

        interned_drop(&usage->index, *first);
        *first = next;
    }
}

/* From the last place to the first, so that they are in the order of the description. */
int usage_add(struct usage *usage, const struct machine *machine, uint32_t *first)
{
    *first = USE_NONE;
    for (uint32_t place = count_places(machine->description); place-- > 0;) {
        struct key key = key_at(machine, place);
        struct use use;
        uint32_t number;

        if (!is_exclusive(machine->description, place))
            continue;
        if (reserve(usage) < 0) {
            usage_drop(usage, first);
            return -ENOMEM;
        }
        use = (struct use){machine, place, *first};
        number = interned_take(&usage->index, hash_of(&key, users_of(&use)));
        usage->uses[number] = use;
        *first = number;
    }
    return 0;
}

void usage_done(struct usage *usage)
{
    interned_done(&usage->index);
    free(usage->uses);
    *usage = USAGE_EMPTY;
}

/* ---- to be read ---- */

const struct use *usage_next(const struct usage *usage, uint32_t first, const struct use *use)
{
    uint32_t number = use == NULL ? first : use->next;

    return number != USE_NONE ? &usage->uses[number] : NULL;
}

const struct use *usage_next_sharer(const struct usage *usage, const struct use *use, enum users users,
                                    const struct use *sharer)
{
    uint32_t own = (uint32_t)(use - usage->uses);
    uint32_t hash = interned_hash_of(&usage->index, own) ^ (uint32_t)users_of(use) ^ (uint32_t)users;
    uint32_t at = sharer != NULL ? (uint32_t)(sharer - usage->uses) : INTERNED_NONE;

    while ((at = interned_next_of(&usage->index, hash, at)) != INTERNED_NONE)
        if (at != own && users_of(&usage->uses[at]) == users && use_is_of_same(use, &usage->uses[at]))
            return &usage->uses[at];
    return NULL;
}
