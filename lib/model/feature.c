/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The intern table behind feature ids. Knows nothing of weights or machines. */
#include "model/feature.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define HASH_NONFATAL_OOM            1
#define uthash_nonfatal_oom(element) ((element)->lost = true)
#include <uthash.h>

#define NAME_SIZE (FEATURE_KIND_MAX + 1 + FEATURE_VALUE_MAX + 1)

/* A kind or a feature, found by its normalised text. */
struct entry {
    UT_hash_handle hh;
    uint32_t id;
    uint32_t kind; /* of a feature */
    bool lost;     /* uthash had no memory to add it */
    char text[];
};

/* Entries by text, and again by id. */
struct intern {
    struct entry *by_text;
    struct entry **by_id;
    size_t count;
};

struct feature_table {
    struct intern kinds;
    struct intern features;
};

static bool is_kind_character(unsigned char c)
{
    return isalnum(c) || c == '-' || c == '_';
}

static bool is_value_character(unsigned char c)
{
    return c >= 0x80 || isprint(c);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* What there can be of kinds, or of values. */
struct rules {
    size_t max;
    bool (*is_allowed)(unsigned char c);
    const char *too_long, *not_allowed;
};

#define DIGITS_OF(number) #number
#define WORDS_OF(number)  DIGITS_OF(number)

static const struct rules kind_rules = {
    .max = FEATURE_KIND_MAX,
    .is_allowed = is_kind_character,
    .too_long = "is longer than " WORDS_OF(FEATURE_KIND_MAX) " bytes",
    .not_allowed = "has other characters than letters, digits, - and _",
};

static const struct rules value_rules = {
    .max = FEATURE_VALUE_MAX,
    .is_allowed = is_value_character,
    .too_long = "is longer than " WORDS_OF(FEATURE_VALUE_MAX) " bytes",
    .not_allowed = "has characters that cannot be printed",
};

/* Without the blanks around it. */
static const char *trim(const char *text, size_t *ret_length)
{
    while (is_blank(*text))
        text++;
    *ret_length = strlen(text);
    while (*ret_length > 0 && is_blank(text[*ret_length - 1]))
        --*ret_length;
    return text;
}

static const char *find_fault(const char *text, const struct rules *rules)
{
    size_t length;

    text = trim(text, &length);
    if (length == 0)
        return "is empty";
    if (length > rules->max)
        return rules->too_long;
    for (size_t i = 0; i < length; i++)
        if (!rules->is_allowed((unsigned char)text[i]))
            return rules->not_allowed;
    return NULL;
}

const char *feature_kind_fault(const char *kind)
{
    return find_fault(kind, &kind_rules);
}

const char *feature_value_fault(const char *value)
{
    return find_fault(value, &value_rules);
}

/* Writes text without surrounding blanks and in lower case to out, which holds rules->max + 1 bytes. */
static int normalise(const char *text, const struct rules *rules, char *out)
{
    size_t length;

    if (find_fault(text, rules) != NULL)
        return -EINVAL;
    text = trim(text, &length);
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)text[i];

        out[i] = (char)(c < 0x80 ? tolower(c) : c);
    }
    out[length] = '\0';
    return 0;
}

static struct entry *intern_find(const struct intern *intern, const char *text)
{
    struct entry *entry;

    HASH_FIND_STR(intern->by_text, text, entry);
    return entry;
}

static int intern_add(struct intern *intern, const char *text, uint32_t kind, uint32_t *ret_id)
{
    struct entry *entry = intern_find(intern, text);

    if (entry != NULL) {
        *ret_id = entry->id;
        return 0;
    }

    struct entry **by_id = reallocarray(intern->by_id, intern->count + 1, sizeof(struct entry *));
    if (by_id == NULL)
        return -ENOMEM;
    intern->by_id = by_id;

    size_t size = strlen(text) + 1;
    entry = calloc(1, sizeof(*entry) + size);
    if (entry == NULL)
        return -ENOMEM;
    memcpy(entry->text, text, size);
    entry->id = (uint32_t)intern->count;
    entry->kind = kind;
    HASH_ADD_STR(intern->by_text, text, entry);
    if (entry->lost) {
        free(entry);
        return -ENOMEM;
    }
    by_id[intern->count++] = entry;
    *ret_id = entry->id;
    return 0;
}

static void intern_done(struct intern *intern)
{
    HASH_CLEAR(hh, intern->by_text);
    for (size_t i = 0; i < intern->count; i++)
        free(intern->by_id[i]);
    free(intern->by_id);
}

int feature_table_new(struct feature_table **ret)
{
    struct feature_table *table = calloc(1, sizeof(*table));

    if (table == NULL)
        return -ENOMEM;
    *ret = table;
    return 0;
}

void feature_table_free(struct feature_table *table)
{
    if (table == NULL)
        return;
    intern_done(&table->kinds);
    intern_done(&table->features);
    free(table);
}

int feature_table_intern_kind(struct feature_table *table, const char *kind, uint32_t *ret_kind)
{
    char name[FEATURE_KIND_MAX + 1];
    int r = normalise(kind, &kind_rules, name);

    return r < 0 ? r : intern_add(&table->kinds, name, 0, ret_kind);
}

/* "kind/value", normalised. */
static int feature_text(const char *kind, const char *value, char out[NAME_SIZE])
{
    int r = normalise(kind, &kind_rules, out);
    size_t kind_length;

    if (r < 0)
        return r;
    kind_length = strlen(out);
    r = normalise(value, &value_rules, out + kind_length + 1);
    if (r < 0)
        return r;
    out[kind_length] = '/';
    return 0;
}

int feature_table_intern(struct feature_table *table, const char *kind, const char *value, uint32_t *ret_feature)
{
    char text[NAME_SIZE];
    uint32_t kind_id;
    int r = feature_text(kind, value, text);

    if (r < 0)
        return r;
    r = feature_table_intern_kind(table, kind, &kind_id);
    if (r < 0)
        return r;
    return intern_add(&table->features, text, kind_id, ret_feature);
}

int feature_table_find(const struct feature_table *table, const char *kind, const char *value, uint32_t *ret_feature)
{
    char text[NAME_SIZE];
    int r = feature_text(kind, value, text);

    if (r < 0)
        return r;

    const struct entry *entry = intern_find(&table->features, text);
    if (entry == NULL)
        return -ENOENT;
    *ret_feature = entry->id;
    return 0;
}

size_t feature_table_count(const struct feature_table *table)
{
    return table->features.count;
}

size_t feature_table_kind_count(const struct feature_table *table)
{
    return table->kinds.count;
}

const char *feature_kind_name(const struct feature_table *table, uint32_t kind)
{
    return table->kinds.by_id[kind]->text;
}

const char *feature_name(const struct feature_table *table, uint32_t feature)
{
    return table->features.by_id[feature]->text;
}

const char *feature_value(const struct feature_table *table, uint32_t feature)
{
    return strchr(table->features.by_id[feature]->text, '/') + 1;
}

uint32_t feature_kind(const struct feature_table *table, uint32_t feature)
{
    return table->features.by_id[feature]->kind;
}
