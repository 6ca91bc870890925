/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Ports as features: which two machines have in common, and that they say nothing of likeness unless that is wanted. */
#include "model/ports.h"

#include <string.h>

#include "similarity/similarity.h"
#include "support.h"

struct fixture {
    struct feature_table *table;
    struct spec a, b;
};

static int set_up(void **state)
{
    static struct fixture fixture;

    fixture = (struct fixture){0};
    assert_int_equal(feature_table_new(&fixture.table), 0);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    spec_done(&fixture->a);
    spec_done(&fixture->b);
    feature_table_free(fixture->table);
    return 0;
}

static void offer(struct fixture *fixture, struct spec *spec, const char *kind, const char *value)
{
    uint32_t id;

    assert_int_equal(feature_table_intern(fixture->table, kind, value, &id), 0);
    assert_int_equal(id_set_add(&spec->features, id), 0);
}

static void assert_wanted(const struct fixture *fixture, const char *listening, const char *reached)
{
    struct wanted_ports wanted = ports_wanted(fixture->table, &fixture->a, &fixture->b);
    char text[PORTS_TEXT_SIZE];

    ports_format(&wanted.listening, text);
    assert_string_equal(text, listening);
    ports_format(&wanted.reached, text);
    assert_string_equal(text, reached);
}

static void assert_common(const struct fixture *fixture, const char *expected)
{
    assert_wanted(fixture, expected, "");
}

static void test_ports_that_both_are_known_to_serve(void **state)
{
    struct fixture *fixture = *state;

    assert_common(fixture, "");
    for (size_t i = 0; i < 4; i++)
        offer(fixture, &fixture->a, PORTS_KIND, ((const char *const[]){"5432", "80", "22", "9100"})[i]);
    assert_common(fixture, "");
    for (size_t i = 0; i < 4; i++)
        offer(fixture, &fixture->b, PORTS_KIND, ((const char *const[]){"80", "22", "3306", "5432"})[i]);
    offer(fixture, &fixture->a, "language", "443");
    offer(fixture, &fixture->b, "language", "443");
    assert_common(fixture, "22, 80, 5432");
}

/* That the replacement was reached, when it last ran, counts for nothing, nor that the original was on what it alone serves. */
static void test_ports_at_which_the_original_was_reached(void **state)
{
    struct fixture *fixture = *state;

    for (size_t i = 0; i < 3; i++) {
        offer(fixture, &fixture->a, PORTS_KIND, ((const char *const[]){"80", "22", "8080"})[i]);
        offer(fixture, &fixture->b, PORTS_KIND, ((const char *const[]){"443", "22", "80"})[i]);
    }
    offer(fixture, &fixture->b, PORTS_REACHED_KIND, "22");
    assert_wanted(fixture, "22, 80", "");
    offer(fixture, &fixture->a, PORTS_REACHED_KIND, "80");
    offer(fixture, &fixture->a, PORTS_REACHED_KIND, "8080");
    assert_wanted(fixture, "22, 80", "80");
}

static void assert_told(const struct ports *ports, const char *expected)
{
    _cleanup_(feature_texts_done) struct feature_texts features = {0};
    struct feature_text feature;
    char text[64] = "";
    size_t length = 0;

    assert_int_equal(ports_tell(ports, PORTS_REACHED_KIND, &features), 0);
    for (size_t place = 0; feature_texts_next(&features, &place, &feature);)
        length += (size_t)snprintf(text + length, sizeof(text) - length, " %s/%s", feature.kind,
                                   feature.value != NULL ? feature.value : "none");
    assert_string_equal(text, expected);
}

static void test_ports_that_are_told(void **state)
{
    struct ports ports = {0};

    (void)state;
    assert_told(&ports, " reached-port/none");
    assert_true(ports_add(&ports, 443) && ports_add(&ports, 80));
    assert_told(&ports, " reached-port/80 reached-port/443");
}

/* The configuration may say anything. */
static void test_words_that_are_no_ports(void **state)
{
    static const char *const words[] = {"http", "0", "65536", "-80", "80/tcp", "18446744073709551696", "8 0"};
    struct fixture *fixture = *state;

    for (size_t i = 0; i < ELEMENTS_OF(words); i++) {
        offer(fixture, &fixture->a, PORTS_KIND, words[i]);
        offer(fixture, &fixture->b, PORTS_KIND, words[i]);
    }
    assert_common(fixture, "");
}

static void test_no_more_than_there_is_room_for(void **state)
{
    struct ports ports = {0};
    char text[PORTS_TEXT_SIZE];

    (void)state;
    for (unsigned long port = UINT16_MAX; port > UINT16_MAX - PORTS_MAX; port--)
        assert_true(ports_add(&ports, port));
    assert_true(ports_add(&ports, UINT16_MAX));
    assert_false(ports_add(&ports, 80));
    assert_int_equal(ports.count, PORTS_MAX);
    ports_format(&ports, text);
    assert_int_equal(strlen(text), PORTS_MAX * strlen("65535, ") - strlen(", "));
}

/* Machines of which the guests were asked became less alike than they had been, by ports of no account. */
static void test_ports_are_not_compared_unless_they_have_a_weight(void **state)
{
    struct config_weight weights[] = {{.kind = (char[]){"other"}, .millionths = 50000},
                                      {.kind = (char[]){PORTS_KIND}, .millionths = 10000}};
    struct config_similarity config = {.resource_weights = weights, .n_resource_weights = 1};
    struct fixture *fixture = *state;
    _cleanup_(similarity_rules_freep) struct similarity_rules *without = NULL, *with = NULL;
    uint32_t port, reached, language;

    offer(fixture, &fixture->a, PORTS_KIND, "80");
    assert_int_equal(feature_table_intern(fixture->table, PORTS_KIND, "80", &port), 0);
    assert_int_equal(feature_table_intern(fixture->table, "language", "php", &language), 0);
    assert_int_equal(similarity_rules_new(&config, NULL, fixture->table, &without), 0);
    assert_int_equal(feature_table_intern(fixture->table, PORTS_REACHED_KIND, "80", &reached), 0);
    assert_int_equal(similarity_weight(without, port), 0);
    assert_int_equal(similarity_weight(without, reached), 0);
    assert_int_equal(similarity_weight(without, language), 50000);
    assert_int_equal(similarity_score(without, &fixture->a, &fixture->a).verdict, SIMILARITY_NOTHING_KNOWN);
    config.n_resource_weights = 2;
    assert_int_equal(similarity_rules_new(&config, NULL, fixture->table, &with), 0);
    assert_int_equal(similarity_weight(with, port), 10000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_ports_that_both_are_known_to_serve, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_ports_at_which_the_original_was_reached, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_ports_that_are_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_words_that_are_no_ports, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_more_than_there_is_room_for, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_ports_are_not_compared_unless_they_have_a_weight, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
