/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Release and the one sum of a description. Knows nothing of where descriptions come from. */
#include "model/description.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

static void features_free(struct feature_text *features, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        free(features[i].kind);
        free(features[i].value);
    }
    free(features);
}

int domain_description_learn(struct domain_description *description, const char *kind, const char *value)
{
    struct feature_text feature = {.kind = strdup(kind), .value = strdup(value)};
    struct feature_text *learned =
        reallocarray(description->learned, description->n_learned + 1, sizeof(*description->learned));

    if (learned != NULL)
        description->learned = learned;
    if (learned == NULL || feature.kind == NULL || feature.value == NULL) {
        free(feature.kind);
        free(feature.value);
        return -ENOMEM;
    }
    learned[description->n_learned++] = feature;
    description->has_learned = true;
    return 0;
}

void domain_description_free(struct domain_description *description)
{
    if (description == NULL)
        return;
    for (size_t i = 0; i < description->n_disks; i++) {
        free(description->disks[i].source);
        free(description->disks[i].pool);
        free(description->disks[i].volume);
        free(description->disks[i].target);
    }
    for (size_t i = 0; i < description->n_macs; i++)
        free(description->macs[i]);
    free(description->disks);
    free(description->macs);
    features_free(description->features, description->n_features);
    features_free(description->learned, description->n_learned);
    free(description->name);
    free(description->osinfo_id);
    free(description->role);
    free(description);
}

uint64_t domain_description_disk_bytes(const struct domain_description *description)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < description->n_disks; i++) {
        const struct disk *disk = &description->disks[i];

        if (disk->writable && __builtin_add_overflow(sum, disk->capacity_bytes, &sum))
            return UINT64_MAX;
    }
    return sum;
}

static bool disks_equal(const struct domain_description *a, const struct domain_description *b)
{
    if (a->n_disks != b->n_disks)
        return false;
    for (size_t i = 0; i < a->n_disks; i++) {
        const struct disk *left = &a->disks[i], *right = &b->disks[i];

        if (!text_equal(left->source, right->source) || !text_equal(left->pool, right->pool) ||
            !text_equal(left->volume, right->volume) || !text_equal(left->target, right->target) ||
            left->writable != right->writable || left->shareable != right->shareable)
            return false;
    }
    return true;
}

static bool macs_equal(const struct domain_description *a, const struct domain_description *b)
{
    if (a->n_macs != b->n_macs)
        return false;
    for (size_t i = 0; i < a->n_macs; i++)
        if (!text_equal(a->macs[i], b->macs[i]))
            return false;
    return true;
}

static bool metadata_equal(const struct domain_description *a, const struct domain_description *b)
{
    if (a->has_metadata != b->has_metadata || !text_equal(a->role, b->role) || a->has_priority != b->has_priority ||
        a->priority != b->priority || a->n_features != b->n_features)
        return false;
    for (size_t i = 0; i < a->n_features; i++)
        if (!text_equal(a->features[i].kind, b->features[i].kind) ||
            !text_equal(a->features[i].value, b->features[i].value))
            return false;
    return true;
}

bool domain_description_equal(const struct domain_description *a, const struct domain_description *b)
{
    return strcmp(a->uuid, b->uuid) == 0 && text_equal(a->name, b->name) && a->vcpus == b->vcpus &&
           a->memory_kib == b->memory_kib && a->on_crash == b->on_crash &&
           a->has_agent_channel == b->has_agent_channel && a->has_panic_device == b->has_panic_device &&
           text_equal(a->osinfo_id, b->osinfo_id) && disks_equal(a, b) && macs_equal(a, b) && metadata_equal(a, b);
}
