/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* First everything is looked at, and then volumes are made, and at last the domain; see maker_make for standbys. */
#include "hypervisor/maker.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <libvirt/virterror.h>

#include "base/text.h"
#include "hypervisor/disk_users.h"
#include "hypervisor/places.h"
#include "hypervisor/refusal.h"
#include "hypervisor/seed.h"
#include "model/uri.h"
#include "service/clock.h"

/* What is needed for one machine. End with work_done. */
struct work {
    virConnectPtr connection;
    const struct template *template;
    const struct making *making;
    const struct string_list *environment;
    struct action_result *result;
    int64_t until_us;
    bool is_local;
    char *name; /* of the domain */
    struct places places;
};

static struct place *seed_place(const struct work *work)
{
    return &work->places.all[work->template->n_disks];
}

static void work_done(struct work *work)
{
    places_done(&work->places);
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

static int check_volume(struct work *work, struct place *place)
{
    virStorageVolPtr volume = virStorageVolLookupByName(place->pool, place->name);

    if (volume != NULL) {
        virStorageVolFree(volume);
        return refusal_say(work->result, -EEXIST, "there is a volume %s in storage pool %s already", place->name,
                           place->pool_name);
    }
    if (virGetLastErrorCode() == VIR_ERR_NO_STORAGE_VOL)
        return 0;
    return refusal_quote(work->result, work->connection, "looking for the volume %s in storage pool %s", place->name,
                         place->pool_name);
}

/* ---- what is needed ---- */

static int check_space(struct work *work)
{
    _cleanup_(pool_spaces_done) struct pool_spaces spaces = {0};
    _cleanup_(string_list_done) struct string_list pools = {0};
    _cleanup_(freep) char *obstacle = NULL;
    int r;

    if (work->template->space_bytes == 0)
        return 0;
    r = work->making != NULL
            ? places_refresh(&work->places, work->connection, work->template->space_bytes, work->result)
            : 0;
    if (r == 0)
        r = places_measure(&work->places, work->connection, &spaces, work->result);
    if (r < 0)
        return r;
    r = places_list_pools(&work->places, &pools);
    if (r == 0)
        r = pool_spaces_take(&spaces, &pools, work->template, &obstacle);
    if (r < 0)
        return no_memory(work);
    return obstacle != NULL ? refusal_say(work->result, -ENOSPC, "%s", obstacle) : 0;
}

/* What a machine writes to while others read it is no base image: their file systems would break. */
static int check_writers(struct work *work)
{
    _cleanup_(disk_users_done) struct disk_users users = {0};
    int r = disk_users_read(work->connection, work->is_local, false, &users, work->result);

    for (size_t i = 0; r == 0 && i < work->template->n_disks; i++) {
        const struct base_image *base = &work->places.all[i].base;
        const struct image_place place = {base->path, virStoragePoolGetName(base->pool),
                                          virStorageVolGetName(base->volume), false};
        const struct domain_description *writer = disk_users_find_writer(&users, &place);

        if (writer != NULL)
            r = refusal_say(work->result, -EBUSY, "%s runs and writes to %s, the base image of disk %s", writer->name,
                            base->path, work->template->disks[i].target);
    }
    return r;
}

/* All that does not depend on which machine is to be made. */
static int find_places(struct work *work)
{
    struct base_image_search search = {.may_refresh = true};
    int r;

    search.is_local = work->is_local = is_hypervisor_local(work->connection);
    r = places_find(work->connection, &search, work->template, &work->places, work->result);
    if (r == 0)
        r = check_writers(work);
    return r == 0 ? check_space(work) : r;
}

void maker_check(virConnectPtr connection, const struct template *template, struct action_result *result)
{
    _cleanup_(work_done) struct work work = {.connection = connection, .template = template, .result = result};

    find_places(&work);
}

/* ---- what it is called ---- */

/* Names for the volumes, which no other has. */
static int name_overlay(struct work *work, size_t i)
{
    const struct template_disk *disk = &work->template->disks[i];
    struct place *place = &work->places.all[i];
    int r = making_volume_name(work->making, disk->target, &place->name);

    if (r == -EINVAL)
        return refusal_say(work->result, r, "the target %s of a disk is no word of letters and digits", disk->target);
    return r < 0 ? no_memory(work) : check_volume(work, place);
}

static int name_seed(struct work *work)
{
    struct place *place = seed_place(work);

    return making_seed_name(work->making, &place->name) < 0 ? no_memory(work) : check_volume(work, place);
}

static int prepare(struct work *work)
{
    int r = making_name(work->making, &work->name) < 0 ? no_memory(work) : check_domain(work);

    if (r == 0)
        r = find_places(work);
    for (size_t i = 0; r == 0 && i < work->template->n_disks; i++)
        r = name_overlay(work, i);
    return r == 0 && template_has_seed(work->template) ? name_seed(work) : r;
}

/* ---- making ---- */

/* After the deadline the daemon goes on without an answer, and may make the same machine again. */
static int check_time(struct work *work)
{
    return clock_now().mono_us < work->until_us ? 0 : refusal_say(work->result, -ETIMEDOUT, "it took too long");
}

static virStorageVolPtr create(struct work *work, struct place *place, const char *xml)
{
    virStorageVolPtr volume;

    if (check_time(work) < 0)
        return NULL;
    volume = virStorageVolCreateXML(place->pool, xml, 0);
    if (volume == NULL)
        refusal_quote(work->result, work->connection, "making the volume %s in storage pool %s", place->name,
                      place->pool_name);
    return volume;
}

static int make_overlay(struct work *work, struct place *place)
{
    _cleanup_(freep) char *xml = NULL;
    virStorageVolPtr volume;

    if (template_volume_xml(place->name, place->base.capacity_bytes, place->base.path, place->base.format, &xml) < 0)
        return no_memory(work);
    volume = create(work, place, xml);
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
    struct place *place = seed_place(work);
    _cleanup_(freep) char *xml = seed_xml(place->name, size);
    virStorageVolPtr volume = xml != NULL ? create(work, place, xml) : NULL;
    int r;

    if (xml == NULL)
        return no_memory(work);
    if (volume == NULL)
        return work->result->error;
    r = upload(work, place->name, volume, image, size);
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

static struct made_disk place_of(const struct place *place)
{
    return (struct made_disk){place->pool_name, place->name};
}

static int format_domain(struct work *work, const struct making *making, char **ret)
{
    size_t n = work->template->n_disks;
    _cleanup_(freep) struct made_disk *disks = calloc(n + 1, sizeof(*disks));
    int r = -ENOMEM;

    for (size_t i = 0; disks != NULL && i < n; i++)
        disks[i] = place_of(&work->places.all[i]);
    if (disks != NULL && template_has_seed(work->template))
        disks[n] = place_of(seed_place(work));
    if (disks != NULL)
        r = template_domain_xml(work->template, making, disks, template_has_seed(work->template) ? &disks[n] : NULL,
                                ret);
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

static int define_unfinished(struct work *work)
{
    struct making making = *work->making;
    _cleanup_(freep) char *xml = NULL;
    int r;

    making.is_unfinished = true;
    r = format_domain(work, &making, &xml);
    return r == 0 ? define(work, xml) : r;
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
        r = format_domain(&work, making, &xml);
    if (r == 0 && making->is_standby)
        r = define_unfinished(&work);
    for (size_t i = 0; r == 0 && i < template->n_disks; i++)
        r = make_overlay(&work, &work.places.all[i]);
    if (r == 0 && template_has_seed(template))
        r = make_seed(&work);
    if (r == 0)
        define(&work, xml);
}
