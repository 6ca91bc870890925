/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Features as their source wrote them, before they have ids: a list of kinds and values in one allocation. */
#ifndef UNDERSTUDY_MODEL_FEATURE_TEXTS_H
#define UNDERSTUDY_MODEL_FEATURE_TEXTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/interned.h"

/* One of the list, which it is borrowed from. value NULL: the source says that the machine has none of the kind. */
struct feature_text {
    const char *kind;
    const char *value;
};

/*
 * A plain value: initialise with {0}, end with feature_texts_done. "kind\0value\0" for each, the value perhaps empty, and
 * an empty kind behind the last.
 */
struct feature_texts {
    char *texts; /* NULL: none */
};

/*
 * Adds copies at the end; nothing where the kind is empty. An empty value is as NULL: none of the kind. -ENOMEM leaves the
 * list as it was.
 */
int feature_texts_add(struct feature_texts *features, const char *kind, const char *value) _must_check_;

/* -ENOMEM. */
int feature_texts_copy(const struct feature_texts *features, struct feature_texts *ret) _must_check_;

/* The list in its order: start with *place 0; false ends it. */
bool feature_texts_next(const struct feature_texts *features, size_t *place, struct feature_text *ret);

/* In bytes, with the empty kind that ends it; 0: none. */
size_t feature_texts_size(const struct feature_texts *features);
bool feature_texts_are_none(const struct feature_texts *features);
bool feature_texts_equal(const struct feature_texts *a, const struct feature_texts *b);

uint32_t feature_texts_hash(const struct feature_texts *features);

void feature_texts_done(struct feature_texts *features);

#endif
