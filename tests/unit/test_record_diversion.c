/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Diversions are read back as they were written, and nothing that a damaged disk may hold does harm. */
#include "support.h"

#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <string.h>

#include "report/record.h"

#define FLIPS 4000

static const struct moment now = {.mono_us = 5000000, .real_us = INT64_C(1795359250000000)};

static const struct machine_ref original = {"local", "00000000-0000-4000-8000-000000000001"},
                                replacements[] = {{"near", "00000000-0000-4000-8000-000000000002"},
                                                  {"far", "00000000-0000-4000-8000-000000000003"},
                                                  {"far", "00000000-0000-4000-8000-000000000004"}};

/* Of the daemon that writes: its numbers of features are not those of the one that reads. */
static struct feature_table *table;

static int set_up(void **state)
{
    uint32_t number;

    (void)state;
    assert_int_equal(feature_table_new(&table), 0);
    assert_int_equal(feature_table_intern(table, "os", "debian-12", &number), 0);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    feature_table_free(table);
    return 0;
}

/* Served by the third in a row. Every member differs from 0 and from its neighbours. */
static struct diversion *full_diversion(void)
{
    struct spec need = {.environment = {4, UINT64_C(8388608), UINT64_C(21474836480)}};
    struct diversion *diversion = NULL;
    uint32_t number;

    assert_int_equal(feature_table_intern(table, "language", "nodejs", &number), 0);
    assert_int_equal(id_set_add(&need.features, number), 0);
    assert_int_equal(feature_table_intern(table, "data", "kunden/2026", &number), 0);
    assert_int_equal(id_set_add(&need.features, number), 0);
    assert_int_equal(diversion_new(&original, "web-1", &need, -3, &diversion), 0);
    for (size_t i = 0; i < ELEMENTS_OF(replacements); i++)
        assert_int_equal(
            diversion_set_replacement(diversion, &replacements[i], "가상머신", "20261122-145400-1",
                                      (struct moment){.mono_us = 1000, .real_us = INT64_C(1795359240000000)}),
            0);
    diversion->is_stopped = true;
    diversion->is_by_mark = true;
    spec_done(&need);
    return diversion;
}

static char *format(const struct diversion *diversion)
{
    char *text = NULL;

    assert_int_equal(record_format_diversion(diversion, table, &text), 0);
    assert_non_null(text);
    return text;
}

/* Into a table of its own, as after a restart. */
static int try_parse(const char *text)
{
    _cleanup_(feature_table_freep) struct feature_table *fresh = NULL;
    struct diversion *diversion = NULL;
    int r;

    assert_int_equal(feature_table_new(&fresh), 0);
    r = record_parse_diversion(text, now, fresh, &diversion);
    if (r < 0)
        assert_null(diversion);
    diversion_free(diversion);
    return r;
}

static void assert_same_ref(const struct machine_ref *a, const struct machine_ref *b)
{
    assert_string_equal(a->hypervisor, b->hypervisor);
    assert_string_equal(a->uuid, b->uuid);
}

static void assert_same_diversion(const struct diversion *a, const struct diversion *b)
{
    assert_same_ref(&a->service.original, &b->service.original);
    assert_string_equal(a->service.name, b->service.name);
    assert_int_equal(a->service.priority, b->service.priority);
    assert_memory_equal(a->service.need.environment, b->service.need.environment, sizeof(a->service.need.environment));
    assert_int_equal(a->service.need.features.count, b->service.need.features.count);
    assert_same_ref(&a->service.replacement, &b->service.replacement);
    assert_string_equal(a->service.replacement_name, b->service.replacement_name);
    assert_string_equal(a->recovery_id, b->recovery_id);
    assert_true(a->since.real_us == b->since.real_us);
    assert_int_equal(a->is_stopped, b->is_stopped);
    assert_int_equal(a->is_by_mark, b->is_by_mark);
    assert_int_equal(a->n_former, b->n_former);
    for (size_t i = 0; i < a->n_former; i++)
        assert_same_ref(&a->former[i], &b->former[i]);
}

static bool needs(const struct diversion *diversion, const struct feature_table *names, const char *name)
{
    for (size_t i = 0; i < diversion->service.need.features.count; i++)
        if (strcmp(feature_name(names, diversion->service.need.features.ids[i]), name) == 0)
            return true;
    return false;
}

static void test_a_diversion_comes_back(void **state)
{
    _cleanup_(feature_table_freep) struct feature_table *fresh = NULL;
    _cleanup_(diversion_freep) struct diversion *given = full_diversion(), *read = NULL;
    _cleanup_(freep) char *text = format(given);

    (void)state;
    assert_int_equal(feature_table_new(&fresh), 0);
    assert_int_equal(record_parse_diversion(text, now, fresh, &read), 0);
    assert_int_equal(given->n_former, 2);
    assert_same_diversion(given, read);
    assert_true(needs(read, fresh, "language/nodejs"));
    assert_true(needs(read, fresh, "data/kunden/2026"));
    /* What is on disk already, and what is told of again. */
    assert_false(read->is_changed);
    assert_false(read->is_over);
    assert_string_equal(read->runs_twice.uuid, "");
}

static void test_the_smallest_comes_back(void **state)
{
    _cleanup_(feature_table_freep) struct feature_table *fresh = NULL;
    _cleanup_(diversion_freep) struct diversion *given = NULL, *read = NULL;
    _cleanup_(freep) char *text = NULL;

    (void)state;
    assert_int_equal(diversion_new(&original, "", &(struct spec){0}, INT_MIN, &given), 0);
    assert_int_equal(diversion_set_replacement(given, &replacements[0], "", "1", now), 0);
    text = format(given);
    assert_int_equal(feature_table_new(&fresh), 0);
    assert_int_equal(record_parse_diversion(text, now, fresh, &read), 0);
    assert_same_diversion(given, read);
}

/* The daemon was started anew, perhaps with the host. */
static void test_its_moment_moves_to_the_clock_of_today(void **state)
{
    static const struct moment reading = {.mono_us = 70, .real_us = INT64_C(1795359240000000) + 90000000};
    _cleanup_(feature_table_freep) struct feature_table *fresh = NULL;
    _cleanup_(diversion_freep) struct diversion *given = full_diversion(), *read = NULL;
    _cleanup_(freep) char *text = format(given);

    (void)state;
    assert_int_equal(feature_table_new(&fresh), 0);
    assert_int_equal(record_parse_diversion(text, reading, fresh, &read), 0);
    assert_true(read->since.real_us == given->since.real_us);
    assert_true(read->since.mono_us == 70 - 90000000);
}

static void test_truncated(void **state)
{
    _cleanup_(diversion_freep) struct diversion *given = full_diversion();
    _cleanup_(freep) char *text = format(given);

    (void)state;
    for (size_t length = strlen(text); length-- > 0;) {
        _cleanup_(freep) char *part = strndup(text, length);

        assert_non_null(part);
        assert_int_equal(try_parse(part), -EINVAL);
    }
}

static void test_flipped(void **state)
{
    _cleanup_(diversion_freep) struct diversion *given = full_diversion();
    _cleanup_(freep) char *text = format(given);
    size_t length = strlen(text);
    uint64_t seed = 20261122;
    unsigned refused = 0;

    (void)state;
    for (unsigned i = 0; i < FLIPS; i++) {
        _cleanup_(freep) char *damaged = strdup(text);

        assert_non_null(damaged);
        for (uint64_t n = random_below(&seed, 3) + 1; n > 0; n--)
            damaged[random_below(&seed, length)] ^= (char)(1u << random_below(&seed, 8));
        if (try_parse(damaged) < 0)
            refused++;
    }
    /* Most bits matter; some only change a letter of a name. */
    assert_in_range(refused, FLIPS / 3, FLIPS - 1);
}

/* No member may be missing, or be of another type. */
static void damage_below(json_t *document, json_t *value)
{
    json_t *whole = json_copy(value), *member;
    const char *key;
    size_t i;

    json_array_foreach(value, i, member) damage_below(document, member);
    json_object_foreach(whole, key, member)
    {
        _cleanup_(freep) char *without = NULL, *wrong = NULL;

        damage_below(document, member);
        assert_int_equal(json_object_del(value, key), 0);
        without = json_dumps(document, 0);
        assert_int_equal(try_parse(without), -EINVAL);
        assert_int_equal(json_object_set_new(value, key, json_real(1.5)), 0);
        wrong = json_dumps(document, 0);
        assert_int_equal(try_parse(wrong), -EINVAL);
        assert_int_equal(json_object_set(value, key, member), 0);
    }
    json_decref(whole);
}

static void test_members_that_are_missing_or_of_another_type(void **state)
{
    _cleanup_(diversion_freep) struct diversion *given = full_diversion();
    _cleanup_(freep) char *text = format(given);
    json_t *document = json_loads(text, 0, NULL);

    (void)state;
    assert_int_equal(try_parse(text), 0);
    damage_below(document, document);
    json_decref(document);
}

static void refuse_element(const char *array, const char *element)
{
    _cleanup_(diversion_freep) struct diversion *given = full_diversion();
    _cleanup_(freep) char *text = format(given), *damaged = NULL;
    json_t *document = json_loads(text, 0, NULL), *need = json_object_get(document, "need"),
           *at = json_object_get(strcmp(array, "former") == 0 ? document : need, array);

    assert_int_equal(json_array_append_new(at, json_loads(element, JSON_DECODE_ANY, NULL)), 0);
    damaged = json_dumps(document, 0);
    if (try_parse(damaged) != -EINVAL)
        fail_msg("%s with %s is taken", array, element);
    json_decref(document);
}

static void test_elements_that_are_none(void **state)
{
    static const char *const features[] = {"null",
                                           "1",
                                           "\"\"",
                                           "\"language\"",
                                           "\"/nodejs\"",
                                           "\"language/\"",
                                           "\"akindthatislongerthanakindmaybeakindthatislongerthanakindmaybe/x\"",
                                           "[]"};
    static const char *const former[] = {
        "null",
        "1",
        "[]",
        "{}",
        "{\"hypervisor\": \"local\"}",
        "{\"hypervisor\": \"local\", \"uuid\": \"longer-than-any-uuid-could-ever-be-so\"}"};

    (void)state;
    for (size_t i = 0; i < ELEMENTS_OF(features); i++)
        refuse_element("features", features[i]);
    for (size_t i = 0; i < ELEMENTS_OF(former); i++)
        refuse_element("former", former[i]);
}

static void test_numbers_out_of_range(void **state)
{
    static const struct {
        const char *object, *key;
        json_int_t value;
    } cases[] = {
        {NULL, "since_us", INT64_MAX}, {NULL, "since_us", INT64_MIN}, {NULL, "priority", INT64_C(1) << 40},
        {"need", "memory", -1},        {"need", "disk", INT64_MAX},
    };

    (void)state;
    for (size_t i = 0; i < ELEMENTS_OF(cases); i++) {
        _cleanup_(diversion_freep) struct diversion *given = full_diversion();
        _cleanup_(freep) char *text = format(given), *damaged = NULL;
        json_t *document = json_loads(text, 0, NULL),
               *object = cases[i].object != NULL ? json_object_get(document, cases[i].object) : document;

        assert_non_null(json_object_get(object, cases[i].key));
        assert_int_equal(json_object_set_new(object, cases[i].key, json_integer(cases[i].value)), 0);
        damaged = json_dumps(document, 0);
        assert_int_equal(try_parse(damaged), -EINVAL);
        json_decref(document);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_diversion_comes_back),
        cmocka_unit_test(test_the_smallest_comes_back),
        cmocka_unit_test(test_its_moment_moves_to_the_clock_of_today),
        cmocka_unit_test(test_truncated),
        cmocka_unit_test(test_flipped),
        cmocka_unit_test(test_members_that_are_missing_or_of_another_type),
        cmocka_unit_test(test_elements_that_are_none),
        cmocka_unit_test(test_numbers_out_of_range),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
