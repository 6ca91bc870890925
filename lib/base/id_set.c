/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A sorted array with binary search. Knows nothing of what the ids stand for. */
#include "base/id_set.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The first position whose id is not below `id`. */
static size_t lower_bound(const struct id_set *set, uint32_t id)
{
    size_t low = 0, high = set->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (set->ids[middle] < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

int id_set_add(struct id_set *set, uint32_t id)
{
    size_t at = lower_bound(set, id);

    if (at < set->count && set->ids[at] == id)
        return 0;

    uint32_t *ids = reallocarray(set->ids, set->count + 1, sizeof(*ids));
    if (ids == NULL)
        return -ENOMEM;
    set->ids = ids;
    memmove(ids + at + 1, ids + at, (set->count - at) * sizeof(*ids));
    ids[at] = id;
    set->count++;
    return 0;
}

bool id_set_contains(const struct id_set *set, uint32_t id)
{
    size_t at = lower_bound(set, id);

    return at < set->count && set->ids[at] == id;
}

int id_set_copy(struct id_set *target, const struct id_set *source)
{
    uint32_t *ids = NULL;

    if (source->count > 0) {
        ids = reallocarray(NULL, source->count, sizeof(*ids));
        if (ids == NULL)
            return -ENOMEM;
        memcpy(ids, source->ids, source->count * sizeof(*ids));
    }
    free(target->ids);
    target->ids = ids;
    target->count = source->count;
    return 0;
}

bool id_set_equal(const struct id_set *a, const struct id_set *b)
{
    return a->count == b->count && (a->count == 0 || memcmp(a->ids, b->ids, a->count * sizeof(*a->ids)) == 0);
}

void id_set_done(struct id_set *set)
{
    free(set->ids);
    *set = (struct id_set){0};
}
