/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Fractions of 64-bit integers. A product of two of those fits in 128 bits, so nothing here rounds or overflows. */
#include "similarity/fraction.h"

__extension__ typedef unsigned __int128 uint128;

struct fraction fraction_of(uint64_t numerator, uint64_t denominator)
{
    if (denominator == 0)
        return (struct fraction){0, 1};
    return (struct fraction){numerator, denominator};
}

int fraction_compare(struct fraction a, struct fraction b)
{
    uint128 left = (uint128)a.numerator * b.denominator, right = (uint128)b.numerator * a.denominator;

    return (left > right) - (left < right);
}

uint32_t fraction_to_millionths(struct fraction fraction)
{
    return (uint32_t)((uint128)fraction.numerator * 1000000 / fraction.denominator);
}

double fraction_to_double(struct fraction fraction)
{
    return (double)fraction.numerator / (double)fraction.denominator;
}
