/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A table of what may be used once at a time, writable disks and MAC addresses, and of the machines that use it or
 * would. A path is known within one hypervisor, a network source and an address on all of them. Judges no machine.
 */
#ifndef UNDERSTUDY_CHOOSE_USAGE_H
#define UNDERSTUDY_CHOOSE_USAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "model/machine.h"

/* A disk or an address of a machine. Its texts are borrowed from the machine and its description. */
struct exclusive {
    bool is_address;        /* a MAC address; else a disk */
    const char *hypervisor; /* "" for what is the same everywhere */
    const char *name;
    uint32_t hash;
};

/* One use of it, by one machine. */
struct exclusive_use {
    struct exclusive exclusive;
    const struct machine *machine;
    size_t number;   /* the caller's */
    size_t previous; /* in its bucket, from 1; 0: none */
};

/* A plain value: initialise with {0}, end with usage_done. No longer of use when a machine or a description in it is.
 */
struct usage {
    struct exclusive_use *uses;
    size_t n_uses, room;
    size_t *buckets; /* the last use in each, from 1; 0: none */
    size_t n_buckets;
};

/*
 * What a machine uses, one after the other: start with *place 0; false ends it. Disks that are read only or shareable
 * are left out.
 */
bool exclusive_next(const struct machine *machine, size_t *place, struct exclusive *ret);
bool exclusive_equal(const struct exclusive *a, const struct exclusive *b);

/* Enters all that the machine uses. -ENOMEM: it may be entered in part. */
int usage_add(struct usage *usage, const struct machine *machine, size_t number) _must_check_;
/* The uses of one of them, one after the other: start with NULL; NULL ends it. Borrowed until the next usage_add. */
const struct exclusive_use *usage_next(const struct usage *usage, const struct exclusive *exclusive,
                                       const struct exclusive_use *use);

void usage_done(struct usage *usage);

#endif
