/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Specifications and what several sources know of one. Knows no weights and no machine. */
#include "model/spec.h"

#include <errno.h>
#include <string.h>

static const char *const environment_names[ENVIRONMENT_COUNT] = {
    [ENVIRONMENT_CPU] = "cpu",
    [ENVIRONMENT_MEMORY] = "memory",
    [ENVIRONMENT_DISK] = "disk",
};

const char *environment_name(enum environment environment)
{
    return environment_names[environment];
}

int environment_from_name(const char *name, enum environment *ret)
{
    for (enum environment e = 0; e < ENVIRONMENT_COUNT; e++)
        if (strcmp(environment_names[e], name) == 0) {
            *ret = e;
            return 0;
        }
    return -ENOENT;
}

void spec_done(struct spec *spec)
{
    id_set_done(&spec->features);
    *spec = (struct spec){0};
}

static const char *const source_names[KNOWLEDGE_COUNT] = {
    [KNOWLEDGE_CONFIG] = "configuration",
    [KNOWLEDGE_METADATA] = "metadata",
    [KNOWLEDGE_AGENT] = "guest agent",
    [KNOWLEDGE_OSINFO] = "libosinfo",
};

const char *knowledge_source_name(enum knowledge_source source)
{
    return source_names[source];
}

int knowledge_add(struct knowledge *knowledge, struct feature_table *table, const char *kind, const char *value)
{
    uint32_t kind_id, feature;
    int r;

    if (value != NULL) {
        r = feature_table_intern(table, kind, value, &feature);
        if (r < 0)
            return r;
        r = id_set_add(&knowledge->features, feature);
        if (r < 0)
            return r;
    }
    r = feature_table_intern_kind(table, kind, &kind_id);
    if (r < 0)
        return r;
    return id_set_add(&knowledge->kinds, kind_id);
}

bool knowledge_equal(const struct knowledge *a, const struct knowledge *b)
{
    return id_set_equal(&a->features, &b->features) && id_set_equal(&a->kinds, &b->kinds);
}

void knowledge_done(struct knowledge *knowledge)
{
    id_set_done(&knowledge->features);
    id_set_done(&knowledge->kinds);
}

/* Sources, the most trusted first. */
static const enum knowledge_source trust[] = {KNOWLEDGE_CONFIG, KNOWLEDGE_METADATA, KNOWLEDGE_AGENT, KNOWLEDGE_OSINFO};

/* A source that is trusted more already spoke about the kind. */
static bool is_outranked(const struct knowledge *sources, size_t rank, uint32_t kind)
{
    for (size_t i = 0; i < rank; i++)
        if (id_set_contains(&sources[trust[i]].kinds, kind))
            return true;
    return false;
}

int knowledge_resolve(const struct knowledge *sources, const struct feature_table *table, struct id_set *ret)
{
    _cleanup_(id_set_done) struct id_set features = {0};

    for (size_t rank = 0; rank < KNOWLEDGE_COUNT; rank++)
        for (size_t i = 0; i < sources[trust[rank]].features.count; i++) {
            uint32_t feature = sources[trust[rank]].features.ids[i];

            if (is_outranked(sources, rank, feature_kind(table, feature)))
                continue;
            int r = id_set_add(&features, feature);
            if (r < 0)
                return r;
        }

    id_set_done(ret);
    *ret = features;
    features = (struct id_set){0};
    return 0;
}
