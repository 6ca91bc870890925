/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Interned features: what is the same, what is refused, and that ids and strings stay. */
#include "model/feature.h"

#include <errno.h>
#include <string.h>

#include "support.h"

static struct feature_table *new_table(void)
{
    struct feature_table *table = NULL;

    assert_int_equal(feature_table_new(&table), 0);
    return table;
}

static uint32_t intern(struct feature_table *table, const char *kind, const char *value)
{
    uint32_t feature = UINT32_MAX;

    assert_int_equal(feature_table_intern(table, kind, value, &feature), 0);
    return feature;
}

static void test_ids_are_consecutive_from_0(void **state)
{
    _cleanup_(feature_table_freep) struct feature_table *table = new_table();

    (void)state;
    assert_int_equal(feature_table_count(table), 0);
    assert_int_equal(intern(table, "database", "mysql"), 0);
    assert_int_equal(intern(table, "database", "postgresql"), 1);
    assert_int_equal(intern(table, "language", "nodejs"), 2);
    assert_int_equal(intern(table, "database", "mysql"), 0);
    assert_int_equal(feature_table_count(table), 3);
    assert_int_equal(feature_table_kind_count(table), 2);
}

static void test_a_feature_knows_its_kind_value_and_name(void **state)
{
    _cleanup_(feature_table_freep) struct feature_table *table = new_table();
    uint32_t feature = intern(table, "database", "mysql"), kind = UINT32_MAX;

    (void)state;
    assert_int_equal(feature_table_intern_kind(table, "database", &kind), 0);
    assert_int_equal(feature_kind(table, feature), kind);
    assert_string_equal(feature_kind_name(table, kind), "database");
    assert_string_equal(feature_name(table, feature), "database/mysql");
    assert_string_equal(feature_value(table, feature), "mysql");
}

static void test_case_and_surrounding_blanks_make_no_difference(void **state)
{
    _cleanup_(feature_table_freep) struct feature_table *table = new_table();
    uint32_t feature = intern(table, "Language", "Node.JS");

    (void)state;
    assert_int_equal(intern(table, "language", "node.js"), feature);
    assert_int_equal(intern(table, "  LANGUAGE\t", " Node.js\t "), feature);
    assert_int_equal(feature_table_count(table), 1);
    assert_int_equal(feature_table_kind_count(table), 1);
}

static void test_the_same_value_of_two_kinds_is_two_features(void **state)
{
    _cleanup_(feature_table_freep) struct feature_table *table = new_table();

    (void)state;
    assert_int_not_equal(intern(table, "software", "nginx"), intern(table, "webserver", "nginx"));
    /* Both would read "a/b/c" if the name alone were compared; a kind holds no slash, so the first is refused. */
    assert_int_equal(feature_table_intern(table, "a/b", "c", &(uint32_t){0}), -EINVAL);
    assert_string_equal(feature_name(table, intern(table, "a", "b/c")), "a/b/c");
}

static void test_blanks_inside_a_value_stay(void **state)
{
    _cleanup_(feature_table_freep) struct feature_table *table = new_table();

    (void)state;
    assert_string_equal(feature_value(table, intern(table, "data", " customer records ")), "customer records");
}

static void test_what_cannot_be_a_feature_is_refused(void **state)
{
    static const struct {
        const char *kind, *value;
    } bad[] = {
        {"", "x"},
        {"   ", "x"},
        {"data base", "x"},
        {"data.base", "x"},
        {"d\xc3\xa4ta", "x"},
        {"kind", ""},
        {"kind", " \t "},
        {"kind", "a\nb"},
        {"kind", "a\x01"},
        {"kind", "a\x7f"
                 "b"},
        {"kind:x", "val"},
        {"kind=x", "value"},
    };
    _cleanup_(feature_table_freep) struct feature_table *table = new_table();

    (void)state;
    for (size_t i = 0; i < ELEMENTS_OF(bad); i++) {
        uint32_t feature = 4711;

        assert_int_equal(feature_table_intern(table, bad[i].kind, bad[i].value, &feature), -EINVAL);
        assert_int_equal(feature, 4711);
        assert_int_equal(feature_table_find(table, bad[i].kind, bad[i].value, &feature), -EINVAL);
        assert_int_equal(feature, 4711);
    }
    assert_int_equal(feature_table_count(table), 0);
}

static void test_kinds_hold_letters_digits_dash_and_underscore(void **state)
{
    _cleanup_(feature_table_freep) struct feature_table *table = new_table();

    (void)state;
    assert_string_equal(feature_name(table, intern(table, "my_Kind-2", "x")), "my_kind-2/x");
}

static void test_lengths_are_bounded(void **state)
{
    char kind[FEATURE_KIND_MAX + 2], value[FEATURE_VALUE_MAX + 2];
    _cleanup_(feature_table_freep) struct feature_table *table = new_table();
    uint32_t feature = 4711;

    (void)state;
    memset(kind, 'k', sizeof(kind));
    memset(value, 'v', sizeof(value));
    kind[FEATURE_KIND_MAX] = '\0';
    value[FEATURE_VALUE_MAX] = '\0';
    assert_int_equal(strlen(feature_name(table, intern(table, kind, value))), FEATURE_KIND_MAX + 1 + FEATURE_VALUE_MAX);

    kind[FEATURE_KIND_MAX] = 'k';
    kind[FEATURE_KIND_MAX + 1] = '\0';
    assert_int_equal(feature_table_intern(table, kind, "v", &feature), -EINVAL);
    assert_int_equal(feature_table_intern_kind(table, kind, &feature), -EINVAL);
    value[FEATURE_VALUE_MAX] = 'v';
    value[FEATURE_VALUE_MAX + 1] = '\0';
    assert_int_equal(feature_table_intern(table, "k", value, &feature), -EINVAL);
    assert_int_equal(feature, 4711);
}

static void test_find_never_adds(void **state)
{
    _cleanup_(feature_table_freep) struct feature_table *table = new_table();
    uint32_t feature = 4711;

    (void)state;
    assert_int_equal(feature_table_find(table, "database", "mysql", &feature), -ENOENT);
    assert_int_equal(feature, 4711);
    assert_int_equal(feature_table_count(table), 0);
    assert_int_equal(feature_table_kind_count(table), 0);

    intern(table, "database", "mysql");
    assert_int_equal(feature_table_find(table, "database", "oracle", &feature), -ENOENT);
    assert_int_equal(feature_table_find(table, " DATABASE", "MySQL ", &feature), 0);
    assert_int_equal(feature, 0);
}

static void test_a_kind_may_be_known_without_features(void **state)
{
    _cleanup_(feature_table_freep) struct feature_table *table = new_table();
    uint32_t first = UINT32_MAX, second = UINT32_MAX;

    (void)state;
    assert_int_equal(feature_table_intern_kind(table, "os", &first), 0);
    assert_int_equal(feature_table_intern_kind(table, " OS ", &second), 0);
    assert_int_equal(first, 0);
    assert_int_equal(second, 0);
    assert_int_equal(feature_table_count(table), 0);
    assert_int_equal(feature_kind(table, intern(table, "os", "debian-12")), first);
}

static void test_strings_stay_where_they_are_as_the_table_grows(void **state)
{
    _cleanup_(feature_table_freep) struct feature_table *table = new_table();
    uint32_t feature = intern(table, "database", "mysql");
    const char *name = feature_name(table, feature);
    const char *value = feature_value(table, feature);
    const char *kind = feature_kind_name(table, feature_kind(table, feature));

    (void)state;
    for (unsigned i = 0; i < 5000; i++) {
        char text[32];

        snprintf(text, sizeof(text), "value-%u", i);
        assert_int_equal(intern(table, i % 2 != 0 ? "software" : text, text), i + 1);
    }
    assert_ptr_equal(feature_name(table, feature), name);
    assert_ptr_equal(feature_value(table, feature), value);
    assert_string_equal(name, "database/mysql");
    assert_string_equal(value, "mysql");
    assert_string_equal(kind, "database");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ids_are_consecutive_from_0),
        cmocka_unit_test(test_a_feature_knows_its_kind_value_and_name),
        cmocka_unit_test(test_case_and_surrounding_blanks_make_no_difference),
        cmocka_unit_test(test_the_same_value_of_two_kinds_is_two_features),
        cmocka_unit_test(test_blanks_inside_a_value_stay),
        cmocka_unit_test(test_what_cannot_be_a_feature_is_refused),
        cmocka_unit_test(test_kinds_hold_letters_digits_dash_and_underscore),
        cmocka_unit_test(test_lengths_are_bounded),
        cmocka_unit_test(test_find_never_adds),
        cmocka_unit_test(test_a_kind_may_be_known_without_features),
        cmocka_unit_test(test_strings_stay_where_they_are_as_the_table_grows),
    };

    return cmocka_run_group_tests_name("feature", tests, NULL, NULL);
}
