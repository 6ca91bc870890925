/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How alike two machines are: Eq. 1 of "Recovery Mechanism Using Virtual Machine Threshold" and the
 * coverage that stands beside it (README.md), in integers.
 *
 *     W(A)   = Σ_env w_e·a/max(a,b) + Σ_{f∈R_A} w_f
 *     W(A∪B) = Σ_env w_e            + Σ_{f∈R_A∪R_B} w_f      (e present in A or B)
 *     W(A∩B) = Σ_env w_e·min/max    + Σ_{f∈R_A∩R_B} w_f
 *
 *     S = W(A)/W(A∪B)   C = W(A∩B)/W(A)   C_R = W_R(A∩B)/W_R(A)   J = W(A∩B)/W(A∪B)
 *
 * Weights are integers in millionths, and so is the share of an amount, rounded down. A sum of their products is an
 * integer in 10⁻¹², and every comparison cross-multiplies two of those in 128 bits. So resources are exact, and an
 * amount is within 10⁻⁶ of its weight; a limit counts as met where S or C is short of it by no more than 2·10⁻⁶ of
 * the weights of the amounts that enter.
 */
#ifndef UNDERSTUDY_SIMILARITY_SIMILARITY_H
#define UNDERSTUDY_SIMILARITY_SIMILARITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "config/config.h"
#include "discovery/catalog.h"
#include "model/feature.h"
#include "model/spec.h"
#include "similarity/fraction.h"

/* The largest weight, in millionths: what the configuration allows. */
#define SIMILARITY_WEIGHT_MAX (UINT64_C(1000) * MILLIONTHS)
/*
 * So many features of a machine count, the first by their ids, and no machine has nearly as many. With this and the
 * largest weight the largest sum stays below 2⁶⁴.
 */
#define SIMILARITY_FEATURES_MAX 8192

/* The configured weights and limits, compiled against a feature table. Borrows the table. */
struct similarity_rules;

/*
 * The values of features that have a weight of their own are spelled by the catalog; NULL: as they were written.
 * -EINVAL: a kind or value in the configuration that no feature can have (the parser refuses these
 * earlier). -ERANGE: a weight above SIMILARITY_WEIGHT_MAX (the parser refuses that too). -ENOMEM. The table must outlive the rules.
 */
int similarity_rules_new(const struct config_similarity *config, const struct catalog *catalog,
                         struct feature_table *table, struct similarity_rules **ret) _must_check_;
void similarity_rules_free(struct similarity_rules *rules);
DEFINE_CLEANUP(struct similarity_rules, similarity_rules_free);

/* Why a candidate is not similar enough, the first obstacle met; in the order they are looked at. */
enum similarity_verdict {
    SIMILARITY_ELIGIBLE,
    SIMILARITY_NOTHING_KNOWN,           /* nothing of A but its OS weighs, though resources do, or W(A) = 0 */
    SIMILARITY_BELOW_THRESHOLD,         /* S < threshold */
    SIMILARITY_BELOW_COVERAGE,          /* C < min_coverage */
    SIMILARITY_BELOW_RESOURCE_COVERAGE, /* C_R < min_coverage */
    SIMILARITY_MUST_COVER,              /* a kind of must_cover is not covered completely */
};

#define SIMILARITY_VERDICTS (SIMILARITY_MUST_COVER + 1)

struct similarity_score {
    uint64_t failed;           /* W(A), in 10⁻¹² */
    uint64_t both;             /* W(A∩B) */
    uint64_t either;           /* W(A∪B) */
    uint64_t failed_resources; /* W_R(A), in millionths; 1 of 1 where no resource weighs anything at all */
    uint64_t both_resources;   /* W_R(A∩B) */
    enum similarity_verdict verdict;
    uint32_t uncovered_kind; /* with SIMILARITY_MUST_COVER: index into config's must_cover */
};

/* S and J are 0 where W(A∪B) = 0, C and C_R where W(A) and W_R(A) are. */
struct fraction score_similarity(const struct similarity_score *score);
struct fraction score_coverage(const struct similarity_score *score);
struct fraction score_resource_coverage(const struct similarity_score *score);
struct fraction score_overlap(const struct similarity_score *score);

/* A pure function of its arguments; never fails. */
struct similarity_score similarity_score(const struct similarity_rules *rules, const struct spec *failed,
                                         const struct spec *candidate);

/* Scores n candidates in one call: scores[i] for candidates[i]; both arrays are the caller's. */
void similarity_score_pool(const struct similarity_rules *rules, const struct spec *failed,
                           const struct spec *const *candidates, size_t n, struct similarity_score *scores);

/*
 * Orders by what the configuration ranks by: negative if a is the better candidate. J then C, or with
 * rank_by similarity S then C. Says nothing of eligibility.
 */
int similarity_compare(const struct similarity_rules *rules, const struct similarity_score *a,
                       const struct similarity_score *b);

/* What the configuration ranks by, J or S, in millionths and rounded down: to be added up, never to decide an order. */
uint32_t similarity_worth(const struct similarity_rules *rules, const struct similarity_score *score);

/* What a feature, or an amount, weighs, in millionths. */
uint32_t similarity_weight(const struct similarity_rules *rules, uint32_t feature);
uint32_t similarity_amount_weight(const struct similarity_rules *rules, enum environment environment);

/* A configured limit, as a number between 0 and 1 for display. */
double similarity_threshold(const struct similarity_rules *rules);
double similarity_min_coverage(const struct similarity_rules *rules);
/* "overlap" or "similarity". */
const char *similarity_rank_by_name(const struct similarity_rules *rules);
/* Borrowed; index as in similarity_score.uncovered_kind. */
const char *similarity_must_cover_kind(const struct similarity_rules *rules, uint32_t index);

#endif
