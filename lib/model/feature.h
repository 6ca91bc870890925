/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Features: the elements of a machine's resource set, a kind and a value written `database/mysql`,
 * interned so that the rest of the program compares numbers.
 */
#ifndef UNDERSTUDY_MODEL_FEATURE_H
#define UNDERSTUDY_MODEL_FEATURE_H

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

/* Longest kind and longest value, in bytes, without the terminating NUL. */
#define FEATURE_KIND_MAX  32
#define FEATURE_VALUE_MAX 128

/*
 * Hands out consecutive ids from 0 for kinds and for features. Ids and the strings behind them stay
 * valid as long as the table lives; nothing is ever removed. Not thread-safe.
 */
struct feature_table;

int feature_table_new(struct feature_table **ret) _must_check_;
void feature_table_free(struct feature_table *table);
DEFINE_CLEANUP(struct feature_table, feature_table_free);

/*
 * Kinds and values are compared without regard to ASCII case and surrounding blanks; a kind holds
 * letters, digits, '-' and '_', a value anything printable.
 * -EINVAL: empty, too long, or a character that does not belong. -ENOMEM.
 */
int feature_table_intern_kind(struct feature_table *table, const char *kind, uint32_t *ret_kind) _must_check_;
int feature_table_intern(struct feature_table *table, const char *kind, const char *value,
                         uint32_t *ret_feature) _must_check_;

/* As the intern functions, but never adds. -ENOENT: never interned. */
int feature_table_find(const struct feature_table *table, const char *kind, const char *value,
                       uint32_t *ret_feature) _must_check_;

/* Why a text can be no kind, or no value, such as "is empty"; NULL: it can be one. */
const char *feature_kind_fault(const char *kind);
const char *feature_value_fault(const char *value);

size_t feature_table_count(const struct feature_table *table);
size_t feature_table_kind_count(const struct feature_table *table);

/* Borrowed from the table. feature_name: "database/mysql"; feature_value: "mysql". */
const char *feature_kind_name(const struct feature_table *table, uint32_t kind);
const char *feature_name(const struct feature_table *table, uint32_t feature);
const char *feature_value(const struct feature_table *table, uint32_t feature);
uint32_t feature_kind(const struct feature_table *table, uint32_t feature);

#endif
