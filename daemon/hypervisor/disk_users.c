/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads the XML of domains, and compares images by volume, by path, and by the path without symbolic links. */
#include "hypervisor/disk_users.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <libvirt/virterror.h>

#include "base/text.h"
#include "hypervisor/refusal.h"
#include "model/domain_xml.h"

void disk_users_done(struct disk_users *users)
{
    for (size_t i = 0; i < users->count; i++)
        domain_description_free(users->domains[i]);
    free(users->domains);
    *users = (struct disk_users){0};
}

/* ---- reading ---- */

static int add(struct disk_users *users, const char *xml)
{
    struct domain_description **domains =
        reallocarray(users->domains, users->count + 1, sizeof(struct domain_description *));
    struct diags diags = {0};
    int r;

    if (domains == NULL)
        return -ENOMEM;
    users->domains = domains;
    r = domain_xml_parse(xml, strlen(xml), NULL, &diags, &domains[users->count]);
    diags_done(&diags);
    users->count += r == 0;
    return r;
}

static int read_one(virConnectPtr connection, virDomainPtr domain, unsigned flags, struct disk_users *users,
                    struct action_result *result)
{
    const char *name = virDomainGetName(domain);
    _cleanup_(freep) char *xml = virDomainGetXMLDesc(domain, flags);
    int r;

    if (xml == NULL && virGetLastErrorCode() == VIR_ERR_NO_DOMAIN)
        return 0;
    if (xml == NULL)
        return refusal_quote(result, connection, "reading which disks %s has", name);
    r = add(users, xml);
    return r < 0 ? refusal_say(result, r, "the XML of %s cannot be read", name) : 0;
}

static int read_domain(virConnectPtr connection, virDomainPtr domain, bool with_definitions, struct disk_users *users,
                       struct action_result *result)
{
    int r = read_one(connection, domain, 0, users, result);

    if (r == 0 && with_definitions && virDomainIsActive(domain) == 1 && virDomainIsPersistent(domain) == 1)
        r = read_one(connection, domain, VIR_DOMAIN_XML_INACTIVE, users, result);
    return r;
}

int disk_users_read(virConnectPtr connection, bool is_local, bool with_definitions, struct disk_users *ret,
                    struct action_result *result)
{
    virDomainPtr *domains = NULL;
    int r = 0,
        n = virConnectListAllDomains(connection, &domains, with_definitions ? 0 : VIR_CONNECT_LIST_DOMAINS_ACTIVE);

    if (n < 0)
        return refusal_quote(result, connection, "listing the domains");
    ret->is_local = is_local;
    for (int i = 0; i < n; i++) {
        if (r == 0)
            r = read_domain(connection, domains[i], with_definitions, ret, result);
        virDomainFree(domains[i]);
    }
    free(domains);
    return r;
}

/* ---- comparing ---- */

bool image_path_is_same(bool is_local, const char *a, const char *b)
{
    _cleanup_(freep) char *real_a = NULL;
    _cleanup_(freep) char *real_b = NULL;

    if (strcmp(a, b) == 0)
        return true;
    if (!is_local || a[0] != '/' || b[0] != '/')
        return false;
    real_a = realpath(a, NULL);
    real_b = realpath(b, NULL);
    return real_a != NULL && text_equal(real_a, real_b);
}

static bool is_image(const struct disk_users *users, const struct disk *disk, const struct image_place *image)
{
    bool is_volume = disk_pool(disk) != NULL && image->pool != NULL;

    if (is_volume && strcmp(disk_pool(disk), image->pool) == 0)
        return text_equal(disk_volume(disk), image->volume);
    /* Two storage pools may have one directory. */
    if (is_volume && image->is_unique && text_equal(disk_volume(disk), image->volume))
        return true;
    return image_path_is_same(users->is_local, disk->source, image->path);
}

static bool has(const struct disk_users *users, const struct domain_description *domain, bool to_write,
                const struct image_place *image)
{
    for (uint32_t i = 0; i < domain->n_disks; i++) {
        const struct disk *disk = &domain->disks[i];

        if ((!to_write || (disk->writable && !disk->is_backing)) && is_image(users, disk, image))
            return true;
    }
    return false;
}

const struct domain_description *disk_users_find_writer(const struct disk_users *users, const struct image_place *image)
{
    for (size_t i = 0; i < users->count; i++)
        if (has(users, users->domains[i], true, image))
            return users->domains[i];
    return NULL;
}

const struct domain_description *disk_users_find_other(const struct disk_users *users, const struct image_place *image,
                                                       const char *uuid)
{
    uint8_t own[UUID_SIZE];
    bool is_known = uuid_parse(uuid, own);

    for (size_t i = 0; i < users->count; i++)
        if (!(is_known && uuid_equal(users->domains[i]->uuid, own)) && has(users, users->domains[i], false, image))
            return users->domains[i];
    return NULL;
}
