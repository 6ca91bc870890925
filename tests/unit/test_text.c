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

static void check_printable(const char *text, const char *expected)
{
    _cleanup_(freep) char *printable = text_printable(text);

    assert_string_equal(printable, expected);
}

static void test_names_of_any_script_stay(void **state)
{
    (void)state;
    check_printable("vm-1", "vm-1");
    check_printable("", "");
    check_printable("\xea\xb0\x80\xec\x83\x81 \xd7\x90 \xc2\xa0\xf0\x9f\x98\x80",
                    "\xea\xb0\x80\xec\x83\x81 \xd7\x90 \xc2\xa0\xf0\x9f\x98\x80");
    check_printable("a\xe2\x80\x8d"
                    "b",
                    "a\xe2\x80\x8d"
                    "b"); /* zero width joiner: words of several scripts need it */
    check_printable("replaced before: \xef\xbf\xbd", "replaced before: \xef\xbf\xbd");
}

static void test_a_newline_in_a_name_forges_no_line(void **state)
{
    (void)state;
    check_printable("a\n12:00:00.000 notice: b failed", "a\\x0a12:00:00.000 notice: b failed");
    check_printable("\033[31mred\tx\r\x7f", "\\x1b[31mred\\x09x\\x0d\\x7f");
    check_printable("csi \xc2\x9b, nel \xc2\x85", "csi \\xc2\\x9b, nel \\xc2\\x85"); /* C1 */
}

static void test_what_turns_or_breaks_a_line_is_escaped(void **state)
{
    static const struct {
        const char *given, *printable, *json;
    } cases[] = {
        {"\xe2\x80\xa8", "\\xe2\\x80\\xa8", "\\u2028"}, {"\xe2\x80\xa9", "\\xe2\\x80\\xa9", "\\u2029"},
        {"\xe2\x80\xaa", "\\xe2\\x80\\xaa", "\\u202a"}, {"\xe2\x80\xab", "\\xe2\\x80\\xab", "\\u202b"},
        {"\xe2\x80\xac", "\\xe2\\x80\\xac", "\\u202c"}, {"\xe2\x80\xad", "\\xe2\\x80\\xad", "\\u202d"},
        {"\xe2\x80\xae", "\\xe2\\x80\\xae", "\\u202e"}, {"\xe2\x81\xa6", "\\xe2\\x81\\xa6", "\\u2066"},
        {"\xe2\x81\xa7", "\\xe2\\x81\\xa7", "\\u2067"}, {"\xe2\x81\xa8", "\\xe2\\x81\\xa8", "\\u2068"},
        {"\xe2\x81\xa9", "\\xe2\\x81\\xa9", "\\u2069"}, {"\xe2\x80\x8e", "\\xe2\\x80\\x8e", "\\u200e"},
        {"\xe2\x80\x8f", "\\xe2\\x80\\x8f", "\\u200f"}, {"\xd8\x9c", "\\xd8\\x9c", "\\u061c"},
        {"\xe2\x80\x8b", "\\xe2\\x80\\x8b", "\\u200b"}, {"\xef\xbb\xbf", "\\xef\\xbb\\xbf", "\\ufeff"},
        {"\xc2\x9b", "\\xc2\\x9b", "\\u009b"},          {"\x7f", "\\x7f", "\\u007f"},
    };

    (void)state;
    for (size_t i = 0; i < ELEMENTS_OF(cases); i++) {
        _cleanup_(freep) char *json = text_printable_json(cases[i].given);

        check_printable(cases[i].given, cases[i].printable);
        assert_string_equal(json, cases[i].json);
    }
}

static void test_bytes_that_are_not_utf8_are_escaped(void **state)
{
    (void)state;
    check_printable("cut \xe2\x80", "cut \\xe2\\x80");
    check_printable("\xff\x9b", "\\xff\\x9b");
}

static void test_json_keeps_its_lines_and_its_meaning(void **state)
{
    static const char document[] = "{\n  \"name\": \"\\n\xea\xb0\x80\xc2\x85z\"\n}";
    _cleanup_(freep) char *json = text_printable_json(document);

    (void)state;
    assert_string_equal(json, "{\n  \"name\": \"\\n\xea\xb0\x80\\u0085z\"\n}");
}

static void test_what_does_not_fit_is_cut_between_characters(void **state)
{
    char small[8];

    (void)state;
    text_make_printable("ab\033\033", 4, small, sizeof(small));
    assert_string_equal(small, "ab\\x1b");
    text_make_printable("n\0l", 3, small, sizeof(small));
    assert_string_equal(small, "n\\x00l");
    text_make_printable("abcdef\xea\xb0\x80", 9, small, sizeof(small));
    assert_string_equal(small, "abcdef");
}

static void test_what_fits_ends_with_a_whole_character(void **state)
{
    (void)state;
    assert_int_equal(text_fit("abc", 8), 3);
    assert_int_equal(text_fit("abc", 2), 2);
    assert_int_equal(text_fit("a\xc3\xbc", 2), 1);
    assert_int_equal(text_fit("a\xc3\xbc", 3), 3);
    assert_int_equal(text_fit("\xea\xb0\x80", 1), 0);
    assert_int_equal(text_fit("\xea\xb0\x80", 2), 0);
    assert_int_equal(text_fit("\xea\xb0\x80", 3), 3);
    assert_int_equal(text_fit("x\xf0\x9f\x98\x80y", 4), 1);
    assert_int_equal(text_fit("x\xf0\x9f\x98\x80y", 5), 5);
    assert_int_equal(text_fit("\x80\x80\x80\x80", 4), 4); /* no character at all */
    assert_int_equal(text_fit("", 0), 0);
}

static void test_a_word_of_a_shell_is_quoted_where_it_has_to_be(void **state)
{
    static const struct {
        const char *text, *word;
    } rows[] = {
        {"/var/lib/a-b_c+d.7.qcow2", "/var/lib/a-b_c+d.7.qcow2"},
        {"/my images/a", "'/my images/a'"},
        {"it's", "'it'\\''s'"},
        {"$(reboot);`x`", "'$(reboot);`x`'"},
        {"~", "'~'"},
        {"\xc3\xa9", "'\xc3\xa9'"},
        {"", "''"},
    };

    (void)state;
    for (size_t i = 0; i < ELEMENTS_OF(rows); i++) {
        char *word = text_shell_word(rows[i].text);

        assert_string_equal(word, rows[i].word);
        free(word);
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
        cmocka_unit_test(test_names_of_any_script_stay),
        cmocka_unit_test(test_a_newline_in_a_name_forges_no_line),
        cmocka_unit_test(test_what_turns_or_breaks_a_line_is_escaped),
        cmocka_unit_test(test_bytes_that_are_not_utf8_are_escaped),
        cmocka_unit_test(test_json_keeps_its_lines_and_its_meaning),
        cmocka_unit_test(test_what_does_not_fit_is_cut_between_characters),
        cmocka_unit_test(test_a_word_of_a_shell_is_quoted_where_it_has_to_be),
        cmocka_unit_test(test_what_fits_ends_with_a_whole_character),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
