/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Inside lib/similarity: what hardware means for a comparison. Entries of the same hardware differ in two numbers only,
 * the weight they share with the failed machine and the surplus; so the limits on S and C are solved for each hardware
 * once, for the surplus that is too much and the shared weight that is enough.
 */
#ifndef UNDERSTUDY_SIMILARITY_LIMITS_H
#define UNDERSTUDY_SIMILARITY_LIMITS_H

#include "similarity/kernel.h"
#include "similarity/layout.h"

struct divisor {
    uint128 value;
    double inverse; /* or 0 where a double does not hold the value */
};

/* A plain value: initialise with {0}, end with limits_done. Keeps its memory from one solution to the next. */
struct limits {
    const struct columns *columns;
    const struct similarity_rules *rules;
    const struct spec *failed;
    uint64_t failed_weight; /* W_R(A), in millionths */
    double units;           /* of the rules in 10⁻¹² */
    struct divisor surplus_divisor, shared_divisor;
    int32_t shared_min_resources; /* covering enough without hardware */
    struct limit *by_hardware;
    bool must_cover_amounts;
    bool *covers;                                      /* by hardware: the amounts that must_cover names */
    struct amount_weights *amounts[ENVIRONMENT_COUNT]; /* by amount */
    size_t limits_room, covers_room, amounts_room[ENVIRONMENT_COUNT];
};

/* Borrows the columns, the rules and the specification. -ENOMEM: no solution. */
int limits_solve(struct limits *limits, const struct columns *columns, const struct similarity_rules *rules,
                 const struct spec *failed, uint64_t failed_weight) _must_check_;
void limits_done(struct limits *limits);

/* What the amounts of hardware in use add to each weight, in 10⁻¹². */
struct amount_weights limits_weigh_hardware(const struct limits *limits, uint32_t hardware);

/* Makes *items (a pointer to an array) an array for n items, whose content is lost. Grows with some to spare. */
int room_for(void *items, size_t *room, size_t n, size_t size) _must_check_;

#endif
