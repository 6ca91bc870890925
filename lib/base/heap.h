/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A binary heap over an array of the caller's, whose first item is the one that comes first. */
#ifndef UNDERSTUDY_BASE_HEAP_H
#define UNDERSTUDY_BASE_HEAP_H

#include <stdbool.h>
#include <stddef.h>

/* Items are at most this long. */
#define HEAP_ITEM_MAX 64

struct heap_order {
    size_t item_size;
    bool (*is_before)(const void *context, const void *a, const void *b);
    const void *context;
};

/* Makes a heap of n items in any order. */
void heap_make(const struct heap_order *order, void *items, size_t n);
/* Item n - 1 was appended to a heap of n - 1. */
void heap_push(const struct heap_order *order, void *items, size_t n);
/* The first of n was replaced. */
void heap_replace(const struct heap_order *order, void *items, size_t n);
/* Moves the first of n to the place n - 1; the heap is one shorter. */
void heap_pop(const struct heap_order *order, void *items, size_t n);

#endif
