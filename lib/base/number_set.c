/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A bitmap of 64-bit words. Knows nothing of what is numbered. */
#include "base/number_set.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define WORD_BITS 64

int number_set_reserve(struct number_set *set, size_t room)
{
    size_t old = set->room / WORD_BITS, n = (room + WORD_BITS - 1) / WORD_BITS;
    uint64_t *words;

    if (n <= old)
        return 0;
    words = reallocarray(set->words, n, sizeof(*words));
    if (words == NULL)
        return -ENOMEM;
    memset(&words[old], 0, (n - old) * sizeof(*words));
    set->words = words;
    set->room = n * WORD_BITS;
    return 0;
}

static uint64_t bit_of(uint32_t number)
{
    return UINT64_C(1) << number % WORD_BITS;
}

bool number_set_has(const struct number_set *set, uint32_t number)
{
    return number < set->room && (set->words[number / WORD_BITS] & bit_of(number)) != 0;
}

void number_set_add(struct number_set *set, uint32_t number)
{
    set->count += !number_set_has(set, number);
    set->words[number / WORD_BITS] |= bit_of(number);
}

void number_set_remove(struct number_set *set, uint32_t number)
{
    if (!number_set_has(set, number))
        return;
    set->count--;
    set->words[number / WORD_BITS] &= ~bit_of(number);
}

uint32_t number_set_next(const struct number_set *set, uint32_t from)
{
    uint64_t mask = UINT64_MAX << from % WORD_BITS;

    if (set->count == 0)
        return NUMBER_NONE;
    for (size_t i = from / WORD_BITS; i < set->room / WORD_BITS; i++, mask = UINT64_MAX)
        if ((set->words[i] & mask) != 0)
            return (uint32_t)(i * WORD_BITS) + (uint32_t)__builtin_ctzll(set->words[i] & mask);
    return NUMBER_NONE;
}

void number_set_done(struct number_set *set)
{
    free(set->words);
    *set = (struct number_set){0};
}
