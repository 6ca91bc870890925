/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a terminal would obey is replaced; everything else stays as it is. */
#include "ctl/harmless.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static void check(const char *text, const char *expected)
{
    char copy[64];

    snprintf(copy, sizeof(copy), "%s", text);
    harmless_make(copy);
    assert_string_equal(copy, expected);
}

static void test_names_of_any_script_stay(void **state)
{
    (void)state;
    check("vm-1", "vm-1");
    check("", "");
    check("two\nlines", "two\nlines");
    check("\xea\xb0\x80\xec\x83\x81 \xd7\x90 \xc2\xa0\xf0\x9f\x98\x80",
          "\xea\xb0\x80\xec\x83\x81 \xd7\x90 \xc2\xa0\xf0\x9f\x98\x80");
    check("replaced before: \xef\xbf\xbd", "replaced before: \xef\xbf\xbd");
}

static void test_control_characters_go(void **state)
{
    (void)state;
    check("\033[31mred\tx\r\x7f", "?[31mred?x??");
    check("csi \xc2\x9b, nel \xc2\x85", "csi ?, nel ?"); /* C1 */
}

static void test_what_turns_or_breaks_a_line_goes(void **state)
{
    static const char *const harmful[] = {
        "\xe2\x80\xa8", "\xe2\x80\xa9", "\xe2\x80\xaa", "\xe2\x80\xab", "\xe2\x80\xac", "\xe2\x80\xad", "\xe2\x80\xae",
        "\xe2\x81\xa6", "\xe2\x81\xa7", "\xe2\x81\xa8", "\xe2\x81\xa9", "\xe2\x80\x8e", "\xe2\x80\x8f", "\xd8\x9c"};

    (void)state;
    for (size_t i = 0; i < sizeof(harmful) / sizeof(harmful[0]); i++) {
        char text[16];

        snprintf(text, sizeof(text), "a%sb", harmful[i]);
        check(text, "a?b");
    }
}

static void test_bytes_that_are_not_utf8_go(void **state)
{
    (void)state;
    check("cut \xe2\x80", "cut ??");
    check("\xff\x9b", "??");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_of_any_script_stay),
        cmocka_unit_test(test_control_characters_go),
        cmocka_unit_test(test_what_turns_or_breaks_a_line_goes),
        cmocka_unit_test(test_bytes_that_are_not_utf8_go),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
