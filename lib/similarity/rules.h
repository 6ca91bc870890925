/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Inside lib/similarity: what the configuration says of weights and limits, as one pair and the columns both use it.
 * Others see struct similarity_rules through similarity.h alone.
 */
#ifndef UNDERSTUDY_SIMILARITY_RULES_H
#define UNDERSTUDY_SIMILARITY_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/config.h"
#include "model/feature.h"
#include "model/spec.h"
#include "similarity/fraction.h"
#include "similarity/similarity.h"

__extension__ typedef unsigned __int128 uint128;

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
    struct fraction threshold;    /* reduced */
    struct fraction min_coverage; /* reduced */
    enum rank_by rank_by;
    uint32_t environment_weights[ENVIRONMENT_COUNT]; /* millionths, as all weights here */
    uint32_t *kind_weights;                          /* or NOT_GIVEN */
    size_t n_kinds;
    uint32_t other_weight;     /* of kinds that have none */
    uint32_t os, os_family;    /* kinds that say too little by themselves */
    uint32_t *feature_weights; /* or NOT_GIVEN */
    size_t n_features;
    uint32_t resource_unit; /* divides every resource weight; at least 1 */
    bool weighs_resources;  /* some resource weight is above 0 */
    struct must_cover *must_cover;
    size_t n_must_cover;
};

/* In millionths. */
uint32_t rules_feature_weight(const struct similarity_rules *rules, uint32_t feature);

/* The features of it that count (see SIMILARITY_FEATURES_MAX); borrowed from it. */
struct spec rules_counted(const struct spec *spec);

/* What the amounts of one environment element, or of all of them, add to each weight, in 10⁻¹². */
struct amount_weights {
    uint64_t failed, both, either;
    uint64_t tolerance; /* how far a limit may be missed */
};

/* One element: a of the failed machine, b of the candidate. All 0 where it does not enter. */
struct amount_weights rules_weigh_amount(const struct similarity_rules *rules, enum environment e, uint64_t a,
                                         uint64_t b);

/* Something that weighs is known of the failed machine besides its OS; where no resource weighs anything, an amount. */
bool rules_know(const struct similarity_rules *rules, const struct spec *failed);

/* part/whole ≥ limit, where part may be short by the tolerance. */
bool rules_meets(uint64_t part, uint64_t tolerance, uint64_t whole, struct fraction limit);

/* The first of must_cover that the candidate does not cover, or their number. */
uint32_t rules_uncovered(const struct similarity_rules *rules, const struct spec *failed, const struct spec *candidate);

/*
 * The verdict on a score whose sums are filled in, and its uncovered_kind. Both specifications are as rules_counted has
 * them; tolerance is the sum of that of the amounts.
 */
enum similarity_verdict rules_judge(const struct similarity_rules *rules, const struct spec *failed,
                                    const struct spec *candidate, uint64_t tolerance, struct similarity_score *score);

#endif
