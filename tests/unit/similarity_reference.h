/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The definition of lib/similarity/README.md over one pair, as plainly as it can be written: from the configuration and
 * the names of features, with nothing of lib/similarity but the words for verdicts.
 */
#ifndef UNDERSTUDY_TESTS_SIMILARITY_REFERENCE_H
#define UNDERSTUDY_TESTS_SIMILARITY_REFERENCE_H

#include "config/config.h"
#include "model/feature.h"
#include "model/spec.h"
#include "similarity/similarity.h"

struct similarity_score reference_score(const struct config_similarity *config, const struct feature_table *table,
                                        const struct spec *failed, const struct spec *candidate);

/* Negative: a is the better one by J then C, or S then C. */
int reference_compare(const struct config_similarity *config, const struct similarity_score *a,
                      const struct similarity_score *b);

#endif
