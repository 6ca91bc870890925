/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Facts found by what they are, and counted by machine. Knows no source of them. */
#include "pool/facts_table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static uint32_t hash_of(const struct facts *facts)
{
    uint32_t hash = feature_texts_hash(&facts->metadata);

    hash = interned_hash_bytes(hash, facts->spec.environment, sizeof(facts->spec.environment));
    for (enum knowledge_source s = 0; s < KNOWLEDGE_COUNT; s++) {
        hash = interned_hash(hash, facts->knowledge[s].features.ids, facts->knowledge[s].features.count);
        hash = interned_hash(hash, facts->knowledge[s].kinds.ids, facts->knowledge[s].kinds.count);
    }
    return hash;
}

/* Which features are resolved follows from the sources. */
static bool is_facts(const void *context, uint32_t id, const void *wanted)
{
    const struct facts *a = ((const struct facts_table *)context)->items[id], *b = wanted;

    for (enum knowledge_source s = 0; s < KNOWLEDGE_COUNT; s++)
        if (!knowledge_equal(&a->knowledge[s], &b->knowledge[s]))
            return false;
    return memcmp(a->spec.environment, b->spec.environment, sizeof(a->spec.environment)) == 0 &&
           feature_texts_equal(&a->metadata, &b->metadata);
}

static int reserve(struct facts_table *table)
{
    struct facts **items;

    if (interned_reserve(&table->index) < 0)
        return -ENOMEM;
    if (table->room >= table->index.slot_room)
        return 0;
    items = reallocarray(table->items, table->index.slot_room, sizeof(struct facts *));
    if (items == NULL)
        return -ENOMEM;
    table->items = items;
    table->room = table->index.slot_room;
    return 0;
}

static int add_new(struct facts_table *table, struct facts *facts, uint32_t hash, struct facts **ret)
{
    _cleanup_(freep) struct facts *added = malloc(sizeof(*added));
    struct feature_texts metadata = {0};

    if (added == NULL || reserve(table) < 0 || feature_texts_copy(&metadata, &facts->metadata) < 0)
        return -ENOMEM;
    *added = *facts;
    added->metadata = metadata;
    added->id = interned_take(&table->index, hash);
    added->machines = 0;
    table->items[added->id] = *ret = added;
    added = NULL;
    *facts = (struct facts){0};
    return 0;
}

int facts_table_add(struct facts_table *table, struct facts *facts, const struct facts **ret)
{
    uint32_t hash = hash_of(facts), id = interned_find(&table->index, hash, is_facts, table, facts);
    struct facts *found = id != INTERNED_NONE ? table->items[id] : NULL;

    if (found == NULL && add_new(table, facts, hash, &found) < 0)
        return -ENOMEM;
    facts_done(facts);
    found->machines++;
    *ret = found;
    return 0;
}

void facts_table_remove(struct facts_table *table, const struct facts *facts)
{
    struct facts *own;

    if (facts == NULL)
        return;
    own = table->items[facts->id];
    if (--own->machines > 0)
        return;
    interned_drop(&table->index, own->id);
    feature_texts_done(&own->metadata);
    facts_done(own);
    free(own);
}

void facts_table_done(struct facts_table *table)
{
    interned_done(&table->index);
    free(table->items);
    *table = FACTS_TABLE_EMPTY;
}

void facts_done(struct facts *facts)
{
    for (enum knowledge_source s = 0; s < KNOWLEDGE_COUNT; s++)
        knowledge_done(&facts->knowledge[s]);
    spec_done(&facts->spec);
}
