/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Inside lib/pool: the pool, and a machine with what is derived from it. */
#ifndef UNDERSTUDY_POOL_ENTRY_H
#define UNDERSTUDY_POOL_ENTRY_H

#include <uthash.h>

#include "base/number_set.h"
#include "discovery/catalog.h"
#include "pool/facts_table.h"
#include "pool/pool.h"
#include "pool/shelf.h"
#include "pool/siblings.h"
#include "pool/usage.h"

/* A hypervisor, and what its host has. */
struct pool_host { /* name comes first */
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

/*
 * machine comes first: a machine handed out is its entry. There is one for each machine, so it is small. One that is there
 * for its number alone (is_kept) has a description that is its UUID, and no specification.
 */
struct entry {
    struct machine machine;
    uint32_t holds;
    bool is_kept : 1; /* its number is, whether the machine is known or not */

    /* As of the last time that the pool's books were brought up to date. */
    enum standing standing : 8; /* STANDING_COUNT: nothing that may be compared */
    enum keeping keeping : 8;
    bool is_renewed : 1; /* its disks or addresses are others */
    bool is_up : 1, is_diverted : 1;
    bool may_share : 1;           /* some machine has, or had, a use of the same */
    bool may_have_namesake : 1;   /* some machine has, or had, its name */
    bool is_counted_starting : 1; /* in what its host has for machines on their way up */
    uint16_t policy;              /* number of the policy of the service that it serves; always of one that there is */
    uint16_t sibling_of;          /* the group in which it is counted; 0: none */
    struct place place;
    int64_t changed_us; /* as a candidate: mono_us */
};

struct pool {
    struct feature_table *table; /* borrowed */
    const struct config *config; /* borrowed; NULL before the first pool_configure */
    struct catalog *catalog;     /* a reference; NULL: none */
    struct policies policies;
    struct siblings siblings; /* hosts by their number */
    struct interned index;    /* of machines, by UUID: a host has one at most; the id is the number of the machine */
    struct entry **entries;
    size_t room, n_machines;
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

/* Texts of what is rare. */
enum rare_text {
    RARE_CLAIMED_BY,
    RARE_NOT_WARM,
    RARE_QUARANTINE_WHY,
    RARE_QUALIFIED,
    RARE_TEXT_COUNT,
};

/* Copies the text; NULL: it has none, which needs no memory. -ENOMEM changes nothing. */
int rare_set_text(struct entry *entry, enum rare_text text, const char *value) _must_check_;

enum rare_number {
    RARE_RESIDENT_KIB,
    RARE_QUARANTINED_UNTIL_US,
    RARE_STOPPED_US,
    RARE_LEARNED_US,
    RARE_ASKED_US,
    RARE_LACK,
    RARE_REMOVAL_US,
    RARE_RESETS_UNTIL_US,
    RARE_NUMBER_COUNT,
};

/* 0 needs no memory. Without memory it is as before. */
void rare_set_number(struct entry *entry, enum rare_number number, uint64_t value);
void rare_free(struct entry *entry);

/* The policy of what it serves, which may be another service now. -ENOMEM. */
int entry_find_policy(struct pool *pool, struct entry *entry) _must_check_;

/* It is counted among no siblings, until the pool settles. */
void books_forget_sibling(struct pool *pool, struct entry *entry);
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

/* It is there for more than its number. */
static inline bool entry_is_known(const struct entry *entry)
{
    return entry->machine.spec != NULL;
}

/* A machine borrows the name of its host, which comes first there. */
static inline struct pool_host *entry_host(const struct entry *entry)
{
    return (struct pool_host *)entry->machine.hypervisor;
}

#endif
