/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Findings: how they read, and what counts as an error. */
#include "base/diag.h"

#include <string.h>

#include "support.h"

static void assert_formats_as(const struct diag *diag, const char *expected)
{
    _cleanup_(freep) char *text = NULL;

    assert_int_equal(diag_format(diag, &text), 0);
    assert_string_equal(text, expected);
}

static void test_a_finding_says_file_line_column_and_message(void **state)
{
    struct diags diags = {0};

    (void)state;
    diags_add(&diags, DIAG_ERROR, "understudy.yaml", 12, 3, "unknown key '%s'", "treshold");
    diags_add(&diags, DIAG_WARNING, "understudy.yaml", 0, 0, "nothing is protected");
    diags_add(&diags, DIAG_ERROR, NULL, 7, 1, "not a number");
    diags_add(&diags, DIAG_ERROR, "web.xml", 4, 0, "no target");
    assert_int_equal(diags.count, 4);
    assert_formats_as(&diags.items[0], "understudy.yaml:12:3: error: unknown key 'treshold'");
    assert_formats_as(&diags.items[1], "understudy.yaml: warning: nothing is protected");
    assert_formats_as(&diags.items[2], "error: not a number");
    assert_formats_as(&diags.items[3], "web.xml:4: error: no target");
    diags_done(&diags);
    assert_int_equal(diags.count, 0);
}

static void test_the_file_name_is_copied(void **state)
{
    char name[] = "a.yaml";
    struct diags diags = {0};

    (void)state;
    diags_add(&diags, DIAG_ERROR, name, 1, 1, "x");
    name[0] = 'b';
    assert_string_equal(diags.items[0].file, "a.yaml");
    diags_done(&diags);
}

static void test_warnings_alone_are_no_errors(void **state)
{
    struct diags diags = {0};

    (void)state;
    assert_false(diags_have_errors(&diags));
    diags_add(&diags, DIAG_WARNING, NULL, 0, 0, "odd");
    assert_false(diags_have_errors(&diags));
    diags_add(&diags, DIAG_ERROR, NULL, 0, 0, "wrong");
    diags_add(&diags, DIAG_WARNING, NULL, 0, 0, "odd again");
    assert_true(diags_have_errors(&diags));
    diags_done(&diags);
}

static void test_a_lost_finding_counts_as_an_error(void **state)
{
    struct diags diags = {.incomplete = true};

    (void)state;
    assert_true(diags_have_errors(&diags));
    diags_done(&diags);
    assert_false(diags.incomplete);
}

static void test_many_findings_keep_their_order(void **state)
{
    struct diags diags = {0};

    (void)state;
    for (unsigned line = 1; line <= 1000; line++)
        diags_add(&diags, DIAG_ERROR, "f", line, 1, "%u", line);
    assert_int_equal(diags.count, 1000);
    for (unsigned line = 1; line <= 1000; line++)
        assert_int_equal(diags.items[line - 1].line, line);
    diags_done(&diags);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_finding_says_file_line_column_and_message),
        cmocka_unit_test(test_the_file_name_is_copied),
        cmocka_unit_test(test_warnings_alone_are_no_errors),
        cmocka_unit_test(test_a_lost_finding_counts_as_an_error),
        cmocka_unit_test(test_many_findings_keep_their_order),
    };

    return cmocka_run_group_tests_name("diag", tests, NULL, NULL);
}
