/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A small sorted set of 32-bit ids: what a machine's features and kinds are held in. */
#ifndef UNDERSTUDY_BASE_ID_SET_H
#define UNDERSTUDY_BASE_ID_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

/* A plain value: initialise with {0}, end with id_set_done. ids are ascending and distinct. */
struct id_set {
    uint32_t *ids;
    size_t count;
};

/* Adds id; adding it twice is no error. -ENOMEM leaves the set as it was. */
int id_set_add(struct id_set *set, uint32_t id) _must_check_;

bool id_set_contains(const struct id_set *set, uint32_t id);

/* Makes *target an independent copy, releasing what it held. -ENOMEM leaves it as it was. */
int id_set_copy(struct id_set *target, const struct id_set *source) _must_check_;

bool id_set_equal(const struct id_set *a, const struct id_set *b);

void id_set_done(struct id_set *set);

#endif
