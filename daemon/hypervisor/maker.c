/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* First everything is looked at, and then volumes are made, and at last the domain. */
#include "hypervisor/maker.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <libvirt/virterror.h>

#include "base/text.h"
#include "hypervisor/base_image.h"
#include "hypervisor/disk_users.h"
#include "hypervisor/refusal.h"
#include "hypervisor/seed.h"
#include "model/uri.h"
#include "service/clock.h"

/* One volume that is to be made. */
struct part {
    struct base_image base; /* of an overlay */
    virStoragePoolPtr pool; /* where it is made */
    const char *pool_name;  /* borrowed from it */
    char *name;
};

/* What is needed for one machine. End with work_done. */
struct work {
    virConnectPtr connection;
    const struct template *template;
    const struct making *making;
    const struct string_list *environment;
    struct action_result *result;
    int64_t until_us;
    bool is_local;
    char *name;         /* of the domain */
    struct part *parts; /* one for each disk of the template, and one for the seed */
};

static bool has_seed(const struct template *template)
{
    return template->user_data != NULL || template->meta_data != NULL;
}

static struct part *seed_part(const struct work *work)
{
    return &work->parts[work->template->n_disks];
}

static void work_done(struct work *work)
{
    for (size_t i = 0; work->parts != NULL && i <= work->template->n_disks; i++) {
        base_image_done(&work->parts[i].base);
        if (work->parts[i].pool != NULL)
            virStoragePoolFree(work->parts[i].pool);
        free(work->parts[i].name);
    }
    free(work->parts);
    free(work->name);
}

static int no_memory(struct work *work)
{
    return refusal_say(work->result, -ENOMEM, "no memory");
}

/* ---- what is there already ---- */

static bool is_hypervisor_local(virConnectPtr connection)
{
    _cleanup_(freep) char *uri = virConnectGetURI(connection);

    return uri != NULL && uri_is_local(uri);
}

static int refuse_domain(struct work *work, virDomainPtr domain, const char *what)
{
    if (domain != NULL) {
        refusal_say(work->result, -EEXIST, "there is a domain %s already", what);
        virDomainFree(domain);
    } else if (virGetLastErrorCode() != VIR_ERR_NO_DOMAIN) {
        refusal_quote(work->result, work->connection, "looking whether there is a domain %s", what);
    }
    return work->result->error;
}

static int check_domain(struct work *work)
{
    int r = refuse_domain(work, virDomainLookupByName(work->connection, work->name), work->name);

    if (r < 0)
        return r;
    return refuse_domain(work, virDomainLookupByUUIDString(work->connection, work->making->uuid), work->making->uuid);
}

static int check_volume(struct work *work, struct part *part)
{
    virStorageVolPtr volume = virStorageVolLookupByName(part->pool, part->name);

    if (volume != NULL) {
        virStorageVolFree(volume);
        return refusal_say(work->result, -EEXIST, "there is a volume %s in storage pool %s already", part->name,
                           part->pool_name);
    }
    if (virGetLastErrorCode() == VIR_ERR_NO_STORAGE_VOL)
        return 0;
    return refusal_quote(work->result, work->connection, "looking for the volume %s in storage pool %s", part->name,
                         part->pool_name);
}

/* ---- what is needed ---- */

/* The pool of the template, or that of this base image (NULL: none). */
static int choose_pool(struct work *work, virStoragePoolPtr of_base, struct part *part)
{
    const char *name = work->template->storage_pool;

    if (name != NULL) {
        part->pool =
            base_image_open_pool(work->connection, name, "in which the template has its machines made", work->result);
        if (part->pool == NULL)
            return work->result->error;
    } else if (of_base != NULL) {
        part->pool = of_base;
        virStoragePoolRef(of_base);
    } else {
        return refusal_say(work->result, -EINVAL, "the template names no storage pool for its seed, and has no disk");
    }
    part->pool_name = virStoragePoolGetName(part->pool);
    return 0;
}

static int prepare_overlay(struct work *work, size_t i)
{
    const struct template_disk *disk = &work->template->disks[i];
    struct part *part = &work->parts[i];
    int r = base_image_find(work->connection, work->is_local, disk, &part->base, work->result);

    if (r == 0)
        r = choose_pool(work, part->base.pool, part);
    if (r < 0)
        return r;
    r = making_volume_name(work->making, disk->target, &part->name);
    if (r == -EINVAL)
        return refusal_say(work->result, r, "the target %s of a disk is no word of letters and digits", disk->target);
    return r < 0 ? no_memory(work) : check_volume(work, part);
}

static int prepare_seed(struct work *work)
{
    struct part *part = seed_part(work);
    int r = choose_pool(work, work->template->n_disks > 0 ? work->parts[0].base.pool : NULL, part);

    if (r < 0)
        return r;
    return making_seed_name(work->making, &part->name) < 0 ? no_memory(work) : check_volume(work, part);
}

/* What a machine writes to while others read it is no base image: their file systems would break. */
static int check_writers(struct work *work)
{
    _cleanup_(disk_users_done) struct disk_users users = {0};
    int r = disk_users_read(work->connection, work->is_local, false, &users, work->result);

    for (size_t i = 0; r == 0 && i < work->template->n_disks; i++) {
        const struct base_image *base = &work->parts[i].base;
        const struct image_place place = {base->path, virStoragePoolGetName(base->pool),
                                          virStorageVolGetName(base->volume)};
        const struct domain_description *writer = disk_users_find_writer(&users, &place);

        if (writer != NULL)
            r = refusal_say(work->result, -EBUSY, "%s runs and writes to %s, the base image of disk %s", writer->name,
                            base->path, work->template->disks[i].target);
    }
    return r;
}

static int prepare(struct work *work)
{
    int r;

    work->is_local = is_hypervisor_local(work->connection);
    work->parts = calloc(work->template->n_disks + 1, sizeof(*work->parts));
    if (work->parts == NULL || making_name(work->making, &work->name) < 0)
        return no_memory(work);
    r = check_domain(work);
    for (size_t i = 0; r == 0 && i < work->template->n_disks; i++)
        r = prepare_overlay(work, i);
    if (r == 0 && has_seed(work->template))
        r = prepare_seed(work);
    return r == 0 ? check_writers(work) : r;
}

/* ---- making ---- */

/* After the deadline the daemon goes on without an answer, and may make the same machine again. */
static int check_time(struct work *work)
{
    return clock_now().mono_us < work->until_us ? 0 : refusal_say(work->result, -ETIMEDOUT, "it took too long");
}

static virStorageVolPtr create(struct work *work, struct part *part, const char *xml)
{
    virStorageVolPtr volume;

    if (check_time(work) < 0)
        return NULL;
    volume = virStorageVolCreateXML(part->pool, xml, 0);
    if (volume == NULL)
        refusal_quote(work->result, work->connection, "making the volume %s in storage pool %s", part->name,
                      part->pool_name);
    return volume;
}

static int make_overlay(struct work *work, struct part *part)
{
    _cleanup_(freep) char *xml = NULL;
    virStorageVolPtr volume;

    if (template_volume_xml(part->name, part->base.capacity_bytes, part->base.path, part->base.format, &xml) < 0)
        return no_memory(work);
    volume = create(work, part, xml);
    if (volume == NULL)
        return work->result->error;
    virStorageVolFree(volume);
    return 0;
}

static int send_all(virStreamPtr stream, const char *bytes, size_t size)
{
    while (size > 0) {
        int n = virStreamSend(stream, bytes, size);

        if (n < 0)
            return -1;
        bytes += n;
        size -= (size_t)n;
    }
    return virStreamFinish(stream);
}

static int upload(struct work *work, const char *name, virStorageVolPtr volume, const void *bytes, size_t size)
{
    virStreamPtr stream = virStreamNew(work->connection, 0);
    int r = 0;

    if (stream == NULL || virStorageVolUpload(volume, stream, 0, size, 0) < 0 || send_all(stream, bytes, size) < 0)
        r = refusal_quote(work->result, work->connection, "writing the seed into the volume %s", name);
    if (stream != NULL)
        virStreamFree(stream);
    return r;
}

/* The name is made of a UUID, and needs no escape. */
static char *seed_xml(const char *name, size_t size)
{
    return text_print("<volume><name>%s</name><capacity>%zu</capacity><allocation>%zu</allocation>"
                      "<target><format type='raw'/></target></volume>",
                      name, size, size);
}

static int write_seed(struct work *work, const void *image, size_t size)
{
    struct part *part = seed_part(work);
    _cleanup_(freep) char *xml = seed_xml(part->name, size);
    virStorageVolPtr volume = xml != NULL ? create(work, part, xml) : NULL;
    int r;

    if (xml == NULL)
        return no_memory(work);
    if (volume == NULL)
        return work->result->error;
    r = upload(work, part->name, volume, image, size);
    virStorageVolFree(volume);
    return r;
}

static int make_seed(struct work *work)
{
    _cleanup_(freep) char *user_data = NULL;
    _cleanup_(freep) char *meta_data = NULL;
    _cleanup_(freep) void *image = NULL;
    size_t size = 0;
    int r = seed_user_data(work->template, work->making, work->environment, &user_data);

    if (r == 0)
        r = seed_meta_data(work->template, work->making, work->environment, &meta_data);
    if (r == 0)
        r = seed_make_image(user_data, meta_data, &image, &size);
    if (r < 0)
        return refusal_say(work->result, r, "the seed for cloud-init could not be made: %s", strerror(-r));
    return write_seed(work, image, size);
}

static struct made_disk place_of(const struct part *part)
{
    return (struct made_disk){part->pool_name, part->name};
}

static int format_domain(struct work *work, char **ret)
{
    size_t n = work->template->n_disks;
    _cleanup_(freep) struct made_disk *disks = calloc(n + 1, sizeof(*disks));
    int r = -ENOMEM;

    for (size_t i = 0; disks != NULL && i < n; i++)
        disks[i] = place_of(&work->parts[i]);
    if (disks != NULL && has_seed(work->template))
        disks[n] = place_of(seed_part(work));
    if (disks != NULL)
        r = template_domain_xml(work->template, work->making, disks, has_seed(work->template) ? &disks[n] : NULL, ret);
    if (r == -EINVAL)
        return refusal_say(work->result, r, "no domain can be made from the XML of template %s (%s)",
                           work->template->name, work->template->file);
    return r < 0 ? no_memory(work) : 0;
}

static int define(struct work *work, const char *xml)
{
    virDomainPtr domain;

    if (check_time(work) < 0)
        return work->result->error;
    domain = virDomainDefineXML(work->connection, xml);
    if (domain == NULL)
        return refusal_quote(work->result, work->connection, "defining the domain %s", work->name);
    virDomainFree(domain);
    return 0;
}

void maker_make(virConnectPtr connection, const struct template *template, const struct making *making,
                const struct string_list *environment, int64_t until_us, struct action_result *result)
{
    _cleanup_(work_done) struct work work = {
        .connection = connection,
        .template = template,
        .making = making,
        .environment = environment,
        .result = result,
        .until_us = until_us,
    };
    _cleanup_(freep) char *xml = NULL;
    int r = prepare(&work);

    if (r == 0)
        r = format_domain(&work, &xml);
    for (size_t i = 0; r == 0 && i < template->n_disks; i++)
        r = make_overlay(&work, &work.parts[i]);
    if (r == 0 && has_seed(template))
        r = make_seed(&work);
    if (r == 0)
        define(&work, xml);
}
