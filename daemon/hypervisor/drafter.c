/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The definition is read, the base images are looked for, and what was written is looked at as if a machine were to be made
 * of it.
 */
#include "hypervisor/drafter.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libvirt/virterror.h>

#include "base/text.h"
#include "hypervisor/actions.h"
#include "hypervisor/base_image.h"
#include "hypervisor/disk_users.h"
#include "hypervisor/maker.h"
#include "hypervisor/refusal.h"
#include "model/domain_xml.h"
#include "model/storage_xml.h"
#include "model/template_text.h"
#include "model/uri.h"

DEFINE_CLEANUP(virNetwork, virNetworkFree);

/* What is needed for one draft. End with work_done. */
struct work {
    virConnectPtr connection;
    struct template_draft *draft;
    struct action_result *result;
    bool is_local;
    char *definition;                /* XML */
    struct domain_description *live; /* as the machine runs; as it is defined, where it does not */
    struct template *template;       /* what the text says so far */
};

static void work_done(struct work *work)
{
    free(work->definition);
    domain_description_free(work->live);
    template_free(work->template);
}

static int no_memory(struct work *work)
{
    return refusal_say(work->result, -ENOMEM, "no memory");
}

/* ---- the machine ---- */

static int describe(struct work *work, const char *xml)
{
    struct diags diags = {0};
    int r = domain_xml_parse(xml, strlen(xml), NULL, &diags, &work->live);

    diags_done(&diags);
    return r < 0 ? refusal_say(work->result, r, "the XML of %s cannot be read", work->draft->machine) : 0;
}

static int read_machine(struct work *work, const char *uuid)
{
    virDomainPtr domain = action_look_up(work->connection, uuid, work->result);
    _cleanup_(freep) char *live = NULL;
    _cleanup_(freep) char *uri = virConnectGetURI(work->connection);

    if (domain == NULL)
        return work->result->error;
    work->is_local = uri != NULL && uri_is_local(uri);
    work->definition = virDomainGetXMLDesc(domain, VIR_DOMAIN_XML_INACTIVE);
    live = work->definition != NULL ? virDomainGetXMLDesc(domain, 0) : NULL;
    if (live == NULL)
        refusal_quote(work->result, work->connection, "reading the definition of %s", work->draft->machine);
    virDomainFree(domain);
    return live != NULL ? describe(work, live) : work->result->error;
}

/* ---- its text ---- */

/* With the base images that are known so far. */
static int format_text(struct work *work)
{
    struct template_draft *draft = work->draft;
    _cleanup_(freep) struct template_base *bases = calloc(draft->n_disks + 1, sizeof(*bases));
    struct template_terms terms = {.max = draft->max, .features = &draft->features, .bases = bases};
    int r;

    if (bases == NULL)
        return no_memory(work);
    for (; terms.n_bases < draft->n_disks; terms.n_bases++) {
        const struct draft_disk *disk = &draft->disks[terms.n_bases];

        bases[terms.n_bases] = (struct template_base){disk->target, disk->base, disk->format};
    }
    free(draft->text);
    draft->text = NULL;
    r = template_text_write(work->definition, &terms, &draft->text);
    return r < 0 ? refusal_say(work->result, r, "no template can be written from the XML of %s", draft->machine) : 0;
}

static const char *first_error(const struct diags *diags)
{
    for (size_t i = 0; i < diags->count; i++)
        if (diags->items[i].severity == DIAG_ERROR)
            return diags->items[i].message;
    return "no memory";
}

static int read_text(struct work *work)
{
    const struct template_draft *draft = work->draft;
    _cleanup_(diags_done) struct diags diags = {0};
    int r;

    template_free(work->template);
    work->template = NULL;
    r = template_parse(draft->name, draft->name, draft->text, strlen(draft->text), &diags, &work->template);
    return r < 0 ? refusal_say(work->result, r, "%s cannot be a template: %s", draft->machine, first_error(&diags)) : 0;
}

static int write_text(struct work *work)
{
    int r = format_text(work);

    return r == 0 ? read_text(work) : r;
}

/* ---- base images that are given ---- */

static const struct template_disk *find_disk(const struct template *template, const char *target)
{
    for (size_t i = 0; i < template->n_disks; i++)
        if (strcmp(template->disks[i].target, target) == 0)
            return &template->disks[i];
    return NULL;
}

static bool is_image(const struct disk *disk, const char *path, const struct base_image *image)
{
    return strcmp(disk->source, path) == 0 || strcmp(disk->source, image->path) == 0 ||
           (disk_pool(disk) != NULL && strcmp(disk_pool(disk), virStoragePoolGetName(image->pool)) == 0 &&
            text_equal(disk_volume(disk), virStorageVolGetName(image->volume)));
}

/*
 * Of an image that is a disk of the machine itself, the definition says the format: its guest wrote what is in it, and could
 * have written what looks like another one. NULL: it is none of its disks.
 */
static const char *own_format(const struct work *work, const char *path, const struct base_image *image)
{
    for (uint32_t i = 0; i < work->live->n_disks; i++) {
        const struct disk *disk = &work->live->disks[i];
        const struct template_disk *own = !disk->is_backing && disk_target(disk) != NULL && is_image(disk, path, image)
                                              ? find_disk(work->template, disk_target(disk))
                                              : NULL;

        if (own != NULL)
            return own->format;
    }
    return NULL;
}

static int find_format(struct work *work, struct draft_disk *disk)
{
    const struct template_disk wanted = {.target = disk->target, .path = disk->base};
    _cleanup_(base_image_done) struct base_image image = {0};
    const struct base_image_search search = {.is_local = work->is_local, .may_refresh = true};
    int r = base_image_find(work->connection, &search, &wanted, &image, work->result);
    const char *own = r == 0 ? own_format(work, disk->base, &image) : NULL;

    if (r < 0)
        return r;
    free(disk->format);
    disk->format = own != NULL ? text_copy(own) : steal_pointer(&image.format);
    return disk->format != NULL ? 0 : no_memory(work);
}

/* Of a disk that no template may have, the base image is what makes it one. Its format is that of the machine at first. */
static int take_given(struct work *work)
{
    int r = write_text(work);

    for (size_t i = 0; r == 0 && i < work->draft->n_disks; i++)
        r = find_format(work, &work->draft->disks[i]);
    return r;
}

static int check_given(struct work *work)
{
    for (size_t i = 0; i < work->draft->n_disks; i++)
        if (find_disk(work->template, work->draft->disks[i].target) == NULL)
            return refusal_say(work->result, -EINVAL,
                               "%s has no disk %s to which it writes: virsh domblklist %s lists its disks",
                               work->draft->machine, work->draft->disks[i].target, work->draft->machine);
    return 0;
}

/* ---- what disks stand on ---- */

/* The image of a disk, and what is below it; NULL: not known. End with top_done. */
struct top {
    char *path, *pool, *backing, *backing_format;
};

static void top_done(struct top *top)
{
    free(top->path);
    free(top->pool);
    free(top->backing);
    free(top->backing_format);
}

/* Where libvirt knows the image as a volume. */
static void ask_volume(struct work *work, const struct template_disk *disk, struct top *ret)
{
    struct action_result ignored = {0};
    _cleanup_(base_image_done) struct base_image image = {0};
    const struct base_image_search search = {.is_local = work->is_local, .may_refresh = true};
    _cleanup_(freep) char *xml = NULL;

    if (base_image_find(work->connection, &search, disk, &image, &ignored) < 0)
        return;
    ret->path = text_copy(image.path);
    ret->pool = text_copy(virStoragePoolGetName(image.pool));
    xml = virStorageVolGetXMLDesc(image.volume, 0);
    if (xml != NULL && volume_xml_backing(xml, strlen(xml), &ret->backing) == 0 && ret->backing != NULL &&
        volume_xml_backing_format(xml, strlen(xml), &ret->backing_format) < 0)
        ret->backing_format = NULL;
}

/* Where the machine runs. */
static void ask_process(const struct work *work, const struct template_disk *disk, struct top *ret)
{
    const struct domain_description *live = work->live;

    for (uint32_t i = 0; i + 1 < live->n_disks; i++)
        if (!live->disks[i].is_backing && live->disks[i + 1].is_backing &&
            text_equal(disk_target(&live->disks[i]), disk->target))
            ret->backing = text_copy(live->disks[i + 1].source);
}

static void look_below(struct work *work, const struct template_disk *disk, struct top *ret)
{
    ask_volume(work, disk, ret);
    if (ret->backing == NULL)
        ask_process(work, disk, ret);
    if (ret->path == NULL)
        ret->path = disk->path != NULL ? text_copy(disk->path) : text_print("%s/%s", disk->pool, disk->volume);
}

/* ---- where a copy of a disk could be ---- */

/* As far as libvirt or, on its own host, the daemon can tell: qemu-img would write over what is there. */
static bool is_free(const struct work *work, const char *path, const char *pool)
{
    virStoragePoolPtr found = pool != NULL ? virStoragePoolLookupByName(work->connection, pool) : NULL;
    virStorageVolPtr volume = virStorageVolLookupByPath(work->connection, path);

    if (volume == NULL && found != NULL)
        volume = virStorageVolLookupByName(found, strrchr(path, '/') + 1);
    if (found != NULL)
        virStoragePoolFree(found);
    if (volume != NULL)
        virStorageVolFree(volume);
    return volume == NULL && !(work->is_local && access(path, F_OK) == 0);
}

/* NAME.qcow2, NAME-base.qcow2, NAME-base-2.qcow2 and so on, beside the image. */
static char *print_copy_path(const struct work *work, const struct template_disk *disk, const char *path, unsigned i)
{
    bool is_one = work->template->n_disks == 1;
    _cleanup_(freep) char *number = i > 1 ? text_print("-%u", i) : text_copy("");

    if (number == NULL)
        return NULL;
    return text_print("%.*s/%s%s%s%s%s.qcow2", (int)(strrchr(path, '/') - path), path, work->draft->name,
                      is_one ? "" : "-", is_one ? "" : disk->target, i > 0 ? "-base" : "", number);
}

/* More are hardly there; the last one is named as it is. */
#define COPIES_MAX 100

static char *copy_path(const struct work *work, const struct template_disk *disk, const struct top *top)
{
    char *path = print_copy_path(work, disk, top->path, 0);

    for (unsigned i = 1; path != NULL && i < COPIES_MAX && !is_free(work, path, top->pool); i++) {
        free(path);
        path = print_copy_path(work, disk, top->path, i);
    }
    return path;
}

static char *print_hint(const struct work *work, const struct template_disk *disk, const struct top *top)
{
    _cleanup_(freep) char *path = copy_path(work, disk, top);
    _cleanup_(freep) char *copy = path != NULL ? text_shell_word(path) : NULL;
    _cleanup_(freep) char *image = text_shell_word(top->path);
    _cleanup_(freep) char *pool = text_shell_word(top->pool != NULL ? top->pool : "POOL");

    if (copy == NULL || image == NULL || pool == NULL)
        return NULL;
    return text_print("shut %s down, copy its disk, and start it again: qemu-img convert -O qcow2 %s %s; virsh "
                      "pool-refresh %s; then name the copy: --base %s=%s",
                      work->draft->machine, image, copy, pool, disk->target, copy);
}

static int refuse_without_base(struct work *work, const struct template_disk *disk, const struct top *top)
{
    work->draft->hint = top->path != NULL ? print_hint(work, disk, top) : NULL;
    if (work->draft->hint == NULL)
        return no_memory(work);
    return refusal_say(work->result, -EBUSY, "disk %s of %s has no base image: %s stands on no other image",
                       disk->target, work->draft->machine, top->path);
}

static int warn(struct work *work, char *text)
{
    _cleanup_(freep) char *warning = text;

    return warning == NULL || string_list_add(&work->draft->warnings, warning) < 0 ? no_memory(work) : 0;
}

static int take_backing(struct work *work, const struct template_disk *disk, const struct top *top)
{
    struct template_draft *draft = work->draft;
    struct draft_disk *added;

    if (top->backing[0] != '/')
        return refusal_say(work->result, -EBUSY,
                           "disk %s of %s stands on %s, which is no file; name a base image: --base %s=PATH",
                           disk->target, draft->machine, top->backing, disk->target);
    if (template_draft_add_disk(draft, disk->target, top->backing, false) < 0)
        return no_memory(work);
    added = &draft->disks[draft->n_disks - 1];
    added->format = text_copy(top->backing_format);
    if (added->format == NULL && find_format(work, added) < 0)
        return work->result->error;
    return warn(work, text_print("disk %s: what %s wrote since its disk was made on %s is not in the template",
                                 disk->target, draft->machine, top->backing));
}

static int find_base(struct work *work, const struct template_disk *disk)
{
    _cleanup_(top_done) struct top top = {0};

    if (template_draft_find_disk(work->draft, disk->target) != NULL)
        return 0;
    look_below(work, disk, &top);
    return top.backing != NULL ? take_backing(work, disk, &top) : refuse_without_base(work, disk, &top);
}

/* ---- who else writes to them ---- */

/* While it runs, maker_check has refused it. */
static int warn_of_writers(struct work *work)
{
    _cleanup_(disk_users_done) struct disk_users users = {0};
    int r = disk_users_read(work->connection, work->is_local, true, &users, work->result);

    for (size_t i = 0; r == 0 && i < work->draft->n_disks; i++) {
        const struct draft_disk *disk = &work->draft->disks[i];
        const struct image_place place = {.path = disk->base};
        const struct domain_description *writer = disk_users_find_writer(&users, &place);

        if (writer != NULL)
            r = warn(
                work,
                text_print("%s is a disk of %s, which must not be started any more: it would write to what machines "
                           "made from the template stand on",
                           disk->base, writer->name));
    }
    return r;
}

void drafter_write(virConnectPtr connection, const char *uuid, struct template_draft *draft,
                   struct action_result *result)
{
    _cleanup_(work_done) struct work work = {.connection = connection, .draft = draft, .result = result};
    int r = read_machine(&work, uuid);

    if (r == 0)
        r = take_given(&work);
    if (r == 0)
        r = check_given(&work);
    for (size_t i = 0; r == 0 && i < work.template->n_disks; i++)
        r = find_base(&work, &work.template->disks[i]);
    if (r == 0)
        r = write_text(&work);
    if (r == 0)
        maker_check(connection, work.template, result);
    if (r == 0 && result->error == 0)
        warn_of_writers(&work);
}

/* ---- whether a template could be used ---- */

/* A hypervisor without networks says so when it starts a machine. */
static int check_network(virConnectPtr connection, const char *name, struct action_result *result)
{
    _cleanup_(virNetworkFreep) virNetworkPtr network = virNetworkLookupByName(connection, name);
    int is_active;

    if (network == NULL && virGetLastErrorCode() == VIR_ERR_NO_SUPPORT)
        return 0;
    if (network == NULL && virGetLastErrorCode() == VIR_ERR_NO_NETWORK)
        return refusal_say(result, -EIO, "there is no network %s", name);
    if (network == NULL)
        return refusal_quote(result, connection, "looking for the network %s", name);
    is_active = virNetworkIsActive(network);
    if (is_active < 0)
        return refusal_quote(result, connection, "asking whether the network %s is active", name);
    return is_active > 0
               ? 0
               : refusal_say(result, -EIO, "the network %s is not active; virsh net-start %s starts it", name, name);
}

void drafter_try(virConnectPtr connection, const struct template *template, struct action_result *result)
{
    maker_check(connection, template, result);
    for (size_t i = 0; result->error == 0 && i < template->n_networks; i++)
        check_network(connection, template->networks[i], result);
}
