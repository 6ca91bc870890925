/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Helpers for texts. */
#include "base/text.h"

#include <stdlib.h>

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_null_equals_only_null),
        cmocka_unit_test(test_a_copy_is_independent_and_null_stays_null),
        cmocka_unit_test(test_texts_are_formatted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
