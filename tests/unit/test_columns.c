/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Equal specifications are one entry, which lives as long as a machine has it. */
#include "similarity/columns.h"

#include <errno.h>
#include <string.h>

#include "similarity/comparison.h"
#include "support.h"

struct fixture {
    struct feature_table *table;
    struct config_similarity config;
    struct similarity_rules *rules;
    struct columns *columns;
};

static int set_up(void **state)
{
    static struct fixture fixture;

    fixture = (struct fixture){.config = case_study_similarity()};
    *state = &fixture;
    assert_int_equal(feature_table_new(&fixture.table), 0);
    assert_int_equal(similarity_rules_new(&fixture.config, NULL, fixture.table, &fixture.rules), 0);
    return columns_new(fixture.rules, &fixture.columns);
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    columns_free(fixture->columns);
    similarity_rules_free(fixture->rules);
    feature_table_free(fixture->table);
    return 0;
}

#define _spec_ _cleanup_(spec_done)

/* language/v0, language/v1 … as the bits of a number say, and so much memory. */
static struct spec spec_from(struct fixture *fixture, uint64_t bits, uint64_t memory_kib)
{
    struct spec spec = {.environment = {[ENVIRONMENT_MEMORY] = memory_kib}};

    for (unsigned i = 0; i < 64; i++) {
        char value[8];
        uint32_t feature;

        if ((bits >> i & 1) == 0)
            continue;
        snprintf(value, sizeof(value), "v%u", i);
        assert_int_equal(feature_table_intern(fixture->table, "language", value, &feature), 0);
        assert_int_equal(id_set_add(&spec.features, feature), 0);
    }
    return spec;
}

static uint32_t add(struct fixture *fixture, const struct spec *spec)
{
    uint32_t entry;

    assert_int_equal(columns_add(fixture->columns, spec, &entry), 0);
    return entry;
}

static uint32_t change(struct fixture *fixture, uint32_t entry, const struct spec *spec)
{
    assert_int_equal(columns_change(fixture->columns, entry, spec, &entry), 0);
    return entry;
}

static void assert_entry_is(struct fixture *fixture, uint32_t entry, const struct spec *expected, uint32_t machines)
{
    struct spec spec = columns_spec(fixture->columns, entry);

    assert_memory_equal(spec.environment, expected->environment, sizeof(spec.environment));
    assert_true(id_set_equal(&spec.features, &expected->features));
    assert_int_equal(columns_machines(fixture->columns, entry), machines);
}

static void test_equal_specifications_are_one_entry(void **state)
{
    struct fixture *fixture = *state;
    _spec_ struct spec a = spec_from(fixture, 0x5, 1024), same = spec_from(fixture, 0x5, 1024);
    _spec_ struct spec more = spec_from(fixture, 0x5, 2048), else_ = spec_from(fixture, 0x4, 1024);
    uint32_t first = add(fixture, &a);

    assert_int_equal(add(fixture, &same), first);
    assert_int_not_equal(add(fixture, &more), first);
    assert_int_not_equal(add(fixture, &else_), first);
    assert_int_equal(columns_count(fixture->columns), 3);
    assert_entry_is(fixture, first, &a, 2);
}

static void test_an_entry_goes_with_its_last_machine_and_its_number_is_given_again(void **state)
{
    struct fixture *fixture = *state;
    _spec_ struct spec a = spec_from(fixture, 0x5, 1024), b = spec_from(fixture, 0x6, 512);
    uint32_t entry = add(fixture, &a);

    add(fixture, &a);
    columns_remove(fixture->columns, entry);
    assert_entry_is(fixture, entry, &a, 1);
    columns_remove(fixture->columns, entry);
    assert_int_equal(columns_count(fixture->columns), 0);
    assert_int_equal(columns_machines(fixture->columns, entry), 0);
    assert_int_equal(add(fixture, &b), entry);
    assert_entry_is(fixture, entry, &b, 1);
    assert_int_equal(columns_end(fixture->columns), 1);
}

static void test_a_change_moves_one_machine(void **state)
{
    struct fixture *fixture = *state;
    _spec_ struct spec a = spec_from(fixture, 0x1, 1024), b = spec_from(fixture, 0x2, 1024);
    uint32_t first = add(fixture, &a), second;

    add(fixture, &a);
    second = change(fixture, first, &b);
    assert_entry_is(fixture, first, &a, 1);
    assert_entry_is(fixture, second, &b, 1);
    assert_int_equal(change(fixture, first, &b), second);
    assert_int_equal(columns_machines(fixture->columns, first), 0);
    assert_entry_is(fixture, second, &b, 2);
}

static void test_a_change_to_the_same_changes_nothing(void **state)
{
    struct fixture *fixture = *state;
    _cleanup_(comparison_freep) struct comparison *comparison = NULL;
    _spec_ struct spec a = spec_from(fixture, 0x1, 1024), same = spec_from(fixture, 0x1, 1024);
    uint32_t entry = add(fixture, &a);
    struct compared_entry best;

    assert_int_equal(comparison_new(&comparison), 0);
    assert_int_equal(comparison_run(comparison, fixture->columns, fixture->rules, &a), 0);
    assert_int_equal(change(fixture, entry, &same), entry);
    assert_int_equal(comparison_next(comparison, COMPARED_ELIGIBLE, &best), 1); /* and a comparison goes on */
}

/* Millions of changes leave nothing behind. */
static void test_the_columns_do_not_grow_with_changes(void **state)
{
    struct fixture *fixture = *state;
    uint64_t seed = 11;
    uint32_t entries[8];
    size_t bytes = 0;

    for (unsigned i = 0; i < 20000; i++) {
        uint64_t memory = 1 + random_below(&seed, 1000000);
        _spec_ struct spec spec = spec_from(fixture, 1 + random_below(&seed, 1000), memory);

        entries[i % ELEMENTS_OF(entries)] =
            i < ELEMENTS_OF(entries) ? add(fixture, &spec) : change(fixture, entries[i % ELEMENTS_OF(entries)], &spec);
        if (i == 1000)
            bytes = columns_bytes(fixture->columns);
    }
    assert_true(columns_end(fixture->columns) <= ELEMENTS_OF(entries) + 1);
    assert_true(columns_bytes(fixture->columns) < bytes + 2000);
}

/* A data set that each machine has for itself must not cost a bit for every machine. */
static void test_a_feature_of_one_machine_is_cheap(void **state)
{
    struct fixture *fixture = *state;
    const unsigned n = 10000;

    for (unsigned i = 0; i < n; i++) {
        _spec_ struct spec spec = spec_from(fixture, 0x1, 1024);
        char value[16];
        uint32_t feature;

        snprintf(value, sizeof(value), "set-%u", i);
        assert_int_equal(feature_table_intern(fixture->table, "data", value, &feature), 0);
        assert_int_equal(id_set_add(&spec.features, feature), 0);
        add(fixture, &spec);
    }
    assert_int_equal(columns_count(fixture->columns), n);
    assert_true(columns_bytes(fixture->columns) / n < 250);
}

static void test_more_features_than_count_are_left_out(void **state)
{
    struct fixture *fixture = *state;
    struct spec many = {0};
    uint32_t ids[SIMILARITY_FEATURES_MAX + 2];

    for (uint32_t i = 0; i < ELEMENTS_OF(ids); i++) {
        char value[16];

        snprintf(value, sizeof(value), "n%u", i);
        assert_int_equal(feature_table_intern(fixture->table, "software", value, &ids[i]), 0);
    }
    many.features = (struct id_set){ids, ELEMENTS_OF(ids)};
    uint32_t entry = add(fixture, &many);
    assert_int_equal(columns_spec(fixture->columns, entry).features.count, SIMILARITY_FEATURES_MAX);
    assert_int_equal(change(fixture, entry, &many), entry);
    columns_remove(fixture->columns, entry);
}

#define columns_test(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        columns_test(test_equal_specifications_are_one_entry),
        columns_test(test_an_entry_goes_with_its_last_machine_and_its_number_is_given_again),
        columns_test(test_a_change_moves_one_machine),
        columns_test(test_a_change_to_the_same_changes_nothing),
        columns_test(test_the_columns_do_not_grow_with_changes),
        columns_test(test_a_feature_of_one_machine_is_cheap),
        columns_test(test_more_features_than_count_are_left_out),
    };

    return cmocka_run_group_tests_name("columns", tests, NULL, NULL);
}
