/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* All volumes of all active pools are looked at: seldom, since it asks for the XML of each. */
#include "hypervisor/dependents.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <libvirt/virterror.h>

#include "base/text.h"
#include "hypervisor/disk_users.h"
#include "hypervisor/pool_refresh.h"
#include "hypervisor/refusal.h"
#include "model/storage_xml.h"

struct search {
    virConnectPtr connection;
    bool is_local;
    char **paths; /* of the volumes that are to be deleted */
    const virStorageVolPtr *volumes;
    size_t count;
    struct action_result *result;
};

static void search_done(struct search *search)
{
    for (size_t i = 0; search->paths != NULL && i < search->count; i++)
        free(search->paths[i]);
    free(search->paths);
}

static int take_paths(struct search *search)
{
    search->paths = calloc(search->count + 1, sizeof(*search->paths));
    if (search->paths == NULL)
        return refusal_say(search->result, -ENOMEM, "no memory");
    for (size_t i = 0; i < search->count; i++) {
        search->paths[i] = virStorageVolGetPath(search->volumes[i]);
        if (search->paths[i] == NULL)
            return refusal_quote(search->result, search->connection, "asking where the volume %s is",
                                 virStorageVolGetName(search->volumes[i]));
    }
    return 0;
}

/* The name of the volume with this path among those that are to be deleted; NULL: it is none of them. */
static const char *find(const struct search *search, const char *path)
{
    for (size_t i = 0; path != NULL && i < search->count; i++)
        if (image_path_is_same(search->is_local, search->paths[i], path))
            return virStorageVolGetName(search->volumes[i]);
    return NULL;
}

static int read_pool_anew(struct search *search, virStorageVolPtr volume)
{
    virStoragePoolPtr pool = virStoragePoolLookupByVolume(volume);
    int r;

    if (pool == NULL)
        return refusal_quote(search->result, search->connection, "asking where the volume %s is",
                             virStorageVolGetName(volume));
    r = pool_refresh(search->connection, pool, search->result);
    virStoragePoolFree(pool);
    return r;
}

/* One that vanishes meanwhile stands on nothing. */
static int look_at_volume(struct search *search, virStorageVolPtr volume)
{
    const char *name = virStorageVolGetName(volume), *below;
    _cleanup_(freep) char *path = virStorageVolGetPath(volume);
    _cleanup_(freep) char *xml = find(search, path) == NULL ? virStorageVolGetXMLDesc(volume, 0) : NULL;
    _cleanup_(freep) char *backing = NULL;
    int r;

    if (xml == NULL)
        return 0;
    r = volume_xml_backing(xml, strlen(xml), &backing);
    if (r < 0)
        return refusal_say(search->result, r, "the XML of the volume %s cannot be read", name);
    below = find(search, backing);
    return below == NULL
               ? 0
               : refusal_say(search->result, -EBUSY, "the volume %s stays: %s has it as its backing file", below, name);
}

static int look_at_pool(struct search *search, virStoragePoolPtr pool)
{
    virStorageVolPtr *volumes = NULL;
    int r = 0, n = virStoragePoolListAllVolumes(pool, &volumes, 0);

    if (n < 0)
        return refusal_quote(search->result, search->connection, "listing the volumes of storage pool %s",
                             virStoragePoolGetName(pool));
    for (int i = 0; i < n; i++) {
        if (r == 0)
            r = look_at_volume(search, volumes[i]);
        virStorageVolFree(volumes[i]);
    }
    free(volumes);
    return r;
}

static int look_at_pools(struct search *search)
{
    virStoragePoolPtr *pools = NULL;
    int r = 0, n = virConnectListAllStoragePools(search->connection, &pools, VIR_CONNECT_LIST_STORAGE_POOLS_ACTIVE);

    if (n < 0)
        return refusal_quote(search->result, search->connection, "listing the storage pools");
    for (int i = 0; i < n; i++) {
        if (r == 0)
            r = look_at_pool(search, pools[i]);
        virStoragePoolFree(pools[i]);
    }
    free(pools);
    return r;
}

static bool is_base_of(const struct search *search, const struct template_disk *disk)
{
    for (size_t i = 0; disk->volume != NULL && i < search->count; i++)
        if (strcmp(virStorageVolGetName(search->volumes[i]), disk->volume) == 0)
            return true;
    return find(search, disk->path) != NULL;
}

static int look_at_templates(struct search *search, const struct template_set *templates)
{
    for (size_t i = 0; templates != NULL && i < templates->count; i++)
        for (size_t n = 0; n < templates->all[i]->n_disks; n++)
            if (is_base_of(search, &templates->all[i]->disks[n]))
                return refusal_say(search->result, -EBUSY,
                                   "its disk stays: it is the base image of disk %s of the template %s",
                                   templates->all[i]->disks[n].target, templates->all[i]->name);
    return 0;
}

int dependents_look_for(virConnectPtr connection, bool is_local, const virStorageVolPtr *volumes, size_t n_volumes,
                        const struct template_set *templates, struct action_result *result)
{
    _cleanup_(search_done) struct search search = {
        .connection = connection, .is_local = is_local, .volumes = volumes, .count = n_volumes, .result = result};
    int r = take_paths(&search);

    if (r == 0)
        r = look_at_templates(&search, templates);
    for (size_t i = 0; r == 0 && i < n_volumes; i++)
        r = read_pool_anew(&search, volumes[i]);
    return r == 0 ? look_at_pools(&search) : r;
}
