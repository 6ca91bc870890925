/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Kinds and values one behind the other: a pool has many machines, and each of them many features. */
#include "model/feature_texts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int feature_texts_add(struct feature_texts *features, const char *kind, const char *value)
{
    size_t kind_size = strlen(kind) + 1, value_size = value != NULL ? strlen(value) + 1 : 1;
    char *texts = realloc(features->texts, features->size + kind_size + value_size);

    if (texts == NULL)
        return -ENOMEM;
    memcpy(texts + features->size, kind, kind_size);
    memcpy(texts + features->size + kind_size, value != NULL ? value : "", value_size);
    features->texts = texts;
    features->size += kind_size + value_size;
    return 0;
}

int feature_texts_copy(struct feature_texts *target, const struct feature_texts *source)
{
    if (source->size == 0)
        return 0;
    target->texts = malloc(source->size);
    if (target->texts == NULL)
        return -ENOMEM;
    memcpy(target->texts, source->texts, source->size);
    target->size = source->size;
    return 0;
}

bool feature_texts_next(const struct feature_texts *features, size_t *place, struct feature_text *ret)
{
    if (*place >= features->size)
        return false;
    ret->kind = features->texts + *place;
    *place += strlen(ret->kind) + 1;
    ret->value = features->texts + *place;
    *place += strlen(ret->value) + 1;
    if (ret->value[0] == '\0')
        ret->value = NULL;
    return true;
}

bool feature_texts_equal(const struct feature_texts *a, const struct feature_texts *b)
{
    return a->size == b->size && (a->size == 0 || memcmp(a->texts, b->texts, a->size) == 0);
}

void feature_texts_done(struct feature_texts *features)
{
    free(features->texts);
    *features = (struct feature_texts){0};
}
