/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The yardstick: slow, and nothing shared with what it measures. */
#include "similarity_reference.h"

#include <string.h>

/* 128 bits hold every product of a sum in 10⁻¹² and a limit in millionths, and of two sums. */
__extension__ typedef unsigned __int128 number;

/* "kind/value" before "kind" before "other"; what is not named weighs nothing. */
static uint64_t weight_of(const struct config_similarity *config, const struct feature_table *table, uint32_t feature)
{
    const char *kind = feature_kind_name(table, feature_kind(table, feature)), *value = feature_value(table, feature);
    uint64_t of_kind = UINT64_MAX, other = 0;

    for (size_t i = 0; i < config->n_resource_weights; i++) {
        const struct config_weight *row = &config->resource_weights[i];

        if (row->value == NULL && strcmp(row->kind, "other") == 0)
            other = row->millionths;
        if (strcmp(row->kind, kind) != 0)
            continue;
        if (row->value != NULL && strcmp(row->value, value) == 0)
            return row->millionths;
        if (row->value == NULL)
            of_kind = row->millionths;
    }
    return of_kind != UINT64_MAX ? of_kind : other;
}

static bool weighs_resources(const struct config_similarity *config)
{
    for (size_t i = 0; i < config->n_resource_weights; i++)
        if (config->resource_weights[i].millionths > 0)
            return true;
    return false;
}

static bool has(const struct spec *spec, uint32_t feature)
{
    for (size_t i = 0; i < spec->features.count; i++)
        if (spec->features.ids[i] == feature)
            return true;
    return false;
}

struct sums {
    number failed, both, either;             /* 10⁻¹² */
    number failed_resources, both_resources; /* millionths */
    number allowance;                        /* 10⁻¹²: 2·10⁻⁶ of the weight of each amount that enters */
    bool is_known;
};

static struct sums sum_up(const struct config_similarity *config, const struct feature_table *table,
                          const struct spec *a, const struct spec *b)
{
    struct sums sums = {0};

    for (size_t i = 0; i < a->features.count; i++) {
        number weight = weight_of(config, table, a->features.ids[i]);
        const char *kind = feature_kind_name(table, feature_kind(table, a->features.ids[i]));

        sums.failed_resources += weight;
        sums.both_resources += has(b, a->features.ids[i]) ? weight : 0;
        sums.either += weight * MILLIONTHS;
        sums.is_known = sums.is_known || (weight > 0 && strcmp(kind, "os") != 0 && strcmp(kind, "os-family") != 0);
    }
    for (size_t i = 0; i < b->features.count; i++)
        if (!has(a, b->features.ids[i]))
            sums.either += (number)weight_of(config, table, b->features.ids[i]) * MILLIONTHS;
    sums.failed = sums.failed_resources * MILLIONTHS;
    sums.both = sums.both_resources * MILLIONTHS;

    for (size_t e = 0; e < ENVIRONMENT_COUNT; e++) {
        number x = a->environment[e], y = b->environment[e], weight = config->environment_weights[e];
        number larger = x > y ? x : y, smaller = x > y ? y : x;

        if (weight == 0 || larger == 0)
            continue;
        sums.failed += weight * (x * MILLIONTHS / larger);
        sums.both += weight * (smaller * MILLIONTHS / larger);
        sums.either += weight * MILLIONTHS;
        sums.allowance += 2 * weight;
        if (x > 0 && !weighs_resources(config))
            sums.is_known = true;
    }
    return sums;
}

/* Which of must_cover is the first that b does not cover completely; their count: it covers all. */
static size_t first_uncovered(const struct config_similarity *config, const struct feature_table *table,
                              const struct spec *a, const struct spec *b)
{
    size_t kind;

    for (kind = 0; kind < config->must_cover.count; kind++) {
        const char *name = config->must_cover.items[kind];

        for (enum environment e = 0; e < ENVIRONMENT_COUNT; e++)
            if (strcmp(environment_name(e), name) == 0 && b->environment[e] < a->environment[e])
                return kind;
        for (size_t i = 0; i < a->features.count; i++) {
            uint32_t feature = a->features.ids[i];

            if (strcmp(feature_kind_name(table, feature_kind(table, feature)), name) == 0 && !has(b, feature))
                return kind;
        }
    }
    return kind;
}

struct similarity_score reference_score(const struct config_similarity *config, const struct feature_table *table,
                                        const struct spec *failed, const struct spec *candidate)
{
    struct sums sums = sum_up(config, table, failed, candidate);
    size_t uncovered = first_uncovered(config, table, failed, candidate);
    bool compares_resources = weighs_resources(config);
    struct similarity_score score = {
        .failed = (uint64_t)sums.failed,
        .both = (uint64_t)sums.both,
        .either = (uint64_t)sums.either,
        .failed_resources = compares_resources ? (uint64_t)sums.failed_resources : 1,
        .both_resources = compares_resources ? (uint64_t)sums.both_resources : 1,
        .verdict = SIMILARITY_ELIGIBLE,
    };

    if (!sums.is_known) {
        score.verdict = SIMILARITY_NOTHING_KNOWN;
    } else if ((sums.failed + sums.allowance) * MILLIONTHS < sums.either * config->threshold) {
        score.verdict = SIMILARITY_BELOW_THRESHOLD;
    } else if ((sums.both + sums.allowance) * MILLIONTHS < sums.failed * config->min_coverage) {
        score.verdict = SIMILARITY_BELOW_COVERAGE;
    } else if (compares_resources && sums.both_resources * MILLIONTHS < sums.failed_resources * config->min_coverage) {
        score.verdict = SIMILARITY_BELOW_RESOURCE_COVERAGE;
    } else if (uncovered < config->must_cover.count) {
        score.verdict = SIMILARITY_MUST_COVER;
        score.uncovered_kind = (uint32_t)uncovered;
    }
    return score;
}

/* Of a/b and c/d, 0 where there is no denominator. Positive: the first is larger. */
static int compare(uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
    number left = b > 0 ? (number)a * (d > 0 ? d : 1) : 0, right = d > 0 ? (number)c * (b > 0 ? b : 1) : 0;

    return left == right ? 0 : left > right ? 1 : -1;
}

int reference_compare(const struct config_similarity *config, const struct similarity_score *a,
                      const struct similarity_score *b)
{
    int order = config->rank_by == RANK_BY_SIMILARITY ? compare(b->failed, b->either, a->failed, a->either)
                                                      : compare(b->both, b->either, a->both, a->either);

    return order != 0 ? order : compare(b->both, b->failed, a->both, a->failed);
}
