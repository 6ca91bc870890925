/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Eq. 1 and its coverage over one pair, as the definition reads. Knows specifications only: no state, no role, no host. */
#include "similarity/similarity.h"

#include "similarity/rules.h"

/* Weights of the resource sets, in millionths. */
struct resource_weights {
    uint64_t failed, both, either;
};

/* One merge of two sorted sets. */
static struct resource_weights weigh_resources(const struct similarity_rules *rules, const struct id_set *failed,
                                               const struct id_set *candidate)
{
    struct resource_weights weights = {0};
    size_t n = failed->count, m = candidate->count, i = 0, j = 0;

    while (i < n || j < m) {
        bool in_failed = j == m || (i < n && failed->ids[i] <= candidate->ids[j]);
        bool in_candidate = i == n || (j < m && candidate->ids[j] <= failed->ids[i]);
        uint32_t weight = rules_feature_weight(rules, in_failed ? failed->ids[i] : candidate->ids[j]);

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

struct similarity_score similarity_score(const struct similarity_rules *rules, const struct spec *failed,
                                         const struct spec *candidate)
{
    struct spec a = rules_counted(failed), b = rules_counted(candidate);
    struct resource_weights resources = weigh_resources(rules, &a.features, &b.features);
    struct similarity_score score = {
        .failed = resources.failed * MILLIONTHS,
        .both = resources.both * MILLIONTHS,
        .either = resources.either * MILLIONTHS,
        .failed_resources = rules->weighs_resources ? resources.failed : 1,
        .both_resources = rules->weighs_resources ? resources.both : 1,
    };
    uint64_t tolerance = 0;

    for (enum environment e = 0; e < ENVIRONMENT_COUNT; e++) {
        struct amount_weights amount = rules_weigh_amount(rules, e, a.environment[e], b.environment[e]);

        score.failed += amount.failed;
        score.both += amount.both;
        score.either += amount.either;
        tolerance += amount.tolerance;
    }
    score.verdict = rules_judge(rules, &a, &b, tolerance, &score);
    return score;
}

struct fraction score_similarity(const struct similarity_score *score)
{
    return fraction_of(score->failed, score->either);
}

struct fraction score_coverage(const struct similarity_score *score)
{
    return fraction_of(score->both, score->failed);
}

struct fraction score_resource_coverage(const struct similarity_score *score)
{
    return fraction_of(score->both_resources, score->failed_resources);
}

struct fraction score_overlap(const struct similarity_score *score)
{
    return fraction_of(score->both, score->either);
}

void similarity_score_pool(const struct similarity_rules *rules, const struct spec *failed,
                           const struct spec *const *candidates, size_t n, struct similarity_score *scores)
{
    for (size_t i = 0; i < n; i++)
        scores[i] = similarity_score(rules, failed, candidates[i]);
}

/* What the configuration ranks by. */
static struct fraction rank_of(const struct similarity_rules *rules, const struct similarity_score *score)
{
    return rules->rank_by == RANK_BY_SIMILARITY ? score_similarity(score) : score_overlap(score);
}

int similarity_compare(const struct similarity_rules *rules, const struct similarity_score *a,
                       const struct similarity_score *b)
{
    int order = fraction_compare(rank_of(rules, b), rank_of(rules, a));

    return order != 0 ? order : fraction_compare(score_coverage(b), score_coverage(a));
}

uint32_t similarity_worth(const struct similarity_rules *rules, const struct similarity_score *score)
{
    return fraction_to_millionths(rank_of(rules, score));
}

uint32_t similarity_weight(const struct similarity_rules *rules, uint32_t feature)
{
    return rules_feature_weight(rules, feature);
}

uint32_t similarity_amount_weight(const struct similarity_rules *rules, enum environment environment)
{
    return rules->environment_weights[environment];
}

double similarity_threshold(const struct similarity_rules *rules)
{
    return fraction_to_double(rules->threshold);
}

double similarity_min_coverage(const struct similarity_rules *rules)
{
    return fraction_to_double(rules->min_coverage);
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
