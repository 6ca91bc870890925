/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Volumes of libvirt's storage pools, what they stand on, and paths resolved in the file system. */
#include "hypervisor/storage.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libvirt/virterror.h>

#include "model/storage_xml.h"

/* A chain that is longer is taken for one that cannot be read; it may go in a circle. */
#define CHAIN_MAX 32

DEFINE_CLEANUP(virStorageVol, virStorageVolFree);
DEFINE_CLEANUP(virStoragePool, virStoragePoolFree);

void disk_facts_done(struct disk_facts *facts)
{
    for (uint32_t i = 0; i < facts->n_images; i++)
        disk_done(&facts->images[i]);
    free(facts->images);
    free(facts->identity);
    *facts = (struct disk_facts){0};
}

/* ---- volumes ---- */

static virStorageVolPtr volume_in_pool(virConnectPtr connection, const char *pool_name, const char *volume_name)
{
    _cleanup_(virStoragePoolFreep) virStoragePoolPtr pool = virStoragePoolLookupByName(connection, pool_name);

    return pool != NULL ? virStorageVolLookupByName(pool, volume_name) : NULL;
}

/* The path without symbolic links; NULL: it cannot be reached. */
static char *resolve(bool is_local, const char *path)
{
    return is_local && path[0] == '/' ? realpath(path, NULL) : NULL;
}

/* By pool and name, by its path, or by the path that a symbolic link leads to. */
static virStorageVolPtr find_volume(virConnectPtr connection, bool is_local, const struct disk *disk)
{
    _cleanup_(freep) char *resolved = NULL;
    virStorageVolPtr volume;

    if (disk_pool(disk) != NULL && disk_volume(disk) != NULL)
        return volume_in_pool(connection, disk_pool(disk), disk_volume(disk));
    if (disk->source[0] != '/')
        return NULL;
    volume = virStorageVolLookupByPath(connection, disk->source);
    if (volume != NULL)
        return volume;
    resolved = resolve(is_local, disk->source);
    return resolved != NULL ? virStorageVolLookupByPath(connection, resolved) : NULL;
}

static char *type_of_pool(virStorageVolPtr volume)
{
    _cleanup_(virStoragePoolFreep) virStoragePoolPtr pool = virStoragePoolLookupByVolume(volume);
    _cleanup_(freep) char *xml = pool != NULL ? virStoragePoolGetXMLDesc(pool, 0) : NULL;
    char *type = NULL;

    return xml != NULL && pool_xml_type(xml, strlen(xml), &type) == 0 ? type : NULL;
}

/* ---- which image it is ---- */

/* Of a volume on the network: as it is on all hosts. A volume of Ceph is also a disk of its own, "rbd:pool/image". */
static char *network_identity(virStorageVolPtr volume, const char *type)
{
    _cleanup_(freep) char *path = virStorageVolGetPath(volume);
    char *text = NULL;

    if (path == NULL || strcmp(type, "rbd") != 0)
        return steal_pointer(&path);
    return asprintf(&text, "rbd:%s", path) >= 0 ? text : NULL;
}

/* Of all others: the path that is left when symbolic links are resolved, or that libvirt knows it by. */
static char *local_identity(bool is_local, virStorageVolPtr volume, const char *source)
{
    _cleanup_(freep) char *path = volume != NULL ? virStorageVolGetPath(volume) : NULL;
    char *resolved = resolve(is_local, path != NULL ? path : source);

    return resolved != NULL ? resolved : steal_pointer(&path);
}

static void identify(bool is_local, virStorageVolPtr volume, const char *source, struct disk_facts *ret)
{
    _cleanup_(freep) char *type = volume != NULL ? type_of_pool(volume) : NULL;

    ret->is_networked = type != NULL && pool_type_is_network(type);
    ret->identity = ret->is_networked ? network_identity(volume, type) : local_identity(is_local, volume, source);
    if (ret->identity != NULL && strcmp(ret->identity, source) == 0) {
        free(ret->identity);
        ret->identity = NULL;
    }
}

/* ---- what stands below it ---- */

/* Takes *path: the image is added to those that are known. -ENOMEM. */
static int add_image(struct disk_facts *facts, const char *path, const struct disk_facts *known)
{
    struct disk *images = reallocarray(facts->images, facts->n_images + 1, sizeof(*images));
    struct disk *image;

    if (images == NULL)
        return -ENOMEM;
    facts->images = images;
    image = &images[facts->n_images];
    *image = (struct disk){.is_backing = true, .is_networked = known->is_networked};
    if (disk_set_texts(image, path, NULL, NULL, NULL) < 0)
        return -ENOMEM;
    facts->n_images++;
    return known->identity != NULL ? disk_set_identity(image, known->identity) : 0;
}

/* The path below the volume; NULL: nothing stands there. -EIO: libvirt does not tell. */
static int below(virStorageVolPtr volume, char **ret)
{
    _cleanup_(freep) char *xml = virStorageVolGetXMLDesc(volume, 0);

    return xml != NULL && volume_xml_backing(xml, strlen(xml), ret) == 0 ? 0 : -EIO;
}

/* As far down as libvirt knows the images as volumes. */
static void look_below(virConnectPtr connection, bool is_local, virStorageVolPtr top, struct disk_facts *ret)
{
    _cleanup_(virStorageVolFreep) virStorageVolPtr volume = NULL;
    virStorageVolPtr at = top;

    while (at != NULL && ret->n_images < CHAIN_MAX) {
        _cleanup_(disk_facts_done) struct disk_facts known = {0};
        _cleanup_(freep) char *path = NULL;
        struct disk image = {0};

        if (below(at, &path) < 0)
            return;
        if (path == NULL) {
            ret->has_chain = true;
            return;
        }
        if (disk_set_texts(&image, path, NULL, NULL, NULL) < 0)
            return;
        if (volume != NULL)
            virStorageVolFree(volume);
        at = volume = find_volume(connection, is_local, &image);
        disk_done(&image);
        identify(is_local, volume, path, &known);
        if (add_image(ret, path, &known) < 0)
            return;
    }
}

/* ---- how large it is ---- */

static uint64_t capacity_of_volume(virStorageVolPtr volume)
{
    virStorageVolInfo info;

    return volume != NULL && virStorageVolGetInfo(volume, &info) == 0 ? info.capacity : 0;
}

/* A volume that its pool does not have, or a file that is not there. */
static bool is_about_absence(void)
{
    const virError *error = virGetLastError();

    return error != NULL && (error->code == VIR_ERR_NO_STORAGE_VOL || error->code == VIR_ERR_NO_STORAGE_POOL ||
                             (error->code == VIR_ERR_SYSTEM_ERROR && error->int1 == ENOENT));
}

static uint64_t capacity_of_disk(virConnectPtr connection, const char *uuid, const char *target, bool *ret_is_missing)
{
    virDomainPtr domain = target != NULL ? virDomainLookupByUUIDString(connection, uuid) : NULL;
    virDomainBlockInfo info = {0};

    if (domain == NULL)
        return 0;
    if (virDomainGetBlockInfo(domain, target, &info, 0) < 0) {
        info.capacity = 0;
        *ret_is_missing = is_about_absence();
    }
    virDomainFree(domain);
    return info.capacity;
}

void storage_look_up(virConnectPtr connection, bool is_local, const char *uuid, const struct disk *disk,
                     struct disk_facts *ret)
{
    _cleanup_(virStorageVolFreep) virStorageVolPtr volume = find_volume(connection, is_local, disk);

    if (disk_pool(disk) != NULL) {
        ret->is_missing = volume == NULL && is_about_absence();
        ret->capacity_bytes = capacity_of_volume(volume);
    }
    if (disk->writable && ret->capacity_bytes == 0 && !ret->is_missing)
        ret->capacity_bytes = capacity_of_disk(connection, uuid, disk_target(disk), &ret->is_missing);
    if (ret->capacity_bytes == 0)
        ret->capacity_bytes = capacity_of_volume(volume);
    identify(is_local, volume, disk->source, ret);
    if (volume != NULL)
        look_below(connection, is_local, volume, ret);
}
