/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Fractions of 64-bit integers: exact where doubles are not. */
#include "similarity/fraction.h"

#include "base/cleanup.h"
#include "support.h"

static void test_a_fraction_without_denominator_is_0(void **state)
{
    (void)state;
    assert_int_equal(fraction_compare(fraction_of(5, 0), fraction_of(0, 7)), 0);
    assert_true(fraction_to_double(fraction_of(5, 0)) == 0.0);
}

static void test_equal_fractions_of_different_terms_are_equal(void **state)
{
    (void)state;
    assert_int_equal(fraction_compare(fraction_of(1, 3), fraction_of(UINT64_MAX / 3, UINT64_MAX)), 0);
    assert_int_equal(fraction_compare(fraction_of(1, 2), fraction_of(300000, 600000)), 0);
}

/* No double and no 64-bit product tells these apart. */
static void test_neighbours_of_64_bits_are_told_apart(void **state)
{
    struct fraction below = {UINT64_MAX - 2, UINT64_MAX - 1}, above = {UINT64_MAX - 1, UINT64_MAX};

    (void)state;
    assert_true(fraction_compare(below, above) < 0);
    assert_true(fraction_compare(above, below) > 0);
    assert_int_equal(fraction_compare(above, above), 0);
}

static void test_one_third_is_not_333333_millionths(void **state)
{
    (void)state;
    assert_true(fraction_compare(fraction_of(1, 3), fraction_of(333333, 1000000)) > 0);
    assert_true(fraction_compare(fraction_of(1, 3), fraction_of(333334, 1000000)) < 0);
}

static void test_millionths_are_rounded_down(void **state)
{
    (void)state;
    assert_int_equal(fraction_to_millionths(fraction_of(2, 3)), 666666);
    assert_int_equal(fraction_to_millionths(fraction_of(UINT64_MAX - 1, UINT64_MAX)), 999999);
    assert_int_equal(fraction_to_millionths(fraction_of(UINT64_MAX, UINT64_MAX)), 1000000);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_fraction_without_denominator_is_0),
        cmocka_unit_test(test_equal_fractions_of_different_terms_are_equal),
        cmocka_unit_test(test_neighbours_of_64_bits_are_told_apart),
        cmocka_unit_test(test_one_third_is_not_333333_millionths),
        cmocka_unit_test(test_millionths_are_rounded_down),
    };

    return cmocka_run_group_tests_name("fraction", tests, NULL, NULL);
}
