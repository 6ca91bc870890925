/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Keeps the columns current. Knows nothing of comparing. */
#include "similarity/columns.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "similarity/layout.h"

int columns_new(const struct similarity_rules *rules, struct columns **ret)
{
    struct columns *columns = calloc(1, sizeof(*columns));

    if (columns == NULL)
        return -ENOMEM;
    columns->rules = rules;
    columns->index = columns->hardware.index = INTERNED_EMPTY;
    for (enum environment e = 0; e < ENVIRONMENT_COUNT; e++)
        columns->amounts[e].index = INTERNED_EMPTY;
    *ret = columns;
    return 0;
}

void columns_free(struct columns *columns)
{
    if (columns == NULL)
        return;
    for (enum environment e = 0; e < ENVIRONMENT_COUNT; e++) {
        interned_done(&columns->amounts[e].index);
        free(columns->amounts[e].items);
    }
    interned_done(&columns->hardware.index);
    free(columns->hardware.items);
    interned_done(&columns->index);
    for (size_t b = 0; b < columns->n_blocks; b++) {
        for (size_t i = 0; i < BLOCK_ENTRIES; i++)
            free(columns->blocks[b]->features[i]);
        free(columns->blocks[b]);
    }
    free(columns->blocks);
    for (size_t f = 0; f < columns->n_columns; f++)
        column_done(&columns->columns[f]);
    free(columns->columns);
    free(columns);
}

/* ---- amounts and hardware ---- */

static bool is_amount(const void *context, uint32_t id, const void *key)
{
    const struct amounts *amounts = context;

    return amounts->items[id].value == *(const uint64_t *)key;
}

static int take_amount(struct amounts *amounts, uint64_t value, uint32_t *ret)
{
    const uint32_t words[] = {(uint32_t)value, (uint32_t)(value >> 32)};
    uint32_t hash = interned_hash(0, words, ELEMENTS_OF(words));
    uint32_t id = interned_find(&amounts->index, hash, is_amount, amounts, &value);

    if (id == INTERNED_NONE) {
        if (interned_reserve(&amounts->index) < 0)
            return -ENOMEM;
        if (amounts->room < amounts->index.slot_room) {
            struct amount *items = reallocarray(amounts->items, amounts->index.slot_room, sizeof(*items));

            if (items == NULL)
                return -ENOMEM;
            amounts->items = items;
            amounts->room = amounts->index.slot_room;
        }
        id = interned_take(&amounts->index, hash);
        amounts->items[id] = (struct amount){.value = value};
    }
    amounts->items[id].uses++;
    *ret = id;
    return 0;
}

static void drop_amount(struct amounts *amounts, uint32_t id)
{
    if (--amounts->items[id].uses == 0)
        interned_drop(&amounts->index, id);
}

static bool is_hardware(const void *context, uint32_t id, const void *key)
{
    const struct hardware_table *table = context;

    return memcmp(table->items[id].amounts, key, sizeof(table->items[id].amounts)) == 0;
}

static void drop_amounts(struct columns *columns, const uint32_t ids[ENVIRONMENT_COUNT], size_t n)
{
    for (size_t e = 0; e < n; e++)
        drop_amount(&columns->amounts[e], ids[e]);
}

/* Takes over the uses of the amounts. */
static int take_hardware(struct hardware_table *table, const uint32_t ids[ENVIRONMENT_COUNT], uint32_t *ret)
{
    uint32_t hash = interned_hash(0, ids, ENVIRONMENT_COUNT), id;

    if (interned_reserve(&table->index) < 0)
        return -ENOMEM;
    if (table->room < table->index.slot_room) {
        struct hardware *items = reallocarray(table->items, table->index.slot_room, sizeof(*items));

        if (items == NULL)
            return -ENOMEM;
        table->items = items;
        table->room = table->index.slot_room;
    }
    id = interned_take(&table->index, hash);
    table->items[id] = (struct hardware){.uses = 1};
    memcpy(table->items[id].amounts, ids, sizeof(table->items[id].amounts));
    *ret = id;
    return 0;
}

static int hardware_of(struct columns *columns, const struct spec *spec, uint32_t *ret)
{
    struct hardware_table *table = &columns->hardware;
    uint32_t ids[ENVIRONMENT_COUNT], id;

    for (size_t e = 0; e < ENVIRONMENT_COUNT; e++)
        if (take_amount(&columns->amounts[e], spec->environment[e], &ids[e]) < 0) {
            drop_amounts(columns, ids, e);
            return -ENOMEM;
        }
    id = interned_find(&table->index, interned_hash(0, ids, ENVIRONMENT_COUNT), is_hardware, table, ids);
    if (id != INTERNED_NONE) {
        table->items[id].uses++;
        drop_amounts(columns, ids, ENVIRONMENT_COUNT);
        *ret = id;
        return 0;
    }
    if (take_hardware(table, ids, ret) < 0) {
        drop_amounts(columns, ids, ENVIRONMENT_COUNT);
        return -ENOMEM;
    }
    return 0;
}

static void drop_hardware(struct columns *columns, uint32_t id)
{
    struct hardware *hardware = &columns->hardware.items[id];

    if (--hardware->uses > 0)
        return;
    drop_amounts(columns, hardware->amounts, ENVIRONMENT_COUNT);
    interned_drop(&columns->hardware.index, id);
}

/* ---- entries ---- */

static struct block *block_of(const struct columns *columns, uint32_t entry)
{
    return columns->blocks[entry / BLOCK_ENTRIES];
}

struct spec columns_spec(const struct columns *columns, uint32_t entry)
{
    struct block *block = block_of(columns, entry);
    size_t at = entry % BLOCK_ENTRIES;
    const struct hardware *hardware = &columns->hardware.items[block->hardware[at]];
    struct spec spec = {.features = {block->features[at], block->n_features[at]}};

    for (enum environment e = 0; e < ENVIRONMENT_COUNT; e++)
        spec.environment[e] = columns->amounts[e].items[hardware->amounts[e]].value;
    return spec;
}

static bool is_entry(const void *context, uint32_t id, const void *key)
{
    const struct spec *wanted = key;
    const struct spec spec = columns_spec(context, id);

    return memcmp(spec.environment, wanted->environment, sizeof(spec.environment)) == 0 &&
           id_set_equal(&spec.features, &wanted->features);
}

static uint32_t hash_of(const struct spec *spec)
{
    uint32_t hash = 0;

    for (enum environment e = 0; e < ENVIRONMENT_COUNT; e++) {
        const uint32_t words[] = {(uint32_t)spec->environment[e], (uint32_t)(spec->environment[e] >> 32)};

        hash = interned_hash(hash, words, ELEMENTS_OF(words));
    }
    return interned_hash(hash, spec->features.ids, spec->features.count);
}

static void weigh(struct columns *columns, uint32_t entry)
{
    struct block *block = block_of(columns, entry);
    size_t at = entry % BLOCK_ENTRIES;
    uint64_t weight = 0;

    for (uint32_t i = 0; i < block->n_features[at]; i++)
        weight += rules_feature_weight(columns->rules, block->features[at][i]);
    weight /= columns->rules->resource_unit;
    columns->n_overweight += weight > BLOCK_WEIGHT_MAX;
    block->weights[at] = weight > BLOCK_WEIGHT_MAX ? INT32_MAX : (int32_t)weight;
}

static int reserve_columns(struct columns *columns, const struct id_set *features)
{
    size_t n = features->count > 0 ? (size_t)features->ids[features->count - 1] + 1 : 0;
    struct column *all;

    if (n <= columns->n_columns)
        return 0;
    if (n < 2 * columns->n_columns)
        n = 2 * columns->n_columns;
    all = reallocarray(columns->columns, n, sizeof(*all));
    if (all == NULL)
        return -ENOMEM;
    memset(&all[columns->n_columns], 0, (n - columns->n_columns) * sizeof(*all));
    columns->columns = all;
    columns->n_columns = n;
    return 0;
}

/* Makes room for one entry more. What it leaves behind where it fails harms nothing. */
static int reserve_entry(struct columns *columns, const struct spec *spec)
{
    size_t block;

    if (interned_reserve(&columns->index) < 0 || reserve_columns(columns, &spec->features) < 0)
        return -ENOMEM;
    block = interned_next(&columns->index) / BLOCK_ENTRIES;
    if (block < columns->n_blocks)
        return 0;
    if (columns->n_blocks == columns->block_room) {
        size_t room = 2 * columns->block_room + 4;
        struct block **blocks = reallocarray(columns->blocks, room, sizeof(*blocks));

        if (blocks == NULL)
            return -ENOMEM;
        columns->blocks = blocks;
        columns->block_room = room;
    }
    columns->blocks[block] = calloc(1, sizeof(**columns->blocks));
    if (columns->blocks[block] == NULL)
        return -ENOMEM;
    columns->n_blocks++;
    return 0;
}

static void leave_columns(struct columns *columns, uint32_t entry, const uint32_t *features, size_t n)
{
    for (size_t i = 0; i < n; i++)
        column_remove(&columns->columns[features[i]], entry);
}

static int enter_columns(struct columns *columns, uint32_t entry, const struct id_set *features)
{
    for (size_t i = 0; i < features->count; i++)
        if (column_add(&columns->columns[features->ids[i]], entry) < 0) {
            leave_columns(columns, entry, features->ids, i);
            return -ENOMEM;
        }
    return 0;
}

static int add_entry(struct columns *columns, const struct spec *spec, uint32_t hash, uint32_t *ret_entry)
{
    _cleanup_(id_set_done) struct id_set features = {0};
    uint32_t hardware, entry;
    struct block *block;

    if (reserve_entry(columns, spec) < 0 || id_set_copy(&features, &spec->features) < 0 ||
        hardware_of(columns, spec, &hardware) < 0)
        return -ENOMEM;
    entry = interned_next(&columns->index);
    if (enter_columns(columns, entry, &features) < 0) {
        drop_hardware(columns, hardware);
        return -ENOMEM;
    }

    interned_take(&columns->index, hash);
    block = block_of(columns, entry);
    block->hardware[entry % BLOCK_ENTRIES] = hardware;
    block->n_features[entry % BLOCK_ENTRIES] = (uint32_t)features.count;
    block->features[entry % BLOCK_ENTRIES] = steal_pointer(&features.ids);
    weigh(columns, entry);
    *ret_entry = entry;
    return 0;
}

int columns_add(struct columns *columns, const struct spec *spec, uint32_t *ret_entry)
{
    struct spec counted = rules_counted(spec);
    uint32_t hash = hash_of(&counted), entry = interned_find(&columns->index, hash, is_entry, columns, &counted);

    if (columns->n_machines == UINT32_MAX)
        return -EOVERFLOW;
    if (entry == INTERNED_NONE && add_entry(columns, &counted, hash, &entry) < 0)
        return -ENOMEM;
    block_of(columns, entry)->machines[entry % BLOCK_ENTRIES]++;
    columns->n_machines++;
    columns->version++;
    *ret_entry = entry;
    return 0;
}

void columns_remove(struct columns *columns, uint32_t entry)
{
    struct block *block = block_of(columns, entry);
    size_t at = entry % BLOCK_ENTRIES;

    columns->n_machines--;
    columns->version++;
    if (--block->machines[at] > 0)
        return;
    columns->n_overweight -= block->weights[at] == INT32_MAX;
    leave_columns(columns, entry, block->features[at], block->n_features[at]);
    drop_hardware(columns, block->hardware[at]);
    interned_drop(&columns->index, entry);
    free(block->features[at]);
    block->features[at] = NULL;
    block->n_features[at] = 0;
    block->weights[at] = 0;
}

int columns_change(struct columns *columns, uint32_t entry, const struct spec *spec, uint32_t *ret_entry)
{
    struct spec counted = rules_counted(spec);

    if (!is_entry(columns, entry, &counted)) {
        uint32_t old = entry;
        int r;

        columns->n_machines--; /* the same machine, whether it is the 2³²nd or not */
        r = columns_add(columns, spec, &entry);
        columns->n_machines++;
        if (r < 0)
            return r;
        columns_remove(columns, old);
    }
    *ret_entry = entry;
    return 0;
}

void columns_set_rules(struct columns *columns, const struct similarity_rules *rules)
{
    columns->rules = rules;
    columns->n_overweight = 0;
    columns->version++;
    for (uint32_t entry = 0; entry < columns_end(columns); entry++)
        if (columns_machines(columns, entry) > 0)
            weigh(columns, entry);
}

size_t columns_count(const struct columns *columns)
{
    return columns->index.n_used;
}

uint32_t columns_end(const struct columns *columns)
{
    return (uint32_t)columns->index.n_slots;
}

uint32_t columns_machines(const struct columns *columns, uint32_t entry)
{
    return block_of(columns, entry)->machines[entry % BLOCK_ENTRIES];
}

bool columns_has(const struct columns *columns, uint32_t entry, const struct spec *spec)
{
    struct spec counted = rules_counted(spec);

    return is_entry(columns, entry, &counted);
}

static size_t interned_bytes(const struct interned *interned)
{
    return interned->bucket_room * sizeof(*interned->buckets) + interned->slot_room * sizeof(*interned->slots);
}

size_t columns_bytes(const struct columns *columns)
{
    size_t bytes = sizeof(*columns) + interned_bytes(&columns->index) + interned_bytes(&columns->hardware.index) +
                   columns->hardware.room * sizeof(struct hardware) + columns->n_columns * sizeof(struct column);

    for (enum environment e = 0; e < ENVIRONMENT_COUNT; e++)
        bytes += interned_bytes(&columns->amounts[e].index) + columns->amounts[e].room * sizeof(struct amount);
    for (size_t b = 0; b < columns->n_blocks; b++) {
        bytes += sizeof(struct block);
        for (size_t i = 0; i < BLOCK_ENTRIES; i++)
            bytes += columns->blocks[b]->n_features[i] * sizeof(uint32_t);
    }
    for (size_t f = 0; f < columns->n_columns; f++)
        bytes += column_bytes(&columns->columns[f]);
    return bytes;
}
