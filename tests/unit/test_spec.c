/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How several sources of knowledge become one specification. */
#include "model/spec.h"

#include <errno.h>
#include <string.h>

#include "support.h"

struct fixture {
    struct feature_table *table;
    struct knowledge sources[KNOWLEDGE_COUNT];
    struct id_set resolved;
};

static int set_up(void **state)
{
    static struct fixture fixture;

    fixture = (struct fixture){0};
    *state = &fixture;
    return feature_table_new(&fixture.table);
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    for (size_t i = 0; i < KNOWLEDGE_COUNT; i++)
        knowledge_done(&fixture->sources[i]);
    id_set_done(&fixture->resolved);
    feature_table_free(fixture->table);
    return 0;
}

static void say(struct fixture *fixture, enum knowledge_source source, const char *kind, const char *value)
{
    assert_int_equal(knowledge_add(&fixture->sources[source], fixture->table, kind, value), 0);
}

static void resolve(struct fixture *fixture)
{
    assert_int_equal(knowledge_resolve(fixture->sources, fixture->table, &fixture->resolved), 0);
}

static bool has(const struct fixture *fixture, const char *kind, const char *value)
{
    uint32_t feature = UINT32_MAX;

    return feature_table_find(fixture->table, kind, value, &feature) == 0 &&
           id_set_contains(&fixture->resolved, feature);
}

static void test_environments_have_names(void **state)
{
    static const char *const names[ENVIRONMENT_COUNT] = {"cpu", "memory", "disk"};
    enum environment environment = ENVIRONMENT_COUNT;

    (void)state;
    for (size_t i = 0; i < ENVIRONMENT_COUNT; i++) {
        assert_string_equal(environment_name((enum environment)i), names[i]);
        assert_int_equal(environment_from_name(names[i], &environment), 0);
        assert_int_equal(environment, i);
    }
    environment = ENVIRONMENT_COUNT;
    assert_int_equal(environment_from_name("ram", &environment), -ENOENT);
    assert_int_equal(environment_from_name("", &environment), -ENOENT);
    assert_int_equal(environment, ENVIRONMENT_COUNT);
}

static void test_sources_have_names(void **state)
{
    (void)state;
    assert_string_equal(knowledge_source_name(KNOWLEDGE_CONFIG), "configuration");
    assert_string_equal(knowledge_source_name(KNOWLEDGE_METADATA), "metadata");
    assert_string_equal(knowledge_source_name(KNOWLEDGE_AGENT), "guest agent");
    assert_string_equal(knowledge_source_name(KNOWLEDGE_OSINFO), "libosinfo");
}

static void test_nothing_said_is_nothing_known(void **state)
{
    struct fixture *fixture = *state;

    resolve(fixture);
    assert_int_equal(fixture->resolved.count, 0);
}

/* For every pair of sources: the more trusted one decides about the kind, whole. */
static void test_for_each_kind_the_first_source_wins(void **state)
{
    struct fixture *fixture = *state;

    for (unsigned strong = 0; strong < KNOWLEDGE_COUNT; strong++)
        for (unsigned weak = strong + 1; weak < KNOWLEDGE_COUNT; weak++) {
            say(fixture, (enum knowledge_source)weak, "database", "weak");
            say(fixture, (enum knowledge_source)weak, "language", "nodejs");
            say(fixture, (enum knowledge_source)strong, "database", "strong");
            resolve(fixture);
            assert_true(has(fixture, "database", "strong"));
            assert_false(has(fixture, "database", "weak"));
            assert_true(has(fixture, "language", "nodejs"));
            assert_int_equal(fixture->resolved.count, 2);
            knowledge_done(&fixture->sources[weak]);
            knowledge_done(&fixture->sources[strong]);
        }
}

static void test_a_source_may_give_several_values_of_a_kind(void **state)
{
    struct fixture *fixture = *state;

    say(fixture, KNOWLEDGE_METADATA, "database", "mysql");
    say(fixture, KNOWLEDGE_METADATA, "database", "postgresql");
    say(fixture, KNOWLEDGE_METADATA, "database", "mysql");
    resolve(fixture);
    assert_true(has(fixture, "database", "mysql"));
    assert_true(has(fixture, "database", "postgresql"));
    assert_int_equal(fixture->resolved.count, 2);
}

static void test_having_none_outranks_lesser_sources(void **state)
{
    struct fixture *fixture = *state;

    say(fixture, KNOWLEDGE_CONFIG, "database", NULL);
    say(fixture, KNOWLEDGE_AGENT, "database", "mysql");
    say(fixture, KNOWLEDGE_OSINFO, "os", "ubuntu-20.04");
    resolve(fixture);
    assert_false(has(fixture, "database", "mysql"));
    assert_true(has(fixture, "os", "ubuntu-20.04"));
    assert_int_equal(fixture->resolved.count, 1);
}

static void test_having_none_does_not_outrank_a_better_source(void **state)
{
    struct fixture *fixture = *state;

    say(fixture, KNOWLEDGE_METADATA, "database", "mysql");
    say(fixture, KNOWLEDGE_AGENT, "database", NULL);
    resolve(fixture);
    assert_true(has(fixture, "database", "mysql"));
}

static void test_resolving_replaces_the_former_result(void **state)
{
    struct fixture *fixture = *state;

    say(fixture, KNOWLEDGE_METADATA, "database", "mysql");
    resolve(fixture);
    knowledge_done(&fixture->sources[KNOWLEDGE_METADATA]);
    say(fixture, KNOWLEDGE_METADATA, "database", "oracle");
    resolve(fixture);
    assert_true(has(fixture, "database", "oracle"));
    assert_int_equal(fixture->resolved.count, 1);
}

static void test_knowledge_is_equal_by_features_and_kinds(void **state)
{
    struct fixture *fixture = *state;
    struct knowledge *a = &fixture->sources[0], *b = &fixture->sources[1];

    assert_true(knowledge_equal(a, b));
    say(fixture, (enum knowledge_source)0, "database", NULL);
    assert_false(knowledge_equal(a, b)); /* "has none" is not "does not say" */
    say(fixture, (enum knowledge_source)1, "database", NULL);
    assert_true(knowledge_equal(a, b));
    say(fixture, (enum knowledge_source)0, "os", "debian-12");
    assert_false(knowledge_equal(a, b));
    say(fixture, (enum knowledge_source)1, "OS", " Debian-12");
    assert_true(knowledge_equal(a, b));
}

static void test_what_cannot_be_a_feature_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct knowledge *knowledge = &fixture->sources[0];

    assert_int_equal(knowledge_add(knowledge, fixture->table, "data base", "mysql"), -EINVAL);
    assert_int_equal(knowledge_add(knowledge, fixture->table, "database", "a\nb"), -EINVAL);
    assert_int_equal(knowledge_add(knowledge, fixture->table, "", NULL), -EINVAL);
    assert_true(knowledge_equal(knowledge, &(struct knowledge){0}));
}

static void test_random_knowledge_agrees_with_the_rule_spelled_out(void **state)
{
    enum { KINDS = 4, VALUES = 3 };
    struct fixture *fixture = *state;
    uint64_t seed = 5;

    for (int round = 0; round < 300; round++) {
        bool speaks[KNOWLEDGE_COUNT][KINDS] = {{false}}, says[KNOWLEDGE_COUNT][KINDS][VALUES] = {{{false}}};
        size_t expected = 0;
        char kind[8], value[8];

        for (uint64_t n = random_below(&seed, 20); n > 0; n--) {
            unsigned source = (unsigned)random_below(&seed, KNOWLEDGE_COUNT), k = (unsigned)random_below(&seed, KINDS);
            unsigned v = (unsigned)random_below(&seed, VALUES + 1);

            snprintf(kind, sizeof(kind), "k%u", k);
            snprintf(value, sizeof(value), "v%u", v);
            say(fixture, (enum knowledge_source)source, kind, v == VALUES ? NULL : value);
            speaks[source][k] = true;
            if (v < VALUES)
                says[source][k][v] = true;
        }
        resolve(fixture);
        for (unsigned k = 0; k < KINDS; k++) {
            unsigned source = 0;

            while (source < KNOWLEDGE_COUNT && !speaks[source][k])
                source++;
            snprintf(kind, sizeof(kind), "k%u", k);
            for (unsigned v = 0; v < VALUES; v++) {
                bool should = source < KNOWLEDGE_COUNT && says[source][k][v];

                snprintf(value, sizeof(value), "v%u", v);
                assert_int_equal(has(fixture, kind, value), should);
                expected += should;
            }
        }
        assert_int_equal(fixture->resolved.count, expected);
        for (size_t i = 0; i < KNOWLEDGE_COUNT; i++)
            knowledge_done(&fixture->sources[i]);
    }
}

#define spec_test(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_environments_have_names),
        cmocka_unit_test(test_sources_have_names),
        spec_test(test_nothing_said_is_nothing_known),
        spec_test(test_for_each_kind_the_first_source_wins),
        spec_test(test_a_source_may_give_several_values_of_a_kind),
        spec_test(test_having_none_outranks_lesser_sources),
        spec_test(test_having_none_does_not_outrank_a_better_source),
        spec_test(test_resolving_replaces_the_former_result),
        spec_test(test_knowledge_is_equal_by_features_and_kinds),
        spec_test(test_what_cannot_be_a_feature_is_refused),
        spec_test(test_random_knowledge_agrees_with_the_rule_spelled_out),
    };

    return cmocka_run_group_tests_name("spec", tests, NULL, NULL);
}
