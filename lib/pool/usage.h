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

#define USE_NONE INTERNED_NONE

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

/* One machine's use of one thing, which its description names at this place. */
struct use {
    const struct machine *machine;
    uint32_t place;
    uint32_t next; /* of the same machine; USE_NONE: it is the last */
};

/* A plain value: initialise with USAGE_EMPTY, end with usage_done. */
struct usage {
    struct interned index; /* of uses, by what they use: several may use the same */
    struct use *uses;
    size_t room;
};

#define USAGE_EMPTY ((struct usage){.index = INTERNED_EMPTY})

void usage_done(struct usage *usage);

/*
 * What the machine's description names; disks that are read only or shareable are left out. The description is not freed
 * before usage_drop. *first becomes the number of the first; USE_NONE: it uses nothing. -ENOMEM changes nothing.
 */
int usage_add(struct usage *usage, const struct machine *machine, uint32_t *first) _must_check_;
/* All from the first on. */
void usage_drop(struct usage *usage, uint32_t *first);

/* The uses of a machine, by the first of them: start with NULL; NULL ends it. */
const struct use *usage_next(const struct usage *usage, uint32_t first, const struct use *use);
/* Other uses of the same, be the machines up or not: start with NULL; NULL ends it. */
const struct use *usage_next_sharer(const struct usage *usage, const struct use *use, enum users users,
                                    const struct use *sharer);

/* The image stands below a disk, and is read only as long as nothing else writes to it. */
bool use_is_backing(const struct use *use);
bool use_is_of_same(const struct use *a, const struct use *b);
enum exclusive_kind use_kind(const struct use *use);
/* As people write it: borrowed from the description, or an address in `buffer`. */
const char *use_name(const struct use *use, char buffer[static MAC_TEXT_SIZE]);

#endif
