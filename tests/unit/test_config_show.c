/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is in force: every key with its value, read as the same configuration again, and without secrets. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "config/config.h"
#include "config/object.h"
#include "config/schema.h"
#include "config/secret.h"
#include "base/text.h"
#include "config/show.h"

#include "config/policy.h"
#include "support.h"

#define LOCAL "hypervisors: [{name: a, uri: \"test:///default\"}]\n"

static char *read_whole(const char *path)
{
    char *text = NULL;
    size_t size = 0;
    FILE *f = fopen(path, "re");

    assert_non_null(f);
    assert_true(getdelim(&text, &size, '\0', f) > 0);
    fclose(f);
    return text;
}

static char *show(const char *text)
{
    _cleanup_(diags_done) struct diags diags = {0};
    size_t size = 0;
    char *shown = NULL;
    FILE *f = open_memstream(&shown, &size);

    assert_int_equal(config_show(f, text, strlen(text), "x.yaml", &diags), 0);
    assert_int_equal(fclose(f), 0);
    return shown;
}

static struct config *parse(const char *text)
{
    _cleanup_(diags_done) struct diags diags = {0};
    struct config *config = NULL;
    int r = config_parse(text, strlen(text), "x.yaml", &diags, &config);

    if (r < 0)
        fail_msg("%s: %s", text, diags.count > 0 ? diags.items[0].message : "no memory");
    return config;
}

/* But for the values of hook_env, which may be secrets and are not shown. */
static bool services_are_same(const struct config *a, const struct config *b)
{
    const struct schema_key *key;

    if (a->n_services != b->n_services)
        return false;
    for (size_t i = 0; i < a->n_services; i++)
        for (size_t place = 0; (key = policy_key(place)) != NULL; place++)
            if (a->services[i].given != b->services[i].given ||
                (key->type != SCHEMA_VARIABLES && !object_equal_key(key, &a->services[i], &b->services[i])))
                return false;
    return true;
}

static bool is_same(const struct schema_key *key, const struct config *a, const struct config *b)
{
    return key->type == SCHEMA_SERVICES ? services_are_same(a, b) : object_equal_key(key, a, b);
}

/* All but the elements of lists is compared by its key; hypervisors and what they hold, by the key of the whole. */
static void check_same(const char *text)
{
    _cleanup_(freep) char *shown = show(text);
    _cleanup_(config_freep) struct config *before = parse(text), *after = parse(shown);

    for (size_t i = 0; i < schema_count(); i++)
        if (strstr(schema_at(i)->path, "[]") == NULL && !is_same(schema_at(i), before, after))
            fail_msg("%s differs: %s", schema_at(i)->path, shown);
}

static void test_it_is_read_as_the_same_configuration(void **state)
{
    _cleanup_(freep) char *full = read_whole(SOURCE_DIR "/tests/unit/data/config/full.yaml");

    (void)state;
    check_same(LOCAL);
    check_same(full);
    check_same("hypervisors:\n  - {name: a, uri: \"test:///default\"}\n  - uri: 'qemu+unix:///system?socket=/a-b'\n"
               "    name: b\npool: {protect: [\"*\", '[a]', \"quo\\\"ted \\\\u0041\", \"\\u2028\\x9b가\"]}\n"
               "machines: {\"a: b\": {database: [\"no\", \"1.0\"]}, 'x\"y': {}}\nrecovery:\nsimilarity: {}\n");
}

static void test_every_key_is_there_with_its_default(void **state)
{
    _cleanup_(freep) char *shown = show(LOCAL);

    (void)state;
    for (size_t i = 0; i < schema_count(); i++) {
        _cleanup_(freep) char *name = text_print("%s:", schema_name(schema_at(i)));

        if (schema_at(i)->default_text != NULL || schema_at(i)->type == SCHEMA_SECTION)
            assert_non_null(strstr(shown, name));
    }
    assert_non_null(strstr(shown, "\nmode: automatic\n"));
    assert_non_null(strstr(shown, "\n  verify:\n    level: auto\n"));
    assert_non_null(strstr(shown, "\n  - name: a\n    uri: \"test:///default\"\n"));
    assert_null(strstr(shown, SECRET_MASK));
}

static void test_secrets_are_masked(void **state)
{
    static const char text[] =
        "hypervisors:\n"
        "  - {name: a, uri: \"qemu+libssh2://root:hunter2@a/system?auth_token=hunter2&x=1\",\n"
        "     fence: {plug: node-1, password: hunter2, Snmp-Community: [hunter2, {a: hunter2}]}}\n"
        "fence: {options: {passwd: \"hunter2\", username: admin, ssh_key: hunter2}}\n"
        "services: [{match: [x], hook_env: {VIP: hunter2}}]\n";
    _cleanup_(string_list_done) struct string_list secrets = {0};
    _cleanup_(freep) char *shown = show(text);

    (void)state;
    assert_null(strstr(shown, "hunter2"));
    assert_non_null(strstr(shown, "qemu+libssh2://root:" SECRET_MASK "@a/system?auth_token=" SECRET_MASK "&x=1"));
    assert_non_null(strstr(shown, "{plug: node-1, password: \"" SECRET_MASK "\""));
    assert_non_null(strstr(shown, "username: admin"));
    assert_int_equal(config_list_secrets(text, strlen(text), &secrets), 0);
    assert_int_equal(secrets.count, 6);
    for (size_t i = 0; i < secrets.count; i++)
        assert_string_equal(secrets.items[i], "hunter2");
}

static void test_passwords_of_uris_are_masked_in_any_text(void **state)
{
    static const struct {
        const char *text, *expected;
    } cases[] = {
        {"", ""},
        {"no uri: a@b ? key=1", "no uri: a@b ? key=1"},
        {"at test:///default", "at test:///default"},
        {"qemu+ssh://root@h/system", "qemu+ssh://root@h/system"},
        {"qemu+ssh://root:pw@h:22/system, x", "qemu+ssh://root:***@h:22/system, x"},
        {"a://u:p@@h b://:@h", "a://u:***@h b://:***@h"},
        {"x://h/?password=a&token=b;c=d", "x://h/?password=***&token=***;c=d"},
        {"\"x://h?keyfile=/a/b\" ?key=c", "\"x://h?keyfile=***\" ?key=c"},
        {"x://h:1/a@b", "x://h:1/a@b"},
    };

    (void)state;
    for (size_t i = 0; i < ELEMENTS_OF(cases); i++) {
        _cleanup_(freep) char *masked = secret_mask_uris(cases[i].text);

        assert_string_equal(masked, cases[i].expected);
    }
}

static void test_what_is_no_yaml_is_refused(void **state)
{
    _cleanup_(diags_done) struct diags diags = {0};
    _cleanup_(string_list_done) struct string_list secrets = {0};

    (void)state;
    assert_int_equal(config_show(stdout, "a: [", 4, "x.yaml", &diags), -EINVAL);
    assert_int_equal(diags.count, 1);
    assert_int_equal(config_list_secrets("a: [", 4, &secrets), 0);
    assert_int_equal(config_list_secrets("", 0, &secrets), 0);
    assert_int_equal(secrets.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_it_is_read_as_the_same_configuration),
        cmocka_unit_test(test_every_key_is_there_with_its_default),
        cmocka_unit_test(test_secrets_are_masked),
        cmocka_unit_test(test_passwords_of_uris_are_masked_in_any_text),
        cmocka_unit_test(test_what_is_no_yaml_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
