/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Inside lib/similarity: how columns lie in memory. columns.c changes this, comparison.c reads it. */
#ifndef UNDERSTUDY_SIMILARITY_LAYOUT_H
#define UNDERSTUDY_SIMILARITY_LAYOUT_H

#include "similarity/column.h"
#include "similarity/columns.h"
#include "base/interned.h"
#include "similarity/rules.h"

/* The largest weight of an entry's resources that a block holds, in the rules' unit: what is left of 32 bits. */
#define BLOCK_WEIGHT_MAX (INT32_MAX - 1)

/* One amount of one environment element, which all hardware that has it shares. */
struct amount {
    uint64_t value;
    uint32_t uses;
};

struct amounts {
    struct interned index;
    struct amount *items;
    size_t room;
};

/* The amounts of a specification together, which all entries that have them share. */
struct hardware {
    uint32_t amounts[ENVIRONMENT_COUNT];
    uint32_t uses;
};

struct hardware_table {
    struct interned index;
    struct hardware *items;
    size_t room;
};

/* BLOCK_ENTRIES entries; where machines is 0 there is none, and its hardware may be any below the table's n_slots. */
struct block {
    int32_t weights[BLOCK_ENTRIES]; /* W_R in the rules' unit; INT32_MAX: above BLOCK_WEIGHT_MAX */
    uint32_t hardware[BLOCK_ENTRIES];
    uint32_t machines[BLOCK_ENTRIES];
    uint32_t n_features[BLOCK_ENTRIES];
    uint32_t *features[BLOCK_ENTRIES];
};

struct columns {
    const struct similarity_rules *rules;
    struct amounts amounts[ENVIRONMENT_COUNT];
    struct hardware_table hardware;
    struct interned index; /* of entries */
    struct block **blocks;
    size_t n_blocks, block_room;
    struct column *columns; /* by feature */
    size_t n_columns;
    size_t n_overweight; /* entries whose weight no block can hold */
    uint32_t n_machines;
    uint64_t version; /* grows with each change */
};

#endif
