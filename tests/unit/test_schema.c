/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table of keys holds together, amounts are exact, and the manuals name every key. */
#include "config/schema.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "base/units.h"
#include "config/config.h"
#include "config/policy.h"
#include "config/value.h"
#include "support.h"

static void decimals_are_exact(void **state)
{
    static const struct {
        const char *text;
        int64_t millionths;
        const char *formatted;
    } good[] = {
        {"0", 0, "0"},
        {"0.5", 500000, "0.5"},
        {"0.3", 300000, "0.3"},
        {"0.30", 300000, "0.3"},
        {"0.000001", 1, "0.000001"},
        {"0.333333", 333333, "0.333333"},
        {"1000", 1000000000, "1000"},
        {"-0.25", -250000, "-0.25"},
        {"9223372036854.775807", INT64_MAX, "9223372036854.775807"},
    };
    static const char *const bad[] = {"", ".", ".5", "1.", "-", "+1", " 1", "1 ", "1e3", "0x1", "01", "1,5", "1.5.5"};
    char text[UNIT_TEXT_SIZE];
    int64_t value;

    (void)state;
    for (size_t i = 0; i < ELEMENTS_OF(good); i++) {
        assert_int_equal(decimal_parse(good[i].text, &value), 0);
        assert_true(value == good[i].millionths);
        decimal_format(value, text);
        assert_string_equal(text, good[i].formatted);
    }
    for (size_t i = 0; i < ELEMENTS_OF(bad); i++)
        assert_int_equal(decimal_parse(bad[i], &value), -EINVAL);
    assert_int_equal(decimal_parse("0.1234567", &value), -EDOM);
    assert_int_equal(decimal_parse("0.1234567x", &value), -EINVAL);
    assert_int_equal(decimal_parse("9223372036854.775808", &value), -ERANGE);
    assert_int_equal(decimal_parse("99999999999999999999", &value), -ERANGE);
}

static void durations_have_units(void **state)
{
    static const struct {
        const char *text;
        int64_t us;
        const char *formatted;
    } good[] = {
        {"0s", 0, "0s"},
        {"500ms", 500000, "500ms"},
        {"1500ms", 1500000, "1500ms"},
        {"5s", 5000000, "5s"},
        {"60s", 60000000, "1m"},
        {"2m", 120000000, "2m"},
        {"1h", INT64_C(3600000000), "1h"},
        {"24h", INT64_C(86400000000), "1d"},
        {"106751991d", INT64_C(106751991) * 86400000000, "106751991d"},
    };
    static const char *const bad[] = {"", "s", "5", "5 s", "1.5s", "-5s", "5S", "5sec", "1h30m", "05s", "5us"};
    char text[UNIT_TEXT_SIZE];
    int64_t value;

    (void)state;
    for (size_t i = 0; i < ELEMENTS_OF(good); i++) {
        assert_int_equal(duration_parse(good[i].text, &value), 0);
        assert_true(value == good[i].us);
        duration_format(value, text);
        assert_string_equal(text, good[i].formatted);
    }
    for (size_t i = 0; i < ELEMENTS_OF(bad); i++)
        assert_int_equal(duration_parse(bad[i], &value), -EINVAL);
    assert_int_equal(duration_parse("106751992d", &value), -ERANGE);
    assert_int_equal(duration_parse("99999999999999999999s", &value), -ERANGE);
}

static void sizes_have_units(void **state)
{
    static const struct {
        const char *text;
        int64_t bytes;
        const char *formatted;
    } good[] = {
        {"0", 0, "0"},
        {"0GiB", 0, "0"},
        {"7B", 7, "7B"},
        {"1536KiB", 1572864, "1536KiB"},
        {"1024MiB", INT64_C(1) << 30, "1GiB"},
        {"2GiB", INT64_C(2) << 30, "2GiB"},
        {"3TiB", INT64_C(3) << 40, "3TiB"},
    };
    static const char *const bad[] = {"", "5", "GiB", "2 GiB", "1.5GiB", "-1GiB", "2GB", "2gib", "02GiB"};
    char text[UNIT_TEXT_SIZE];
    int64_t value;

    (void)state;
    for (size_t i = 0; i < ELEMENTS_OF(good); i++) {
        assert_int_equal(size_parse(good[i].text, &value), 0);
        assert_true(value == good[i].bytes);
        size_format(value, text);
        assert_string_equal(text, good[i].formatted);
    }
    for (size_t i = 0; i < ELEMENTS_OF(bad); i++)
        assert_int_equal(size_parse(bad[i], &value), -EINVAL);
    assert_int_equal(size_parse("8388608TiB", &value), -ERANGE);
}

static void integers(void **state)
{
    int64_t integer;

    (void)state;
    assert_int_equal(integer_parse("-12", &integer), 0);
    assert_true(integer == -12);
    assert_int_equal(integer_parse("010", &integer), -EINVAL);
    assert_int_equal(integer_parse("1.0", &integer), -EINVAL);
    assert_int_equal(integer_parse("9223372036854775808", &integer), -ERANGE);
}

static void assert_parent_stands_before(const struct schema_key *key)
{
    const struct schema_key *parent;
    size_t length = (size_t)(schema_name(key) - key->path);
    char section[128];

    if (length == 0)
        return;
    snprintf(section, sizeof(section), "%s", key->path);
    section[length - 1] = '\0';
    if (length > 3 && strcmp(section + length - 3, "[]") == 0)
        section[length - 3] = '\0';
    parent = schema_find(section);
    assert_non_null(parent);
    assert_true(parent < key);
}

/* What an entry of services leaves out is as in the rest of the file. */
static bool is_key_of_service(const struct schema_key *key)
{
    return strncmp(key->path, "services[].", strlen("services[].")) == 0 && !key->is_required;
}

/* What may stand for a service alone may be no more, and no less, than what may stand for all. */
static void keys_of_services_are_as_those_that_they_stand_for(void **state)
{
    const struct schema_key *key;
    size_t n = 0, n_overriding = 0;

    (void)state;
    for (; (key = policy_key(n)) != NULL; n++) {
        const struct schema_key *other = key->overrides != NULL ? schema_find(key->overrides) : NULL;

        assert_true(is_key_of_service(key));
        assert_int_equal(key->overrides != NULL, other != NULL);
        if (other == NULL)
            continue;
        assert_int_equal(key->type, other->type);
        assert_int_equal(key->size, other->size);
        assert_int_equal(key->min, other->min);
        assert_int_equal(key->max, other->max);
        assert_ptr_equal(key->choices, other->choices);
        n_overriding++;
    }
    assert_int_equal(n, POLICY_KEYS);
    assert_int_equal(n_overriding, 9);
}

static void rows_hold_together(void **state)
{
    (void)state;
    for (size_t i = 0; i < schema_count(); i++) {
        const struct schema_key *key = schema_at(i);
        const struct schema_key *source = key->default_from != NULL ? schema_find(key->default_from) : NULL;

        assert_ptr_equal(schema_find(key->path), key); /* no path twice */
        assert_parent_stands_before(key);
        assert_true(key->min <= key->max);
        assert_int_equal(key->text[strlen(key->text) - 1], '.');
        if (key->type == SCHEMA_SECTION)
            continue;
        assert_true(key->size > 0);
        assert_int_equal((key->default_text != NULL) + (key->default_from != NULL) + key->is_required,
                         is_key_of_service(key) ? 0 : 1);
        assert_int_equal(key->choices != NULL, key->type == SCHEMA_CHOICE);
        if (key->default_from != NULL) {
            assert_non_null(source);
            assert_int_equal(source->type, key->type);
            assert_int_equal(source->size, key->size);
        }
    }
}

static void expectations(void **state)
{
    static const struct {
        const char *path, *text;
    } expected[] = {
        {"similarity.threshold", "a number from 0 to 1"},
        {"mode", "automatic or observe"},
        {"recovery.attempts", "a whole number of machines from 1 to 100"},
        {"failure.panic_window", "a duration from 100ms to 1d"},
        {"api.socket", "an absolute path, at most 104 bytes"},
    };
    static const char *const three[] = {"a", "b", "c", NULL};
    const struct schema_key choice = {.type = SCHEMA_CHOICE, .choices = three};
    char text[SCHEMA_EXPECTATION_SIZE];

    (void)state;
    for (size_t i = 0; i < ELEMENTS_OF(expected); i++) {
        schema_expectation(schema_find(expected[i].path), text);
        assert_string_equal(text, expected[i].text);
    }
    schema_expectation(&choice, text);
    assert_string_equal(text, "a, b or c");
    for (size_t i = 0; i < schema_count(); i++) {
        schema_expectation(schema_at(i), text);
        assert_true(strlen(text) > 0 && strlen(text) < sizeof(text) - 1);
    }
}

static void suggestions(void **state)
{
    static const struct {
        const char *section, *name, *path;
    } cases[] = {
        {"similarity", "treshold", "similarity.threshold"},
        {"similarity", "Threshold", "similarity.threshold"},
        {"similarity", "min-coverage", "similarity.min_coverage"},
        {"", "hypervisor", "hypervisors"},
        {"", "similarty", "similarity"},
        {"", "rank_by", "similarity.rank_by"},
        {"hypervisors[]", "url", "hypervisors[].uri"},
        {"similarity", "xyz", NULL},
        {"", "a_name_that_is_much_longer_than_any_key_there_is", NULL},
    };

    (void)state;
    for (size_t i = 0; i < ELEMENTS_OF(cases); i++) {
        const struct schema_key *key = schema_suggest(cases[i].section, cases[i].name);

        assert_true(text_equal(key != NULL ? key->path : NULL, cases[i].path));
    }
}

/* No key is a plain truth value yet, so a row of our own stands for one. */
static void truth_values(void **state)
{
    static const struct {
        const char *text;
        int result;
        bool value;
    } cases[] = {
        {"true", 0, true},
        {"Yes", 0, true},
        {"on", 0, true},
        {"false", 0, false},
        {"no", 0, false},
        {"OFF", 0, false},
        {"1", -EINVAL, false},
        {"~", -EINVAL, false},
        {"[]", -EINVAL, false},
        {"y", -EINVAL, false},
        {"\"true\"", -EINVAL, false},
    };
    const struct schema_key key = {.path = "flag", .type = SCHEMA_BOOL, .size = sizeof(bool)};

    (void)state;
    for (size_t i = 0; i < ELEMENTS_OF(cases); i++) {
        _cleanup_(diags_done) struct diags diags = {0};
        _cleanup_(document_freep) struct document *document = NULL;
        struct reader reader;
        bool value = !cases[i].value;

        assert_int_equal(reader_init(&reader, NULL, &diags), 0);
        assert_int_equal(document_parse(cases[i].text, strlen(cases[i].text), NULL, &diags, &document), 0);
        value_read_bool(&reader, NULL, &key, document->root, &value);
        assert_int_equal(reader_result(&reader), cases[i].result);
        assert_int_equal(value, cases[i].result == 0 ? cases[i].value : !cases[i].value);
        reader_done(&reader);
    }
}

static void reference_names_every_key(void **state)
{
    _cleanup_(freep) char *text = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&text, &size);
    const char *at;

    (void)state;
    assert_non_null(f);
    assert_int_equal(schema_write_reference(f), 0);
    fclose(f);
    /* In scdoc's markup, underscores and brackets are escaped; in the table's order. */
    at = text;
    for (size_t i = 0; i < schema_count(); i++) {
        char heading[128] = "\n*";
        size_t length = 2;

        for (const char *c = schema_at(i)->path; *c != '\0'; c++) {
            if (strchr("_[]", *c) != NULL)
                heading[length++] = '\\';
            heading[length++] = *c;
        }
        strcpy(heading + length, "*\n\t");
        at = strstr(at, heading + (i == 0));
        assert_non_null(at);
    }
    assert_non_null(strstr(text, "Value: a number from 0 to 1. Default: 0.5."));
    assert_non_null(strstr(text, "Default: the value of similarity.threshold."));
    assert_non_null(strstr(text, "Must be given."));
}

static void a_full_disk_is_told(void **state)
{
    FILE *f = fopen("/dev/full", "w");

    (void)state;
    assert_non_null(f);
    assert_int_equal(config_write_sample(f), -EIO);
    fclose(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decimals_are_exact),
        cmocka_unit_test(durations_have_units),
        cmocka_unit_test(integers),
        cmocka_unit_test(rows_hold_together),
        cmocka_unit_test(keys_of_services_are_as_those_that_they_stand_for),
        cmocka_unit_test(expectations),
        cmocka_unit_test(suggestions),
        cmocka_unit_test(sizes_have_units),
        cmocka_unit_test(truth_values),
        cmocka_unit_test(reference_names_every_key),
        cmocka_unit_test(a_full_disk_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
