/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What an operator supposes, as it is written and as the configuration has it then. */
#include <errno.h>
#include <string.h>

#include "config/policy.h"
#include "config/supposition.h"
#include "support.h"

static const char text[] = "hypervisors: [{name: a, uri: 'test:///default'}]\n"
                           "similarity:\n"
                           "  threshold: 0.6\n"
                           "  weights: {environment: {cpu: 0.1}, resource: {database: 0.2, database/oracle: 0.4}}\n"
                           "services:\n"
                           "  - {match: ['db-*'], threshold: 0.8, priority: 5}\n";

static struct config *parse(void)
{
    struct diags diags = {0};
    struct config *config = NULL;

    assert_int_equal(config_parse(text, strlen(text), NULL, &diags, &config), 0);
    diags_done(&diags);
    return config;
}

static void suppose(struct supposition *supposition, const char *key, const char *value)
{
    char *problem = NULL;

    assert_int_equal(supposition_add(supposition, key, value, &problem), 0);
    assert_null(problem);
}

static const struct config_weight *find_weight(const struct config *config, const char *kind, const char *value)
{
    for (size_t i = 0; i < config->similarity.n_resource_weights; i++) {
        const struct config_weight *weight = &config->similarity.resource_weights[i];

        if (strcmp(weight->kind, kind) == 0 && text_equal(weight->value, value))
            return weight;
    }
    return NULL;
}

static void test_a_threshold_is_for_all_services(void **state)
{
    _cleanup_(supposition_done) struct supposition supposition = {0};
    _cleanup_(config_freep) struct config *config = parse();
    struct policy_sources sources;
    struct config policy;

    (void)state;
    assert_true(supposition_is_empty(&supposition));
    suppose(&supposition, "threshold", "0.7");
    assert_false(supposition_is_empty(&supposition));
    assert_int_equal(supposition_apply(&supposition, config), 0);
    assert_int_equal(config->similarity.threshold, 700000);
    assert_int_equal(config->similarity.min_coverage, 700000); /* the threshold's, as ever where it is not given */
    sources = policy_find_sources(config, "a", "db-1");
    policy = policy_apply(config, &sources);
    assert_int_equal(policy.similarity.threshold, 700000);
    assert_int_equal(policy.policy.priority, 5); /* the entry's other keys stay */
}

static void test_a_coverage_of_its_own(void **state)
{
    _cleanup_(supposition_done) struct supposition supposition = {0};
    _cleanup_(config_freep) struct config *config = parse();

    (void)state;
    suppose(&supposition, "min_coverage", "1");
    assert_int_equal(supposition_apply(&supposition, config), 0);
    assert_int_equal(config->similarity.threshold, 600000);
    assert_int_equal(config->similarity.min_coverage, 1000000);
}

static void test_weights_are_changed_and_added(void **state)
{
    _cleanup_(supposition_done) struct supposition supposition = {0};
    _cleanup_(config_freep) struct config *config = parse();

    (void)state;
    suppose(&supposition, "weight", "database=0.5");
    suppose(&supposition, "weight", "database/oracle=0.9");
    suppose(&supposition, "weight", "language=nodejs=0.25"); /* as the command line writes it */
    suppose(&supposition, "weight", "data/a=b=0.1");         /* a value with a sign in it */
    suppose(&supposition, "weight", "memory=3");
    assert_int_equal(supposition_apply(&supposition, config), 0);
    assert_int_equal(config->similarity.n_resource_weights, 4);
    assert_int_equal(find_weight(config, "database", NULL)->millionths, 500000);
    assert_int_equal(find_weight(config, "database", "oracle")->millionths, 900000);
    assert_int_equal(find_weight(config, "language", "nodejs")->millionths, 250000);
    assert_int_equal(find_weight(config, "data", "a=b")->millionths, 100000);
    assert_int_equal(config->similarity.environment_weights[ENVIRONMENT_MEMORY], 3000000);
    assert_int_equal(config->similarity.environment_weights[ENVIRONMENT_CPU], 100000);
}

static void test_names_are_kept(void **state)
{
    _cleanup_(supposition_done) struct supposition supposition = {0};

    (void)state;
    suppose(&supposition, "without", "spare-1");
    suppose(&supposition, "without", "node2");
    assert_int_equal(supposition.without.count, 2);
    assert_string_equal(supposition.without.items[1], "node2");
}

static void test_what_cannot_be_supposed(void **state)
{
    static const struct {
        const char *key, *value, *problem;
    } cases[] = {
        {"threshold", "", "threshold: '' is not a number from 0 to 1"},
        {"threshold", "1.000001", "a number from 0 to 1"},
        {"threshold", "-0.1", "a number from 0 to 1"},
        {"threshold", "0.1234567", "at most six decimals"},
        {"min_coverage", "half", "min_coverage: 'half'"},
        {"weight", "", "weight: '' is not KIND=WEIGHT"},
        {"weight", "database", "KIND=WEIGHT or KIND/VALUE=WEIGHT"},
        {"weight", "=1", "KIND=WEIGHT"},
        {"weight", "/x=1", "KIND=WEIGHT"},
        {"weight", "database/=1", "KIND=WEIGHT"},
        {"weight", "database=", "KIND=WEIGHT"},
        {"weight", "database=-1", "from 0 to 1000"},
        {"weight", "database=1000.5", "from 0 to 1000"},
    };

    (void)state;
    for (size_t i = 0; i < ELEMENTS_OF(cases); i++) {
        _cleanup_(supposition_done) struct supposition supposition = {0};
        _cleanup_(freep) char *problem = NULL;

        assert_int_equal(supposition_add(&supposition, cases[i].key, cases[i].value, &problem), -EINVAL);
        if (strstr(problem, cases[i].problem) == NULL)
            fail_msg("%s", problem);
        assert_true(supposition_is_empty(&supposition));
    }
}

static void test_no_other_key(void **state)
{
    _cleanup_(supposition_done) struct supposition supposition = {0};
    char *problem = NULL;

    (void)state;
    assert_int_equal(supposition_add(&supposition, "mode", "observe", &problem), -ENOENT);
    assert_null(problem);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_threshold_is_for_all_services), cmocka_unit_test(test_a_coverage_of_its_own),
        cmocka_unit_test(test_weights_are_changed_and_added),   cmocka_unit_test(test_names_are_kept),
        cmocka_unit_test(test_what_cannot_be_supposed),         cmocka_unit_test(test_no_other_key),
    };

    return cmocka_run_group_tests_name("supposition", tests, NULL, NULL);
}
