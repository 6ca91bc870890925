/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * By path or by pool and name. libvirt knows the files of a pool since it last looked, so the pool may be read again where a
 * volume is not found.
 */
#include "hypervisor/base_image.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <libvirt/virterror.h>

#include "base/text.h"
#include "hypervisor/pool_refresh.h"
#include "hypervisor/refusal.h"
#include "model/storage_xml.h"

static void free_pool(virStoragePoolPtr pool)
{
    if (pool != NULL)
        virStoragePoolFree(pool);
}

DEFINE_CLEANUP(struct _virStoragePool, free_pool);

void base_image_done(struct base_image *image)
{
    if (image->volume != NULL)
        virStorageVolFree(image->volume);
    free_pool(image->pool);
    free(image->path);
    free(image->format);
    *image = (struct base_image){0};
}

virStoragePoolPtr base_image_open_pool(virConnectPtr connection, const char *name, const char *purpose,
                                       struct action_result *result)
{
    virStoragePoolPtr pool = virStoragePoolLookupByName(connection, name);
    int is_active;

    if (pool == NULL && virGetLastErrorCode() == VIR_ERR_NO_STORAGE_POOL)
        refusal_say(result, -ENODEV, "there is no storage pool %s, %s", name, purpose);
    else if (pool == NULL)
        refusal_quote(result, connection, "looking for the storage pool %s, %s", name, purpose);
    if (pool == NULL)
        return NULL;
    is_active = virStoragePoolIsActive(pool);
    if (is_active == 1)
        return pool;
    if (is_active < 0)
        refusal_quote(result, connection, "asking whether the storage pool %s is active", name);
    else
        refusal_say(result, -ENODEV, "the storage pool %s, %s, is not active; virsh pool-start %s starts it", name,
                    purpose, name);
    free_pool(pool);
    return NULL;
}

/* ---- by pool and name ---- */

static int look_up_volume(virConnectPtr connection, const struct template_disk *disk, struct base_image *image,
                          struct action_result *result)
{
    image->volume = virStorageVolLookupByName(image->pool, disk->volume);
    if (image->volume != NULL)
        return 0;
    if (virGetLastErrorCode() == VIR_ERR_NO_STORAGE_VOL)
        return refusal_say(result, -ENODEV, "the base image of disk %s is missing: storage pool %s has no volume %s",
                           disk->target, disk->pool, disk->volume);
    return refusal_quote(result, connection, "looking for the base image of disk %s, volume %s in storage pool %s",
                         disk->target, disk->volume, disk->pool);
}

/* What was said of an image that is found after all is forgotten. */
static void forget_refusal(struct action_result *result)
{
    result->error = 0;
    result->message[0] = '\0';
}

static int find_in_pool(virConnectPtr connection, bool may_refresh, const struct template_disk *disk,
                        struct base_image *ret, struct action_result *result)
{
    _cleanup_(freep) char *purpose = text_print("which has the base image of disk %s", disk->target);
    int r;

    if (purpose == NULL)
        return refusal_say(result, -ENOMEM, "no memory");
    ret->pool = base_image_open_pool(connection, disk->pool, purpose, result);
    if (ret->pool == NULL)
        return result->error;
    r = look_up_volume(connection, disk, ret, result);
    if (r != -ENODEV || !may_refresh)
        return r;
    r = pool_refresh(connection, ret->pool, result);
    if (r < 0)
        return r;
    forget_refusal(result);
    return look_up_volume(connection, disk, ret, result);
}

/* ---- by path ---- */

/* The active pool that has this directory; NULL: none, or path is NULL. */
static virStoragePoolPtr find_pool_around(virConnectPtr connection, const char *path)
{
    const char *slash = path != NULL ? strrchr(path, '/') : NULL;
    _cleanup_(freep) char *directory = slash != NULL && slash > path ? strndup(path, (size_t)(slash - path)) : NULL;

    return directory != NULL ? virStoragePoolLookupByTargetPath(connection, directory) : NULL;
}

/* resolved: where symbolic links lead to, by which a pool may know the image; NULL: not known. */
static int look_up_paths(virConnectPtr connection, const struct template_disk *disk, const char *resolved,
                         struct base_image *image, struct action_result *result)
{
    image->volume = virStorageVolLookupByPath(connection, disk->path);
    if (image->volume == NULL && virGetLastErrorCode() == VIR_ERR_NO_STORAGE_VOL && resolved != NULL)
        image->volume = virStorageVolLookupByPath(connection, resolved);
    if (image->volume != NULL)
        return 0;
    if (virGetLastErrorCode() == VIR_ERR_NO_STORAGE_VOL)
        return refusal_say(result, -ENODEV, "the base image %s of disk %s is missing", disk->path, disk->target);
    return refusal_quote(result, connection, "looking for the base image %s of disk %s", disk->path, disk->target);
}

static int find_by_path(virConnectPtr connection, const struct base_image_search *search,
                        const struct template_disk *disk, struct base_image *ret, struct action_result *result)
{
    _cleanup_(freep) char *resolved = search->is_local ? realpath(disk->path, NULL) : NULL;
    _cleanup_(free_poolp) virStoragePoolPtr pool = NULL;
    int r = look_up_paths(connection, disk, resolved, ret, result);

    if (r != -ENODEV)
        return r;
    pool = find_pool_around(connection, disk->path);
    if (pool == NULL)
        pool = find_pool_around(connection, resolved);
    if (pool == NULL)
        return refusal_say(
            result, -ENODEV,
            "the base image %s of disk %s is in no active storage pool; a pool for its directory makes it known "
            "to libvirt",
            disk->path, disk->target);
    if (!search->may_refresh)
        return r;
    r = pool_refresh(connection, pool, result);
    if (r < 0)
        return r;
    forget_refusal(result);
    return look_up_paths(connection, disk, resolved, ret, result);
}

/* ---- what it is ---- */

/* What is none of QEMU's formats, as a partition table is not, is a raw image to it. */
static const char *format_of_qemu(const char *format)
{
    static const char *const formats[] = {"qcow2", "qcow", "qed", "vmdk", "vdi", "vpc"};

    for (size_t i = 0; format != NULL && i < ELEMENTS_OF(formats); i++)
        if (strcmp(format, formats[i]) == 0)
            return formats[i];
    return "raw";
}

static int read_format(virConnectPtr connection, const struct template_disk *disk, struct base_image *image,
                       struct action_result *result)
{
    _cleanup_(freep) char *xml = disk->format == NULL ? virStorageVolGetXMLDesc(image->volume, 0) : NULL;
    _cleanup_(freep) char *format = NULL;

    if (disk->format == NULL && xml == NULL)
        return refusal_quote(result, connection, "asking for the format of the base image %s", image->path);
    if (xml != NULL && volume_xml_format(xml, strlen(xml), &format) < 0)
        return refusal_say(result, -EIO, "the XML of the base image %s cannot be read", image->path);
    image->format = strdup(format_of_qemu(disk->format != NULL ? disk->format : format));
    return image->format != NULL ? 0 : refusal_say(result, -ENOMEM, "no memory");
}

/* The pool may know a file that has gone since it was read. */
static int refuse_unsized(virConnectPtr connection, const struct template_disk *disk, const struct base_image *image,
                          struct action_result *result)
{
    if (virGetLastErrorCode() == VIR_ERR_NO_STORAGE_VOL)
        return refusal_say(result, -ENODEV, "the base image %s of disk %s is missing", image->path, disk->target);
    return refusal_quote(result, connection, "asking for the size of the base image %s", image->path);
}

/* libvirt looks into the image for its size. */
static int read_facts(virConnectPtr connection, const struct template_disk *disk, struct base_image *image,
                      struct action_result *result)
{
    virStorageVolInfo info;

    image->path = virStorageVolGetPath(image->volume);
    if (image->path == NULL)
        return refusal_quote(result, connection, "asking for the path of the base image of disk %s", disk->target);
    if (virStorageVolGetInfo(image->volume, &info) < 0)
        return refuse_unsized(connection, disk, image, result);
    if (info.capacity == 0)
        return refusal_say(result, -ENODEV, "the base image %s of disk %s is empty", image->path, disk->target);
    image->capacity_bytes = info.capacity;
    if (image->pool == NULL)
        image->pool = virStoragePoolLookupByVolume(image->volume);
    if (image->pool == NULL)
        return refusal_quote(result, connection, "asking for the storage pool of the base image %s", image->path);
    return read_format(connection, disk, image, result);
}

int base_image_find(virConnectPtr connection, const struct base_image_search *search, const struct template_disk *disk,
                    struct base_image *ret, struct action_result *result)
{
    int r = disk->path != NULL ? find_by_path(connection, search, disk, ret, result)
                               : find_in_pool(connection, search->may_refresh, disk, ret, result);

    return r == 0 ? read_facts(connection, disk, ret, result) : r;
}
