/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A hash of disks and addresses that copies no text: it is made, asked and thrown away within one look at the pool. */
#include "choose/usage.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_ROOM 64

/* Eight characters at a time, by a multiplication that spreads them upwards and a shift that brings them down again. */
static uint64_t hash_text(uint64_t hash, const char *text)
{
    size_t left = strlen(text);

    while (left > 0) {
        size_t size = left < sizeof(uint64_t) ? left : sizeof(uint64_t);
        uint64_t word = 0;

        memcpy(&word, text, size);
        hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
        hash ^= hash >> 32;
        text += size;
        left -= size;
    }
    return hash;
}

static struct exclusive make_exclusive(bool is_address, const char *hypervisor, const char *name)
{
    return (struct exclusive){
        .is_address = is_address,
        .hypervisor = hypervisor,
        .name = name,
        .hash = (uint32_t)hash_text(hash_text(1, name), hypervisor),
    };
}

bool exclusive_equal(const struct exclusive *a, const struct exclusive *b)
{
    return a->hash == b->hash && a->is_address == b->is_address && strcmp(a->name, b->name) == 0 &&
           strcmp(a->hypervisor, b->hypervisor) == 0;
}

bool exclusive_next(const struct machine *machine, size_t *place, struct exclusive *ret)
{
    const struct domain_description *description = machine->description;

    while (*place < description->n_disks) {
        const struct disk *disk = &description->disks[(*place)++];
        bool is_on_host = disk->source[0] == '/' || disk->pool != NULL;

        if (!disk->writable || disk->shareable)
            continue;
        *ret = make_exclusive(false, is_on_host ? machine->hypervisor : "", disk->source);
        return true;
    }
    if (*place - description->n_disks >= description->n_macs)
        return false;
    *ret = make_exclusive(true, "", description->macs[(*place)++ - description->n_disks]);
    return true;
}

static void enter(struct usage *usage, size_t number)
{
    struct exclusive_use *use = &usage->uses[number];
    size_t *bucket = &usage->buckets[use->exclusive.hash % usage->n_buckets];

    use->previous = *bucket;
    *bucket = number + 1;
}

/* As many buckets as there is room for uses, and everything entered anew. */
static int grow(struct usage *usage)
{
    size_t room = usage->room > 0 ? 2 * usage->room : FIRST_ROOM;
    size_t *buckets = calloc(room, sizeof(*buckets));
    struct exclusive_use *uses = buckets != NULL ? reallocarray(usage->uses, room, sizeof(*uses)) : NULL;

    if (uses == NULL) {
        free(buckets);
        return -ENOMEM;
    }
    free(usage->buckets);
    usage->buckets = buckets;
    usage->n_buckets = usage->room = room;
    usage->uses = uses;
    for (size_t i = 0; i < usage->n_uses; i++)
        enter(usage, i);
    return 0;
}

int usage_add(struct usage *usage, const struct machine *machine, size_t number)
{
    struct exclusive_use use = {.machine = machine, .number = number};
    size_t place = 0;

    while (exclusive_next(machine, &place, &use.exclusive)) {
        int r = usage->n_uses < usage->room ? 0 : grow(usage);

        if (r < 0)
            return r;
        usage->uses[usage->n_uses] = use;
        enter(usage, usage->n_uses++);
    }
    return 0;
}

const struct exclusive_use *usage_next(const struct usage *usage, const struct exclusive *exclusive,
                                       const struct exclusive_use *use)
{
    size_t next;

    if (usage->n_uses == 0)
        return NULL;
    next = use != NULL ? use->previous : usage->buckets[exclusive->hash % usage->n_buckets];
    for (; next != 0; next = usage->uses[next - 1].previous)
        if (exclusive_equal(&usage->uses[next - 1].exclusive, exclusive))
            return &usage->uses[next - 1];
    return NULL;
}

void usage_done(struct usage *usage)
{
    free(usage->uses);
    free(usage->buckets);
    *usage = (struct usage){0};
}
