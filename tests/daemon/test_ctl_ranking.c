/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How many candidates are shown of a document, and how the others are counted. */
#include "ctl/ranking.h"

#include "capture.h"

/* What is printed of a document. */
static const char *printed(const char *json, const char *chosen, size_t limit)
{
    static char text[4096];
    json_t *document = json_loads(json, 0, NULL);
    struct capture capture;

    assert_non_null(document);
    capture_begin(&capture);
    ranking_print(document, chosen, limit);
    capture_end(&capture, text, sizeof(text));
    json_decref(document);
    return text;
}

#define ELIGIBLE(name) "{\"name\": \"" name "\", \"eligible\": true, \"reason\": \"good\"}"
#define OTHER(name)    "{\"name\": \"" name "\", \"eligible\": false, \"reason\": \"bad\"}"
#define THREE          ELIGIBLE("best") ", " ELIGIBLE("second") ", " ELIGIBLE("third")
#define THREE_OTHERS   OTHER("near") ", " OTHER("far") ", " OTHER("farthest")
#define SIX            "\"candidates\": [" THREE ", " THREE_OTHERS "]"

static void test_where_nothing_could_be_compared_there_are_no_numbers(void **state)
{
    const char *text = printed("{\"candidates\": [{\"name\": \"spare\", \"eligible\": false, \"similarity\": null, "
                               "\"coverage\": null, \"overlap\": null, \"reason\": \"nothing is known\"}]}",
                               NULL, 0);

    (void)state;
    has(text, "  -  spare      -                 -         -  nothing is known");
    has_not(text, "0.0000");
    has_not(text, "░");
}

static void test_the_limit_holds_for_the_eligible_and_for_the_others(void **state)
{
    const char *text = printed("{" SIX "}", "best", 1);

    (void)state;
    has(text, "  1  best ");
    has(text, "  -  near ");
    has(text, "... and 4 more, which --limit 0 shows\n");
    has_not(text, "second");
    has_not(text, " far");

    text = printed("{" SIX "}", "best", 0);
    has(text, "  3  third ");
    has(text, "  -  farthest ");
    has_not(text, "more");
}

static void test_the_chosen_one_is_shown_whatever_its_place(void **state)
{
    const char *text = printed("{" SIX "}", "third", 1);

    (void)state;
    has(text, "  1  best ");
    has(text, "  3  third ");
    has(text, "... and 3 more, which");
    has_not(text, "second");
}

static void test_those_that_are_not_listed_are_counted_by_reason(void **state)
{
    const char *text = printed("{" SIX ", \"left_out\": 945, \"left_out_by_reason\": {\"claimed\": 40, "
                               "\"not similar enough\": 900, \"tried already\": 5}}",
                               "best", 0);

    (void)state;
    has(text, "     ... and 945 more: 900 not similar enough, 40 claimed, 5 tried already\n");
}

static void test_a_document_that_knows_no_reasons(void **state)
{
    const char *text = printed("{" SIX ", \"left_out\": 945}", NULL, 0);

    (void)state;
    has(text, "     ... and 945 more\n");
}

static void test_no_candidate(void **state)
{
    (void)state;
    assert_string_equal(printed("{\"candidates\": [], \"left_out\": 0}", NULL, 20), "  There is no candidate.\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_where_nothing_could_be_compared_there_are_no_numbers),
        cmocka_unit_test(test_the_limit_holds_for_the_eligible_and_for_the_others),
        cmocka_unit_test(test_the_chosen_one_is_shown_whatever_its_place),
        cmocka_unit_test(test_those_that_are_not_listed_are_counted_by_reason),
        cmocka_unit_test(test_a_document_that_knows_no_reasons),
        cmocka_unit_test(test_no_candidate),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
