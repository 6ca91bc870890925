/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Rows that are to be written, each in its latest form only: what waits for a disk that does not write is bounded by
 * the number of rows, not by how often they change. Knows neither threads nor sqlite3.
 */
#ifndef UNDERSTUDY_DAEMON_STORE_ENTRY_H
#define UNDERSTUDY_DAEMON_STORE_ENTRY_H

#include <stdbool.h>
#include <stdint.h>

#define HASH_NONFATAL_OOM            1
#define uthash_nonfatal_oom(element) ((element)->is_lost = true)
#include <uthash.h>

#include "base/cleanup.h"

struct entry {
    char *key;        /* of both names, for the hash */
    char *hypervisor; /* NULL: a recovery */
    char *id;         /* the recovery's, or the machine's UUID */
    char *document;   /* NULL: the machine is to be forgotten */
    int64_t detected_us;
    bool is_open;
    bool is_lost; /* uthash had no memory to add it */
    UT_hash_handle hh;
};

/* Copies its arguments; hypervisor NULL makes a recovery. NULL: out of memory. */
struct entry *entry_new(const char *hypervisor, const char *id, const char *document, int64_t detected_us,
                        bool is_open);
void entry_free(struct entry *entry);
DEFINE_CLEANUP(struct entry, entry_free);

/* A set is a `struct entry *`, NULL when empty. Puts the entry, freeing what stood under its key. -ENOMEM. */
int entries_put(struct entry **entries, struct entry *entry) _must_check_;

/* Removes and frees what stands under the key of another entry, if anything. */
void entries_forget(struct entry **entries, const struct entry *other);

/* Moves to *newer what it does not have yet and frees the rest; *older is empty then. Out of memory loses rows. */
void entries_merge(struct entry **newer, struct entry **older);

void entries_free(struct entry **entries);

#endif
