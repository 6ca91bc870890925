/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Inside of the catalog: entries whose texts are those of the files that it was read from. */
#ifndef UNDERSTUDY_DISCOVERY_ENTRIES_H
#define UNDERSTUDY_DISCOVERY_ENTRIES_H

#include <stdatomic.h>
#include <stdint.h>

#include "config/yaml.h"
#include "discovery/catalog.h"

/* "python3", "php[0-9].[0-9]-fpm"; of one family only where it was written "alpine:python3". */
struct catalog_pattern {
    const char *text;
    const char *family; /* NULL: any. It ends with a colon, which is not part of it */
    size_t literal;     /* so many characters stand for themselves; all of them: it is no pattern */
};

struct catalog_entry {
    struct catalog_feature feature; /* the first: who has it has the entry */
    const struct node *uses;        /* a list of texts, "kind/value", or NULL */
    struct catalog_pattern *patterns;
    size_t ends[CATALOG_NAME_KINDS]; /* the patterns of each kind stand behind those of the kind before it */
};

struct catalog_system {
    const char *name, *family;
    const struct node *names; /* a list of texts, or NULL */
    unsigned parts;           /* of a version that count */
};

struct catalog {
    atomic_uint n_owners; /* a call that was left behind ends on its own thread */
    struct document **documents;
    size_t n_documents;
    struct catalog_entry *entries;
    size_t n_entries;
    struct catalog_system *systems;
    size_t n_systems;
};

void catalog_entry_done(struct catalog_entry *entry);

#endif
