/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Columns, part by part. Knows entries by their numbers only. */
#include "similarity/column.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A list grows up to this, a quarter of a bitmap, and a bitmap becomes a list again at half of it. */
#define LIST_MAX 64
#define LIST_MIN 2

void column_done(struct column *column)
{
    for (uint32_t i = 0; i < column->n_parts; i++)
        free(column->parts[i].list);
    free(column->parts);
    *column = (struct column){0};
}

/* The first part whose block is not below this one. */
static uint32_t place_of(const struct column *column, uint32_t block)
{
    uint32_t low = 0, high = column->n_parts;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (column->parts[middle].block < block)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const struct column_part *column_part_of(const struct column *column, uint32_t block)
{
    uint32_t place = block; /* of most features of many machines */

    if (place >= column->n_parts || column->parts[place].block != block)
        place = place_of(column, block);
    return place < column->n_parts && column->parts[place].block == block ? &column->parts[place] : NULL;
}

static int insert_part(struct column *column, uint32_t place, uint32_t block)
{
    uint16_t *list;

    if (column->n_parts == column->room) {
        uint32_t room = column->room > 0 ? 2 * column->room : 1;
        struct column_part *parts = reallocarray(column->parts, room, sizeof(*parts));

        if (parts == NULL)
            return -ENOMEM;
        column->parts = parts;
        column->room = room;
    }
    list = calloc(LIST_MIN, sizeof(*list));
    if (list == NULL)
        return -ENOMEM;
    memmove(&column->parts[place + 1], &column->parts[place], (column->n_parts - place) * sizeof(*column->parts));
    column->parts[place] = (struct column_part){.list = list, .block = block, .room = LIST_MIN};
    column->n_parts++;
    return 0;
}

static void remove_part(struct column *column, uint32_t place)
{
    free(column->parts[place].list);
    column->n_parts--;
    memmove(&column->parts[place], &column->parts[place + 1], (column->n_parts - place) * sizeof(*column->parts));
    if (column->n_parts == 0)
        column_done(column);
}

static void set_bit(uint64_t *bits, unsigned at)
{
    bits[at / GROUP_ENTRIES] |= UINT64_C(1) << at % GROUP_ENTRIES;
}

/* A list that is full becomes a longer one, or a bitmap. */
static int make_room(struct column_part *part)
{
    if (part->room < LIST_MAX) {
        uint16_t *list = reallocarray(part->list, 2 * (size_t)part->room, sizeof(*list));

        if (list == NULL)
            return -ENOMEM;
        part->list = list;
        part->room = (uint16_t)(2 * part->room);
        return 0;
    }

    uint64_t *bits = calloc(BLOCK_GROUPS, sizeof(*bits));
    if (bits == NULL)
        return -ENOMEM;
    for (unsigned i = 0; i < part->count; i++)
        set_bit(bits, part->list[i]);
    free(part->list);
    part->bits = bits;
    part->room = 0;
    return 0;
}

/* Where there is no memory for the list, the bitmap stays. */
static void become_list(struct column_part *part)
{
    uint16_t *list = calloc(LIST_MAX, sizeof(*list));
    uint16_t n = 0;

    if (list == NULL)
        return;
    for (unsigned at = 0; at < BLOCK_ENTRIES; at++)
        if ((part->bits[at / GROUP_ENTRIES] >> at % GROUP_ENTRIES & 1) != 0)
            list[n++] = (uint16_t)at;
    free(part->bits);
    part->list = list;
    part->room = LIST_MAX;
}

int column_add(struct column *column, uint32_t entry)
{
    uint32_t block = entry / BLOCK_ENTRIES, place = place_of(column, block);
    struct column_part *part;
    int r = 0;

    if (place == column->n_parts || column->parts[place].block != block)
        r = insert_part(column, place, block);
    else if (column->parts[place].room > 0 && column->parts[place].count == column->parts[place].room)
        r = make_room(&column->parts[place]);
    if (r < 0)
        return r;

    part = &column->parts[place];
    if (part->room == 0)
        set_bit(part->bits, entry % BLOCK_ENTRIES);
    else
        part->list[part->count] = (uint16_t)(entry % BLOCK_ENTRIES);
    part->count++;
    return 0;
}

void column_remove(struct column *column, uint32_t entry)
{
    uint32_t place = place_of(column, entry / BLOCK_ENTRIES);
    struct column_part *part = &column->parts[place];
    unsigned at = entry % BLOCK_ENTRIES;

    part->count--;
    if (part->room == 0) {
        part->bits[at / GROUP_ENTRIES] &= ~(UINT64_C(1) << at % GROUP_ENTRIES);
        if (part->count == LIST_MAX / 2)
            become_list(part);
    } else {
        unsigned i = 0;

        while (part->list[i] != at)
            i++;
        part->list[i] = part->list[part->count];
    }
    if (part->count == 0)
        remove_part(column, place);
}

size_t column_bytes(const struct column *column)
{
    size_t bytes = column->room * sizeof(*column->parts);

    for (uint32_t i = 0; i < column->n_parts; i++)
        bytes += column->parts[i].room > 0 ? column->parts[i].room * sizeof(uint16_t) : BLOCK_GROUPS * sizeof(uint64_t);
    return bytes;
}
