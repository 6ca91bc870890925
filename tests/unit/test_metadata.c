/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is to be changed in the metadata element is, and nothing else. */
#include "model/metadata.h"

#include <errno.h>
#include <string.h>

#include "support.h"

static const struct metadata_change kept = {
    .roles = ROLE_PROTECTED | ROLE_STANDBY,
    .sets_priority = true,
    .priority = -7,
    .service = "a & \"b\"",
};

static void check(const char *xml, const struct metadata_change *change, const char *expected)
{
    _cleanup_(freep) char *text = NULL;

    assert_int_equal(metadata_apply(xml, "6f1d", change, &text), 0);
    assert_string_equal(text, expected);
}

static void an_element_is_made_where_there_is_none(void **state)
{
    (void)state;
    check(NULL, &kept, "<machine role=\"protected, standby\" priority=\"-7\" service=\"a &amp; &quot;b&quot;\"/>");
}

static void what_an_operator_wrote_stays(void **state)
{
    (void)state;
    check("<machine role='standby' priority='3'>\n  <resource kind='os'>a &amp; b</resource><!-- mine -->\n"
          "  <other x='1'/>\n</machine>",
          &kept,
          "<machine role=\"protected, standby\" priority=\"-7\" service=\"a &amp; &quot;b&quot;\">\n"
          "  <resource kind=\"os\">a &amp; b</resource><!-- mine -->\n  <other x=\"1\"/>\n</machine>");
}

static void the_old_original_loses_role_and_service_and_keeps_its_priority(void **state)
{
    static const struct metadata_change change = {.roles = ROLE_IGNORED};

    (void)state;
    check("<machine role=\"protected\" priority=\"3\" service=\"web\"/>", &change,
          "<machine role=\"ignored\" priority=\"3\"/>");
    check("<machine role=\"ignored\" priority=\"3\"/>", &change, "<machine role=\"ignored\" priority=\"3\"/>");
}

static void a_prefix_stays(void **state)
{
    static const struct metadata_change change = {.roles = ROLE_STANDBY};

    (void)state;
    check("<u:machine xmlns:u=\"urn:understudy:domain:1.0\"><u:resource kind=\"os\">x</u:resource></u:machine>",
          &change,
          "<u:machine xmlns:u=\"urn:understudy:domain:1.0\" role=\"standby\"><u:resource "
          "kind=\"os\">x</u:resource></u:machine>");
}

static void a_mark_is_set_changed_and_removed(void **state)
{
    static const struct metadata_change warm = {.sets_mark = true, .mark = "warm"}, none = {.sets_mark = true};
    static const struct metadata_change serves = {.sets_mark = true, .mark = "20261129-1 local 7a2e web & mail"};
    const char *marked = "<machine role=\"standby\"><mark domain=\"6f1d\" recovery=\"20261129-1\" hypervisor=\"local\" "
                         "original=\"7a2e\" service=\"web &amp; mail\"/></machine>";

    (void)state;
    check("<machine role=\"standby\"/>", &serves, marked);
    check(marked, &warm, "<machine role=\"standby\"><mark domain=\"6f1d\" warm=\"yes\"/></machine>");
    check(marked, &none, "<machine role=\"standby\"/>");
    check(NULL, &warm, "<machine><mark domain=\"6f1d\" warm=\"yes\"/></machine>");
    check(marked, &kept,
          "<machine role=\"protected, standby\" priority=\"-7\" service=\"a &amp; &quot;b&quot;\"><mark "
          "domain=\"6f1d\" recovery=\"20261129-1\" hypervisor=\"local\" original=\"7a2e\" service=\"web &amp; "
          "mail\"/></machine>");
}

/* What its clients wrote is on its disks: it takes nobody's place any more. */
static void a_standby_that_was_made_stands_by_no_more_once_it_serves(void **state)
{
    static const struct metadata_change warm = {.sets_mark = true, .mark = "warm"}, none = {.sets_mark = true};
    static const struct metadata_change serves = {.sets_mark = true, .mark = "20261129-1 local 7a2e web"};
    const char *made = "<machine role=\"standby\"><made domain=\"6f1d\" template=\"t\" advance=\"yes\"/></machine>";
    const char *serving =
        "<machine role=\"ignored\"><made domain=\"6f1d\" template=\"t\" advance=\"yes\"/><mark domain=\"6f1d\" "
        "recovery=\"20261129-1\" hypervisor=\"local\" original=\"7a2e\" service=\"web\"/></machine>";

    (void)state;
    check(made, &warm,
          "<machine role=\"standby\"><made domain=\"6f1d\" template=\"t\" advance=\"yes\"/><mark domain=\"6f1d\" "
          "warm=\"yes\"/></machine>");
    check(made, &serves, serving);
    check(serving, &none, "<machine role=\"ignored\"><made domain=\"6f1d\" template=\"t\" advance=\"yes\"/></machine>");
}

/* Of a role that an operator gave nothing is taken back, nor of a clone, whose metadata names the first one. */
static void a_role_of_the_operator_s_stays_when_the_machine_serves(void **state)
{
    static const struct metadata_change serves = {.sets_mark = true, .mark = "20261129-1 local 7a2e web"};
    static const struct metadata_tags standby = {.sets_role = true, .roles = ROLE_STANDBY};
    const char *made = "<machine role=\"standby\"><made domain=\"6f1d\" template=\"t\" advance=\"yes\"/></machine>";
    const char *of_another = "<machine role=\"standby\"><made domain=\"0000\" template=\"t\" advance=\"yes\"/>";
    _cleanup_(freep) char *tagged = NULL;
    _cleanup_(freep) char *serving = NULL;
    _cleanup_(freep) char *clone = NULL;
    _cleanup_(freep) char *text = NULL;

    (void)state;
    assert_int_equal(metadata_tag(made, &standby, &tagged), 0);
    assert_null(strstr(tagged, "advance"));
    assert_int_equal(metadata_apply(tagged, "6f1d", &serves, &serving), 0);
    assert_non_null(strstr(serving, "role=\"standby\""));
    assert_true(asprintf(&text, "%s</machine>", of_another) > 0);
    assert_int_equal(metadata_apply(text, "6f1d", &serves, &clone), 0);
    assert_non_null(strstr(clone, "role=\"standby\""));
}

static void an_element_that_was_made_for_a_mark_goes_with_it(void **state)
{
    static const struct metadata_change none = {.sets_mark = true};
    char *text = NULL;

    (void)state;
    assert_int_equal(metadata_apply("<machine><mark domain=\"6f1d\" warm=\"yes\"/></machine>", "6f1d", &none, &text),
                     0);
    assert_null(text);
    assert_int_equal(metadata_apply(NULL, "6f1d", &none, &text), 0);
    assert_null(text);
}

static void what_is_no_mark_is_refused(void **state)
{
    static const char *const wrong[] = {"cold", "20261129-1 local 7a2e", "  ", "1 2"};
    char *text = NULL;

    (void)state;
    for (size_t i = 0; i < ELEMENTS_OF(wrong); i++) {
        struct metadata_change change = {.sets_mark = true};

        strcpy(change.mark, wrong[i]);
        assert_int_equal(metadata_apply(NULL, "6f1d", &change, &text), -EINVAL);
    }
}

static void what_is_no_such_element_is_refused(void **state)
{
    static const char *const wrong[] = {"", "<machine", "<domain/>", "machine"};
    char *text = NULL;

    (void)state;
    for (size_t i = 0; i < ELEMENTS_OF(wrong); i++)
        assert_int_equal(metadata_apply(wrong[i], "6f1d", &kept, &text), -EINVAL);
    assert_null(text);
}

/* added and removed: kinds and values in turn, "-" for no value; NULL at the end. */
static void check_tags(const char *xml, const char *const *removed, const char *const *added,
                       const struct metadata_tags *rest, const char *expected)
{
    struct metadata_tags tags = *rest, copy = {0};
    _cleanup_(freep) char *text = NULL;

    for (; *removed != NULL; removed += 2)
        assert_int_equal(feature_texts_add(&tags.removed, removed[0], strcmp(removed[1], "-") != 0 ? removed[1] : NULL),
                         0);
    for (; *added != NULL; added += 2)
        assert_int_equal(feature_texts_add(&tags.added, added[0], strcmp(added[1], "-") != 0 ? added[1] : NULL), 0);
    assert_int_equal(metadata_tags_copy(&tags, &copy), 0);
    assert_int_equal(metadata_tag(xml, &copy, &text), 0);
    if (expected != NULL)
        assert_string_equal(text, expected);
    else
        assert_null(text);
    metadata_tags_done(&tags);
    metadata_tags_done(&copy);
}

static const struct metadata_tags no_more;
static const char *const none[] = {NULL};

static void resources_are_added_once_and_removed(void **state)
{
    static const char *const mysql[] = {"database", "mysql", NULL}, *const database[] = {"DATABASE", "-", NULL},
                             *const odd[] = {"language", "a & <b>", NULL};

    (void)state;
    check_tags(NULL, none, mysql, &no_more, "<machine><resource kind=\"database\">mysql</resource></machine>");
    check_tags("<machine><resource kind='Database'> MySQL\n</resource></machine>", none, mysql, &no_more,
               "<machine><resource kind=\"Database\"> MySQL\n</resource></machine>");
    check_tags("<machine><resource kind='Database'> MySQL </resource></machine>", mysql, none, &no_more, NULL);
    check_tags("<machine><resource kind='database'>a</resource><resource kind='os'>x</resource><resource "
               "kind='database'>b</resource></machine>",
               database, mysql, &no_more,
               "<machine><resource kind=\"os\">x</resource><resource kind=\"database\">mysql</resource></machine>");
    check_tags("<machine><resource kind='database'>mysql</resource><resource kind='database'>b</resource></machine>",
               mysql, none, &no_more, "<machine><resource kind=\"database\">b</resource></machine>");
    check_tags(NULL, none, odd, &no_more,
               "<machine><resource kind=\"language\">a &amp; &lt;b&gt;</resource></machine>");
    check_tags(NULL, none, database, &no_more, "<machine><resource kind=\"DATABASE\"/></machine>");
    check_tags("<machine><resource kind='os'/></machine>", mysql, none, &no_more,
               "<machine><resource kind=\"os\"/></machine>");
}

static void role_and_priority_are_set_and_taken_out(void **state)
{
    static const struct metadata_tags set = {.sets_role = true,
                                             .roles = ROLE_STANDBY,
                                             .sets_priority = true,
                                             .has_priority = true,
                                             .priority = -3},
                                      out = {.sets_role = true, .sets_priority = true};

    (void)state;
    check_tags(NULL, none, none, &set, "<machine role=\"standby\" priority=\"-3\"/>");
    check_tags("<machine role='standby' priority='-3'/>", none, none, &out, NULL);
    check_tags("<machine role='standby' priority='-3'/>", none, none, &no_more,
               "<machine role=\"standby\" priority=\"-3\"/>");
}

static void tags_leave_marks_and_what_others_wrote(void **state)
{
    static const char *const mysql[] = {"database", "mysql", NULL}, *const all[] = {"database", "-", NULL};
    static const char text[] = "<machine service=\"web\"><mark domain=\"6f1d\" warm=\"yes\"/><!-- mine --><other "
                               "kind=\"database\">mysql</other></machine>";
    _cleanup_(freep) char *tagged = NULL;
    struct metadata_tags tags = {0};

    (void)state;
    assert_int_equal(feature_texts_add(&tags.added, "database", "mysql"), 0);
    assert_int_equal(metadata_tag(text, &tags, &tagged), 0);
    assert_non_null(strstr(tagged, "<other kind=\"database\">mysql</other><resource kind=\"database\">mysql"));
    check_tags(tagged, all, none, &no_more, text);
    check_tags(text, mysql, none, &no_more, text);
    metadata_tags_done(&tags);
    assert_int_equal(metadata_tag("<other/>", &no_more, &tagged), -EINVAL);
}

static void what_a_machine_was_made_from_stays_until_it_has_a_role_of_its_own(void **state)
{
    static const struct metadata_change warm = {.sets_mark = true, .mark = "warm"}, unmarked = {.sets_mark = true};
    static const char plain[] = "<machine role=\"ignored\"><template max=\"2\" pool=\"fast\"/><made domain=\"6f1d\" "
                                "template=\"web\"/></machine>";
    static const char marked[] = "<machine role=\"ignored\"><template max=\"2\" pool=\"fast\"/><made domain=\"6f1d\" "
                                 "template=\"web\"/><mark domain=\"6f1d\" warm=\"yes\"/></machine>";

    (void)state;
    check(plain, &warm, marked);
    check(marked, &unmarked, plain);
    check(plain, &kept,
          "<machine role=\"protected, standby\" priority=\"-7\" service=\"a &amp; &quot;b&quot;\"><template max=\"2\" "
          "pool=\"fast\"/></machine>");
    check("<machine><made domain=\"6f1d\" template=\"web\"/><mark domain=\"6f1d\" warm=\"yes\"/></machine>", &unmarked,
          "<machine><made domain=\"6f1d\" template=\"web\"/></machine>");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_element_is_made_where_there_is_none),
        cmocka_unit_test(what_an_operator_wrote_stays),
        cmocka_unit_test(the_old_original_loses_role_and_service_and_keeps_its_priority),
        cmocka_unit_test(a_prefix_stays),
        cmocka_unit_test(a_mark_is_set_changed_and_removed),
        cmocka_unit_test(a_standby_that_was_made_stands_by_no_more_once_it_serves),
        cmocka_unit_test(a_role_of_the_operator_s_stays_when_the_machine_serves),
        cmocka_unit_test(an_element_that_was_made_for_a_mark_goes_with_it),
        cmocka_unit_test(what_is_no_mark_is_refused),
        cmocka_unit_test(what_is_no_such_element_is_refused),
        cmocka_unit_test(resources_are_added_once_and_removed),
        cmocka_unit_test(role_and_priority_are_set_and_taken_out),
        cmocka_unit_test(tags_leave_marks_and_what_others_wrote),
        cmocka_unit_test(what_a_machine_was_made_from_stays_until_it_has_a_role_of_its_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
