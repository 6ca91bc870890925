/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a description owns, put together and released, and compared. Knows nothing of where descriptions come from. */
#include "model/description.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

/* Copies the text to *end and moves that behind it. */
static const char *put_text(char **end, const char *text)
{
    const char *copy = *end;

    if (text == NULL)
        return NULL;
    *end = stpcpy(*end, text) + 1;
    return copy;
}

static size_t text_size(const char *text)
{
    return text != NULL ? strlen(text) + 1 : 0;
}

int disk_set_texts(struct disk *disk, const char *source, const char *pool, const char *volume, const char *target)
{
    char *texts = malloc(strlen(source) + 1 + text_size(pool) + text_size(volume) + text_size(target));
    char *end = texts;

    if (texts == NULL)
        return -ENOMEM;
    put_text(&end, source);
    disk->pool = put_text(&end, pool);
    disk->volume = put_text(&end, volume);
    disk->target = put_text(&end, target);
    free(disk->source);
    disk->source = texts;
    return 0;
}

void disk_done(struct disk *disk)
{
    free(disk->source);
    *disk = (struct disk){0};
}

int domain_description_add_mac(struct domain_description *description, const char *text)
{
    uint8_t mac[MAC_SIZE];
    uint8_t(*macs)[MAC_SIZE];

    if (!mac_parse(text, mac))
        return -EINVAL;
    macs = reallocarray(description->macs, description->n_macs + 1, sizeof(*macs));
    if (macs == NULL)
        return -ENOMEM;
    description->macs = macs;
    memcpy(macs[description->n_macs++], mac, sizeof(mac));
    return 0;
}

int domain_description_add_hostdev(struct domain_description *description, const char *hostdev)
{
    _cleanup_(freep) char *copy = strdup(hostdev);
    char **hostdevs =
        copy != NULL ? reallocarray(description->hostdevs, description->n_hostdevs + 1, sizeof(*hostdevs)) : NULL;

    if (hostdevs == NULL)
        return -ENOMEM;
    description->hostdevs = hostdevs;
    hostdevs[description->n_hostdevs++] = steal_pointer(&copy);
    return 0;
}

int domain_description_learn(struct domain_description *description, const char *kind, const char *value)
{
    int r = feature_texts_add(&description->learned, kind, value);

    description->has_learned |= r == 0;
    return r;
}

static void free_parts(struct domain_description *description)
{
    for (size_t i = 0; i < description->n_disks; i++)
        disk_done(&description->disks[i]);
    for (size_t i = 0; i < description->n_hostdevs; i++)
        free(description->hostdevs[i]);
    free(description->disks);
    free(description->macs);
    free(description->hostdevs);
    free(description->name);
    free(description->osinfo_id);
}

void domain_description_free(struct domain_description *description)
{
    if (description == NULL)
        return;
    if (!description->is_packed)
        free_parts(description);
    feature_texts_done(&description->features);
    feature_texts_done(&description->learned);
    free(description);
}

static size_t texts_size(const struct domain_description *description)
{
    size_t size = text_size(description->name) + text_size(description->osinfo_id);

    for (size_t i = 0; i < description->n_disks; i++) {
        const struct disk *disk = &description->disks[i];

        size += text_size(disk->source) + text_size(disk->pool) + text_size(disk->volume) + text_size(disk->target);
    }
    for (size_t i = 0; i < description->n_hostdevs; i++)
        size += text_size(description->hostdevs[i]);
    return size;
}

static void pack_texts(struct domain_description *packed, char *end)
{
    packed->name = (char *)put_text(&end, packed->name);
    packed->osinfo_id = (char *)put_text(&end, packed->osinfo_id);
    for (size_t i = 0; i < packed->n_disks; i++) {
        struct disk *disk = &packed->disks[i];

        disk->source = (char *)put_text(&end, disk->source);
        disk->pool = put_text(&end, disk->pool);
        disk->volume = put_text(&end, disk->volume);
        disk->target = put_text(&end, disk->target);
    }
    for (size_t i = 0; i < packed->n_hostdevs; i++)
        packed->hostdevs[i] = (char *)put_text(&end, packed->hostdevs[i]);
}

/* Copies the array to *end and moves that behind it. */
static void *put_array(char **end, const void *array, size_t size)
{
    void *copy = *end;

    if (size > 0)
        memcpy(copy, array, size);
    *end += size;
    return copy;
}

/* Arrays by falling alignment, texts last. */
int domain_description_pack(struct domain_description **description)
{
    struct domain_description *old = *description, *packed;
    size_t disks_size = old->n_disks * sizeof(*old->disks), macs_size = old->n_macs * sizeof(*old->macs);
    size_t hostdevs_size = old->n_hostdevs * sizeof(char *);
    char *end;

    if (old->is_packed)
        return 0;
    packed = malloc(sizeof(*packed) + disks_size + hostdevs_size + macs_size + texts_size(old));
    if (packed == NULL)
        return -ENOMEM;
    *packed = *old;
    packed->is_packed = true;
    end = (char *)(packed + 1);
    packed->disks = put_array(&end, old->disks, disks_size);
    packed->hostdevs = put_array(&end, old->hostdevs, hostdevs_size);
    packed->macs = put_array(&end, old->macs, macs_size);
    pack_texts(packed, end);
    free_parts(old);
    free(old);
    *description = packed;
    return 0;
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
    return a->n_macs == b->n_macs && (a->n_macs == 0 || memcmp(a->macs, b->macs, a->n_macs * sizeof(*a->macs)) == 0);
}

static bool hostdevs_equal(const struct domain_description *a, const struct domain_description *b)
{
    if (a->n_hostdevs != b->n_hostdevs)
        return false;
    for (size_t i = 0; i < a->n_hostdevs; i++)
        if (strcmp(a->hostdevs[i], b->hostdevs[i]) != 0)
            return false;
    return true;
}

static bool metadata_equal(const struct domain_description *a, const struct domain_description *b)
{
    return a->has_metadata == b->has_metadata && a->roles == b->roles && a->has_priority == b->has_priority &&
           a->priority == b->priority && feature_texts_equal(&a->features, &b->features);
}

bool domain_description_equal(const struct domain_description *a, const struct domain_description *b)
{
    return strcmp(a->uuid, b->uuid) == 0 && text_equal(a->name, b->name) && a->vcpus == b->vcpus &&
           a->memory_kib == b->memory_kib && a->on_crash == b->on_crash &&
           a->has_agent_channel == b->has_agent_channel && a->has_panic_device == b->has_panic_device &&
           text_equal(a->osinfo_id, b->osinfo_id) && disks_equal(a, b) && macs_equal(a, b) && hostdevs_equal(a, b) &&
           metadata_equal(a, b);
}
