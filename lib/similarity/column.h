/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Inside lib/similarity: the column of one feature, the set of entries that have it. Entries lie in blocks; of each block
 * that has any a column keeps a part, a bitmap, or where that is shorter a list. So a feature that one machine alone has
 * takes a few dozen bytes, whatever the number of entries.
 */
#ifndef UNDERSTUDY_SIMILARITY_COLUMN_H
#define UNDERSTUDY_SIMILARITY_COLUMN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

#define BLOCK_ENTRIES 4096
/* Entries are looked at in groups: a group is a word of a bitmap. */
#define GROUP_ENTRIES 64
#define BLOCK_GROUPS  (BLOCK_ENTRIES / GROUP_ENTRIES)

struct column_part {
    union {
        uint16_t *list; /* places within the block, in no order */
        uint64_t *bits; /* BLOCK_GROUPS words */
    };
    uint32_t block;
    uint16_t count; /* never 0 */
    uint16_t room;  /* of the list; 0: these are bits */
};

/* A plain value: initialise with {0}, end with column_done. Parts by ascending block. */
struct column {
    struct column_part *parts;
    uint32_t n_parts;
    uint32_t room;
};

void column_done(struct column *column);

/* The entry is not in it. -ENOMEM leaves the column as it was. */
int column_add(struct column *column, uint32_t entry) _must_check_;
/* The entry is in it. */
void column_remove(struct column *column, uint32_t entry);

/* Borrowed; NULL: no entry of the block has the feature. */
const struct column_part *column_part_of(const struct column *column, uint32_t block);

/* What it has allocated. */
size_t column_bytes(const struct column *column);

#endif
