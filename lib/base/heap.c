/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Williams' heap, on items of any kind. */
#include "base/heap.h"

#include <string.h>

static char *item(const struct heap_order *order, void *items, size_t at)
{
    return (char *)items + at * order->item_size;
}

static void swap(const struct heap_order *order, void *items, size_t a, size_t b)
{
    char kept[HEAP_ITEM_MAX];

    memcpy(kept, item(order, items, a), order->item_size);
    memcpy(item(order, items, a), item(order, items, b), order->item_size);
    memcpy(item(order, items, b), kept, order->item_size);
}

static bool is_before(const struct heap_order *order, void *items, size_t a, size_t b)
{
    return order->is_before(order->context, item(order, items, a), item(order, items, b));
}

static void sink(const struct heap_order *order, void *items, size_t n, size_t at)
{
    for (size_t child = 2 * at + 1; child < n; child = 2 * at + 1) {
        if (child + 1 < n && is_before(order, items, child + 1, child))
            child++;
        if (!is_before(order, items, child, at))
            return;
        swap(order, items, child, at);
        at = child;
    }
}

void heap_make(const struct heap_order *order, void *items, size_t n)
{
    for (size_t at = n / 2; at-- > 0;)
        sink(order, items, n, at);
}

void heap_push(const struct heap_order *order, void *items, size_t n)
{
    for (size_t at = n - 1; at > 0 && is_before(order, items, at, (at - 1) / 2); at = (at - 1) / 2)
        swap(order, items, at, (at - 1) / 2);
}

void heap_replace(const struct heap_order *order, void *items, size_t n)
{
    sink(order, items, n, 0);
}

void heap_pop(const struct heap_order *order, void *items, size_t n)
{
    if (n < 2)
        return;
    swap(order, items, 0, n - 1);
    sink(order, items, n - 1, 0);
}
