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

static void put_ids(struct id_set *set, uint32_t **end)
{
    if (set->count > 0)
        memcpy(*end, set->ids, set->count * sizeof(*set->ids));
    set->ids = *end;
    *end += set->count;
}

/* A copy in one allocation, ids first and texts last; NULL: no memory. */
static struct facts *pack(const struct facts *facts)
{
    size_t texts_size = feature_texts_size(&facts->metadata), n_ids = facts->spec.features.count;
    struct facts *packed;
    uint32_t *end;

    for (enum knowledge_source s = 0; s < KNOWLEDGE_COUNT; s++)
        n_ids += facts->knowledge[s].features.count + facts->knowledge[s].kinds.count;
    packed = malloc(sizeof(*packed) + n_ids * sizeof(*end) + texts_size);
    if (packed == NULL)
        return NULL;
    *packed = *facts;
    end = (uint32_t *)(packed + 1);
    put_ids(&packed->spec.features, &end);
    for (enum knowledge_source s = 0; s < KNOWLEDGE_COUNT; s++) {
        put_ids(&packed->knowledge[s].features, &end);
        put_ids(&packed->knowledge[s].kinds, &end);
    }
    if (texts_size > 0)
        packed->metadata.texts = memcpy(end, facts->metadata.texts, texts_size);
    return packed;
}

static int add_new(struct facts_table *table, const struct facts *facts, uint32_t hash, struct facts **ret)
{
    struct facts *added = reserve(table) == 0 ? pack(facts) : NULL;

    if (added == NULL)
        return -ENOMEM;
    added->id = interned_take(&table->index, hash);
    added->machines = 0;
    table->items[added->id] = *ret = added;
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
