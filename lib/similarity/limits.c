/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Solves the limits on S and C. Knows amounts and weights, no entries. */
#include "similarity/limits.h"

#include <errno.h>
#include <stdlib.h>

void limits_done(struct limits *limits)
{
    for (enum environment e = 0; e < ENVIRONMENT_COUNT; e++)
        free(limits->amounts[e]);
    free(limits->by_hardware);
    free(limits->covers);
    *limits = (struct limits){0};
}

int room_for(void *items, size_t *room, size_t n, size_t size)
{
    void **all = items, *grown;

    if (n <= *room)
        return 0;
    n += n / 4 + 16;
    grown = reallocarray(NULL, n, size);
    if (grown == NULL)
        return -ENOMEM;
    free(*all);
    *all = grown;
    *room = n;
    return 0;
}

/* Each amount once. */
static void weigh_amounts(struct limits *limits, enum environment e)
{
    const struct amounts *amounts = &limits->columns->amounts[e];

    for (size_t i = 0; i < amounts->index.n_slots; i++)
        limits->amounts[e][i] =
            rules_weigh_amount(limits->rules, e, limits->failed->environment[e], amounts->items[i].value);
}

static bool covers_amounts(const struct limits *limits, const struct hardware *hardware)
{
    const struct similarity_rules *rules = limits->rules;

    for (size_t i = 0; i < rules->n_must_cover; i++) {
        uint32_t e = rules->must_cover[i].kind;

        if (rules->must_cover[i].is_environment &&
            limits->columns->amounts[e].items[hardware->amounts[e]].value < limits->failed->environment[e])
            return false;
    }
    return true;
}

struct amount_weights limits_weigh_hardware(const struct limits *limits, uint32_t id)
{
    const uint32_t *amounts = limits->columns->hardware.items[id].amounts;
    struct amount_weights sum = {0};

    for (size_t e = 0; e < ENVIRONMENT_COUNT; e++) {
        const struct amount_weights *amount = &limits->amounts[e][amounts[e]];

        sum.failed += amount->failed;
        sum.both += amount->both;
        sum.either += amount->either;
        sum.tolerance += amount->tolerance;
    }
    return sum;
}

/*
 * So far a quotient by a product with the inverse, which is within 2⁻⁵¹ of it, is never too large: what is not a whole
 * number is at least 2⁻⁵⁰ of it below the next one.
 */
#define EXACT (UINT64_C(1) << 50)

static struct divisor divisor_of(uint128 value)
{
    return (struct divisor){value, value > 0 && value < EXACT ? 1 / (double)(uint64_t)value : 0};
}

/* Rounded down. For most numbers a product of doubles, which may be too small by one, and is faster than a division. */
static uint128 divide(uint128 number, const struct divisor *divisor)
{
    uint64_t quotient, value = (uint64_t)divisor->value;

    if (number >= EXACT || divisor->inverse <= 0)
        return number / divisor->value;
    quotient = (uint64_t)(int64_t)((double)(int64_t)number * divisor->inverse);
    return (quotient + 1) * value <= number ? quotient + 1 : quotient;
}

static int32_t saturate(uint128 value)
{
    return value < INT32_MAX ? (int32_t)value : INT32_MAX;
}

/*
 * The first whole surplus with which S misses the threshold p/q, in units of u, of 10⁻¹²; p·u is the divisor:
 *     q·(W(A) + tolerance) < p·(W(A∪B) without surplus + u·surplus)
 */
static int32_t solve_surplus_end(uint64_t failed, uint64_t tolerance, uint64_t either, struct fraction limit,
                                 const struct divisor *divisor)
{
    uint128 left = (uint128)(failed + tolerance) * limit.denominator, right = (uint128)either * limit.numerator;

    if (left < right)
        return 0;
    return limit.numerator == 0 ? INT32_MAX : saturate(divide(left - right, divisor) + 1);
}

/*
 * The smallest whole shared weight with which C meets the limit p/q, in units of u; q·u is the divisor:
 *     q·(W(A∩B) of the amounts + u·shared + tolerance) ≥ p·W(A)
 */
static int32_t solve_shared_min(uint64_t failed, uint64_t tolerance, uint64_t both, struct fraction limit,
                                const struct divisor *divisor)
{
    uint128 left = (uint128)(both + tolerance) * limit.denominator, right = (uint128)failed * limit.numerator;

    return left >= right ? 0 : saturate(divide(right - left + divisor->value - 1, divisor));
}

static struct limit limit_of(const struct limits *limits, uint32_t id)
{
    const struct similarity_rules *rules = limits->rules;
    struct amount_weights amounts = limits_weigh_hardware(limits, id);
    uint64_t own = limits->failed_weight * MILLIONTHS;
    uint64_t failed = own + amounts.failed, either = own + amounts.either;
    struct limit limit = {
        .numerator = (float)((double)(rules->rank_by == RANK_BY_SIMILARITY ? failed : amounts.both) * limits->units),
        .denominator = either > 0 ? (float)((double)either * limits->units) : 1,
    };

    limit.surplus_end =
        solve_surplus_end(failed, amounts.tolerance, either, rules->threshold, &limits->surplus_divisor);
    limit.shared_min =
        solve_shared_min(failed, amounts.tolerance, amounts.both, rules->min_coverage, &limits->shared_divisor);
    return limit;
}

static int reserve(struct limits *limits)
{
    size_t n = limits->columns->hardware.index.n_slots;

    if (room_for(&limits->by_hardware, &limits->limits_room, n, sizeof(*limits->by_hardware)) < 0 ||
        room_for(&limits->covers, &limits->covers_room, n, sizeof(*limits->covers)) < 0)
        return -ENOMEM;
    for (enum environment e = 0; e < ENVIRONMENT_COUNT; e++)
        if (room_for(&limits->amounts[e], &limits->amounts_room[e], limits->columns->amounts[e].index.n_slots,
                     sizeof(**limits->amounts)) < 0)
            return -ENOMEM;
    return 0;
}

int limits_solve(struct limits *limits, const struct columns *columns, const struct similarity_rules *rules,
                 const struct spec *failed, uint64_t failed_weight)
{
    const struct hardware_table *table = &columns->hardware;
    uint64_t unit = (uint64_t)rules->resource_unit * MILLIONTHS;
    bool is_known = rules_know(rules, failed);

    limits->columns = columns;
    limits->rules = rules;
    limits->failed = failed;
    limits->failed_weight = failed_weight;
    limits->units = 1 / (double)unit;
    limits->surplus_divisor = divisor_of((uint128)unit * rules->threshold.numerator);
    limits->shared_divisor = divisor_of((uint128)unit * rules->min_coverage.denominator);
    if (reserve(limits) < 0)
        return -ENOMEM;
    for (enum environment e = 0; e < ENVIRONMENT_COUNT; e++)
        weigh_amounts(limits, e);

    limits->must_cover_amounts = false;
    for (size_t i = 0; i < rules->n_must_cover; i++)
        limits->must_cover_amounts = limits->must_cover_amounts || rules->must_cover[i].is_environment;
    limits->shared_min_resources =
        solve_shared_min(failed_weight * MILLIONTHS, 0, 0, rules->min_coverage, &limits->shared_divisor);
    for (uint32_t id = 0; id < table->index.n_slots; id++) {
        bool is_used = table->items[id].uses > 0;

        limits->by_hardware[id] = is_used ? limit_of(limits, id) : (struct limit){.denominator = 1};
        if (!is_known)
            limits->by_hardware[id].surplus_end = 0;
        limits->covers[id] = is_used && covers_amounts(limits, &table->items[id]);
    }
    return 0;
}
