/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Specifications drawn at random. */
#include "drawn.h"

#include <stdlib.h>

#include "base/cleanup.h"

static const struct {
    const char *kind;
    uint32_t weight;
} kinds[KINDS] = {{"os", 200000},        {"language", 300000}, {"database", 200000},
                  {"webserver", 100000}, {"software", 50000},  {"data", 200000}};

const char *drawn_kind(unsigned feature)
{
    return kinds[feature % KINDS].kind;
}

uint32_t drawn_weight(unsigned feature)
{
    return kinds[feature % KINDS].weight;
}

void drawn_weights(struct config_weight ret[KINDS])
{
    for (size_t i = 0; i < KINDS; i++)
        ret[i] = (struct config_weight){.kind = (char *)kinds[i].kind, .millionths = kinds[i].weight};
}

uint64_t draw_below(uint64_t *seed, uint64_t limit)
{
    *seed ^= *seed >> 12;
    *seed ^= *seed << 25;
    *seed ^= *seed >> 27;
    return (*seed * UINT64_C(2685821657736338717) >> 20) % limit;
}

/* By one that it has not, the common ones more often. */
static void replace_feature(uint64_t *seed, struct drawn *drawn, size_t at)
{
    for (;;) {
        uint64_t limit = 1 + draw_below(seed, FEATURES);
        uint16_t feature = (uint16_t)draw_below(seed, limit);
        size_t i = 0;

        while (i < EACH && drawn->features[i] != feature)
            i++;
        if (i < EACH)
            continue;
        drawn->features[at] = feature;
        return;
    }
}

void draw_archetype(uint64_t *seed, struct drawn *ret)
{
    *ret = (struct drawn){0};
    for (size_t i = 0; i < EACH; i++)
        ret->features[i] = UINT16_MAX;
    for (size_t i = 0; i < EACH; i++)
        replace_feature(seed, ret, i);
}

static void draw_amounts(uint64_t *seed, struct drawn *drawn)
{
    static const uint64_t cpus[] = {1, 2, 4, 6, 8, 12, 16, 24, 32, 48, 64};
    static const uint64_t gibs[] = {1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 256};

    drawn->amounts[ENVIRONMENT_CPU] = cpus[draw_below(seed, ELEMENTS_OF(cpus))];
    drawn->amounts[ENVIRONMENT_MEMORY] = gibs[draw_below(seed, ELEMENTS_OF(gibs))] << 20;
    drawn->amounts[ENVIRONMENT_DISK] = (1 + draw_below(seed, 100)) * 10 << 30;
}

static int compare_features(const void *a, const void *b)
{
    return *(const uint16_t *)a - *(const uint16_t *)b;
}

struct drawn draw_variant(uint64_t *seed, const struct drawn *archetype)
{
    struct drawn drawn = *archetype;

    for (uint64_t n = draw_below(seed, 7); n > 0; n--)
        replace_feature(seed, &drawn, draw_below(seed, EACH));
    qsort(drawn.features, EACH, sizeof(*drawn.features), compare_features);
    draw_amounts(seed, &drawn);
    return drawn;
}
