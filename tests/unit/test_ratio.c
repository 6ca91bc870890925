/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Exact ratios against schoolbook arithmetic on numbers of any size. */
#include "similarity/ratio.h"

#include "base/cleanup.h"
#include "support.h"

static struct wide power_of_two(unsigned exponent)
{
    struct wide power = wide_from(1);

    for (; exponent >= 32; exponent -= 32)
        power = wide_multiply(power, UINT64_C(1) << 32);
    return wide_multiply(power, UINT64_C(1) << exponent);
}

static void assert_wide_is(struct wide actual, struct big expected)
{
    assert_int_equal(big_compare(big_from_wide(actual), expected), 0);
}

static int sign(int number)
{
    return (number > 0) - (number < 0);
}

/* a/b against c/d by cross-multiplication in 2048 bits. */
static int compare_by_hand(const struct ratio *x, const struct ratio *y)
{
    return big_compare(big_multiply(big_from_wide(x->numerator), big_from_wide(y->denominator)),
                       big_multiply(big_from_wide(y->numerator), big_from_wide(x->denominator)));
}

static void test_addition_carries_through_every_limb(void **state)
{
    const struct wide all_ones = {.limb = {UINT64_MAX, UINT64_MAX, UINT64_MAX, 0}};
    struct wide sum = wide_add(all_ones, wide_from(1));

    (void)state;
    assert_int_equal(sum.limb[0], 0);
    assert_int_equal(sum.limb[1], 0);
    assert_int_equal(sum.limb[2], 0);
    assert_int_equal(sum.limb[3], 1);
}

static void test_multiplication_carries_through_every_limb(void **state)
{
    const struct wide all_ones = {.limb = {UINT64_MAX, UINT64_MAX, UINT64_MAX, 0}};

    (void)state;
    assert_wide_is(wide_multiply(all_ones, UINT64_MAX), big_multiply(big_from_wide(all_ones), big_from(UINT64_MAX)));
}

static void test_zero_is_zero_in_every_limb(void **state)
{
    (void)state;
    assert_true(wide_is_zero(wide_from(0)));
    assert_true(wide_is_zero(wide_multiply(power_of_two(200), 0)));
    assert_false(wide_is_zero(wide_from(1)));
    for (unsigned exponent = 0; exponent < 256; exponent += 51)
        assert_false(wide_is_zero(power_of_two(exponent)));
}

static void test_random_sums_and_products_agree(void **state)
{
    uint64_t seed = 42;

    (void)state;
    for (int i = 0; i < 300; i++) {
        struct wide a = {.limb = {random_next(&seed), random_next(&seed), random_next(&seed)}};
        struct wide b = {.limb = {random_next(&seed), random_next(&seed), random_next(&seed)}};
        uint64_t factor = random_next(&seed) >> random_below(&seed, 64);

        assert_wide_is(wide_add(a, b), big_add(big_from_wide(a), big_from_wide(b)));
        assert_wide_is(wide_multiply(a, factor), big_multiply(big_from_wide(a), big_from(factor)));
    }
}

static void test_a_ratio_without_denominator_is_0(void **state)
{
    struct ratio ratio = ratio_of(wide_from(5), wide_from(0)), zero = ratio_millionths(0);

    (void)state;
    assert_false(wide_is_zero(ratio.denominator));
    assert_int_equal(ratio_compare(&ratio, &zero), 0);
    assert_float_equal(ratio_to_double(&ratio), 0.0, 0.0);
}

static void test_equal_ratios_of_different_terms_are_equal(void **state)
{
    struct ratio third = ratio_of(wide_from(1), wide_from(3));
    struct ratio same = ratio_of(wide_multiply(power_of_two(200), 7), wide_multiply(power_of_two(200), 21));
    struct ratio half = ratio_millionths(500000), sixth = ratio_of(wide_from(300000), wide_from(600000));

    (void)state;
    assert_int_equal(ratio_compare(&third, &same), 0);
    assert_int_equal(ratio_compare(&half, &sixth), 0);
}

/* No double and no 128-bit product tells these apart. */
static void test_neighbours_of_250_bits_are_told_apart(void **state)
{
    struct wide n = power_of_two(250), one = wide_from(1), two = wide_from(2);
    struct ratio below = ratio_of(n, wide_add(n, one)), above = ratio_of(wide_add(n, one), wide_add(n, two));

    (void)state;
    assert_true(ratio_compare(&below, &above) < 0);
    assert_true(ratio_compare(&above, &below) > 0);
    assert_int_equal(ratio_compare(&above, &above), 0);
}

static void test_one_third_is_not_333333_millionths(void **state)
{
    struct ratio third = ratio_of(wide_from(1), wide_from(3)), below = ratio_millionths(333333);
    struct ratio above = ratio_millionths(333334);

    (void)state;
    assert_true(ratio_compare(&third, &below) > 0);
    assert_true(ratio_compare(&third, &above) < 0);
}

static void test_random_comparisons_agree_with_cross_multiplication(void **state)
{
    uint64_t seed = 7;
    int equal = 0;

    (void)state;
    for (int i = 0; i < 400; i++) {
        struct ratio x, y;
        struct ratio *const both[] = {&x, &y};

        for (size_t r = 0; r < ELEMENTS_OF(both); r++) {
            uint64_t small = i % 2 == 0 ? 6 : UINT64_MAX;
            struct wide scale = power_of_two((unsigned)random_below(&seed, i % 2 == 0 ? 200 : 120));

            *both[r] = ratio_of(wide_multiply(scale, random_below(&seed, small)),
                                wide_multiply(scale, 1 + random_below(&seed, small)));
        }
        int expected = compare_by_hand(&x, &y);

        equal += expected == 0;
        assert_int_equal(sign(ratio_compare(&x, &y)), expected);
        assert_int_equal(sign(ratio_compare(&y, &x)), -expected);
    }
    assert_true(equal > 10 && equal < 390); /* the draw covers both */
}

static void test_doubles_for_display(void **state)
{
    struct ratio two_thirds = ratio_of(wide_multiply(power_of_two(180), 2), wide_multiply(power_of_two(180), 3));
    struct ratio tiny = ratio_of(wide_from(1), power_of_two(100)), one = ratio_of(power_of_two(255), power_of_two(255));
    struct ratio decimal = ratio_millionths(123456);

    (void)state;
    assert_true(ratio_to_double(&two_thirds) > 0.6666666666 && ratio_to_double(&two_thirds) < 0.6666666667);
    assert_true(ratio_to_double(&one) == 1.0);
    assert_true(ratio_to_double(&tiny) > 0.0 && ratio_to_double(&tiny) < 1e-29);
    assert_true(ratio_to_double(&decimal) > 0.1234559999 && ratio_to_double(&decimal) < 0.1234560001);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_addition_carries_through_every_limb),
        cmocka_unit_test(test_multiplication_carries_through_every_limb),
        cmocka_unit_test(test_zero_is_zero_in_every_limb),
        cmocka_unit_test(test_random_sums_and_products_agree),
        cmocka_unit_test(test_a_ratio_without_denominator_is_0),
        cmocka_unit_test(test_equal_ratios_of_different_terms_are_equal),
        cmocka_unit_test(test_neighbours_of_250_bits_are_told_apart),
        cmocka_unit_test(test_one_third_is_not_333333_millionths),
        cmocka_unit_test(test_random_comparisons_agree_with_cross_multiplication),
        cmocka_unit_test(test_doubles_for_display),
    };

    return cmocka_run_group_tests_name("ratio", tests, NULL, NULL);
}
