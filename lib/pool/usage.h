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
};

/* One of them, and the machines that have it in their definitions. */
struct exclusive {
    enum exclusive_kind kind;
    uint32_t host;        /* its number; 0: it is the same everywhere */
    const char *name;     /* borrowed from a description that names it, but for an address, whose text is its own */
    struct use *up, *off; /* of machines that are up, and of the others */
};

/* A plain value: initialise with USAGE_EMPTY, end with usage_done. */
struct usage {
    struct interned index;
    struct exclusive *items;
    size_t room;
};

#define USAGE_EMPTY ((struct usage){.index = INTERNED_EMPTY})

/* One machine's use of one of them. */
struct use {
    const struct machine *machine;
    uint32_t exclusive;
    uint32_t place;              /* in the description */
    struct use *next, *previous; /* among the users that are up, or among the others */
};

/* All of one machine. */
struct uses {
    struct use *items;
    uint32_t count;
    bool is_up;
};

void usage_done(struct usage *usage);

/*
 * What the machine's description names; disks that are read only or shareable are left out. The description is not freed
 * before usage_drop. *uses is empty, host: number of its host, not 0. -ENOMEM changes nothing.
 */
int usage_add(struct usage *usage, const struct machine *machine, uint32_t host, struct uses *uses) _must_check_;
/* The machine that has these is up, or is not. */
void usage_set_up(struct usage *usage, struct uses *uses, bool is_up);
void usage_drop(struct usage *usage, struct uses *uses);

static inline const struct exclusive *usage_of(const struct usage *usage, const struct use *use)
{
    return &usage->items[use->exclusive];
}

#endif
