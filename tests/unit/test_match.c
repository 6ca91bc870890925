/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who gets whom: against every possible choice where there are few, and against greed where it loses. */
#include "choose/match.h"

#include <errno.h>
#include <string.h>

#include "support.h"

#define FEW       5
#define FEW_PAIRS (FEW * FEW)

/* A small case. */
struct instance {
    size_t n_failed;
    size_t n_candidates;
    int priorities[FEW];
    struct match_pair pairs[2 * FEW_PAIRS];
    size_t n_pairs;
};

/* How good a choice is: compared from the first member on. */
struct quality {
    size_t served[FEW]; /* of the priorities 0 … FEW-1, the highest first */
    uint64_t worth;
    size_t places; /* the sum of the places in the input: less is better */
};

static int compare_quality(const struct quality *a, const struct quality *b)
{
    for (size_t i = 0; i < FEW; i++)
        if (a->served[i] != b->served[i])
            return a->served[i] > b->served[i] ? 1 : -1;
    if (a->worth != b->worth)
        return a->worth > b->worth ? 1 : -1;
    return (a->places < b->places) - (a->places > b->places);
}

static void count_pair(struct quality *quality, const struct instance *instance, size_t place)
{
    const struct match_pair *pair = &instance->pairs[place];

    quality->served[FEW - 1 - (size_t)instance->priorities[pair->failed]]++;
    quality->worth += pair->worth;
    quality->places += place;
}

/* Tries everything for the failed machines from `failed` on. */
static void try_all(const struct instance *instance, size_t failed, unsigned taken, struct quality so_far,
                    struct quality *best)
{
    if (failed == instance->n_failed) {
        if (compare_quality(&so_far, best) > 0)
            *best = so_far;
        return;
    }
    try_all(instance, failed + 1, taken, so_far, best);
    for (size_t i = 0; i < instance->n_pairs; i++) {
        struct quality next = so_far;

        if (instance->pairs[i].failed != failed || (taken >> instance->pairs[i].candidate & 1) != 0)
            continue;
        count_pair(&next, instance, i);
        try_all(instance, failed + 1, taken | 1U << instance->pairs[i].candidate, next, best);
    }
}

/* Fails the test where a chosen pair is none, or a candidate is chosen twice. */
static struct quality judge(const struct instance *instance, const size_t *chosen)
{
    struct quality quality = {0};
    unsigned taken = 0;

    for (size_t failed = 0; failed < instance->n_failed; failed++) {
        size_t found = SIZE_MAX;

        if (chosen[failed] == MATCH_NONE)
            continue;
        assert_true(chosen[failed] < instance->n_candidates);
        assert_int_equal(taken >> chosen[failed] & 1, 0);
        taken |= 1U << chosen[failed];
        for (size_t i = 0; i < instance->n_pairs; i++) {
            const struct match_pair *pair = &instance->pairs[i];

            if (pair->failed == failed && pair->candidate == chosen[failed] &&
                (found == SIZE_MAX || pair->worth > instance->pairs[found].worth))
                found = i;
        }
        assert_true(found != SIZE_MAX);
        count_pair(&quality, instance, found);
    }
    return quality;
}

static void shuffle(struct instance *instance, uint64_t *seed)
{
    for (size_t i = instance->n_pairs; i > 1; i--) {
        size_t other = (size_t)random_below(seed, i);
        struct match_pair pair = instance->pairs[i - 1];

        instance->pairs[i - 1] = instance->pairs[other];
        instance->pairs[other] = pair;
    }
}

/* worths: how many different ones there are; few make ties. */
static struct instance random_instance(uint64_t *seed, uint64_t worths)
{
    struct instance instance = {
        .n_failed = (size_t)random_below(seed, FEW + 1),
        .n_candidates = (size_t)random_below(seed, FEW + 1),
    };
    uint64_t density = 1 + random_below(seed, 4);

    for (size_t i = 0; i < instance.n_failed; i++)
        instance.priorities[i] = (int)random_below(seed, FEW);
    for (size_t failed = 0; failed < instance.n_failed; failed++)
        for (size_t candidate = 0; candidate < instance.n_candidates; candidate++)
            if (random_below(seed, 4) < density)
                instance.pairs[instance.n_pairs++] = (struct match_pair){
                    .failed = failed,
                    .candidate = candidate,
                    .worth = (uint32_t)random_below(seed, worths),
                };
    shuffle(&instance, seed);
    return instance;
}

static int assign(const struct instance *instance, size_t *ret)
{
    return match_pairs(instance->priorities, instance->n_failed, instance->n_candidates, instance->pairs,
                       instance->n_pairs, ret);
}

static void assert_best(const struct instance *instance, bool with_places)
{
    struct quality best = {0}, found;
    size_t chosen[FEW];

    try_all(instance, 0, 0, (struct quality){0}, &best);
    assert_int_equal(assign(instance, chosen), 0);
    found = judge(instance, chosen);
    if (!with_places)
        best.places = found.places;
    assert_int_equal(compare_quality(&found, &best), 0);
}

static void test_nothing_is_better_in_thousands_of_small_cases(void **state)
{
    static const uint64_t worths[] = {1, 2, 4, 1000, (1 << 20) + 1};
    uint64_t seed = 19550301;

    (void)state;
    for (int i = 0; i < 6000; i++) {
        struct instance instance = random_instance(&seed, worths[(size_t)i % ELEMENTS_OF(worths)]);

        /* Where candidates are left out for not being among the best, places are counted differently. */
        assert_best(&instance, instance.n_candidates <= instance.n_failed);
    }
}

static void test_a_pair_given_twice_counts_with_its_better_worth(void **state)
{
    uint64_t seed = 1957;

    (void)state;
    for (int i = 0; i < 1000; i++) {
        struct instance instance = random_instance(&seed, 1000);
        size_t n_pairs = instance.n_pairs;

        for (size_t j = 0; j < n_pairs; j++) {
            instance.pairs[instance.n_pairs] = instance.pairs[j];
            instance.pairs[instance.n_pairs++].worth = (uint32_t)random_below(&seed, 1000);
        }
        shuffle(&instance, &seed);
        assert_best(&instance, false);
    }
}

/* The better pair for the first would leave the second with nothing. */
static void test_greed_would_strand_the_second(void **state)
{
    static const struct match_pair pairs[] = {{0, 0, 900000}, {0, 1, 600000}, {1, 0, 800000}};
    static const int equal[] = {0, 0}, first_matters[] = {10, 0};
    size_t chosen[2];

    (void)state;
    assert_int_equal(match_pairs(equal, 2, 2, pairs, ELEMENTS_OF(pairs), chosen), 0);
    assert_int_equal(chosen[0], 1);
    assert_int_equal(chosen[1], 0);
    /* Served is served: the more important one makes room, since it loses no place by it. */
    assert_int_equal(match_pairs(first_matters, 2, 2, pairs, ELEMENTS_OF(pairs), chosen), 0);
    assert_int_equal(chosen[0], 1);
    assert_int_equal(chosen[1], 0);
}

static void test_an_important_one_outweighs_any_number_of_others(void **state)
{
    struct match_pair pairs[MATCH_MAX];
    int priorities[MATCH_MAX] = {0};
    size_t chosen[MATCH_MAX];

    (void)state;
    for (size_t i = 0; i < MATCH_MAX; i++)
        pairs[i] = (struct match_pair){.failed = i, .candidate = 0, .worth = 1 << 20};
    pairs[MATCH_MAX - 1].worth = 0;
    priorities[MATCH_MAX - 1] = 1;
    assert_int_equal(match_pairs(priorities, MATCH_MAX, 1, pairs, MATCH_MAX, chosen), 0);
    assert_int_equal(chosen[MATCH_MAX - 1], 0);
    for (size_t i = 0; i + 1 < MATCH_MAX; i++)
        assert_int_equal(chosen[i], MATCH_NONE);
}

/* Which one of a class is served cannot cost the class below a place, so its worth may decide. */
static void test_the_sum_decides_who_of_a_class_is_served(void **state)
{
    static const int priorities[] = {5, 5, 1};
    static const struct match_pair pairs[] = {{0, 0, 8}, {1, 0, 10}, {2, 0, 30}, {2, 1, 1}};
    size_t chosen[3];

    (void)state;
    assert_int_equal(match_pairs(priorities, 3, 2, pairs, ELEMENTS_OF(pairs), chosen), 0);
    assert_int_equal(chosen[0], MATCH_NONE);
    assert_int_equal(chosen[1], 0);
    assert_int_equal(chosen[2], 1);
}

static void test_among_equals_the_earlier_pair_is_preferred(void **state)
{
    static const int priorities[] = {0};
    static const struct match_pair one_way[] = {{0, 1, 5}, {0, 0, 5}}, the_other[] = {{0, 0, 5}, {0, 1, 5}};
    size_t chosen;

    (void)state;
    assert_int_equal(match_pairs(priorities, 1, 2, one_way, 2, &chosen), 0);
    assert_int_equal(chosen, 1);
    assert_int_equal(match_pairs(priorities, 1, 2, the_other, 2, &chosen), 0);
    assert_int_equal(chosen, 0);
}

/* Powers of two: no two sums are equal, so only one choice is the best, in whatever order it is asked for. */
static void test_the_order_of_pairs_does_not_matter_where_worths_differ(void **state)
{
    uint64_t seed = 1987;

    (void)state;
    for (int i = 0; i < 300; i++) {
        struct instance instance = random_instance(&seed, 1);
        size_t expected[FEW], chosen[FEW];

        if (instance.n_pairs > 20)
            instance.n_pairs = 20;
        for (size_t j = 0; j < instance.n_pairs; j++)
            instance.pairs[j].worth = UINT32_C(1) << j;
        assert_int_equal(assign(&instance, expected), 0);
        for (int round = 0; round < 5; round++) {
            shuffle(&instance, &seed);
            assert_int_equal(assign(&instance, chosen), 0);
            assert_memory_equal(chosen, expected, instance.n_failed * sizeof(*chosen));
        }
    }
}

/* All want the same candidates most: 32 chains of handing on, and 31,968 candidates too many. */
static void test_the_largest_case(void **state)
{
    enum { CANDIDATES = 1000 };
    static struct match_pair pairs[MATCH_MAX * CANDIDATES];
    int priorities[MATCH_MAX];
    size_t chosen[MATCH_MAX];
    bool is_taken[CANDIDATES] = {false};
    uint64_t worth = 0;

    (void)state;
    for (size_t i = 0; i < MATCH_MAX; i++)
        priorities[i] = (int)(i % 4);
    for (size_t i = 0; i < ELEMENTS_OF(pairs); i++)
        pairs[i] = (struct match_pair){
            .failed = i / CANDIDATES,
            .candidate = i % CANDIDATES,
            .worth = (uint32_t)(i % CANDIDATES + i / CANDIDATES),
        };
    assert_int_equal(match_pairs(priorities, MATCH_MAX, CANDIDATES, pairs, ELEMENTS_OF(pairs), chosen), 0);
    for (size_t i = 0; i < MATCH_MAX; i++) {
        assert_true(chosen[i] < CANDIDATES);
        assert_false(is_taken[chosen[i]]);
        is_taken[chosen[i]] = true;
        worth += chosen[i] + i;
    }
    /* The 32 highest columns, by any permutation, and every row once. */
    assert_int_equal(worth, (999 + 968) * 32 / 2 + 31 * 32 / 2);
}

static void test_nothing_to_assign(void **state)
{
    static const int priorities[] = {3, 1};
    size_t chosen[2] = {7, 7};

    (void)state;
    assert_int_equal(match_pairs(NULL, 0, 0, NULL, 0, NULL), 0);
    assert_int_equal(match_pairs(NULL, 0, 5, NULL, 0, NULL), 0);
    assert_int_equal(match_pairs(priorities, 2, 0, NULL, 0, chosen), 0);
    assert_int_equal(chosen[0], MATCH_NONE);
    assert_int_equal(chosen[1], MATCH_NONE);
}

static void test_what_is_out_of_range_is_refused_and_nothing_touched(void **state)
{
    static const int priorities[MATCH_MAX + 1] = {0};
    static const struct match_pair wrong[] = {{2, 0, 1}, {0, 3, 1}, {0, 0, (1 << 20) + 1}, {SIZE_MAX, 0, 1}};
    size_t chosen[MATCH_MAX + 1] = {7, 7};

    (void)state;
    for (size_t i = 0; i < ELEMENTS_OF(wrong); i++)
        assert_int_equal(match_pairs(priorities, 2, 3, &wrong[i], 1, chosen), -EINVAL);
    assert_int_equal(match_pairs(priorities, MATCH_MAX + 1, 3, NULL, 0, chosen), -EINVAL);
    assert_int_equal(chosen[0], 7);
    assert_int_equal(chosen[1], 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_is_better_in_thousands_of_small_cases),
        cmocka_unit_test(test_a_pair_given_twice_counts_with_its_better_worth),
        cmocka_unit_test(test_greed_would_strand_the_second),
        cmocka_unit_test(test_an_important_one_outweighs_any_number_of_others),
        cmocka_unit_test(test_the_sum_decides_who_of_a_class_is_served),
        cmocka_unit_test(test_among_equals_the_earlier_pair_is_preferred),
        cmocka_unit_test(test_the_order_of_pairs_does_not_matter_where_worths_differ),
        cmocka_unit_test(test_the_largest_case),
        cmocka_unit_test(test_nothing_to_assign),
        cmocka_unit_test(test_what_is_out_of_range_is_refused_and_nothing_touched),
    };

    return cmocka_run_group_tests_name("assign", tests, NULL, NULL);
}
