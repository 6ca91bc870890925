/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Eq. 1 and what stands beside it, against plain fractions: the case study of the paper
 * number by number, the edges of every limit, and the properties that hold for any two machines.
 */
#include "similarity/similarity.h"

#include <errno.h>
#include <string.h>

#include "support.h"

/* ---- machines and rules at hand ---- */

struct fixture {
    struct feature_table *table;
    struct config_similarity config;
    struct similarity_rules *rules;
};

static int set_up(void **state)
{
    static struct fixture fixture;

    fixture = (struct fixture){.config = case_study_similarity()};
    *state = &fixture;
    return feature_table_new(&fixture.table);
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    similarity_rules_free(fixture->rules);
    feature_table_free(fixture->table);
    return 0;
}

static void make_rules(struct fixture *fixture)
{
    similarity_rules_free(fixture->rules);
    fixture->rules = NULL;
    assert_int_equal(similarity_rules_new(&fixture->config, NULL, fixture->table, &fixture->rules), 0);
}

static void add_feature(struct fixture *fixture, struct spec *spec, const char *kind, const char *value)
{
    uint32_t feature;

    assert_int_equal(feature_table_intern(fixture->table, kind, value, &feature), 0);
    assert_int_equal(id_set_add(&spec->features, feature), 0);
}

/* "language/nodejs database/mysql" */
static struct spec offers(struct fixture *fixture, const char *features)
{
    struct spec spec = {0};
    char text[256], *rest = text, *word;

    assert_true(strlen(features) < sizeof(text));
    strcpy(text, features);
    while ((word = strsep(&rest, " ")) != NULL) {
        char *kind = strsep(&word, "/");

        if (*kind != '\0')
            add_feature(fixture, &spec, kind, word);
    }
    return spec;
}

#define _spec_ _cleanup_(spec_done)

static void assert_ratio(struct fraction actual, uint64_t numerator, uint64_t denominator)
{
    assert_int_equal(fraction_compare(actual, fraction_of(numerator, denominator)), 0);
}

static struct similarity_score score(const struct fixture *fixture, const struct spec *a, const struct spec *b)
{
    return similarity_score(fixture->rules, a, b);
}

static enum similarity_verdict verdict(const struct fixture *fixture, const struct spec *a, const struct spec *b)
{
    return score(fixture, a, b).verdict;
}

/* ---- the oracle: plain fractions ---- */

struct exact {
    unsigned __int128 numerator, denominator;
};

static struct exact reduced(unsigned __int128 numerator, unsigned __int128 denominator)
{
    unsigned __int128 a = numerator, b = denominator;

    while (b != 0) {
        unsigned __int128 rest = a % b;

        a = b;
        b = rest;
    }
    return (struct exact){numerator / a, denominator / a};
}

static struct exact plus(struct exact x, struct exact y)
{
    return reduced(x.numerator * y.denominator + y.numerator * x.denominator, x.denominator * y.denominator);
}

/* 0 where the divisor is 0. */
static struct exact over(struct exact x, struct exact y)
{
    if (y.numerator == 0)
        return (struct exact){0, 1};
    return reduced(x.numerator * y.denominator, x.denominator * y.numerator);
}

/* What resources make is exact, and what amounts add is within 2·10⁻⁶. */
static void assert_within(struct fraction actual, struct exact expected, bool has_amounts)
{
    double distance = fraction_to_double(actual) - (double)expected.numerator / (double)expected.denominator;

    if (has_amounts) {
        assert_true(distance > -2e-6 && distance < 2e-6);
        return;
    }
    assert_true(expected.numerator <= UINT64_MAX && expected.denominator <= UINT64_MAX);
    assert_ratio(actual, (uint64_t)expected.numerator, (uint64_t)expected.denominator);
}

static uint32_t weight_of(const struct fixture *fixture, uint32_t feature)
{
    const char *kind = feature_kind_name(fixture->table, feature_kind(fixture->table, feature));
    uint32_t weight = 0;

    for (size_t i = 0; i < fixture->config.n_resource_weights; i++) {
        const struct config_weight *row = &fixture->config.resource_weights[i];

        if (strcmp(row->kind, kind) != 0)
            continue;
        if (row->value != NULL && strcmp(row->value, feature_value(fixture->table, feature)) == 0)
            return row->millionths;
        if (row->value == NULL)
            weight = row->millionths;
    }
    return weight;
}

struct expected {
    struct exact similarity, coverage, resource_coverage, overlap;
};

/* lib/similarity/README.md, word for word. */
static struct expected expect(const struct fixture *fixture, const struct spec *a, const struct spec *b)
{
    struct exact failed = {0, 1}, united = {0, 1}, shared = {0, 1}, own = {0, 1}, kept = {0, 1};

    for (size_t e = 0; e < ENVIRONMENT_COUNT; e++) {
        uint64_t x = a->environment[e], y = b->environment[e], w = fixture->config.environment_weights[e];
        uint64_t larger = x > y ? x : y;

        if (larger == 0)
            continue;
        failed = plus(failed, reduced((unsigned __int128)w * x, larger));
        united = plus(united, (struct exact){w, 1});
        shared = plus(shared, reduced((unsigned __int128)w * (x < y ? x : y), larger));
    }
    for (uint32_t feature = 0; feature < feature_table_count(fixture->table); feature++) {
        bool in_a = id_set_contains(&a->features, feature), in_b = id_set_contains(&b->features, feature);
        struct exact w = {weight_of(fixture, feature), 1};

        if (in_a)
            own = plus(own, w);
        if (in_a || in_b)
            united = plus(united, w);
        if (in_a && in_b)
            kept = plus(kept, w);
    }
    failed = plus(failed, own);
    shared = plus(shared, kept);
    return (struct expected){over(failed, united), over(shared, failed), over(kept, own), over(shared, united)};
}

static void assert_as_expected(const struct fixture *fixture, const struct spec *a, const struct spec *b)
{
    struct similarity_score actual = score(fixture, a, b);
    struct expected expected = expect(fixture, a, b);

    bool has_amounts = false;

    for (size_t e = 0; e < ENVIRONMENT_COUNT; e++)
        has_amounts = has_amounts || fixture->config.environment_weights[e] > 0;
    assert_within(score_similarity(&actual), expected.similarity, has_amounts);
    assert_within(score_coverage(&actual), expected.coverage, has_amounts);
    assert_within(score_overlap(&actual), expected.overlap, has_amounts);
    if (actual.verdict != SIMILARITY_NOTHING_KNOWN)
        assert_within(score_resource_coverage(&actual), expected.resource_coverage, false);
}

/* ---- the case study ---- */

#define CASE_MACHINES 5

static void make_case_study(struct fixture *fixture, struct spec ret_machines[CASE_MACHINES])
{
    static const char *const table_2[CASE_MACHINES] = {
        "os/ubuntu-20.04 language/nodejs database/mysql webserver/nginx",
        "os/ubuntu-20.04 language/nodejs database/postgresql webserver/apache",
        "os/ubuntu-20.04 database/postgresql",
        "os/ubuntu-20.04 webserver/nginx",
        "os/ubuntu-20.04 language/nodejs database/mysql database/postgresql webserver/nginx webserver/apache",
    };

    for (size_t i = 0; i < CASE_MACHINES; i++)
        ret_machines[i] = offers(fixture, table_2[i]);
    make_rules(fixture);
}

static void end_case_study(struct spec machines[CASE_MACHINES])
{
    for (size_t i = 0; i < CASE_MACHINES; i++)
        spec_done(&machines[i]);
}

/* The table of lib/similarity/README.md and every pair it leaves out; S, C in tenths of weight: 3, 2, 1. */
static void test_case_study_every_ordered_pair(void **state)
{
    static const struct {
        unsigned a, b;
        uint64_t failed, united, shared; /* W(A), W(A∪B), W(A∩B) in tenths */
        enum similarity_verdict verdict;
    } rows[] = {
        {1, 1, 6, 6, 6, SIMILARITY_ELIGIBLE},        {1, 2, 6, 9, 3, SIMILARITY_ELIGIBLE},
        {1, 3, 6, 8, 0, SIMILARITY_BELOW_COVERAGE},  {1, 4, 6, 6, 1, SIMILARITY_BELOW_COVERAGE},
        {1, 5, 6, 9, 6, SIMILARITY_ELIGIBLE},        {2, 1, 6, 9, 3, SIMILARITY_ELIGIBLE},
        {2, 2, 6, 6, 6, SIMILARITY_ELIGIBLE},        {2, 3, 6, 6, 2, SIMILARITY_BELOW_COVERAGE},
        {2, 4, 6, 7, 0, SIMILARITY_BELOW_COVERAGE},  {2, 5, 6, 9, 6, SIMILARITY_ELIGIBLE},
        {3, 1, 2, 8, 0, SIMILARITY_BELOW_THRESHOLD}, {3, 2, 2, 6, 2, SIMILARITY_BELOW_THRESHOLD},
        {3, 3, 2, 2, 2, SIMILARITY_ELIGIBLE},        {3, 4, 2, 3, 0, SIMILARITY_BELOW_COVERAGE},
        {3, 5, 2, 9, 2, SIMILARITY_BELOW_THRESHOLD}, {4, 1, 1, 6, 1, SIMILARITY_BELOW_THRESHOLD},
        {4, 2, 1, 7, 0, SIMILARITY_BELOW_THRESHOLD}, {4, 3, 1, 3, 0, SIMILARITY_BELOW_THRESHOLD},
        {4, 4, 1, 1, 1, SIMILARITY_ELIGIBLE},        {4, 5, 1, 9, 1, SIMILARITY_BELOW_THRESHOLD},
        {5, 1, 9, 9, 6, SIMILARITY_ELIGIBLE},        {5, 2, 9, 9, 6, SIMILARITY_ELIGIBLE},
        {5, 3, 9, 9, 2, SIMILARITY_BELOW_COVERAGE},  {5, 4, 9, 9, 1, SIMILARITY_BELOW_COVERAGE},
        {5, 5, 9, 9, 9, SIMILARITY_ELIGIBLE},
    };
    struct fixture *fixture = *state;
    struct spec machines[CASE_MACHINES];

    make_case_study(fixture, machines);
    for (size_t i = 0; i < ELEMENTS_OF(rows); i++) {
        const struct spec *a = &machines[rows[i].a - 1], *b = &machines[rows[i].b - 1];
        struct similarity_score actual = score(fixture, a, b);

        assert_ratio(score_similarity(&actual), rows[i].failed, rows[i].united);
        assert_ratio(score_coverage(&actual), rows[i].shared, rows[i].failed);
        assert_ratio(score_overlap(&actual), rows[i].shared, rows[i].united);
        assert_ratio(score_resource_coverage(&actual), rows[i].shared, rows[i].failed);
        assert_int_equal(actual.verdict, rows[i].verdict);
        assert_as_expected(fixture, a, b);
    }
    end_case_study(machines);
}

/* The four digits that README.md prints. */
static void test_case_study_reads_as_in_the_design(void **state)
{
    static const struct {
        unsigned a, b;
        const char *s, *c, *j;
    } rows[] = {
        {1, 5, "0.6667", "1.0000", "0.6667"}, {1, 2, "0.6667", "0.5000", "0.3333"},
        {1, 3, "0.7500", "0.0000", "0.0000"}, {1, 4, "1.0000", "0.1667", "0.1667"},
        {3, 5, "0.2222", "1.0000", "0.2222"}, {3, 4, "0.6667", "0.0000", "0.0000"},
        {5, 1, "1.0000", "0.6667", "0.6667"}, {5, 2, "1.0000", "0.6667", "0.6667"},
    };
    struct fixture *fixture = *state;
    struct spec machines[CASE_MACHINES];

    make_case_study(fixture, machines);
    for (size_t i = 0; i < ELEMENTS_OF(rows); i++) {
        struct similarity_score actual = score(fixture, &machines[rows[i].a - 1], &machines[rows[i].b - 1]);
        char s[16], c[16], j[16];

        snprintf(s, sizeof(s), "%.4f", fraction_to_double(score_similarity(&actual)));
        snprintf(c, sizeof(c), "%.4f", fraction_to_double(score_coverage(&actual)));
        snprintf(j, sizeof(j), "%.4f", fraction_to_double(score_overlap(&actual)));
        assert_string_equal(s, rows[i].s);
        assert_string_equal(c, rows[i].c);
        assert_string_equal(j, rows[i].j);
    }
    end_case_study(machines);
}

/* The best eligible one for a failed machine, 1 … 5; 0: none. */
static unsigned best_for(const struct fixture *fixture, const struct spec machines[CASE_MACHINES], unsigned failed)
{
    struct similarity_score best = {0};
    unsigned chosen = 0;

    for (unsigned b = 1; b <= CASE_MACHINES; b++) {
        struct similarity_score candidate = score(fixture, &machines[failed - 1], &machines[b - 1]);

        if (b == failed || candidate.verdict != SIMILARITY_ELIGIBLE)
            continue;
        if (chosen == 0 || similarity_compare(fixture->rules, &candidate, &best) < 0) {
            chosen = b;
            best = candidate;
        }
    }
    return chosen;
}

static void test_case_study_chooses_vm_005_for_vm_001(void **state)
{
    struct fixture *fixture = *state;
    struct spec machines[CASE_MACHINES];

    make_case_study(fixture, machines);
    assert_int_equal(best_for(fixture, machines, 1), 5);
    assert_int_equal(best_for(fixture, machines, 3), 0);
    assert_int_equal(best_for(fixture, machines, 5), 1);
    struct similarity_score one = score(fixture, &machines[4], &machines[0]);
    struct similarity_score two = score(fixture, &machines[4], &machines[1]);
    assert_int_equal(similarity_compare(fixture->rules, &one, &two), 0); /* the name decides, elsewhere */
    end_case_study(machines);
}

static void test_the_paper_to_the_letter_replaces_vm_001_by_vm_004(void **state)
{
    struct fixture *fixture = *state;
    struct spec machines[CASE_MACHINES];

    fixture->config.rank_by = RANK_BY_SIMILARITY;
    fixture->config.min_coverage = 0;
    make_case_study(fixture, machines);
    assert_int_equal(best_for(fixture, machines, 1), 4);
    assert_int_equal(best_for(fixture, machines, 3), 4);
    assert_int_equal(verdict(fixture, &machines[0], &machines[2]), SIMILARITY_ELIGIBLE);
    /* S still limits. */
    assert_int_equal(verdict(fixture, &machines[2], &machines[4]), SIMILARITY_BELOW_THRESHOLD);
    end_case_study(machines);
}

/* ---- limits ---- */

static void test_equal_to_the_threshold_is_similar_enough(void **state)
{
    struct fixture *fixture = *state;
    _spec_ struct spec a = offers(fixture, "language/nodejs");
    _spec_ struct spec b = offers(fixture, "language/nodejs database/mysql webserver/nginx");

    make_rules(fixture);
    struct similarity_score half = score(fixture, &a, &b); /* 0.3/(0.3+0.2+0.1) */
    assert_ratio(score_similarity(&half), 1, 2);
    assert_int_equal(half.verdict, SIMILARITY_ELIGIBLE);

    fixture->config.threshold = 500001;
    make_rules(fixture);
    assert_int_equal(verdict(fixture, &a, &b), SIMILARITY_BELOW_THRESHOLD);
}

static void test_equal_to_the_minimum_coverage_is_covered_enough(void **state)
{
    struct fixture *fixture = *state;
    _spec_ struct spec a = offers(fixture, "language/nodejs database/mysql webserver/nginx");
    _spec_ struct spec b = offers(fixture, "language/nodejs");

    make_rules(fixture);
    assert_int_equal(verdict(fixture, &a, &b), SIMILARITY_ELIGIBLE);
    fixture->config.min_coverage = 500001;
    make_rules(fixture);
    assert_int_equal(verdict(fixture, &a, &b), SIMILARITY_BELOW_COVERAGE);
}

/* 1/3 + 2/3 is 1, and the shares are held as 0.333333 and 0.666666. */
static void test_amounts_that_sum_to_the_threshold_meet_it(void **state)
{
    struct fixture *fixture = *state;
    const struct spec a = {.environment = {1, 2, 0}}, b = {.environment = {3, 3, 0}};

    fixture->config.n_resource_weights = 0;
    fixture->config.environment_weights[ENVIRONMENT_CPU] = 700000;
    fixture->config.environment_weights[ENVIRONMENT_MEMORY] = 700000;
    make_rules(fixture);
    struct similarity_score half = score(fixture, &a, &b);
    assert_ratio(score_similarity(&half), 999999, 2000000);
    assert_ratio(score_coverage(&half), 1, 1);
    assert_int_equal(half.verdict, SIMILARITY_ELIGIBLE);

    fixture->config.threshold = 500003; /* beyond 2·10⁻⁶ of the weight of the amounts */
    make_rules(fixture);
    assert_int_equal(verdict(fixture, &a, &b), SIMILARITY_BELOW_THRESHOLD);
}

/* A share of what the amounts weigh, not of the whole. */
static void test_the_tolerance_is_that_of_the_amounts(void **state)
{
    struct fixture *fixture = *state;
    _spec_ struct spec a = offers(fixture, "language/nodejs");
    _spec_ struct spec b = offers(fixture, "language/nodejs database/mysql webserver/nginx");

    a.environment[ENVIRONMENT_CPU] = b.environment[ENVIRONMENT_CPU] = 4;
    fixture->config.environment_weights[ENVIRONMENT_CPU] = 50000;
    fixture->config.threshold = 538462; /* 0.35/0.65 is 0.5384615…; the CPUs weigh 0.05 of that */
    make_rules(fixture);
    assert_int_equal(verdict(fixture, &a, &b), SIMILARITY_BELOW_THRESHOLD);
    fixture->config.threshold = 538461;
    make_rules(fixture);
    assert_int_equal(verdict(fixture, &a, &b), SIMILARITY_ELIGIBLE);
}

static void test_the_first_obstacle_is_told(void **state)
{
    struct fixture *fixture = *state;
    _spec_ struct spec a = offers(fixture, "language/nodejs");
    _spec_ struct spec b = offers(fixture, "database/mysql webserver/nginx database/oracle");

    fixture->config.must_cover = LIST("language");
    make_rules(fixture); /* S 3/8, C 0 and an uncovered kind at once */
    assert_int_equal(verdict(fixture, &a, &b), SIMILARITY_BELOW_THRESHOLD);
    fixture->config.threshold = 375000;
    make_rules(fixture);
    assert_int_equal(verdict(fixture, &a, &b), SIMILARITY_BELOW_COVERAGE);
    fixture->config.min_coverage = 0;
    make_rules(fixture);
    assert_int_equal(verdict(fixture, &a, &b), SIMILARITY_MUST_COVER);
}

static void test_hardware_is_no_likeness(void **state)
{
    struct fixture *fixture = *state;
    _spec_ struct spec a = offers(fixture, "webserver/nginx");
    _spec_ struct spec b = offers(fixture, "webserver/apache");

    for (size_t e = 0; e < ENVIRONMENT_COUNT; e++) {
        fixture->config.environment_weights[e] = 300000;
        a.environment[e] = b.environment[e] = 4;
    }
    make_rules(fixture);
    struct similarity_score actual = score(fixture, &a, &b);
    assert_ratio(score_similarity(&actual), 10, 11);
    assert_ratio(score_coverage(&actual), 9, 10);
    assert_ratio(score_resource_coverage(&actual), 0, 1);
    assert_int_equal(actual.verdict, SIMILARITY_BELOW_RESOURCE_COVERAGE);
}

static void test_nothing_known_of_what_it_offers_has_no_candidate(void **state)
{
    struct fixture *fixture = *state;
    struct spec bare = {.environment = {2, 1024, 4096}};
    _spec_ struct spec unweighed = offers(fixture, "os/debian-12");

    for (size_t e = 0; e < ENVIRONMENT_COUNT; e++) {
        fixture->config.environment_weights[e] = 50000;
        unweighed.environment[e] = bare.environment[e];
    }
    fixture->config.min_coverage = 0;
    make_rules(fixture);
    assert_int_equal(verdict(fixture, &bare, &bare), SIMILARITY_NOTHING_KNOWN);
    struct similarity_score same = score(fixture, &unweighed, &unweighed);
    assert_int_equal(same.verdict, SIMILARITY_NOTHING_KNOWN);
    assert_ratio(score_resource_coverage(&same), 0, 1);
}

/* With libosinfo alone, web-test with 4 GiB was the choice for billing-db with 8 GiB. */
static void test_an_operating_system_alone_is_too_little(void **state)
{
    struct fixture *fixture = *state;
    struct config_weight weights[] = {{.kind = (char *)"os", .millionths = 200000},
                                      {.kind = (char *)"other", .millionths = 50000},
                                      {.kind = (char *)"database", .millionths = 200000}};
    _spec_ struct spec billing = offers(fixture, "os/debian-12"), web = offers(fixture, "os/debian-12");

    billing.environment[ENVIRONMENT_MEMORY] = UINT64_C(8) << 20;
    web.environment[ENVIRONMENT_MEMORY] = UINT64_C(4) << 20;
    fixture->config.environment_weights[ENVIRONMENT_MEMORY] = 50000;
    fixture->config.resource_weights = weights;
    fixture->config.n_resource_weights = ELEMENTS_OF(weights);
    make_rules(fixture);
    struct similarity_score actual = score(fixture, &billing, &web);
    assert_int_equal(actual.verdict, SIMILARITY_NOTHING_KNOWN);
    assert_ratio(score_similarity(&actual), 1, 1);
    assert_ratio(score_coverage(&actual), 225, 250);
    add_feature(fixture, &billing, "OS-family", "linux");
    add_feature(fixture, &web, "os-family", "linux");
    assert_int_equal(verdict(fixture, &billing, &web), SIMILARITY_NOTHING_KNOWN);

    /* One thing more that weighs, and there is something to compare. */
    add_feature(fixture, &billing, "zone", "seoul");
    assert_int_equal(verdict(fixture, &billing, &web), SIMILARITY_ELIGIBLE);
    weights[1].millionths = 0;
    make_rules(fixture);
    assert_int_equal(verdict(fixture, &billing, &web), SIMILARITY_NOTHING_KNOWN);

    /* Hardware alone is a choice: no resource weighs anything. */
    weights[0].millionths = weights[2].millionths = 0;
    make_rules(fixture);
    assert_int_equal(verdict(fixture, &billing, &web), SIMILARITY_ELIGIBLE);
}

static uint32_t interned_weight(struct fixture *fixture, const char *kind, const char *value)
{
    uint32_t feature;

    assert_int_equal(feature_table_intern(fixture->table, kind, value, &feature), 0);
    return similarity_weight(fixture->rules, feature);
}

static void test_other_is_for_kinds_that_have_no_weight(void **state)
{
    struct fixture *fixture = *state;
    struct config_weight weights[] = {{.kind = (char *)"database", .value = (char *)"oracle", .millionths = 400000},
                                      {.kind = (char *)"os"},
                                      {.kind = (char *)"language", .millionths = 300000},
                                      {.kind = (char *)"Other", .millionths = 50000}};

    fixture->config.resource_weights = weights;
    fixture->config.n_resource_weights = ELEMENTS_OF(weights);
    make_rules(fixture);
    assert_int_equal(interned_weight(fixture, "zone", "seoul"), 50000); /* a kind that is first met now */
    assert_int_equal(interned_weight(fixture, "database", "mysql"), 50000);
    assert_int_equal(interned_weight(fixture, "database", "oracle"), 400000);
    assert_int_equal(interned_weight(fixture, "language", "nodejs"), 300000);
    assert_int_equal(interned_weight(fixture, "os", "debian-12"), 0); /* named, with 0 */
    fixture->config.n_resource_weights--;
    make_rules(fixture);
    assert_int_equal(interned_weight(fixture, "zone", "seoul"), 0);
    assert_int_equal(interned_weight(fixture, "zone", "busan"), 0);
}

static void test_hardware_alone_where_no_resource_weighs_anything(void **state)
{
    struct fixture *fixture = *state;
    struct config_weight none[] = {{.kind = (char *)"language"}, {.kind = (char *)"os"}};
    _spec_ struct spec a = offers(fixture, "language/nodejs os/debian-12");
    struct spec twice = {.environment = {4, 1024, 0}};

    a.environment[ENVIRONMENT_CPU] = 2;
    a.environment[ENVIRONMENT_MEMORY] = 1024;
    fixture->config.environment_weights[ENVIRONMENT_CPU] = 50000;
    fixture->config.environment_weights[ENVIRONMENT_MEMORY] = 50000;
    fixture->config.resource_weights = none;
    fixture->config.n_resource_weights = ELEMENTS_OF(none);
    make_rules(fixture);
    struct similarity_score actual = score(fixture, &a, &twice);
    assert_ratio(score_similarity(&actual), 3, 4);
    assert_ratio(score_resource_coverage(&actual), 1, 1);
    assert_int_equal(actual.verdict, SIMILARITY_ELIGIBLE);
}

/* One value that weighs something is enough to make resources count. */
static void test_a_single_weighty_value_ends_hardware_alone(void **state)
{
    struct fixture *fixture = *state;
    struct config_weight one[] = {
        {.kind = (char *)"language"},
        {.kind = (char *)"database", .value = (char *)"oracle", .millionths = 1},
    };
    _spec_ struct spec a = offers(fixture, "language/nodejs");

    a.environment[ENVIRONMENT_CPU] = 2;
    fixture->config.environment_weights[ENVIRONMENT_CPU] = 50000;
    fixture->config.resource_weights = one;
    fixture->config.n_resource_weights = ELEMENTS_OF(one);
    make_rules(fixture);
    assert_int_equal(verdict(fixture, &a, &a), SIMILARITY_NOTHING_KNOWN);
}

static void test_an_empty_machine_is_never_divided_by(void **state)
{
    struct fixture *fixture = *state;
    const struct spec empty = {0};
    _spec_ struct spec full = offers(fixture, "language/nodejs");

    fixture->config.threshold = fixture->config.min_coverage = 0;
    make_rules(fixture);
    struct similarity_score nothing = score(fixture, &empty, &empty), none = score(fixture, &empty, &full);
    assert_ratio(score_similarity(&nothing), 0, 1);
    assert_ratio(score_coverage(&nothing), 0, 1);
    assert_ratio(score_overlap(&nothing), 0, 1);
    assert_int_equal(nothing.verdict, SIMILARITY_NOTHING_KNOWN);
    assert_ratio(score_similarity(&none), 0, 1);
    assert_ratio(score_coverage(&none), 0, 1);
    assert_int_equal(none.verdict, SIMILARITY_NOTHING_KNOWN);
    struct similarity_score bare = score(fixture, &full, &empty);
    assert_ratio(score_similarity(&bare), 1, 1); /* Eq. 1 alone would take it */
    assert_ratio(score_coverage(&bare), 0, 1);

    fixture->config.n_resource_weights = 0; /* no weight at all */
    make_rules(fixture);
    assert_int_equal(verdict(fixture, &full, &full), SIMILARITY_NOTHING_KNOWN);
}

/* ---- sets and amounts ---- */

static void test_subset_superset_disjoint(void **state)
{
    struct fixture *fixture = *state;
    _spec_ struct spec small = offers(fixture, "language/nodejs database/mysql");
    _spec_ struct spec large = offers(fixture, "language/nodejs database/mysql webserver/nginx");
    _spec_ struct spec else_ = offers(fixture, "language/php database/oracle");
    struct similarity_score actual;

    make_rules(fixture);
    actual = score(fixture, &large, &small);
    assert_ratio(score_similarity(&actual), 1, 1);
    assert_ratio(score_coverage(&actual), 5, 6);
    actual = score(fixture, &small, &large);
    assert_ratio(score_similarity(&actual), 5, 6);
    assert_ratio(score_coverage(&actual), 1, 1);
    actual = score(fixture, &small, &else_);
    assert_ratio(score_similarity(&actual), 1, 2);
    assert_ratio(score_coverage(&actual), 0, 1);
    assert_ratio(score_overlap(&actual), 0, 1);
}

static void test_amounts(void **state)
{
    /* cpu, memory, disk of A and B; W(A), W(A∪B), W(A∩B) in halves of a weight that is the same for each */
    static const struct {
        uint64_t a[ENVIRONMENT_COUNT], b[ENVIRONMENT_COUNT], failed, united, shared;
    } rows[] = {
        {{2, 4, 8}, {2, 4, 8}, 6, 6, 6}, /* the same */
        {{2, 4, 8}, {2, 2, 8}, 6, 6, 5}, /* half the memory */
        {{2, 4, 8}, {4, 4, 8}, 5, 6, 5}, /* twice the CPUs */
        {{2, 4, 8}, {4, 2, 8}, 5, 6, 4}, /* both at once */
        {{2, 4, 8}, {2, 4, 0}, 6, 6, 4}, /* B's disk is not known */
        {{2, 4, 0}, {2, 4, 8}, 4, 6, 4}, /* A's disk is not known */
        {{2, 4, 0}, {2, 4, 0}, 4, 4, 4}, /* no disk is known */
    };
    struct fixture *fixture = *state;

    for (size_t e = 0; e < ENVIRONMENT_COUNT; e++)
        fixture->config.environment_weights[e] = 123457;
    fixture->config.n_resource_weights = 0;
    make_rules(fixture);
    for (size_t i = 0; i < ELEMENTS_OF(rows); i++) {
        struct spec a = {0}, b = {0};

        memcpy(a.environment, rows[i].a, sizeof(a.environment));
        memcpy(b.environment, rows[i].b, sizeof(b.environment));
        struct similarity_score actual = score(fixture, &a, &b);
        assert_ratio(score_similarity(&actual), rows[i].failed, rows[i].united);
        assert_ratio(score_coverage(&actual), rows[i].shared, rows[i].failed);
        assert_ratio(score_overlap(&actual), rows[i].shared, rows[i].united);
    }
}

static void test_weights_of_single_values(void **state)
{
    struct config_weight weights[] = {
        {.kind = (char *)"database", .value = (char *)"oracle", .millionths = 500000},
        {.kind = (char *)"database", .millionths = 200000},
        {.kind = (char *)"database", .value = (char *)"sqlite", .millionths = 0},
    };
    struct fixture *fixture = *state;
    _spec_ struct spec all = offers(fixture, "database/oracle database/mysql database/sqlite");
    _spec_ struct spec oracle = offers(fixture, "database/oracle");
    _spec_ struct spec mysql = offers(fixture, "database/mysql");
    _spec_ struct spec sqlite = offers(fixture, "database/sqlite");

    fixture->config.resource_weights = weights;
    fixture->config.n_resource_weights = ELEMENTS_OF(weights);
    make_rules(fixture);
    assert_as_expected(fixture, &all, &oracle);
    struct similarity_score actual = score(fixture, &all, &oracle);
    assert_ratio(score_coverage(&actual), 5, 7);
    actual = score(fixture, &all, &mysql);
    assert_ratio(score_coverage(&actual), 2, 7);
    assert_int_equal(verdict(fixture, &sqlite, &sqlite), SIMILARITY_NOTHING_KNOWN);
}

static void test_must_cover_a_resource_kind(void **state)
{
    struct fixture *fixture = *state;
    _spec_ struct spec a = offers(fixture, "os/debian-12 language/nodejs database/mysql");
    _spec_ struct spec same = offers(fixture, "os/debian-12 language/nodejs database/mysql");
    _spec_ struct spec other_os = offers(fixture, "os/debian-11 language/nodejs database/mysql");
    _spec_ struct spec other_database = offers(fixture, "os/debian-12 language/nodejs database/oracle");
    _spec_ struct spec no_os = offers(fixture, "language/nodejs database/mysql");

    fixture->config.must_cover = LIST("database", "os", "data");
    make_rules(fixture);
    assert_int_equal(verdict(fixture, &a, &same), SIMILARITY_ELIGIBLE);
    struct similarity_score uncovered = score(fixture, &a, &other_os); /* os weighs nothing here, and still must be */
    assert_int_equal(uncovered.verdict, SIMILARITY_MUST_COVER);
    assert_int_equal(uncovered.uncovered_kind, 1);
    assert_string_equal(similarity_must_cover_kind(fixture->rules, uncovered.uncovered_kind), "os");
    uncovered = score(fixture, &a, &other_database);
    assert_int_equal(uncovered.verdict, SIMILARITY_MUST_COVER);
    assert_string_equal(similarity_must_cover_kind(fixture->rules, uncovered.uncovered_kind), "database");
    assert_int_equal(verdict(fixture, &no_os, &a), SIMILARITY_ELIGIBLE); /* nothing of that kind to cover */
}

static void test_must_cover_hardware(void **state)
{
    struct fixture *fixture = *state;
    _spec_ struct spec a = offers(fixture, "language/nodejs"), b = offers(fixture, "language/nodejs");

    fixture->config.must_cover = LIST("memory");
    make_rules(fixture);
    a.environment[ENVIRONMENT_MEMORY] = 2048;
    b.environment[ENVIRONMENT_MEMORY] = 2048;
    assert_int_equal(verdict(fixture, &a, &b), SIMILARITY_ELIGIBLE);
    b.environment[ENVIRONMENT_MEMORY] = 4096;
    assert_int_equal(verdict(fixture, &a, &b), SIMILARITY_ELIGIBLE);
    b.environment[ENVIRONMENT_MEMORY] = 2047;
    assert_int_equal(verdict(fixture, &a, &b), SIMILARITY_MUST_COVER);
    b.environment[ENVIRONMENT_MEMORY] = 0;
    assert_int_equal(verdict(fixture, &a, &b), SIMILARITY_MUST_COVER);
    a.environment[ENVIRONMENT_MEMORY] = 0;
    assert_int_equal(verdict(fixture, &a, &b), SIMILARITY_ELIGIBLE);
}

static void test_features_interned_after_the_rules_count(void **state)
{
    struct fixture *fixture = *state;

    make_rules(fixture);
    _spec_ struct spec a = offers(fixture, "language/nodejs database/mysql");
    _spec_ struct spec b = offers(fixture, "language/nodejs");
    struct similarity_score actual = score(fixture, &a, &b);
    assert_ratio(score_coverage(&actual), 3, 5);
    assert_as_expected(fixture, &b, &a);
}

static void test_impossible_kinds_are_refused(void **state)
{
    struct config_weight bad_kind[] = {{.kind = (char *)"data base", .millionths = 1}};
    struct config_weight bad_value[] = {{.kind = (char *)"database", .value = (char *)"", .millionths = 1}};
    struct fixture *fixture = *state;

    fixture->config.n_resource_weights = 1;
    fixture->config.resource_weights = bad_kind;
    assert_int_equal(similarity_rules_new(&fixture->config, NULL, fixture->table, &fixture->rules), -EINVAL);
    fixture->config.resource_weights = bad_value;
    assert_int_equal(similarity_rules_new(&fixture->config, NULL, fixture->table, &fixture->rules), -EINVAL);
    fixture->config = case_study_similarity();
    fixture->config.must_cover = LIST("no/kind");
    assert_int_equal(similarity_rules_new(&fixture->config, NULL, fixture->table, &fixture->rules), -EINVAL);
    fixture->config = case_study_similarity();
    fixture->config.environment_weights[ENVIRONMENT_DISK] = 1000 * MILLIONTHS + 1;
    assert_int_equal(similarity_rules_new(&fixture->config, NULL, fixture->table, &fixture->rules), -ERANGE);
    assert_null(fixture->rules);
}

/* Far more than any machine has, each of the largest weight: the largest sums there are. */
static void test_the_largest_sums_fit(void **state)
{
    struct config_weight heavy[] = {{.kind = (char *)"data", .millionths = 1000 * MILLIONTHS}};
    struct fixture *fixture = *state;
    _spec_ struct spec a = {.environment = {1, 1, 1}}, b = {.environment = {1, 1, 1}};
    uint64_t all = UINT64_C(8192) * 1000 * MILLIONTHS * MILLIONTHS, amounts = UINT64_C(3000) * MILLIONTHS * MILLIONTHS;

    fixture->config.resource_weights = heavy;
    fixture->config.n_resource_weights = ELEMENTS_OF(heavy);
    for (size_t e = 0; e < ENVIRONMENT_COUNT; e++)
        fixture->config.environment_weights[e] = 1000 * MILLIONTHS;
    for (unsigned i = 0; i < 2 * 8200; i++) {
        char value[16];

        snprintf(value, sizeof(value), "v%u", i);
        add_feature(fixture, i < 8200 ? &a : &b, "data", value);
    }
    make_rules(fixture);
    struct similarity_score most = score(fixture, &a, &b);
    assert_true(most.failed == all + amounts);
    assert_true(most.either == 2 * all + amounts);
    assert_true(most.both == amounts);
    assert_int_equal(verdict(fixture, &a, &a), SIMILARITY_ELIGIBLE);
}

static void test_limits_for_display(void **state)
{
    struct fixture *fixture = *state;

    fixture->config.threshold = 650000;
    make_rules(fixture);
    assert_true(similarity_threshold(fixture->rules) == 0.65);
    assert_true(similarity_min_coverage(fixture->rules) == 0.5);
}

/* ---- properties ---- */

static struct spec random_spec(struct fixture *fixture, uint64_t *seed, uint64_t largest_amount)
{
    static const char *const kinds[] = {"language", "database", "webserver", "os"};
    struct spec spec = {0};

    for (size_t e = 0; e < ENVIRONMENT_COUNT; e++)
        spec.environment[e] = random_below(seed, largest_amount);
    for (uint64_t n = random_below(seed, 8); n > 0; n--) {
        char value[8];

        snprintf(value, sizeof(value), "v%u", (unsigned)random_below(seed, 4));
        add_feature(fixture, &spec, kinds[random_below(seed, ELEMENTS_OF(kinds))], value);
    }
    return spec;
}

static void weigh_everything(struct fixture *fixture)
{
    for (size_t e = 0; e < ENVIRONMENT_COUNT; e++)
        fixture->config.environment_weights[e] = (uint32_t)(50000 * (e + 1));
    make_rules(fixture);
}

static void assert_properties(const struct fixture *fixture, const struct spec *a, const struct spec *b)
{
    struct similarity_score actual = score(fixture, a, b), self = score(fixture, a, a);

    assert_true(actual.both <= actual.failed && actual.failed <= actual.either);
    assert_true(actual.both_resources <= actual.failed_resources);
    if (self.verdict != SIMILARITY_NOTHING_KNOWN) {
        assert_true(self.both == self.failed && self.failed == self.either);
        assert_int_equal(self.verdict, SIMILARITY_ELIGIBLE);
    }
}

static void test_random_machines_agree_with_the_oracle(void **state)
{
    struct fixture *fixture = *state;
    uint64_t seed = 1;

    weigh_everything(fixture);
    for (int i = 0; i < 500; i++) {
        _spec_ struct spec a = random_spec(fixture, &seed, 40), b = random_spec(fixture, &seed, 40);

        assert_as_expected(fixture, &a, &b);
        assert_properties(fixture, &a, &b);
    }
}

/* The largest amounts there are: 2^16 vCPUs, 2^54 KiB, 2^63 bytes; a byte of 8 EiB is no obstacle, some millionths are. */
static void test_huge_amounts_compare(void **state)
{
    const uint64_t largest[ENVIRONMENT_COUNT] = {UINT64_C(1) << 16, UINT64_C(1) << 54, UINT64_C(1) << 63};
    struct fixture *fixture = *state;
    uint64_t seed = 3;

    for (size_t e = 0; e < ENVIRONMENT_COUNT; e++)
        fixture->config.environment_weights[e] = MILLIONTHS;
    make_rules(fixture);
    for (int i = 0; i < 100; i++) {
        _spec_ struct spec a = random_spec(fixture, &seed, 1), b = random_spec(fixture, &seed, 1);

        for (size_t e = 0; e < ENVIRONMENT_COUNT; e++) {
            a.environment[e] = largest[e] - random_below(&seed, 1000);
            b.environment[e] = largest[e] - random_below(&seed, 1000);
        }
        assert_properties(fixture, &a, &b);
    }
    fixture->config.n_resource_weights = 0;
    fixture->config.threshold = fixture->config.min_coverage = MILLIONTHS;
    make_rules(fixture);
    const struct spec most = {.environment = {largest[0], largest[1], largest[2]}};
    const struct spec byte_less = {.environment = {largest[0], largest[1], largest[2] - 1}};
    const struct spec less = {.environment = {largest[0], largest[1], largest[2] / 1000000 * 999990}};
    assert_int_equal(verdict(fixture, &most, &most), SIMILARITY_ELIGIBLE);
    assert_int_equal(verdict(fixture, &most, &byte_less), SIMILARITY_ELIGIBLE);
    assert_int_equal(verdict(fixture, &byte_less, &most), SIMILARITY_ELIGIBLE);
    assert_int_equal(verdict(fixture, &most, &less), SIMILARITY_BELOW_COVERAGE);
    assert_int_equal(verdict(fixture, &less, &most), SIMILARITY_BELOW_THRESHOLD);
}

#define POOL 24

static void test_a_pool_scores_as_its_machines_one_by_one(void **state)
{
    struct fixture *fixture = *state;
    struct similarity_score scores[POOL];
    const struct spec *candidates[POOL];
    struct spec specs[POOL];
    uint64_t seed = 99;

    weigh_everything(fixture);
    for (size_t i = 0; i < POOL; i++) {
        specs[i] = random_spec(fixture, &seed, 9);
        candidates[i] = &specs[i];
    }
    for (size_t failed = 0; failed < POOL; failed++) {
        similarity_score_pool(fixture->rules, &specs[failed], candidates, POOL, scores);
        for (size_t i = 0; i < POOL; i++) {
            struct similarity_score single = score(fixture, &specs[failed], &specs[i]);

            assert_int_equal(scores[i].failed, single.failed);
            assert_int_equal(scores[i].both, single.both);
            assert_int_equal(scores[i].either, single.either);
            assert_int_equal(scores[i].both_resources, single.both_resources);
            assert_int_equal(scores[i].verdict, single.verdict);
        }
    }
    similarity_score_pool(fixture->rules, &specs[0], NULL, 0, NULL); /* an empty pool */
    for (size_t i = 0; i < POOL; i++)
        spec_done(&specs[i]);
}

static void assert_strict_weak_order(const struct similarity_rules *rules, const struct similarity_score *x,
                                     const struct similarity_score *y, const struct similarity_score *z)
{
    int xy = similarity_compare(rules, x, y), yz = similarity_compare(rules, y, z),
        xz = similarity_compare(rules, x, z);

    assert_int_equal(similarity_compare(rules, x, x), 0);
    assert_true((xy < 0) == (similarity_compare(rules, y, x) > 0));
    if (xy < 0 && yz < 0)
        assert_true(xz < 0);
    if (xy == 0 && yz == 0)
        assert_int_equal(xz, 0);
}

static void test_the_order_is_a_strict_weak_order(void **state)
{
    struct fixture *fixture = *state;
    struct similarity_score scores[POOL];

    for (int rank_by = RANK_BY_OVERLAP; rank_by < RANK_BY_COUNT; rank_by++) {
        uint64_t seed = 4;

        fixture->config.rank_by = (enum rank_by)rank_by;
        weigh_everything(fixture);
        _spec_ struct spec failed = random_spec(fixture, &seed, 3);
        for (size_t i = 0; i < POOL; i++) {
            _spec_ struct spec candidate = random_spec(fixture, &seed, 3);

            scores[i] = score(fixture, &failed, &candidate);
        }
        for (size_t x = 0; x < POOL; x++)
            for (size_t y = 0; y < POOL; y++)
                for (size_t z = 0; z < POOL; z++)
                    assert_strict_weak_order(fixture->rules, &scores[x], &scores[y], &scores[z]);
    }
}

static void test_the_order_is_by_overlap_then_coverage_or_similarity_then_coverage(void **state)
{
    struct fixture *fixture = *state;
    struct similarity_score low = {.failed = 180, .both = 90, .either = 200};      /* S .9, C .5, J .45 */
    struct similarity_score high = {.failed = 100, .both = 100, .either = 200};    /* S .5, C 1, J .5 */
    struct similarity_score as_high = {.failed = 125, .both = 100, .either = 200}; /* S .625, C .8, J .5 */
    struct similarity_score as_low = {.failed = 180, .both = 80, .either = 200};   /* S .9, C .444, J .4 */

    make_rules(fixture);
    assert_true(similarity_compare(fixture->rules, &high, &low) < 0);
    assert_true(similarity_compare(fixture->rules, &high, &as_high) < 0);

    fixture->config.rank_by = RANK_BY_SIMILARITY;
    make_rules(fixture);
    assert_true(similarity_compare(fixture->rules, &high, &low) > 0);
    assert_true(similarity_compare(fixture->rules, &low, &as_low) < 0);
}

#define similarity_test(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        similarity_test(test_case_study_every_ordered_pair),
        similarity_test(test_case_study_reads_as_in_the_design),
        similarity_test(test_case_study_chooses_vm_005_for_vm_001),
        similarity_test(test_the_paper_to_the_letter_replaces_vm_001_by_vm_004),
        similarity_test(test_equal_to_the_threshold_is_similar_enough),
        similarity_test(test_equal_to_the_minimum_coverage_is_covered_enough),
        similarity_test(test_amounts_that_sum_to_the_threshold_meet_it),
        similarity_test(test_the_tolerance_is_that_of_the_amounts),
        similarity_test(test_the_first_obstacle_is_told),
        similarity_test(test_hardware_is_no_likeness),
        similarity_test(test_nothing_known_of_what_it_offers_has_no_candidate),
        similarity_test(test_an_operating_system_alone_is_too_little),
        similarity_test(test_other_is_for_kinds_that_have_no_weight),
        similarity_test(test_hardware_alone_where_no_resource_weighs_anything),
        similarity_test(test_a_single_weighty_value_ends_hardware_alone),
        similarity_test(test_an_empty_machine_is_never_divided_by),
        similarity_test(test_subset_superset_disjoint),
        similarity_test(test_amounts),
        similarity_test(test_weights_of_single_values),
        similarity_test(test_must_cover_a_resource_kind),
        similarity_test(test_must_cover_hardware),
        similarity_test(test_features_interned_after_the_rules_count),
        similarity_test(test_impossible_kinds_are_refused),
        similarity_test(test_the_largest_sums_fit),
        similarity_test(test_limits_for_display),
        similarity_test(test_random_machines_agree_with_the_oracle),
        similarity_test(test_huge_amounts_compare),
        similarity_test(test_a_pool_scores_as_its_machines_one_by_one),
        similarity_test(test_the_order_is_a_strict_weak_order),
        similarity_test(test_the_order_is_by_overlap_then_coverage_or_similarity_then_coverage),
    };

    return cmocka_run_group_tests_name("similarity", tests, NULL, NULL);
}
