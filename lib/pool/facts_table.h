/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is known of machines' features and amounts, each set of facts once: machines that were made alike are known to be
 * alike, and most of a pool was made from a few images.
 */
#ifndef UNDERSTUDY_POOL_FACTS_TABLE_H
#define UNDERSTUDY_POOL_FACTS_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/interned.h"
#include "model/feature_texts.h"
#include "model/spec.h"

/* spec comes first: a machine points to that. In a table, what they have is one allocation, to be read only. */
struct facts {
    struct spec spec; /* amounts, and features as they are resolved */
    struct knowledge knowledge[KNOWLEDGE_COUNT];
    struct feature_texts metadata; /* what KNOWLEDGE_METADATA was made of; machines borrow it */
    uint32_t id;
    uint32_t machines; /* that have them */
};

/* A plain value: initialise with FACTS_TABLE_EMPTY, end with facts_table_done. */
struct facts_table {
    struct interned index;
    struct facts **items;
    size_t room;
};

#define FACTS_TABLE_EMPTY ((struct facts_table){.index = INTERNED_EMPTY})

/*
 * One machine more with facts equal to these, of which knowledge and features are freed: the table has copies, each set of
 * facts in one allocation. -ENOMEM: they are the caller's as before.
 */
int facts_table_add(struct facts_table *table, struct facts *facts, const struct facts **ret) _must_check_;
/* One machine fewer; with the last of them the facts go. */
void facts_table_remove(struct facts_table *table, const struct facts *facts);

/* No machine has any of them. */
void facts_table_done(struct facts_table *table);

/* Knowledge and features alone: metadata is borrowed before it is in a table. */
void facts_done(struct facts *facts);

#endif
