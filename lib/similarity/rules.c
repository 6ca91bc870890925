/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Compiles the configured weights and limits, and says what one feature and one amount weigh by them. */
#include "similarity/rules.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/ports.h"

#define NOT_GIVEN UINT32_MAX

/*
 * The largest sum, W(A∪B), has the features of both and the amounts:
 * (2·SIMILARITY_FEATURES_MAX + 3) · 1000 · 10¹² = 1.64·10¹⁹, below 2⁶⁴ = 1.84·10¹⁹; and a tolerance more is 3·10⁹·2.
 */
_Static_assert((2 * SIMILARITY_FEATURES_MAX + ENVIRONMENT_COUNT) <
                   (UINT64_MAX - UINT64_C(2) * ENVIRONMENT_COUNT * SIMILARITY_WEIGHT_MAX) /
                       (SIMILARITY_WEIGHT_MAX * UINT64_C(1000000)),
               "a score fits in 64 bits");

static uint64_t greatest_common_divisor(uint64_t a, uint64_t b)
{
    while (b != 0) {
        uint64_t rest = a % b;

        a = b;
        b = rest;
    }
    return a;
}

static struct fraction limit_of(uint32_t millionths)
{
    uint64_t divisor = greatest_common_divisor(millionths, MILLIONTHS);

    return (struct fraction){millionths / divisor, MILLIONTHS / divisor};
}

/* The feature whose weight it is, as the catalog spells it. */
static int intern_feature(const struct config_weight *weight, const struct catalog *catalog,
                          struct feature_table *table, uint32_t *ret)
{
    char spelled[FEATURE_VALUE_MAX + 1];

    catalog_spell(catalog, weight->kind, weight->value, spelled);
    return feature_table_intern(table, weight->kind, spelled, ret);
}

static int compile_weight(struct similarity_rules *rules, const struct config_weight *weight,
                          const struct catalog *catalog, struct feature_table *table)
{
    uint32_t id;
    int r;

    if (weight->millionths > SIMILARITY_WEIGHT_MAX)
        return -ERANGE;
    if (weight->value == NULL) {
        r = feature_table_intern_kind(table, weight->kind, &id);
        if (r == 0)
            rules->kind_weights[id] = weight->millionths;
    } else {
        r = intern_feature(weight, catalog, table, &id);
        if (r == 0)
            rules->feature_weights[id] = weight->millionths;
    }
    if (weight->millionths > 0) {
        rules->weighs_resources = true;
        rules->resource_unit = (uint32_t)greatest_common_divisor(rules->resource_unit, weight->millionths);
    }
    return r;
}

static int intern_weights(const struct config_similarity *config, const struct catalog *catalog,
                          struct feature_table *table)
{
    for (size_t i = 0; i < config->n_resource_weights; i++) {
        const struct config_weight *weight = &config->resource_weights[i];
        uint32_t id;
        int r = feature_table_intern_kind(table, weight->kind, &id);

        if (r == 0 && weight->value != NULL)
            r = intern_feature(weight, catalog, table, &id);
        if (r < 0)
            return r;
    }
    return 0;
}

static int compile_weights(struct similarity_rules *rules, const struct config_similarity *config,
                           const struct catalog *catalog, struct feature_table *table)
{
    uint32_t other = 0, port = 0, reached_port = 0;
    int r = intern_weights(config, catalog, table);

    if (r == 0)
        r = feature_table_intern_kind(table, CONFIG_WEIGHT_OTHER, &other);
    if (r == 0)
        r = feature_table_intern_kind(table, PORTS_KIND, &port);
    if (r == 0)
        r = feature_table_intern_kind(table, PORTS_REACHED_KIND, &reached_port);
    if (r < 0)
        return r;
    rules->n_kinds = feature_table_kind_count(table);
    rules->n_features = feature_table_count(table);
    rules->kind_weights = calloc(rules->n_kinds + 1, sizeof(uint32_t));
    rules->feature_weights = calloc(rules->n_features + 1, sizeof(uint32_t));
    if (rules->kind_weights == NULL || rules->feature_weights == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < rules->n_kinds; i++)
        rules->kind_weights[i] = NOT_GIVEN;
    for (size_t i = 0; i < rules->n_features; i++)
        rules->feature_weights[i] = NOT_GIVEN;
    rules->kind_weights[port] = rules->kind_weights[reached_port] = 0;

    for (size_t i = 0; i < config->n_resource_weights; i++) {
        r = compile_weight(rules, &config->resource_weights[i], catalog, table);
        if (r < 0)
            return r;
    }
    if (rules->kind_weights[other] != NOT_GIVEN)
        rules->other_weight = rules->kind_weights[other];
    if (rules->resource_unit == 0)
        rules->resource_unit = 1;
    return 0;
}

static int compile_must_cover(struct similarity_rules *rules, const struct string_list *kinds,
                              struct feature_table *table)
{
    rules->must_cover = calloc(kinds->count + 1, sizeof(*rules->must_cover));
    if (rules->must_cover == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < kinds->count; i++) {
        struct must_cover *must = &rules->must_cover[i];
        enum environment environment;
        int r = 0;

        must->is_environment = environment_from_name(kinds->items[i], &environment) == 0;
        if (must->is_environment)
            must->kind = environment;
        else
            r = feature_table_intern_kind(table, kinds->items[i], &must->kind);
        if (r < 0)
            return r;
        rules->n_must_cover++;
    }
    return 0;
}

int similarity_rules_new(const struct config_similarity *config, const struct catalog *catalog,
                         struct feature_table *table, struct similarity_rules **ret)
{
    _cleanup_(similarity_rules_freep) struct similarity_rules *rules = calloc(1, sizeof(*rules));
    int r;

    if (rules == NULL)
        return -ENOMEM;
    rules->table = table;
    rules->threshold = limit_of(config->threshold);
    rules->min_coverage = limit_of(config->min_coverage);
    rules->rank_by = config->rank_by;
    for (enum environment e = 0; e < ENVIRONMENT_COUNT; e++) {
        if (config->environment_weights[e] > SIMILARITY_WEIGHT_MAX)
            return -ERANGE;
        rules->environment_weights[e] = config->environment_weights[e];
    }

    r = feature_table_intern_kind(table, "os", &rules->os);
    if (r == 0)
        r = feature_table_intern_kind(table, "os-family", &rules->os_family);
    if (r == 0)
        r = compile_weights(rules, config, catalog, table);
    if (r < 0)
        return r;
    r = compile_must_cover(rules, &config->must_cover, table);
    if (r < 0)
        return r;
    *ret = steal_pointer(&rules);
    return 0;
}

void similarity_rules_free(struct similarity_rules *rules)
{
    if (rules == NULL)
        return;
    free(rules->kind_weights);
    free(rules->feature_weights);
    free(rules->must_cover);
    free(rules);
}

uint32_t rules_feature_weight(const struct similarity_rules *rules, uint32_t feature)
{
    uint32_t kind;

    if (feature < rules->n_features && rules->feature_weights[feature] != NOT_GIVEN)
        return rules->feature_weights[feature];
    kind = feature_kind(rules->table, feature);
    return kind < rules->n_kinds && rules->kind_weights[kind] != NOT_GIVEN ? rules->kind_weights[kind]
                                                                           : rules->other_weight;
}

struct spec rules_counted(const struct spec *spec)
{
    struct spec counted = *spec;

    if (counted.features.count > SIMILARITY_FEATURES_MAX)
        counted.features.count = SIMILARITY_FEATURES_MAX;
    return counted;
}

/* smaller/larger in millionths, rounded down. */
static uint64_t share_of(uint64_t smaller, uint64_t larger)
{
    if (smaller <= UINT64_MAX / MILLIONTHS)
        return smaller * MILLIONTHS / larger;
    return (uint64_t)((uint128)smaller * MILLIONTHS / larger);
}

struct amount_weights rules_weigh_amount(const struct similarity_rules *rules, enum environment e, uint64_t a,
                                         uint64_t b)
{
    uint64_t weight = rules->environment_weights[e], share;

    if (weight == 0 || (a == 0 && b == 0))
        return (struct amount_weights){0};
    share = a < b ? share_of(a, b) : share_of(b, a);
    return (struct amount_weights){
        .failed = weight * (a < b ? share : MILLIONTHS),
        .both = weight * share,
        .either = weight * MILLIONTHS,
        .tolerance = 2 * weight,
    };
}

static bool says_os(const struct similarity_rules *rules, uint32_t feature)
{
    uint32_t kind = feature_kind(rules->table, feature);

    return kind == rules->os || kind == rules->os_family;
}

bool rules_know(const struct similarity_rules *rules, const struct spec *failed)
{
    for (size_t i = 0; rules->weighs_resources && i < failed->features.count; i++)
        if (!says_os(rules, failed->features.ids[i]) && rules_feature_weight(rules, failed->features.ids[i]) > 0)
            return true;
    for (enum environment e = 0; !rules->weighs_resources && e < ENVIRONMENT_COUNT; e++)
        if (rules->environment_weights[e] > 0 && failed->environment[e] > 0)
            return true;
    return false;
}

bool rules_meets(uint64_t part, uint64_t tolerance, uint64_t whole, struct fraction limit)
{
    return (uint128)(part + tolerance) * limit.denominator >= (uint128)whole * limit.numerator;
}

static bool covers_kind(const struct similarity_rules *rules, const struct must_cover *must, const struct spec *failed,
                        const struct spec *candidate)
{
    if (must->is_environment)
        return candidate->environment[must->kind] >= failed->environment[must->kind];
    for (size_t i = 0; i < failed->features.count; i++) {
        uint32_t feature = failed->features.ids[i];

        if (feature_kind(rules->table, feature) == must->kind && !id_set_contains(&candidate->features, feature))
            return false;
    }
    return true;
}

uint32_t rules_uncovered(const struct similarity_rules *rules, const struct spec *failed, const struct spec *candidate)
{
    uint32_t i = 0;

    while (i < rules->n_must_cover && covers_kind(rules, &rules->must_cover[i], failed, candidate))
        i++;
    return i;
}

enum similarity_verdict rules_judge(const struct similarity_rules *rules, const struct spec *failed,
                                    const struct spec *candidate, uint64_t tolerance, struct similarity_score *score)
{
    if (!rules_know(rules, failed))
        return SIMILARITY_NOTHING_KNOWN;
    if (!rules_meets(score->failed, tolerance, score->either, rules->threshold))
        return SIMILARITY_BELOW_THRESHOLD;
    if (!rules_meets(score->both, tolerance, score->failed, rules->min_coverage))
        return SIMILARITY_BELOW_COVERAGE;
    if (!rules_meets(score->both_resources, 0, score->failed_resources, rules->min_coverage))
        return SIMILARITY_BELOW_RESOURCE_COVERAGE;
    uint32_t uncovered = rules_uncovered(rules, failed, candidate);
    if (uncovered == rules->n_must_cover)
        return SIMILARITY_ELIGIBLE;
    score->uncovered_kind = uncovered;
    return SIMILARITY_MUST_COVER;
}
