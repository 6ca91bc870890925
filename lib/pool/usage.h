/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What may be used once at a time, writable disks, MAC addresses and host devices, and the machines that use it or
 * would. A path and a device are known within one host, a network source and an address on all of them.
 */
#ifndef UNDERSTUDY_POOL_USAGE_H
#define UNDERSTUDY_POOL_USAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/interned.h"
#include "model/machine.h"

enum exclusive_kind {
    EXCLUSIVE_DISK,
    EXCLUSIVE_ADDRESS,
    EXCLUSIVE_DEVICE,
    EXCLUSIVE_IDENTITY, /* its UUID: of the same machine on two hosts one may be up */
};

/* Whose uses: of those that have it for themselves, or of those that have it below a disk, and do not write to it. */
enum users {
    USERS_OWNING,
    USERS_BACKING,
};

/* One machine's use of one thing, which its description names at this place; holds as long as the description does. */
struct use {
    const struct machine *machine; /* NULL: none */
    uint32_t place;
    uint32_t at; /* where the search is that found it */
};

/* In the index: a machine, by its number, and a place in its description. */
struct usage_item {
    uint32_t machine, place;
};

/* Of all machines of a pool, by what they use. A plain value: initialise with USAGE_EMPTY, end with usage_done. */
struct usage {
    struct interned index; /* several may use the same */
    struct usage_item *items;
    size_t room;
};

#define USAGE_EMPTY ((struct usage){.index = INTERNED_EMPTY})

struct pool;

void usage_done(struct usage *usage);

/*
 * What the machine's description names from now on is in the index of its pool; disks that are read only or shareable are
 * left out. The description is not freed, and its disks are not declared otherwise, before usage_drop. -ENOMEM: none of it
 * is there.
 */
int usage_add(struct pool *pool, const struct machine *machine) _must_check_;
/* Nothing of it is any more, whether it was or not. */
void usage_drop(struct pool *pool, const struct machine *machine);

/* The uses of a machine: start with {0}; false ends it. */
bool use_next(const struct machine *machine, struct use *use);

/* The image stands below a disk, and is read only as long as nothing else writes to it. */
bool use_is_backing(const struct use *use);
bool use_is_of_same(const struct use *a, const struct use *b);
enum exclusive_kind use_kind(const struct use *use);
#define USE_NAME_SIZE UUID_TEXT_SIZE
/* As people write it: borrowed from the description, or an address or UUID in `buffer`. */
const char *use_name(const struct use *use, char buffer[static USE_NAME_SIZE]);

#endif
