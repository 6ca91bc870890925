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

/* Texts behind the source of a disk. */
#define DISK_OTHERS 4

static size_t text_size(const char *text)
{
    return text != NULL ? strlen(text) + 1 : 0;
}

static int set_texts(struct disk *disk, const char *source, const char *const others[static DISK_OTHERS])
{
    size_t size = strlen(source) + 1;
    char *texts, *end;

    for (size_t i = 0; i < DISK_OTHERS; i++)
        size += others[i] != NULL ? strlen(others[i]) + 1 : 1;
    texts = end = malloc(size);
    if (texts == NULL)
        return -ENOMEM;
    put_text(&end, source);
    for (size_t i = 0; i < DISK_OTHERS; i++)
        put_text(&end, others[i] != NULL ? others[i] : "");
    free(disk->source);
    disk->source = texts;
    return 0;
}

int disk_set_texts(struct disk *disk, const char *source, const char *pool, const char *volume, const char *target)
{
    return set_texts(disk, source, (const char *const[DISK_OTHERS]){target, pool, volume, NULL});
}

static const char *behind(const char *text)
{
    return text + strlen(text) + 1;
}

static const char *text_or_null(const char *text)
{
    return text[0] != '\0' ? text : NULL;
}

const char *disk_target(const struct disk *disk)
{
    return text_or_null(behind(disk->source));
}

const char *disk_pool(const struct disk *disk)
{
    return text_or_null(behind(behind(disk->source)));
}

const char *disk_volume(const struct disk *disk)
{
    return text_or_null(behind(behind(behind(disk->source))));
}

static const char *identity_or_null(const struct disk *disk)
{
    return text_or_null(behind(behind(behind(behind(disk->source)))));
}

const char *disk_identity(const struct disk *disk)
{
    const char *identity = identity_or_null(disk);

    return identity != NULL ? identity : disk->source;
}

int disk_set_identity(struct disk *disk, const char *identity)
{
    return set_texts(disk, disk->source,
                     (const char *const[DISK_OTHERS]){disk_target(disk), disk_pool(disk), disk_volume(disk), identity});
}

int disk_copy(const struct disk *disk, struct disk *ret)
{
    *ret = *disk;
    ret->source = NULL;
    if (set_texts(ret, disk->source,
                  (const char *const[DISK_OTHERS]){disk_target(disk), disk_pool(disk), disk_volume(disk),
                                                   identity_or_null(disk)}) == 0)
        return 0;
    *ret = (struct disk){0};
    return -ENOMEM;
}

/* All of its texts. */
static size_t disk_texts_size(const struct disk *disk)
{
    return (size_t)(behind(behind(behind(behind(behind(disk->source))))) - disk->source);
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
    free(description->service);
    free(description->metadata_faults);
    free(description->template);
    free(description->obstacle);
}

void domain_description_free(struct domain_description *description)
{
    if (description == NULL)
        return;
    if (!description->is_packed)
        free_parts(description);
    feature_texts_done(&description->features);
    feature_texts_done(&description->learned);
    free(description->mark);
    free(description);
}

static size_t texts_size(const struct domain_description *description)
{
    size_t size = text_size(description->name) + text_size(description->osinfo_id) + text_size(description->service) +
                  text_size(description->metadata_faults) + text_size(description->template) +
                  text_size(description->obstacle);

    for (size_t i = 0; i < description->n_disks; i++)
        size += disk_texts_size(&description->disks[i]);
    for (size_t i = 0; i < description->n_hostdevs; i++)
        size += text_size(description->hostdevs[i]);
    return size;
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

static void pack_texts(struct domain_description *packed, char *end)
{
    packed->name = (char *)put_text(&end, packed->name);
    packed->osinfo_id = (char *)put_text(&end, packed->osinfo_id);
    packed->service = (char *)put_text(&end, packed->service);
    packed->metadata_faults = (char *)put_text(&end, packed->metadata_faults);
    packed->template = (char *)put_text(&end, packed->template);
    packed->obstacle = (char *)put_text(&end, packed->obstacle);
    for (size_t i = 0; i < packed->n_disks; i++)
        packed->disks[i].source = put_array(&end, packed->disks[i].source, disk_texts_size(&packed->disks[i]));
    for (size_t i = 0; i < packed->n_hostdevs; i++)
        packed->hostdevs[i] = (char *)put_text(&end, packed->hostdevs[i]);
}

/* With all but features, learned and mark, which stay of the old one. Arrays by falling alignment, texts last. NULL: no memory. */
static struct domain_description *copy_parts(const struct domain_description *old)
{
    struct domain_description *packed;
    size_t disks_size = old->n_disks * sizeof(*old->disks), macs_size = old->n_macs * sizeof(*old->macs);
    size_t hostdevs_size = old->n_hostdevs * sizeof(char *);
    char *end;

    packed = malloc(sizeof(*packed) + disks_size + hostdevs_size + macs_size + texts_size(old));
    if (packed == NULL)
        return NULL;
    *packed = *old;
    packed->is_packed = true;
    end = (char *)(packed + 1);
    packed->disks = put_array(&end, old->disks, disks_size);
    packed->hostdevs = put_array(&end, old->hostdevs, hostdevs_size);
    packed->macs = put_array(&end, old->macs, macs_size);
    pack_texts(packed, end);
    return packed;
}

int domain_description_pack(struct domain_description **description)
{
    struct domain_description *old = *description, *packed;

    if (old->is_packed)
        return 0;
    packed = copy_parts(old);
    if (packed == NULL)
        return -ENOMEM;
    free_parts(old);
    free(old);
    *description = packed;
    return 0;
}

int domain_description_copy(const struct domain_description *description, struct domain_description **ret)
{
    _cleanup_(domain_description_freep) struct domain_description *copy = copy_parts(description);

    if (copy == NULL)
        return -ENOMEM;
    copy->features = copy->learned = (struct feature_texts){0};
    copy->mark = NULL;
    if (feature_texts_copy(&description->features, &copy->features) < 0 ||
        feature_texts_copy(&description->learned, &copy->learned) < 0)
        return -ENOMEM;
    copy->mark = description->mark != NULL ? strdup(description->mark) : NULL;
    if (copy->mark == NULL && description->mark != NULL)
        return -ENOMEM;
    *ret = steal_pointer(&copy);
    return 0;
}

uint64_t domain_description_host_memory_kib(const struct domain_description *description)
{
    return description->has_hugepages ? 0 : description->memory_kib;
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

        size_t size = disk_texts_size(left);

        if (size != disk_texts_size(right) || memcmp(left->source, right->source, size) != 0 ||
            left->writable != right->writable || left->shareable != right->shareable ||
            left->is_backing != right->is_backing || left->has_chain != right->has_chain ||
            left->is_networked != right->is_networked || left->is_missing != right->is_missing)
            return false;
    }
    return true;
}

uint32_t domain_description_chain_length(const struct domain_description *description, uint32_t place)
{
    uint32_t length = 0;

    while (place + length + 1 < description->n_disks && description->disks[place + length + 1].is_backing)
        length++;
    return length;
}

static const struct disk *find_chain(const struct domain_description *description, const struct disk *disk)
{
    for (uint32_t i = 0; i < description->n_disks; i++) {
        const struct disk *other = &description->disks[i];

        if (other->has_chain && !other->is_backing && strcmp(other->source, disk->source) == 0 &&
            text_equal(disk_pool(other), disk_pool(disk)) && text_equal(disk_volume(other), disk_volume(disk)))
            return other;
    }
    return NULL;
}

int domain_description_set_chain(struct domain_description *description, uint32_t place, const struct disk *images,
                                 uint32_t count)
{
    struct disk *disks =
        count > 0 ? reallocarray(description->disks, description->n_disks + count, sizeof(*disks)) : NULL;

    if (count == 0)
        return 0;
    if (disks == NULL)
        return -ENOMEM;
    description->disks = disks;
    disks += place + 1;
    memmove(disks + count, disks, (description->n_disks - place - 1) * sizeof(*disks));
    for (uint32_t i = 0; i < count; i++) {
        if (disk_copy(&images[i], &disks[i]) < 0) {
            while (i-- > 0)
                disk_done(&disks[i]);
            memmove(disks, disks + count, (description->n_disks - place - 1) * sizeof(*disks));
            return -ENOMEM;
        }
        disks[i].is_backing = true;
    }
    description->n_disks += count;
    return 0;
}

int domain_description_inherit_chains(struct domain_description *description, const struct domain_description *earlier)
{
    for (uint32_t i = 0; i < description->n_disks; i++) {
        const struct disk *disk = &description->disks[i];
        bool is_told = disk->has_chain || disk->is_backing || domain_description_chain_length(description, i) > 0;
        const struct disk *known = is_told ? NULL : find_chain(earlier, disk);

        if (known == NULL)
            continue;
        if (domain_description_set_chain(description, i, known + 1,
                                         domain_description_chain_length(earlier, (uint32_t)(known - earlier->disks))) <
            0)
            return -ENOMEM;
        description->disks[i].has_chain = true;
    }
    return 0;
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
           a->priority == b->priority && text_equal(a->service, b->service) &&
           text_equal(a->metadata_faults, b->metadata_faults) && text_equal(a->template, b->template) &&
           a->is_unfinished == b->is_unfinished && a->is_made_standby == b->is_made_standby &&
           a->names_service == b->names_service && feature_texts_equal(&a->features, &b->features);
}

bool domain_description_equal(const struct domain_description *a, const struct domain_description *b)
{
    return uuid_equal(a->uuid, b->uuid) && text_equal(a->name, b->name) && a->vcpus == b->vcpus &&
           a->memory_kib == b->memory_kib && a->has_hugepages == b->has_hugepages && a->on_crash == b->on_crash &&
           a->has_agent_channel == b->has_agent_channel && a->has_panic_device == b->has_panic_device &&
           text_equal(a->osinfo_id, b->osinfo_id) && disks_equal(a, b) && macs_equal(a, b) && hostdevs_equal(a, b) &&
           text_equal(a->obstacle, b->obstacle) && metadata_equal(a, b);
}

/* From this place on, the next disk that is no image below another; n_disks: there is none. */
static uint32_t next_disk(const struct domain_description *description, uint32_t place)
{
    while (place < description->n_disks && description->disks[place].is_backing)
        place++;
    return place;
}

static bool disks_are_alike(const struct domain_description *a, const struct domain_description *b)
{
    uint32_t i = next_disk(a, 0), k = next_disk(b, 0);

    for (; i < a->n_disks && k < b->n_disks; i = next_disk(a, i + 1), k = next_disk(b, k + 1)) {
        const struct disk *left = &a->disks[i], *right = &b->disks[k];

        if (strcmp(left->source, right->source) != 0 || left->writable != right->writable ||
            left->shareable != right->shareable || !text_equal(disk_pool(left), disk_pool(right)) ||
            !text_equal(disk_volume(left), disk_volume(right)) || !text_equal(disk_target(left), disk_target(right)))
            return false;
    }
    return i == a->n_disks && k == b->n_disks;
}

static bool is_image(const struct disk *a, const struct disk *b)
{
    return strcmp(a->source, b->source) == 0 || strcmp(disk_identity(a), disk_identity(b)) == 0;
}

/* Top or below. */
static bool has_image(const struct domain_description *description, const struct disk *image)
{
    for (uint32_t i = 0; i < description->n_disks; i++)
        if (is_image(&description->disks[i], image))
            return true;
    return false;
}

/* Itself, or an image below it, is the top of a disk: a snapshot was taken, or merged. */
static bool keeps_disk(const struct domain_description *earlier, uint32_t place,
                       const struct domain_description *description)
{
    uint32_t n_below = domain_description_chain_length(earlier, place);

    if (has_image(description, &earlier->disks[place]))
        return true;
    for (uint32_t i = 0; i < description->n_disks; i = next_disk(description, i + 1))
        for (uint32_t k = place + 1; k <= place + n_below; k++)
            if (is_image(&description->disks[i], &earlier->disks[k]))
                return true;
    return false;
}

bool domain_description_keeps_disks(const struct domain_description *earlier,
                                    const struct domain_description *description)
{
    if (earlier->is_live && description->is_live)
        return true;
    for (uint32_t i = next_disk(earlier, 0); i < earlier->n_disks; i = next_disk(earlier, i + 1))
        if (earlier->disks[i].writable && !keeps_disk(earlier, i, description))
            return false;
    return true;
}

bool domain_description_starts_alike(const struct domain_description *a, const struct domain_description *b)
{
    return a->vcpus == b->vcpus && a->memory_kib == b->memory_kib && a->on_crash == b->on_crash &&
           text_equal(a->osinfo_id, b->osinfo_id) && disks_are_alike(a, b) && macs_equal(a, b) &&
           hostdevs_equal(a, b) && feature_texts_equal(&a->features, &b->features);
}
