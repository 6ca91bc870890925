/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Facts that several machines have, held once. */
#include "pool/facts_table.h"

#include <string.h>

#include "support.h"

static struct facts_table table;
static struct feature_table *features;

static int set_up(void **state)
{
    (void)state;
    table = FACTS_TABLE_EMPTY;
    return feature_table_new(&features);
}

static int tear_down(void **state)
{
    (void)state;
    facts_table_done(&table);
    feature_table_free(features);
    return 0;
}

/* What this source says: "kind/value kind/value", and "kind/" for none of a kind. */
static void say(struct facts *facts, enum knowledge_source source, const char *text)
{
    char copy[128], *rest = copy, *word;

    assert_true(strlen(text) < sizeof(copy));
    strcpy(copy, text);
    while ((word = strsep(&rest, " ")) != NULL) {
        const char *kind = strsep(&word, "/");

        assert_int_equal(knowledge_add(&facts->knowledge[source], features, kind, *word != '\0' ? word : NULL), 0);
    }
    assert_int_equal(knowledge_resolve(facts->knowledge, features, &facts->spec.features), 0);
}

static const struct facts *add(struct facts *facts)
{
    const struct facts *added = NULL;

    assert_int_equal(facts_table_add(&table, facts, &added), 0);
    assert_non_null(added);
    assert_int_equal(facts->spec.features.count, 0); /* taken over */
    return added;
}

static void test_equal_facts_are_held_once(void **state)
{
    struct feature_texts metadata = {0};
    const struct facts *first, *second;
    struct facts facts;

    (void)state;
    assert_int_equal(feature_texts_add(&metadata, "database", "mysql"), 0);
    facts = (struct facts){.metadata = metadata};
    say(&facts, KNOWLEDGE_METADATA, "database/mysql");
    first = add(&facts);
    facts = (struct facts){.metadata = metadata};
    say(&facts, KNOWLEDGE_METADATA, "database/mysql");
    second = add(&facts);
    feature_texts_done(&metadata);
    assert_ptr_equal(first, second);
    assert_int_equal(first->machines, 2);
    assert_string_equal(first->metadata.texts, "database");
    facts_table_remove(&table, first);
    assert_int_equal(second->spec.features.count, 1);
    facts_table_remove(&table, second);
    assert_int_equal(table.index.n_used, 0);
}

/* The same features are other facts from another source, of another text, and where a kind is said to be absent. */
static void test_facts_differ_by_source_text_and_absent_kinds(void **state)
{
    static const struct {
        enum knowledge_source source;
        const char *says, *kind, *value;
    } cases[] = {
        {KNOWLEDGE_METADATA, "database/mysql", "database", "mysql"},
        {KNOWLEDGE_METADATA, "database/mysql", "database", "MySQL"},
        {KNOWLEDGE_METADATA, "database/mysql os/", "database", "mysql"},
        {KNOWLEDGE_AGENT, "database/mysql", NULL, NULL},
        {KNOWLEDGE_CONFIG, "database/mysql", NULL, NULL},
    };
    const struct facts *all[ELEMENTS_OF(cases)];

    (void)state;
    for (size_t i = 0; i < ELEMENTS_OF(cases); i++) {
        struct feature_texts metadata = {0};
        struct facts facts;

        if (cases[i].kind != NULL)
            assert_int_equal(feature_texts_add(&metadata, cases[i].kind, cases[i].value), 0);
        facts = (struct facts){.metadata = metadata};
        say(&facts, cases[i].source, cases[i].says);
        all[i] = add(&facts);
        feature_texts_done(&metadata);
        assert_int_equal(all[i]->machines, 1);
        assert_int_equal(table.index.n_used, i + 1);
    }
    for (size_t i = 0; i < ELEMENTS_OF(cases); i++)
        facts_table_remove(&table, all[i]);
}

#define facts_test(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        facts_test(test_equal_facts_are_held_once),
        facts_test(test_facts_differ_by_source_text_and_absent_kinds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
