/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Specifications drawn at random, the same for the same seed: variants of archetypes. Knows no table and no pool. */
#ifndef UNDERSTUDY_BENCH_DRAWN_H
#define UNDERSTUDY_BENCH_DRAWN_H

#include <stddef.h>
#include <stdint.h>

#include "config/config.h"
#include "model/spec.h"

#define FEATURES 512
#define EACH     16 /* features of a machine */
#define KINDS    6

struct drawn {
    uint16_t features[EACH]; /* ascending */
    uint64_t amounts[ENVIRONMENT_COUNT];
};

/* Less than the limit. */
uint64_t draw_below(uint64_t *seed, uint64_t limit);
void draw_archetype(uint64_t *seed, struct drawn *ret);
/* Up to six features are others, and the hardware is. */
struct drawn draw_variant(uint64_t *seed, const struct drawn *archetype);

/* Of a feature by its number; static. */
const char *drawn_kind(unsigned feature);
uint32_t drawn_weight(unsigned feature);
/* Weights of all kinds; what they name is static. */
void drawn_weights(struct config_weight ret[KINDS]);

#endif
