/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Inside lib/pool: the pool, and a machine with what is derived from it. */
#ifndef UNDERSTUDY_POOL_ENTRY_H
#define UNDERSTUDY_POOL_ENTRY_H

#include <uthash.h>

#include "base/number_set.h"
#include "pool/facts_table.h"
#include "pool/pool.h"
#include "pool/shelf.h"
#include "pool/usage.h"

/* A hypervisor, and what its host has. */
struct pool_host {
    char name[HYPERVISOR_NAME_SIZE];
    uint32_t number;       /* from 1 */
    uint64_t free_kib;     /* as its last listing said; 0: not known */
    uint64_t starting_kib; /* needed by machines on their way up */
    uint64_t largest_kib;  /* no machine there ever needed more */
    uint64_t told_spare_kib;
    unsigned told_class;        /* both as observers last knew them */
    struct number_set machines; /* by number */
    bool lost;                  /* uthash had no memory to add it */
    UT_hash_handle hh;
};

/* machine comes first: a machine handed out is its entry. */
struct entry {
    struct machine machine;
    struct pool_host *host;
    char *qualified; /* "hypervisor/name"; NULL: nothing asked for it */
    unsigned holds;

    /* As of the last time that the pool's books were brought up to date. */
    bool is_renewed; /* its disks or addresses are others */
    bool is_up, is_diverted;
    uint8_t standing, keeping; /* of their enums */
    uint64_t starting_kib;
    int64_t changed_us; /* as a candidate: mono_us */
    struct place place;
    uint32_t first_use; /* USE_NONE: none */
};

struct pool {
    struct feature_table *table; /* borrowed */
    const struct config *config; /* borrowed; NULL before the first pool_configure */
    struct similarity_rules *rules;
    struct interned index; /* of machines, by host and UUID; the id is the number of the machine */
    struct entry **entries;
    size_t room;
    struct facts_table facts; /* of the machines */
    struct interned names;    /* of machines, by name: several may have one; the id is the number of the machine */
    struct pool_host *hosts;

    /* books.c */
    struct shelf shelves[POOL_SET_COUNT];
    struct usage usage;
    struct number_set edited, quarantined;
    size_t standing[STANDING_COUNT];
    int64_t settled_us;   /* mono_us */
    bool is_reconfigured; /* since it settled last */
    pool_observer *observer;
    void *context;
};

/* The machine is to be looked at when the pool settles. */
void books_mark(struct pool *pool, struct entry *entry);
/* Its description is other, and the old one is about to be freed. */
void books_renew(struct pool *pool, struct entry *entry);
/* Before the machine is freed. */
void books_remove(struct pool *pool, struct entry *entry);
/* With the rules of the pool, which may be new. -ENOMEM. */
int books_set_rules(struct pool *pool, const struct similarity_rules *rules) _must_check_;

static inline struct entry *entry_of(const struct machine *machine)
{
    return (struct entry *)machine;
}

#endif
