/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The set of ids against a plain bitmap. */
#include "base/id_set.h"

#include "support.h"

static void test_an_empty_set_contains_nothing(void **state)
{
    struct id_set set = {0};

    (void)state;
    assert_false(id_set_contains(&set, 0));
    assert_false(id_set_contains(&set, UINT32_MAX));
    id_set_done(&set);
    id_set_done(&set);
}

static void test_ids_are_ascending_and_distinct_in_any_order_of_adding(void **state)
{
    struct id_set set = {0};
    static const uint32_t ids[] = {7, 0, UINT32_MAX, 7, 3, 0, 5, UINT32_MAX};
    static const uint32_t sorted[] = {0, 3, 5, 7, UINT32_MAX};

    (void)state;
    for (size_t i = 0; i < ELEMENTS_OF(ids); i++)
        assert_int_equal(id_set_add(&set, ids[i]), 0);
    assert_int_equal(set.count, ELEMENTS_OF(sorted));
    assert_memory_equal(set.ids, sorted, sizeof(sorted));
    assert_true(id_set_contains(&set, 5));
    assert_false(id_set_contains(&set, 4));
    id_set_done(&set);
    assert_int_equal(set.count, 0);
}

static void test_random_ids_agree_with_a_bitmap(void **state)
{
    bool expected[512] = {false};
    struct id_set set = {0};
    uint64_t seed = 20230901;
    size_t distinct = 0;

    (void)state;
    for (int i = 0; i < 400; i++) {
        uint32_t id = (uint32_t)random_below(&seed, ELEMENTS_OF(expected));

        distinct += !expected[id];
        expected[id] = true;
        assert_int_equal(id_set_add(&set, id), 0);
        assert_int_equal(set.count, distinct);
    }
    for (uint32_t id = 0; id < ELEMENTS_OF(expected); id++)
        assert_int_equal(id_set_contains(&set, id), expected[id]);
    id_set_done(&set);
}

static void test_a_copy_is_independent_and_replaces_what_was_there(void **state)
{
    struct id_set source = {0}, copy = {0}, empty = {0};

    (void)state;
    assert_int_equal(id_set_add(&source, 1), 0);
    assert_int_equal(id_set_add(&source, 2), 0);
    assert_int_equal(id_set_add(&copy, 99), 0);

    assert_int_equal(id_set_copy(&copy, &source), 0);
    assert_true(id_set_equal(&copy, &source));
    assert_false(id_set_contains(&copy, 99));

    assert_int_equal(id_set_add(&copy, 3), 0);
    assert_false(id_set_contains(&source, 3));
    assert_false(id_set_equal(&copy, &source));

    assert_int_equal(id_set_copy(&copy, &empty), 0);
    assert_int_equal(copy.count, 0);
    assert_true(id_set_equal(&copy, &empty));
    id_set_done(&source);
    id_set_done(&copy);
}

static void test_equality_looks_at_every_id(void **state)
{
    struct id_set a = {0}, b = {0};

    (void)state;
    assert_true(id_set_equal(&a, &b));
    assert_int_equal(id_set_add(&a, 1), 0);
    assert_false(id_set_equal(&a, &b));
    assert_int_equal(id_set_add(&b, 2), 0);
    assert_false(id_set_equal(&a, &b));
    assert_int_equal(id_set_add(&a, 2), 0);
    assert_int_equal(id_set_add(&b, 1), 0);
    assert_true(id_set_equal(&a, &b));
    id_set_done(&a);
    id_set_done(&b);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_empty_set_contains_nothing),
        cmocka_unit_test(test_ids_are_ascending_and_distinct_in_any_order_of_adding),
        cmocka_unit_test(test_random_ids_agree_with_a_bitmap),
        cmocka_unit_test(test_a_copy_is_independent_and_replaces_what_was_there),
        cmocka_unit_test(test_equality_looks_at_every_id),
    };

    return cmocka_run_group_tests_name("id_set", tests, NULL, NULL);
}
