/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Finds the id of a key that is already there, and hands out ids for new ones. The keys and how
 * often each is used are the caller's.
 */
#ifndef UNDERSTUDY_BASE_INTERNED_H
#define UNDERSTUDY_BASE_INTERNED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

#define INTERNED_NONE UINT32_MAX

struct interned_slot {
    uint32_t hash;
    uint32_t next; /* in its bucket, or among the free ones; INTERNED_NONE: the last */
};

/* A plain value: initialise with INTERNED_EMPTY, end with interned_done. Grows by one bucket a key (linear hashing). */
struct interned {
    uint32_t *buckets;
    size_t n_buckets, bucket_room;
    struct interned_slot *slots;
    size_t n_slots, slot_room; /* every id is below n_slots, and below slot_room until the next interned_reserve */
    uint32_t free;
    size_t n_used;
};

#define INTERNED_EMPTY ((struct interned){.free = INTERNED_NONE})

void interned_done(struct interned *interned);

uint32_t interned_hash(uint32_t hash, const uint32_t *words, size_t n);
uint32_t interned_hash_bytes(uint32_t hash, const void *bytes, size_t size);

/* The id whose hash is this and whose key is_key says it is, or INTERNED_NONE. */
uint32_t interned_find(const struct interned *interned, uint32_t hash,
                       bool (*is_key)(const void *context, uint32_t id, const void *key), const void *context,
                       const void *key);

/* The ids of a hash: start with INTERNED_NONE, which ends it. The keys of some of them may be equal, if the caller wants. */
uint32_t interned_next_of(const struct interned *interned, uint32_t hash, uint32_t id);
uint32_t interned_hash_of(const struct interned *interned, uint32_t id);

/* Makes room for one key. -ENOMEM leaves everything as it was. */
int interned_reserve(struct interned *interned) _must_check_;
/* The id that interned_take will hand out; only after interned_reserve. */
uint32_t interned_next(const struct interned *interned);
/* Takes an id for a new key, one that was dropped before a new one. Only after interned_reserve. */
uint32_t interned_take(struct interned *interned, uint32_t hash);
void interned_drop(struct interned *interned, uint32_t id);

/* For ids that the caller hands out, small ones: only interned_put and interned_remove, and before interned_put this. */
int interned_reserve_id(struct interned *interned, uint32_t id) _must_check_;
void interned_put(struct interned *interned, uint32_t id, uint32_t hash);
void interned_remove(struct interned *interned, uint32_t id);

#endif
