/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * First everything is looked at, and nothing is removed unless all of it may be: what has run may hold what its guest wrote.
 * By UUID alone, never by a name that an operator may have chosen.
 */
#include "hypervisor/maker.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <libvirt/virterror.h>

#include "base/text.h"
#include "hypervisor/dependents.h"
#include "hypervisor/disk_users.h"
#include "hypervisor/refusal.h"
#include "model/description.h"
#include "model/domain_xml.h"
#include "model/uri.h"
#include "service/clock.h"

/* An overlay that nothing was written to has QEMU's tables alone, of less than 1 MiB. */
#define NEVER_RAN_BYTES (UINT64_C(4) << 20)

struct leftovers {
    virConnectPtr connection;
    const char *uuid;
    struct action_result *result;
    bool removes_data;                    /* what its guest wrote goes with it */
    virDomainPtr domain;                  /* NULL: there is none */
    bool is_unfinished;                   /* it was never whole */
    bool is_local;                        /* paths of the hypervisor are paths of the daemon */
    const struct template_set *templates; /* whose base images stay; may be NULL */
    virStorageVolPtr *volumes;
    size_t n_volumes;
};

static void leftovers_done(struct leftovers *leftovers)
{
    if (leftovers->domain != NULL)
        virDomainFree(leftovers->domain);
    for (size_t i = 0; i < leftovers->n_volumes; i++)
        virStorageVolFree(leftovers->volumes[i]);
    free(leftovers->volumes);
}

/* ---- the domain ---- */

static int find_domain(struct leftovers *leftovers)
{
    leftovers->domain = virDomainLookupByUUIDString(leftovers->connection, leftovers->uuid);
    if (leftovers->domain != NULL || virGetLastErrorCode() == VIR_ERR_NO_DOMAIN)
        return 0;
    return refusal_quote(leftovers->result, leftovers->connection, "looking for the domain %s", leftovers->uuid);
}

static int check_origin(struct leftovers *leftovers)
{
    const char *name = virDomainGetName(leftovers->domain);
    _cleanup_(freep) char *metadata = virDomainGetMetadata(leftovers->domain, VIR_DOMAIN_METADATA_ELEMENT,
                                                           UNDERSTUDY_METADATA_URI, VIR_DOMAIN_AFFECT_CURRENT);
    struct made_note note = {0};

    if (metadata == NULL && virGetLastErrorCode() != VIR_ERR_NO_DOMAIN_METADATA)
        return refusal_quote(leftovers->result, leftovers->connection, "reading the metadata of %s", name);
    if (metadata != NULL)
        note = making_read_note(metadata, leftovers->uuid);
    if (!note.is_made)
        return refusal_say(leftovers->result, -EBUSY,
                           "%s stays: its metadata does not say that it was made from a template", name);
    if (leftovers->removes_data && (!note.is_ignored || note.is_marked))
        return refusal_say(leftovers->result, -EBUSY, "%s stays: by its metadata it is used", name);
    leftovers->is_unfinished = note.is_unfinished;
    return 0;
}

/* What libvirt knows is lost when its daemon starts again, and the reason is unknown then: volumes are looked at as well. */
static int check_state(struct leftovers *leftovers)
{
    const char *name = virDomainGetName(leftovers->domain);
    int state, reason;

    if (virDomainGetState(leftovers->domain, &state, &reason, 0) < 0)
        return refusal_quote(leftovers->result, leftovers->connection, "asking for the state of %s", name);
    if (state != VIR_DOMAIN_SHUTOFF)
        return refusal_say(leftovers->result, -EAGAIN, "%s stays: it is not shut off", name);
    if (!leftovers->removes_data && reason != VIR_DOMAIN_SHUTOFF_UNKNOWN && reason != VIR_DOMAIN_SHUTOFF_FAILED)
        return refusal_say(leftovers->result, -EBUSY, "%s stays: it has run", name);
    if (virDomainHasManagedSaveImage(leftovers->domain, 0) == 1)
        return refusal_say(leftovers->result, -EBUSY, "%s stays: it has run, since it has a saved image", name);
    return 0;
}

static int check_pool(struct leftovers *leftovers, const char *name, const char *pool_name)
{
    virStoragePoolPtr pool = virStoragePoolLookupByName(leftovers->connection, pool_name);
    bool is_active;

    if (pool == NULL)
        return refusal_quote(leftovers->result, leftovers->connection, "looking for the storage pool %s", pool_name);
    is_active = virStoragePoolIsActive(pool) == 1;
    virStoragePoolFree(pool);
    if (is_active)
        return 0;
    return refusal_say(leftovers->result, -EAGAIN,
                       "%s stays: its storage pool %s is not active, and what its volumes hold cannot be known", name,
                       pool_name);
}

/* A snapshot, or an operator, gave it another disk, which stands on the first one or replaces it. */
static int check_disk(struct leftovers *leftovers, const char *name, const struct disk *disk)
{
    const char *slash = disk->source != NULL ? strrchr(disk->source, '/') : NULL;
    const char *file = slash != NULL ? slash + 1 : disk->source;
    const char *volume = disk_volume(disk) != NULL ? disk_volume(disk) : file;

    if (!disk->writable || disk->shareable || disk->is_backing ||
        (volume != NULL && making_is_volume_of(volume, leftovers->uuid)))
        return 0;
    return refusal_say(leftovers->result, -EBUSY, "%s stays: its disk %s was not made for it", name,
                       volume != NULL ? volume : "without a source");
}

static int check_pools(struct leftovers *leftovers)
{
    const char *name = virDomainGetName(leftovers->domain);
    _cleanup_(domain_description_freep) struct domain_description *description = NULL;
    _cleanup_(freep) char *xml = virDomainGetXMLDesc(leftovers->domain, 0);
    struct diags diags = {0};
    int r;

    if (xml == NULL)
        return refusal_quote(leftovers->result, leftovers->connection, "reading which disks %s has", name);
    r = domain_xml_parse(xml, strlen(xml), name, &diags, &description);
    diags_done(&diags);
    if (r < 0)
        return refusal_say(leftovers->result, r, "the XML of %s cannot be read", name);
    for (uint32_t i = 0; r == 0 && i < description->n_disks; i++) {
        const struct disk *disk = &description->disks[i];

        if (disk_pool(disk) != NULL)
            r = check_pool(leftovers, name, disk_pool(disk));
        if (r == 0 && leftovers->removes_data)
            r = check_disk(leftovers, name, disk);
    }
    return r;
}

static int check_domain(struct leftovers *leftovers)
{
    int r = check_origin(leftovers);

    if (r == 0)
        r = check_state(leftovers);
    return r == 0 ? check_pools(leftovers) : r;
}

/* ---- its volumes ---- */

/* Takes the volume. */
static int keep(struct leftovers *leftovers, virStorageVolPtr volume)
{
    virStorageVolPtr *volumes = reallocarray(leftovers->volumes, leftovers->n_volumes + 1, sizeof(virStorageVolPtr));

    if (volumes == NULL) {
        virStorageVolFree(volume);
        return refusal_say(leftovers->result, -ENOMEM, "no memory");
    }
    leftovers->volumes = volumes;
    volumes[leftovers->n_volumes++] = volume;
    return 0;
}

static int find_in_pool(struct leftovers *leftovers, virStoragePoolPtr pool)
{
    const char *name = virStoragePoolGetName(pool);
    virStorageVolPtr *volumes = NULL;
    int r = 0, n = virStoragePoolListAllVolumes(pool, &volumes, 0);

    if (n < 0)
        return refusal_quote(leftovers->result, leftovers->connection, "listing the volumes of storage pool %s", name);
    for (int i = 0; i < n; i++) {
        if (r == 0 && making_is_volume_of(virStorageVolGetName(volumes[i]), leftovers->uuid))
            r = keep(leftovers, volumes[i]);
        else
            virStorageVolFree(volumes[i]);
    }
    free(volumes);
    return r;
}

static int find_volumes(struct leftovers *leftovers)
{
    virStoragePoolPtr *pools = NULL;
    int r = 0, n = virConnectListAllStoragePools(leftovers->connection, &pools, VIR_CONNECT_LIST_STORAGE_POOLS_ACTIVE);

    if (n < 0)
        return refusal_quote(leftovers->result, leftovers->connection, "listing the storage pools");
    for (int i = 0; i < n; i++) {
        if (r == 0)
            r = find_in_pool(leftovers, pools[i]);
        virStoragePoolFree(pools[i]);
    }
    free(pools);
    return r;
}

/* No guest writes to a seed. */
static bool is_overlay(virStorageVolPtr volume)
{
    const char *end = strrchr(virStorageVolGetName(volume), '.');

    return end != NULL && strcmp(end, ".qcow2") == 0;
}

static int check_content(struct leftovers *leftovers, virStorageVolPtr volume)
{
    const char *name = virStorageVolGetName(volume);
    virStorageVolInfo info;

    if (!is_overlay(volume) || leftovers->removes_data)
        return 0;
    if (virStorageVolGetInfo(volume, &info) < 0)
        return refusal_quote(leftovers->result, leftovers->connection, "asking what the volume %s holds", name);
    if (info.allocation > NEVER_RAN_BYTES)
        return refusal_say(leftovers->result, -EBUSY,
                           "the volume %s stays: it holds %" PRIu64 " MiB, so its machine has run", name,
                           (uint64_t)(info.allocation >> 20));
    return 0;
}

static int check_users(struct leftovers *leftovers, const struct disk_users *users, virStorageVolPtr volume)
{
    const char *name = virStorageVolGetName(volume);
    _cleanup_(freep) char *path = virStorageVolGetPath(volume);
    virStoragePoolPtr pool = path != NULL ? virStoragePoolLookupByVolume(volume) : NULL;
    const struct domain_description *user;
    struct image_place place;

    if (pool == NULL)
        return refusal_quote(leftovers->result, leftovers->connection, "asking where the volume %s is", name);
    place = (struct image_place){path, virStoragePoolGetName(pool), name, true};
    user = disk_users_find_other(users, &place, leftovers->uuid);
    if (user != NULL)
        refusal_say(leftovers->result, -EBUSY, "the volume %s stays: %s uses it", name, user->name);
    virStoragePoolFree(pool);
    return leftovers->result->error;
}

static int check_volumes(struct leftovers *leftovers)
{
    _cleanup_(disk_users_done) struct disk_users users = {0};
    int r = 0;

    if (leftovers->n_volumes > 0)
        r = disk_users_read(leftovers->connection, leftovers->is_local, true, &users, leftovers->result);
    for (size_t i = 0; r == 0 && i < leftovers->n_volumes; i++)
        r = check_content(leftovers, leftovers->volumes[i]);
    for (size_t i = 0; r == 0 && i < leftovers->n_volumes; i++)
        r = check_users(leftovers, &users, leftovers->volumes[i]);
    if (r == 0 && leftovers->removes_data)
        r = dependents_look_for(leftovers->connection, leftovers->is_local, leftovers->volumes, leftovers->n_volumes,
                                leftovers->templates, leftovers->result);
    return r;
}

/* Without an overlay nothing shows that no guest has written anything. */
static int check_overlays(struct leftovers *leftovers)
{
    if (leftovers->removes_data || leftovers->is_unfinished)
        return 0;
    for (size_t i = 0; i < leftovers->n_volumes; i++)
        if (is_overlay(leftovers->volumes[i]))
            return 0;
    return refusal_say(leftovers->result, -EBUSY, "%s stays: it has no overlay, and may have run",
                       virDomainGetName(leftovers->domain));
}

/* What was made may be in a pool that is still to come: after a boot of the host some come late. */
static int check_all_pools(struct leftovers *leftovers)
{
    virStoragePoolPtr *pools = NULL;
    const unsigned flags = VIR_CONNECT_LIST_STORAGE_POOLS_INACTIVE | VIR_CONNECT_LIST_STORAGE_POOLS_AUTOSTART;
    int n = virConnectListAllStoragePools(leftovers->connection, &pools, flags), r = 0;

    if (n < 0)
        return refusal_quote(leftovers->result, leftovers->connection, "listing the storage pools");
    if (n > 0)
        r = refusal_say(leftovers->result, -EAGAIN, "the storage pool %s is not active",
                        virStoragePoolGetName(pools[0]));
    for (int i = 0; i < n; i++)
        virStoragePoolFree(pools[i]);
    free(pools);
    return r;
}

/* ---- removing ---- */

static int undefine(virDomainPtr domain)
{
    if (virDomainUndefineFlags(domain, VIR_DOMAIN_UNDEFINE_NVRAM) == 0)
        return 0;
    if (virGetLastErrorCode() != VIR_ERR_INVALID_ARG) /* the test driver does not know the flag */
        return -1;
    return virDomainUndefineFlags(domain, 0);
}

/* An operator may have started it meanwhile. */
static int remove_domain(struct leftovers *leftovers)
{
    const char *name = virDomainGetName(leftovers->domain);
    int r = check_state(leftovers);

    if (r < 0)
        return r;
    if (undefine(leftovers->domain) == 0 || virGetLastErrorCode() == VIR_ERR_NO_DOMAIN)
        return 0;
    return refusal_quote(leftovers->result, leftovers->connection, "removing the domain %s", name);
}

static int delete_volume(struct leftovers *leftovers, virStorageVolPtr volume)
{
    if (virStorageVolDelete(volume, 0) == 0 || virGetLastErrorCode() == VIR_ERR_NO_STORAGE_VOL)
        return 0;
    return refusal_quote(leftovers->result, leftovers->connection, "removing the volume %s",
                         virStorageVolGetName(volume));
}

/* Only while there is no domain to which it may belong. */
static int remove_volume(struct leftovers *leftovers, virStorageVolPtr volume)
{
    const char *name = virStorageVolGetName(volume);
    virDomainPtr domain = virDomainLookupByUUIDString(leftovers->connection, leftovers->uuid);

    if (domain != NULL) {
        virDomainFree(domain);
        return refusal_say(leftovers->result, -EBUSY, "the volume %s stays: its domain is there again", name);
    }
    if (virGetLastErrorCode() != VIR_ERR_NO_DOMAIN)
        return refusal_quote(leftovers->result, leftovers->connection, "looking for the domain %s", leftovers->uuid);
    return delete_volume(leftovers, volume);
}

/* After the deadline the daemon goes on without an answer, and may make the same machine again. */
static int check_time(struct leftovers *leftovers, int64_t until_us)
{
    return clock_now().mono_us < until_us ? 0 : refusal_say(leftovers->result, -ETIMEDOUT, "it took too long");
}

/* No record but the domain says what is left of it: it goes last, so that a removal that is cut off goes on. */
static int remove_domain_last(struct leftovers *leftovers, int64_t until_us)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < leftovers->n_volumes; i++) {
        r = check_time(leftovers, until_us);
        if (r == 0)
            r = check_state(leftovers);
        if (r == 0)
            r = delete_volume(leftovers, leftovers->volumes[i]);
    }
    if (r == 0)
        r = check_time(leftovers, until_us);
    return r == 0 ? remove_domain(leftovers) : r;
}

/* A recovery has it on record: the domain goes first, so that no operator starts it meanwhile. */
static int remove_domain_first(struct leftovers *leftovers, int64_t until_us)
{
    int r = check_time(leftovers, until_us);

    if (r == 0 && leftovers->domain != NULL)
        r = remove_domain(leftovers);
    for (size_t i = 0; r == 0 && i < leftovers->n_volumes; i++)
        if ((r = check_time(leftovers, until_us)) == 0)
            r = remove_volume(leftovers, leftovers->volumes[i]);
    return r;
}

static bool is_connection_local(virConnectPtr connection)
{
    _cleanup_(freep) char *uri = virConnectGetURI(connection);

    return uri != NULL && uri_is_local(uri);
}

void maker_unmake(virConnectPtr connection, const char *uuid, bool removes_data, const struct template_set *templates,
                  int64_t until_us, struct action_result *result)
{
    _cleanup_(leftovers_done) struct leftovers leftovers = {
        .connection = connection,
        .uuid = uuid,
        .result = result,
        .removes_data = removes_data,
        .templates = templates,
        .is_local = is_connection_local(connection),
    };
    int r = find_domain(&leftovers);

    if (r == 0 && leftovers.domain != NULL)
        r = check_domain(&leftovers);
    else if (r == 0 && removes_data)
        r = refusal_say(result, -EBUSY, "there is no such domain any more, and what is left of its disks stays");
    else if (r == 0)
        r = check_all_pools(&leftovers);
    if (r == 0)
        r = find_volumes(&leftovers);
    if (r == 0 && leftovers.domain != NULL)
        r = check_overlays(&leftovers);
    if (r == 0)
        r = check_volumes(&leftovers);
    if (r == 0 && (removes_data || leftovers.is_unfinished))
        remove_domain_last(&leftovers, until_us);
    else if (r == 0)
        remove_domain_first(&leftovers, until_us);
}
