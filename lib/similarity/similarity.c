/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Eq. 1 and its coverage over one pair, and over a pool. Knows specifications only: no state, no role, no host. */
#include "similarity/similarity.h"

#include <errno.h>
#include <stdlib.h>

#define NOT_OVERRIDDEN UINT32_MAX

/* A kind that a replacement must offer completely. */
struct must_cover {
    bool is_environment;
    uint32_t kind; /* enum environment or a kind's id */
};

/*
 * Kinds and features that the configuration weighs were interned first, so an id beyond the arrays
 * is one that it does not mention.
 */
struct similarity_rules {
    const struct feature_table *table;
    struct ratio threshold;
    struct ratio min_coverage;
    enum rank_by rank_by;
    uint32_t environment_weights[ENVIRONMENT_COUNT];
    uint32_t *kind_weights;
    size_t n_kinds;
    uint32_t *feature_weights; /* or NOT_OVERRIDDEN */
    size_t n_features;
    bool weighs_resources; /* some resource weight is above 0 */
    struct must_cover *must_cover;
    size_t n_must_cover;
};

static int compile_weight(struct similarity_rules *rules, const struct config_weight *weight,
                          struct feature_table *table)
{
    uint32_t id;
    int r;

    if (weight->value == NULL) {
        r = feature_table_intern_kind(table, weight->kind, &id);
        if (r == 0)
            rules->kind_weights[id] = weight->millionths;
    } else {
        r = feature_table_intern(table, weight->kind, weight->value, &id);
        if (r == 0)
            rules->feature_weights[id] = weight->millionths;
    }
    if (weight->millionths > 0)
        rules->weighs_resources = true;
    return r;
}

static int intern_weights(const struct config_similarity *config, struct feature_table *table)
{
    for (size_t i = 0; i < config->n_resource_weights; i++) {
        const struct config_weight *weight = &config->resource_weights[i];
        uint32_t id;
        int r = feature_table_intern_kind(table, weight->kind, &id);

        if (r == 0 && weight->value != NULL)
            r = feature_table_intern(table, weight->kind, weight->value, &id);
        if (r < 0)
            return r;
    }
    return 0;
}

static int compile_weights(struct similarity_rules *rules, const struct config_similarity *config,
                           struct feature_table *table)
{
    int r = intern_weights(config, table);

    if (r < 0)
        return r;
    rules->n_kinds = feature_table_kind_count(table);
    rules->n_features = feature_table_count(table);
    rules->kind_weights = calloc(rules->n_kinds + 1, sizeof(uint32_t));
    rules->feature_weights = calloc(rules->n_features + 1, sizeof(uint32_t));
    if (rules->kind_weights == NULL || rules->feature_weights == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < rules->n_features; i++)
        rules->feature_weights[i] = NOT_OVERRIDDEN;

    for (size_t i = 0; i < config->n_resource_weights; i++) {
        r = compile_weight(rules, &config->resource_weights[i], table);
        if (r < 0)
            return r;
    }
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

int similarity_rules_new(const struct config_similarity *config, struct feature_table *table,
                         struct similarity_rules **ret)
{
    _cleanup_(similarity_rules_freep) struct similarity_rules *rules = calloc(1, sizeof(*rules));
    int r;

    if (rules == NULL)
        return -ENOMEM;
    rules->table = table;
    rules->threshold = ratio_millionths(config->threshold);
    rules->min_coverage = ratio_millionths(config->min_coverage);
    rules->rank_by = config->rank_by;
    for (enum environment e = 0; e < ENVIRONMENT_COUNT; e++)
        rules->environment_weights[e] = config->environment_weights[e];

    r = compile_weights(rules, config, table);
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

static uint32_t feature_weight(const struct similarity_rules *rules, uint32_t feature)
{
    uint32_t kind;

    if (feature < rules->n_features && rules->feature_weights[feature] != NOT_OVERRIDDEN)
        return rules->feature_weights[feature];
    kind = feature_kind(rules->table, feature);
    return kind < rules->n_kinds ? rules->kind_weights[kind] : 0;
}

/* Weights of the resource sets, in millionths. */
struct resource_weights {
    uint64_t failed, both, either;
};

/* One merge of two sorted sets. */
static struct resource_weights weigh_resources(const struct similarity_rules *rules, const struct id_set *failed,
                                               const struct id_set *candidate)
{
    struct resource_weights weights = {0};
    size_t i = 0, j = 0;

    while (i < failed->count || j < candidate->count) {
        bool in_failed = j == candidate->count || (i < failed->count && failed->ids[i] <= candidate->ids[j]);
        bool in_candidate = i == failed->count || (j < candidate->count && candidate->ids[j] <= failed->ids[i]);
        uint32_t weight = feature_weight(rules, in_failed ? failed->ids[i] : candidate->ids[j]);

        weights.either += weight;
        if (in_failed)
            weights.failed += weight;
        if (in_failed && in_candidate)
            weights.both += weight;
        i += in_failed;
        j += in_candidate;
    }
    return weights;
}

/*
 * W(A), W(A∩B) and W(A∪B), the first two as numerators over `scale`: the product of the larger amount
 * of each environment element, so that a/max(a,b) is a whole number of parts.
 */
struct set_weights {
    struct wide failed, both, either, scale;
};

static uint64_t max_amount(const struct spec *a, const struct spec *b, enum environment e)
{
    return a->environment[e] > b->environment[e] ? a->environment[e] : b->environment[e];
}

static uint64_t min_amount(const struct spec *a, const struct spec *b, enum environment e)
{
    return a->environment[e] < b->environment[e] ? a->environment[e] : b->environment[e];
}

/* An element enters if one of the two has it, and it weighs something. */
static bool environment_enters(const struct similarity_rules *rules, const struct spec *a, const struct spec *b,
                               enum environment e)
{
    return rules->environment_weights[e] > 0 && max_amount(a, b, e) > 0;
}

static struct set_weights weigh_sets(const struct similarity_rules *rules, const struct spec *failed,
                                     const struct spec *candidate, const struct resource_weights *resources)
{
    struct set_weights sets = {.scale = wide_from(1)};
    uint64_t either = resources->either;

    for (enum environment e = 0; e < ENVIRONMENT_COUNT; e++)
        if (environment_enters(rules, failed, candidate, e)) {
            sets.scale = wide_multiply(sets.scale, max_amount(failed, candidate, e));
            either += rules->environment_weights[e];
        }
    sets.failed = wide_multiply(sets.scale, resources->failed);
    sets.both = wide_multiply(sets.scale, resources->both);
    sets.either = wide_multiply(sets.scale, either);

    for (enum environment e = 0; e < ENVIRONMENT_COUNT; e++) {
        struct wide part;

        if (!environment_enters(rules, failed, candidate, e))
            continue;
        part = wide_from(rules->environment_weights[e]);
        for (enum environment other = 0; other < ENVIRONMENT_COUNT; other++)
            if (other != e && environment_enters(rules, failed, candidate, other))
                part = wide_multiply(part, max_amount(failed, candidate, other));
        sets.failed = wide_add(sets.failed, wide_multiply(part, failed->environment[e]));
        sets.both = wide_add(sets.both, wide_multiply(part, min_amount(failed, candidate, e)));
    }
    return sets;
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

static enum similarity_verdict judge(const struct similarity_rules *rules, const struct spec *failed,
                                     const struct spec *candidate, struct similarity_score *score)
{
    if (ratio_compare(&score->similarity, &rules->threshold) < 0)
        return SIMILARITY_BELOW_THRESHOLD;
    if (ratio_compare(&score->coverage, &rules->min_coverage) < 0)
        return SIMILARITY_BELOW_COVERAGE;
    if (ratio_compare(&score->resource_coverage, &rules->min_coverage) < 0)
        return SIMILARITY_BELOW_RESOURCE_COVERAGE;
    for (uint32_t i = 0; i < rules->n_must_cover; i++)
        if (!covers_kind(rules, &rules->must_cover[i], failed, candidate)) {
            score->uncovered_kind = i;
            return SIMILARITY_MUST_COVER;
        }
    return SIMILARITY_ELIGIBLE;
}

struct similarity_score similarity_score(const struct similarity_rules *rules, const struct spec *failed,
                                         const struct spec *candidate)
{
    struct resource_weights resources = weigh_resources(rules, &failed->features, &candidate->features);
    struct set_weights sets = weigh_sets(rules, failed, candidate, &resources);
    struct similarity_score score = {
        .similarity = ratio_of(sets.failed, sets.either),
        .coverage = ratio_of(sets.both, sets.failed),
        .resource_coverage = ratio_of(wide_from(resources.both), wide_from(resources.failed)),
        .overlap = ratio_of(sets.both, sets.either),
    };

    if (!rules->weighs_resources)
        score.resource_coverage = ratio_millionths(MILLIONTHS);

    if (wide_is_zero(sets.failed) || (rules->weighs_resources && resources.failed == 0))
        score.verdict = SIMILARITY_NOTHING_KNOWN;
    else
        score.verdict = judge(rules, failed, candidate, &score);
    return score;
}

void similarity_score_pool(const struct similarity_rules *rules, const struct spec *failed,
                           const struct spec *const *candidates, size_t n, struct similarity_score *scores)
{
    for (size_t i = 0; i < n; i++)
        scores[i] = similarity_score(rules, failed, candidates[i]);
}

int similarity_compare(const struct similarity_rules *rules, const struct similarity_score *a,
                       const struct similarity_score *b)
{
    int order = rules->rank_by == RANK_BY_SIMILARITY ? ratio_compare(&b->similarity, &a->similarity)
                                                     : ratio_compare(&b->overlap, &a->overlap);

    return order != 0 ? order : ratio_compare(&b->coverage, &a->coverage);
}

uint32_t similarity_worth(const struct similarity_rules *rules, const struct similarity_score *score)
{
    double worth = ratio_to_double(rules->rank_by == RANK_BY_SIMILARITY ? &score->similarity : &score->overlap);

    return (uint32_t)(worth * MILLIONTHS);
}

double similarity_threshold(const struct similarity_rules *rules)
{
    return ratio_to_double(&rules->threshold);
}

double similarity_min_coverage(const struct similarity_rules *rules)
{
    return ratio_to_double(&rules->min_coverage);
}

const char *similarity_rank_by_name(const struct similarity_rules *rules)
{
    return rank_by_name(rules->rank_by);
}

const char *similarity_must_cover_kind(const struct similarity_rules *rules, uint32_t index)
{
    const struct must_cover *must = &rules->must_cover[index];

    return must->is_environment ? environment_name((enum environment)must->kind)
                                : feature_kind_name(rules->table, must->kind);
}
