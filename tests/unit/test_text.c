/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Helpers for texts. */
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

#include "support.h"

static void test_null_equals_only_null(void **state)
{
    (void)state;
    assert_true(text_equal(NULL, NULL));
    assert_false(text_equal(NULL, ""));
    assert_false(text_equal("", NULL));
    assert_true(text_equal("a", "a"));
    assert_false(text_equal("a", "b"));
}

static void test_a_copy_is_independent_and_null_stays_null(void **state)
{
    char text[] = "abc", *copy = text_copy(text);

    (void)state;
    text[0] = 'x';
    assert_string_equal(copy, "abc");
    free(copy);
    assert_null(text_copy(NULL));
}

static void test_texts_are_formatted(void **state)
{
    char *text = text_print("%s-%d", "a", 7);

    (void)state;
    assert_string_equal(text, "a-7");
    free(text);
    assert_int_equal(text_format(&text, "%04d", 42), 0);
    assert_string_equal(text, "0042");
    free(text);
}

static void test_how_far_words_are_apart(void **state)
{
    char longest[TEXT_DISTANCE_MAX + 2];

    (void)state;
    assert_int_equal(text_distance("recoverd", "recovered"), 1);
    assert_int_equal(text_distance("Host-Lost", "host-lost"), 0);
    assert_int_equal(text_distance("", "abc"), 3);
    assert_int_equal(text_distance("kitten", "sitting"), 3);
    memset(longest, 'a', sizeof(longest));
    longest[TEXT_DISTANCE_MAX + 1] = '\0';
    assert_true(text_distance(longest, "a") == SIZE_MAX && text_distance("a", longest) == SIZE_MAX);
    longest[TEXT_DISTANCE_MAX] = '\0';
    assert_int_equal(text_distance(longest, "a"), TEXT_DISTANCE_MAX - 1);
}

static void test_equal_but_for_numbers(void **state)
{
    static const struct {
        const char *a, *b;
        bool is_equal;
    } cases[] = {
        {"", "", true},
        {"a", "a", true},
        {"a", "b", false},
        {"a", "", false},
        {"", "1", false},
        {"600 s more", "1200 s more", true},
        {"for 9", "for 10", true},
        {"for 9s", "for 10", false},
        {"1a2", "30a40", true},
        {"1a2", "30b40", false},
        {NULL, NULL, true},
        {NULL, "", false},
    };

    (void)state;
    for (size_t i = 0; i < ELEMENTS_OF(cases); i++) {
        assert_int_equal(text_equal_but_for_numbers(cases[i].a, cases[i].b), cases[i].is_equal);
        assert_int_equal(text_equal_but_for_numbers(cases[i].b, cases[i].a), cases[i].is_equal);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equal_but_for_numbers),
        cmocka_unit_test(test_null_equals_only_null),
        cmocka_unit_test(test_a_copy_is_independent_and_null_stays_null),
        cmocka_unit_test(test_texts_are_formatted),
        cmocka_unit_test(test_how_far_words_are_apart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
