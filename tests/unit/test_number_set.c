/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The set of small numbers against an array of booleans. */
#include "base/number_set.h"

#include "support.h"

static void test_an_empty_set_has_nothing(void **state)
{
    struct number_set set = {0};

    (void)state;
    assert_false(number_set_has(&set, 0));
    assert_int_equal(number_set_next(&set, 0), NUMBER_NONE);
    number_set_remove(&set, 5);
    assert_int_equal(set.count, 0);
    number_set_done(&set);
}

static void test_random_numbers_agree_with_an_array(void **state)
{
    bool expected[300] = {false};
    struct number_set set = {0};
    uint64_t seed = 20261129;
    size_t room = 1;

    (void)state;
    for (int i = 0; i < 20000; i++) {
        uint32_t number, at = 0;
        size_t count = 0;

        if (i % 50 == 0 && room < ELEMENTS_OF(expected))
            room++;
        assert_int_equal(number_set_reserve(&set, room), 0);
        number = (uint32_t)(random_next(&seed) % room);
        expected[number] = random_next(&seed) % 2 == 0;
        if (expected[number])
            number_set_add(&set, number);
        else
            number_set_remove(&set, number);
        assert_int_equal(number_set_has(&set, number), expected[number]);
        for (uint32_t n = 0; n < ELEMENTS_OF(expected); n++) {
            if (!expected[n])
                continue;
            count++;
            assert_int_equal(number_set_next(&set, at), n);
            at = n + 1;
        }
        assert_int_equal(number_set_next(&set, at), NUMBER_NONE);
        assert_int_equal(set.count, count);
    }
    number_set_done(&set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_empty_set_has_nothing),
        cmocka_unit_test(test_random_numbers_agree_with_an_array),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
