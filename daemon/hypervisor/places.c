/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Storage pools of base images and of the template. libvirt knows how full a pool is since it last read it. */
#include "hypervisor/places.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hypervisor/pool_refresh.h"
#include "hypervisor/refusal.h"

void places_done(struct places *places)
{
    for (size_t i = 0; i < places->count; i++) {
        base_image_done(&places->all[i].base);
        if (places->all[i].pool != NULL)
            virStoragePoolFree(places->all[i].pool);
        free(places->all[i].name);
    }
    free(places->all);
    *places = (struct places){0};
}

/* The pool of the template, or that of this base image (NULL: none). */
static int choose_pool(virConnectPtr connection, const struct template *template, virStoragePoolPtr of_base,
                       struct place *place, struct action_result *result)
{
    const char *name = template->storage_pool;

    if (name != NULL) {
        place->pool = base_image_open_pool(connection, name, "in which the template has its machines made", result);
        if (place->pool == NULL)
            return result->error;
    } else if (of_base != NULL) {
        place->pool = of_base;
        virStoragePoolRef(of_base);
    } else {
        return refusal_say(result, -EINVAL, "the template names no storage pool for its seed, and has no disk");
    }
    place->pool_name = virStoragePoolGetName(place->pool);
    return 0;
}

int places_find(virConnectPtr connection, const struct base_image_search *search, const struct template *template,
                struct places *ret, struct action_result *result)
{
    int r = 0;

    ret->all = calloc(template->n_disks + 1, sizeof(*ret->all));
    if (ret->all == NULL)
        return refusal_say(result, -ENOMEM, "no memory");
    ret->count = template->n_disks + template_has_seed(template);
    for (size_t i = 0; r == 0 && i < template->n_disks; i++) {
        struct place *place = &ret->all[i];

        r = base_image_find(connection, search, &template->disks[i], &place->base, result);
        if (r == 0)
            r = choose_pool(connection, template, place->base.pool, place, result);
    }
    if (r == 0 && template_has_seed(template))
        r = choose_pool(connection, template, template->n_disks > 0 ? ret->all[0].base.pool : NULL,
                        &ret->all[template->n_disks], result);
    return r;
}

bool places_are_lacking(int error)
{
    return error == -ENODEV || error == -EINVAL;
}

static bool has(const struct string_list *list, const char *text)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i], text) == 0)
            return true;
    return false;
}

int places_list_pools(const struct places *places, struct string_list *ret)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < places->count; i++)
        if (!has(ret, places->all[i].pool_name))
            r = string_list_add(ret, places->all[i].pool_name);
    return r;
}

static int measure(virConnectPtr connection, const struct place *place, uint64_t *ret_bytes,
                   struct action_result *result)
{
    virStoragePoolInfo info;

    if (virStoragePoolGetInfo(place->pool, &info) < 0)
        return refusal_quote(result, connection, "asking how much the storage pool %s has available", place->pool_name);
    *ret_bytes = info.available;
    return 0;
}

/* So far from what is needed, it does not matter what was written since libvirt last looked. */
#define AMPLE 4

static bool is_ample(virStoragePoolPtr pool, uint64_t needed_bytes)
{
    virStoragePoolInfo info;

    return virStoragePoolGetInfo(pool, &info) == 0 && info.available / AMPLE >= needed_bytes;
}

static bool is_repeated(const struct places *places, size_t i)
{
    for (size_t j = 0; j < i; j++)
        if (strcmp(places->all[j].pool_name, places->all[i].pool_name) == 0)
            return true;
    return false;
}

int places_refresh(const struct places *places, virConnectPtr connection, uint64_t needed_bytes,
                   struct action_result *result)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < places->count; i++)
        if (!is_repeated(places, i) && !is_ample(places->all[i].pool, needed_bytes))
            r = pool_refresh(connection, places->all[i].pool, result);
    return r;
}

int places_measure(const struct places *places, virConnectPtr connection, struct pool_spaces *spaces,
                   struct action_result *result)
{
    for (size_t i = 0; i < places->count; i++) {
        const struct place *place = &places->all[i];
        uint64_t bytes = 0;
        int r;

        if (pool_spaces_find(spaces, place->pool_name) != NULL)
            continue;
        r = measure(connection, place, &bytes, result);
        if (r < 0)
            return r;
        if (pool_spaces_add(spaces, place->pool_name, bytes) < 0)
            return refusal_say(result, -ENOMEM, "no memory");
    }
    return 0;
}
