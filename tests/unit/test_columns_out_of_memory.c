/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Each allocation of a change and of a comparison fails in turn: the error comes back, and nothing is half changed. */
#include <errno.h>
#include <stdlib.h>

#include "allocation.h"
#include "similarity/comparison.h"
#include "support.h"

struct fixture {
    struct feature_table *table;
    struct config_similarity config;
    struct similarity_rules *rules;
    struct columns *columns;
    uint32_t features[300];
    uint64_t seed;
};

static int set_up(void **state)
{
    static struct fixture fixture;

    fixture = (struct fixture){.config = case_study_similarity(), .seed = 7};
    fixture.config.environment_weights[ENVIRONMENT_CPU] = 100000;
    *state = &fixture;
    assert_int_equal(feature_table_new(&fixture.table), 0);
    for (unsigned i = 0; i < ELEMENTS_OF(fixture.features); i++) {
        char value[16];

        snprintf(value, sizeof(value), "v%u", i);
        assert_int_equal(feature_table_intern(fixture.table, "language", value, &fixture.features[i]), 0);
    }
    assert_int_equal(similarity_rules_new(&fixture.config, NULL, fixture.table, &fixture.rules), 0);
    return columns_new(fixture.rules, &fixture.columns);
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    allocation_fail_after(-1);
    columns_free(fixture->columns);
    similarity_rules_free(fixture->rules);
    feature_table_free(fixture->table);
    return 0;
}

/* As borrowed from the fixture: a few features in a row, and amounts that few others have. */
static struct spec draw(struct fixture *fixture)
{
    struct spec spec = {.environment = {random_below(&fixture->seed, 1000), random_below(&fixture->seed, 1000), 0}};
    size_t n = 1 + random_below(&fixture->seed, 6);

    spec.features =
        (struct id_set){&fixture->features[random_below(&fixture->seed, ELEMENTS_OF(fixture->features) - n)], n};
    return spec;
}

/* Of the entries and of what each feature's column says, by a comparison: the same number for the same content. */
static uint64_t content_of(const struct fixture *fixture, const struct spec *failed)
{
    _cleanup_(comparison_freep) struct comparison *comparison = NULL;
    const struct columns *columns = fixture->columns;
    uint64_t content = columns_count(columns);
    struct compared_entry next;

    allocation_fail_after(-1);
    assert_int_equal(comparison_new(&comparison), 0);
    assert_int_equal(comparison_run(comparison, columns, fixture->rules, failed), 0);
    for (int which = 0; which < COMPARED_COUNT; which++)
        while (comparison_next(comparison, (enum compared)which, &next) == 1)
            content = content * 31 + next.entry + next.score.both + columns_machines(columns, next.entry);
    return content;
}

static void test_a_change_that_fails_changes_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct spec failed = {.environment = {4, 4, 4}, .features = {fixture->features, ELEMENTS_OF(fixture->features)}};
    uint32_t entries[200], entry;
    unsigned failures = 0;

    for (unsigned i = 0; i < 2000; i++) {
        bool is_change = i >= ELEMENTS_OF(entries);
        struct spec spec = draw(fixture);
        uint64_t before = content_of(fixture, &failed);

        for (long after = 0;; after++) {
            int r;

            entry = UINT32_MAX;
            allocation_fail_after(after);
            r = is_change ? columns_change(fixture->columns, entries[i % ELEMENTS_OF(entries)], &spec, &entry)
                          : columns_add(fixture->columns, &spec, &entry);
            allocation_fail_after(-1);
            if (r == 0)
                break;
            assert_int_equal(r, -ENOMEM);
            assert_int_equal(entry, UINT32_MAX);
            assert_true(content_of(fixture, &failed) == before);
            failures++;
        }
        entries[i % ELEMENTS_OF(entries)] = entry;
    }
    assert_true(failures > 2000);
    for (size_t i = 0; i < ELEMENTS_OF(entries); i++)
        columns_remove(fixture->columns, entries[i]);
    assert_int_equal(columns_count(fixture->columns), 0);
}

static void test_a_comparison_that_fails_can_be_repeated(void **state)
{
    struct fixture *fixture = *state;
    _cleanup_(comparison_freep) struct comparison *comparison = NULL;
    struct spec failed = draw(fixture);
    struct compared_entry next;
    uint32_t entry;
    size_t n = 0;

    for (unsigned i = 0; i < 500; i++) {
        struct spec spec = draw(fixture);

        assert_int_equal(columns_add(fixture->columns, &spec, &entry), 0);
    }
    assert_int_equal(comparison_new(&comparison), 0);
    for (long after = 0;; after++) {
        int r;

        allocation_fail_after(after);
        r = comparison_run(comparison, fixture->columns, fixture->rules, &failed);
        allocation_fail_after(-1);
        if (r == 0)
            break;
        assert_int_equal(r, -ENOMEM);
        assert_int_equal(comparison_next(comparison, COMPARED_INELIGIBLE, &next), 0);
    }
    for (int which = 0; which < COMPARED_COUNT; which++)
        for (int r = 1; r != 0;) {
            allocation_fail_after(0);
            r = comparison_next(comparison, (enum compared)which, &next);
            allocation_fail_after(-1);
            if (r == -ENOMEM)
                r = comparison_next(comparison, (enum compared)which, &next);
            n += r == 1;
        }
    assert_int_equal(n, columns_count(fixture->columns));
}

#define memory_test(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        memory_test(test_a_change_that_fails_changes_nothing),
        memory_test(test_a_comparison_that_fails_can_be_repeated),
    };

    return cmocka_run_group_tests_name("columns out of memory", tests, NULL, NULL);
}
