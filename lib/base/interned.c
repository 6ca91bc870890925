/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A hash table of ids. One more key splits one bucket, so that no addition ever moves all keys at once. Knows nothing of
 * what the keys mean.
 */
#include "base/interned.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void interned_done(struct interned *interned)
{
    free(interned->buckets);
    free(interned->slots);
    *interned = INTERNED_EMPTY;
}

/* As murmur3_32 mixes. */
uint32_t interned_hash(uint32_t hash, const uint32_t *words, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint32_t k = words[i] * UINT32_C(0xcc9e2d51);

        k = (k << 15 | k >> 17) * UINT32_C(0x1b873593);
        hash ^= k;
        hash = (hash << 13 | hash >> 19) * 5 + UINT32_C(0xe6546b64);
    }
    hash ^= hash >> 16;
    hash *= UINT32_C(0x85ebca6b);
    hash ^= hash >> 13;
    hash *= UINT32_C(0xc2b2ae35);
    return hash ^ hash >> 16;
}

uint32_t interned_hash_bytes(uint32_t hash, const void *bytes, size_t size)
{
    for (size_t at = 0; at < size; at += sizeof(uint32_t)) {
        uint32_t word = 0;

        memcpy(&word, (const char *)bytes + at, size - at < sizeof(word) ? size - at : sizeof(word));
        hash = interned_hash(hash, &word, 1);
    }
    return hash;
}

/* The largest power of two that is at most n; n is not 0. */
static size_t power_below(size_t n)
{
    return (size_t)1 << (63 - __builtin_clzll(n));
}

static size_t bucket_of(const struct interned *interned, uint32_t hash)
{
    size_t power = power_below(interned->n_buckets), bucket = hash & (2 * power - 1);

    return bucket < interned->n_buckets ? bucket : bucket - power;
}

uint32_t interned_next_of(const struct interned *interned, uint32_t hash, uint32_t id)
{
    if (id != INTERNED_NONE)
        id = interned->slots[id].next;
    else if (interned->n_buckets > 0)
        id = interned->buckets[bucket_of(interned, hash)];
    while (id != INTERNED_NONE && interned->slots[id].hash != hash)
        id = interned->slots[id].next;
    return id;
}

uint32_t interned_hash_of(const struct interned *interned, uint32_t id)
{
    return interned->slots[id].hash;
}

uint32_t interned_find(const struct interned *interned, uint32_t hash,
                       bool (*is_key)(const void *context, uint32_t id, const void *key), const void *context,
                       const void *key)
{
    uint32_t id = INTERNED_NONE;

    while ((id = interned_next_of(interned, hash, id)) != INTERNED_NONE)
        if (is_key(context, id, key))
            break;
    return id;
}

uint32_t interned_next(const struct interned *interned)
{
    return interned->free != INTERNED_NONE ? interned->free : (uint32_t)interned->n_slots;
}

/* Little of it is empty: there are such arrays for everything that a machine has. */
static size_t larger(size_t room)
{
    return room + room / 4 + 16;
}

int interned_reserve_id(struct interned *interned, uint32_t id)
{
    if (interned->bucket_room <= interned->n_buckets + 1) {
        size_t room = larger(interned->bucket_room);
        uint32_t *buckets = reallocarray(interned->buckets, room, sizeof(*buckets));

        if (buckets == NULL)
            return -ENOMEM;
        interned->buckets = buckets;
        interned->bucket_room = room;
    }
    if (id >= interned->slot_room) {
        size_t room = larger(id);
        struct interned_slot *slots;

        if (room > INTERNED_NONE)
            return -ENOMEM;
        slots = reallocarray(interned->slots, room, sizeof(*slots));
        if (slots == NULL)
            return -ENOMEM;
        interned->slots = slots;
        interned->slot_room = room;
    }
    return 0;
}

int interned_reserve(struct interned *interned)
{
    return interned_reserve_id(interned, interned_next(interned));
}

static void chain(struct interned *interned, uint32_t id)
{
    uint32_t *bucket = &interned->buckets[bucket_of(interned, interned->slots[id].hash)];

    interned->slots[id].next = *bucket;
    *bucket = id;
}

/* Deals the ids of the bucket that the new one halves out anew. */
static void add_bucket(struct interned *interned)
{
    size_t added = interned->n_buckets++;
    uint32_t id = INTERNED_NONE;

    interned->buckets[added] = INTERNED_NONE;
    if (added > 0) {
        size_t halved = added - power_below(added);

        id = interned->buckets[halved];
        interned->buckets[halved] = INTERNED_NONE;
    }
    while (id != INTERNED_NONE) {
        uint32_t next = interned->slots[id].next;

        chain(interned, id);
        id = next;
    }
}

void interned_put(struct interned *interned, uint32_t id, uint32_t hash)
{
    if (id >= interned->n_slots)
        interned->n_slots = (size_t)id + 1;
    if (interned->n_used++ >= interned->n_buckets)
        add_bucket(interned);
    interned->slots[id].hash = hash;
    chain(interned, id);
}

uint32_t interned_take(struct interned *interned, uint32_t hash)
{
    uint32_t id = interned_next(interned);

    if (interned->free != INTERNED_NONE)
        interned->free = interned->slots[id].next;
    interned_put(interned, id, hash);
    return id;
}

void interned_remove(struct interned *interned, uint32_t id)
{
    uint32_t *place = &interned->buckets[bucket_of(interned, interned->slots[id].hash)];

    while (*place != id)
        place = &interned->slots[*place].next;
    *place = interned->slots[id].next;
    interned->n_used--;
}

void interned_drop(struct interned *interned, uint32_t id)
{
    interned_remove(interned, id);
    interned->slots[id].next = interned->free;
    interned->free = id;
}
