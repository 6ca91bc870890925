/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Fixed-width arithmetic, just what comparing two ratios exactly takes. */
#include "similarity/ratio.h"

#include <stddef.h>

__extension__ typedef unsigned __int128 uint128;

#define PRODUCT_LIMBS ((size_t)2 * WIDE_LIMBS)

struct wide wide_from(uint64_t value)
{
    return (struct wide){.limb = {value}};
}

struct wide wide_add(struct wide a, struct wide b)
{
    uint128 carry = 0;

    for (size_t i = 0; i < WIDE_LIMBS; i++) {
        carry += (uint128)a.limb[i] + b.limb[i];
        a.limb[i] = (uint64_t)carry;
        carry >>= 64;
    }
    return a;
}

struct wide wide_multiply(struct wide a, uint64_t b)
{
    uint128 carry = 0;

    for (size_t i = 0; i < WIDE_LIMBS; i++) {
        carry += (uint128)a.limb[i] * b;
        a.limb[i] = (uint64_t)carry;
        carry >>= 64;
    }
    return a;
}

bool wide_is_zero(struct wide a)
{
    for (size_t i = 0; i < WIDE_LIMBS; i++)
        if (a.limb[i] != 0)
            return false;
    return true;
}

struct ratio ratio_of(struct wide numerator, struct wide denominator)
{
    if (wide_is_zero(denominator))
        return (struct ratio){wide_from(0), wide_from(1)};
    return (struct ratio){numerator, denominator};
}

struct ratio ratio_millionths(uint32_t millionths)
{
    return (struct ratio){wide_from(millionths), wide_from(1000000)};
}

static size_t limbs_used(const struct wide *a)
{
    size_t n = WIDE_LIMBS;

    while (n > 0 && a->limb[n - 1] == 0)
        n--;
    return n;
}

/* Schoolbook multiplication into a product of twice the width; most numbers use one limb or two. */
static void multiply_full(const struct wide *a, const struct wide *b, uint64_t product[PRODUCT_LIMBS])
{
    size_t used_of_a = limbs_used(a), used_of_b = limbs_used(b);

    for (size_t i = 0; i < PRODUCT_LIMBS; i++)
        product[i] = 0;
    for (size_t i = 0; i < used_of_a; i++) {
        uint128 carry = 0;

        for (size_t j = 0; j < used_of_b; j++) {
            carry += (uint128)a->limb[i] * b->limb[j] + product[i + j];
            product[i + j] = (uint64_t)carry;
            carry >>= 64;
        }
        product[i + used_of_b] = (uint64_t)carry;
    }
}

int ratio_compare(const struct ratio *a, const struct ratio *b)
{
    uint64_t left[PRODUCT_LIMBS], right[PRODUCT_LIMBS];

    multiply_full(&a->numerator, &b->denominator, left);
    multiply_full(&b->numerator, &a->denominator, right);
    for (size_t i = PRODUCT_LIMBS; i-- > 0;)
        if (left[i] != right[i])
            return left[i] < right[i] ? -1 : 1;
    return 0;
}

static double wide_to_double(const struct wide *a)
{
    double value = 0;

    for (size_t i = WIDE_LIMBS; i-- > 0;)
        value = value * 0x1p64 + (double)a->limb[i];
    return value;
}

double ratio_to_double(const struct ratio *ratio)
{
    return wide_to_double(&ratio->numerator) / wide_to_double(&ratio->denominator);
}
