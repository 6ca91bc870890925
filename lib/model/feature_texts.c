/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Kinds and values one behind the other: a pool has many machines, and each of them many features. */
#include "model/feature_texts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Without the empty kind that ends the list. */
static size_t size_of(const struct feature_texts *features)
{
    struct feature_text feature;
    size_t place = 0;

    while (feature_texts_next(features, &place, &feature))
        ;
    return place;
}

int feature_texts_add(struct feature_texts *features, const char *kind, const char *value)
{
    size_t kind_size = strlen(kind) + 1, value_size = value != NULL ? strlen(value) + 1 : 1, size = size_of(features);
    char *texts;

    if (kind[0] == '\0')
        return 0;
    texts = realloc(features->texts, size + kind_size + value_size + 1);
    if (texts == NULL)
        return -ENOMEM;
    memcpy(texts + size, kind, kind_size);
    memcpy(texts + size + kind_size, value != NULL ? value : "", value_size);
    texts[size + kind_size + value_size] = '\0';
    features->texts = texts;
    return 0;
}

int feature_texts_copy(const struct feature_texts *features, struct feature_texts *ret)
{
    size_t size = feature_texts_size(features);
    char *texts = size > 0 ? malloc(size) : NULL;

    if (texts == NULL && size > 0)
        return -ENOMEM;
    if (texts != NULL)
        memcpy(texts, features->texts, size);
    ret->texts = texts;
    return 0;
}

size_t feature_texts_size(const struct feature_texts *features)
{
    return features->texts != NULL ? size_of(features) + 1 : 0;
}

bool feature_texts_next(const struct feature_texts *features, size_t *place, struct feature_text *ret)
{
    if (features->texts == NULL || features->texts[*place] == '\0')
        return false;
    ret->kind = features->texts + *place;
    *place += strlen(ret->kind) + 1;
    ret->value = features->texts + *place;
    *place += strlen(ret->value) + 1;
    if (ret->value[0] == '\0')
        ret->value = NULL;
    return true;
}

bool feature_texts_are_none(const struct feature_texts *features)
{
    return features->texts == NULL;
}

bool feature_texts_equal(const struct feature_texts *a, const struct feature_texts *b)
{
    size_t size = size_of(a);

    return a->texts == b->texts || (size == size_of(b) && size > 0 && memcmp(a->texts, b->texts, size) == 0);
}

uint32_t feature_texts_hash(const struct feature_texts *features)
{
    return interned_hash_bytes(0, features->texts, size_of(features));
}

void feature_texts_done(struct feature_texts *features)
{
    free(features->texts);
    *features = (struct feature_texts){0};
}
