/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads what of a template concerns the making of machines, and describes one of them. Knows no file and no libvirt. */
#include "model/template.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/units.h"
#include "model/domain_xml.h"
#include "model/xml.h"

#define TARGET_MAX 16 /* bytes of the name of a device in a guest, which becomes a part of file names */

bool template_name_is_valid(const char *name)
{
    size_t length = strlen(name);

    return length <= TEMPLATE_NAME_MAX && isalnum((unsigned char)name[0]) &&
           strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") == length;
}

struct template *template_ref(struct template *template)
{
    if (template != NULL)
        atomic_fetch_add(&template->n_owners, 1);
    return template;
}

static void template_disk_done(struct template_disk *disk)
{
    free(disk->target);
    free(disk->path);
    free(disk->pool);
    free(disk->volume);
    free(disk->format);
    *disk = (struct template_disk){0};
}

void template_free(struct template *template)
{
    if (template == NULL || atomic_fetch_sub(&template->n_owners, 1) > 1)
        return;
    for (size_t i = 0; i < template->n_disks; i++)
        template_disk_done(&template->disks[i]);
    free(template->disks);
    for (size_t i = 0; i < template->n_networks; i++)
        free(template->networks[i]);
    free(template->networks);
    free(template->name);
    free(template->file);
    free(template->storage_pool);
    free(template->user_data);
    free(template->meta_data);
    free(template->xml);
    free(template);
}

bool template_has_seed(const struct template *template)
{
    return template->user_data != NULL || template->meta_data != NULL;
}

/* ---- its disks ---- */

static bool is_target(const char *text)
{
    size_t length = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789");

    return length > 0 && length <= TARGET_MAX && text[length] == '\0';
}

static bool has_target(const struct template *template, const char *target)
{
    for (size_t i = 0; i < template->n_disks; i++)
        if (strcmp(template->disks[i].target, target) == 0)
            return true;
    return false;
}

/* False: a finding says why, or there is no memory. */
static bool read_target(struct xml_reader *reader, const xmlNode *node, const struct template *template,
                        struct template_disk *disk)
{
    disk->target = xml_attribute(reader, xml_child(node, "target"), "dev");
    if (disk->target == NULL)
        xml_refuse(reader, node, "a writable disk has no target, as in <target dev='vda'/>");
    else if (!is_target(disk->target))
        xml_refuse(reader, node, "the target of a disk is not the name of a device, such as vda: %s", disk->target);
    else if (has_target(template, disk->target))
        xml_refuse(reader, node, "two writable disks have the target %s", disk->target);
    else
        return true;
    return false;
}

static bool read_file(struct xml_reader *reader, const xmlNode *node, const xmlNode *source, struct template_disk *disk)
{
    disk->path = xml_attribute(reader, source, "file");
    if (disk->path != NULL && disk->path[0] == '/')
        return true;
    if (disk->path != NULL)
        xml_refuse(reader, node, "disk %s: the path of its base image does not begin with /: %s", disk->target,
                   disk->path);
    else
        xml_refuse(reader, node, "disk %s has no base image, as in <source file='/images/base.qcow2'/>", disk->target);
    return false;
}

static bool read_volume(struct xml_reader *reader, const xmlNode *node, const xmlNode *source,
                        struct template_disk *disk)
{
    disk->pool = xml_attribute(reader, source, "pool");
    disk->volume = xml_attribute(reader, source, "volume");
    if (disk->pool != NULL && disk->volume != NULL)
        return true;
    xml_refuse(reader, node, "disk %s has no base image, as in <source pool='default' volume='base.qcow2'/>",
               disk->target);
    return false;
}

/* Of these an overlay would show other data than the disk. */
static bool is_plain(struct xml_reader *reader, const xmlNode *node, const xmlNode *source, const char *target)
{
    if (xml_child(node, "encryption") != NULL || xml_child(source, "encryption") != NULL)
        xml_refuse(reader, node, "disk %s is encrypted; no overlay can be made on it", target);
    else if (xml_child(source, "slices") != NULL)
        xml_refuse(reader, node, "disk %s is a part of its image (<slices>); no overlay can be made on it", target);
    else
        return true;
    return false;
}

static void refuse_type(struct xml_reader *reader, const xmlNode *node, const char *target, const char *type)
{
    xml_refuse(
        reader, node,
        "disk %s is of type %s; a base image is a file or a volume. A disk that all machines may share as it is needs "
        "<readonly/> or <shareable/>",
        target, type != NULL ? type : "none");
}

static bool read_source(struct xml_reader *reader, const xmlNode *node, struct template_disk *disk)
{
    const xmlNode *source = xml_child(node, "source");
    _cleanup_(freep) char *type = xml_attribute(reader, node, "type");

    disk->format = xml_attribute(reader, xml_child(node, "driver"), "type");
    if (!is_plain(reader, node, source, disk->target))
        return false;
    if (type != NULL && strcmp(type, "file") == 0)
        return read_file(reader, node, source, disk);
    if (type != NULL && strcmp(type, "volume") == 0)
        return read_volume(reader, node, source, disk);
    refuse_type(reader, node, disk->target, type);
    return false;
}

static int add_disk(struct template *template, struct template_disk *disk)
{
    struct template_disk *disks = reallocarray(template->disks, template->n_disks + 1, sizeof(*disks));

    if (disks == NULL)
        return -ENOMEM;
    template->disks = disks;
    disks[template->n_disks++] = *disk;
    *disk = (struct template_disk){0};
    return 0;
}

/* An overlay can be made for a disk alone. */
static bool is_disk(struct xml_reader *reader, const xmlNode *node)
{
    _cleanup_(freep) char *device = xml_attribute(reader, node, "device");

    if (device == NULL || strcmp(device, "disk") == 0)
        return true;
    xml_refuse(reader, node,
               "a %s that can be written to: all machines that are made would write to it; it needs <readonly/>",
               device);
    return false;
}

/* What a machine that is made writes to, and no other machine may. */
static bool is_base(struct xml_reader *reader, const xmlNode *node)
{
    return xml_is_element(node, "disk") && !xml_attribute_is(reader, node, "device", "cdrom") &&
           xml_child(node, "readonly") == NULL && xml_child(node, "shareable") == NULL &&
           (xml_child(node, "source") != NULL || !xml_attribute_is(reader, node, "device", "floppy"));
}

static void read_disk(struct xml_reader *reader, const xmlNode *node, struct template *template)
{
    struct template_disk disk = {0};

    if (read_target(reader, node, template, &disk) && read_source(reader, node, &disk) && add_disk(template, &disk) < 0)
        reader->out_of_memory = true;
    template_disk_done(&disk);
}

static void read_disks(struct xml_reader *reader, const xmlNode *domain, struct template *template)
{
    const xmlNode *devices = xml_child(domain, "devices");

    for (const xmlNode *node = devices != NULL ? devices->children : NULL; node != NULL; node = node->next) {
        if (!is_base(reader, node) || !is_disk(reader, node))
            continue;
        if (template->n_disks == TEMPLATE_DISKS_MAX) {
            xml_refuse(reader, node, "more than %d writable disks", TEMPLATE_DISKS_MAX);
            return;
        }
        read_disk(reader, node, template);
    }
}

/* ---- its networks ---- */

static bool has_network(const struct template *template, const char *name)
{
    for (size_t i = 0; i < template->n_networks; i++)
        if (strcmp(template->networks[i], name) == 0)
            return true;
    return false;
}

/* Takes the name. -ENOMEM. */
static int add_network(struct template *template, char *name)
{
    char **networks = reallocarray(template->networks, template->n_networks + 1, sizeof(*networks));

    if (networks == NULL) {
        free(name);
        return -ENOMEM;
    }
    template->networks = networks;
    networks[template->n_networks++] = name;
    return 0;
}

static void read_networks(struct xml_reader *reader, const xmlNode *domain, struct template *template)
{
    const xmlNode *devices = xml_child(domain, "devices");

    for (const xmlNode *node = devices != NULL ? devices->children : NULL; node != NULL; node = node->next) {
        bool is_one = xml_is_element(node, "interface") && xml_attribute_is(reader, node, "type", "network");
        char *name = is_one ? xml_attribute(reader, xml_child(node, "source"), "network") : NULL;

        if (name != NULL && has_network(template, name))
            free(name);
        else if (name != NULL && add_network(template, name) < 0)
            reader->out_of_memory = true;
    }
}

/* ---- <understudy:template max="2" pool="fast" space="5GiB"/> ---- */

static void read_max(struct xml_reader *reader, const xmlNode *node, struct template *template)
{
    _cleanup_(freep) char *text = xml_attribute(reader, node, "max");
    char *end = NULL;
    unsigned long max;

    if (text == NULL)
        return;
    errno = 0;
    max = isdigit((unsigned char)text[0]) ? strtoul(text, &end, 10) : 0;
    if (errno != 0 || max < 1 || max > TEMPLATE_MAX_LIMIT || *end != '\0')
        xml_refuse(reader, node, "max is not a number from 1 to %d: %s", TEMPLATE_MAX_LIMIT, text);
    else
        template->max = (unsigned)max;
}

static void read_space(struct xml_reader *reader, const xmlNode *node, struct template *template)
{
    _cleanup_(freep) char *text = xml_attribute(reader, node, "space");
    int64_t bytes;

    if (text == NULL)
        return;
    if (size_parse(text, &bytes) < 0)
        xml_refuse(reader, node, "space is not a size such as 5GiB: %s", text);
    else
        template->space_bytes = (uint64_t)bytes;
}

static bool is_term(const char *name)
{
    return strcmp(name, "max") == 0 || strcmp(name, "pool") == 0 || strcmp(name, "space") == 0;
}

static void read_terms(struct xml_reader *reader, const xmlNode *node, struct template *template)
{
    for (const xmlAttr *attribute = node->properties; attribute != NULL; attribute = attribute->next)
        if (attribute->ns == NULL && !is_term((const char *)attribute->name))
            xml_refuse(reader, node, "unknown attribute of <understudy:template>: %s", (const char *)attribute->name);
    read_max(reader, node, template);
    read_space(reader, node, template);
    free(template->storage_pool);
    template->storage_pool = xml_attribute(reader, node, "pool");
}

static void read_metadata(struct xml_reader *reader, const xmlNode *domain, struct template *template)
{
    const xmlNode *machine = xml_child_in(xml_child(domain, "metadata"), "machine", UNDERSTUDY_METADATA_URI);
    const xmlNode *first = NULL;

    for (const xmlNode *node = machine != NULL ? machine->children : NULL; node != NULL; node = node->next) {
        if (!xml_is_element(node, "template") || !xml_is_in_namespace(node, UNDERSTUDY_METADATA_URI))
            continue;
        if (first != NULL) {
            xml_refuse(reader, node, "a second <understudy:template>");
            return;
        }
        first = node;
        read_terms(reader, node, template);
    }
}

/* ---- the whole ---- */

static bool has_error_since(const struct diags *diags, size_t n_before)
{
    for (size_t i = n_before; i < diags->count; i++)
        if (diags->items[i].severity == DIAG_ERROR)
            return true;
    return false;
}

static int read_document(struct xml_reader *reader, xmlDoc *document, struct template *template)
{
    const xmlNode *domain = xmlDocGetRootElement(document);

    if (reader->description->memory_kib == 0)
        xml_refuse(reader, domain, "the template has no memory, as in <memory unit='GiB'>2</memory>");
    if (reader->description->roles & ROLE_PROTECTED)
        xml_warn(reader, domain, "understudy metadata: a template is not protected; that part of its role is left out",
                 NULL);
    read_metadata(reader, domain, template);
    read_disks(reader, domain, template);
    read_networks(reader, domain, template);
    return reader->out_of_memory || reader->diags->incomplete ? -ENOMEM : 0;
}

/* With the defaults. NULL: no memory. */
static struct template *make_empty(const char *name, const char *file, const char *xml, size_t length)
{
    _cleanup_(template_freep) struct template *template = calloc(1, sizeof(*template));

    if (template == NULL)
        return NULL;
    atomic_init(&template->n_owners, 1);
    template->max = TEMPLATE_MAX_DEFAULT;
    template->space_bytes = TEMPLATE_SPACE_DEFAULT;
    template->name = strdup(name);
    template->file = strdup(file);
    template->xml = strndup(xml, length);
    if (template->name == NULL || template->file == NULL || template->xml == NULL)
        return NULL;
    return steal_pointer(&template);
}

/* libxml2 reads UTF-16, too; the rest of the program takes the document for a text. */
static int refuse_wide(const char *xml, size_t length, const char *file, struct diags *diags)
{
    if (memchr(xml, '\0', length) == NULL)
        return 0;
    diags_add(diags, DIAG_ERROR, file, 0, 0, "is not UTF-8");
    return -EINVAL;
}

/* The UUID that no machine has: nothing in the metadata of a template is said of a machine that was made. */
static const char no_uuid[] = "00000000-0000-0000-0000-000000000000";

int template_parse(const char *name, const char *file, const char *xml, size_t length, struct diags *diags,
                   struct template **ret)
{
    const struct domain_identity identity = {.name = name, .uuid = no_uuid};
    _cleanup_(domain_description_freep) struct domain_description *description = NULL;
    _cleanup_(template_freep) struct template *template = NULL;
    _cleanup_(xmlFreeDocp) xmlDoc *document = NULL;
    size_t n_before = diags->count;
    int r = refuse_wide(xml, length, file, diags);

    if (r == 0)
        r = domain_xml_parse_as(xml, length, file, &identity, diags, &description);
    if (r == 0)
        r = xml_open_domain(xml, length, file, 0, diags, &document);
    if (r < 0)
        return r;
    template = make_empty(name, file, xml, length);
    if (template == NULL)
        return -ENOMEM;
    struct xml_reader reader = {.name = file, .diags = diags, .description = description};
    r = read_document(&reader, document, template);
    if (r < 0)
        return r;
    if (has_error_since(diags, n_before))
        return -EINVAL;
    *ret = steal_pointer(&template);
    return 0;
}

/* ---- what a machine that is made would be ---- */

/* "${NAME}", which the seed may have a value for. */
static bool asks_for_value(const char *text)
{
    static const char name[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_";

    for (const char *at = text; at != NULL && (at = strstr(at, "${")) != NULL; at++) {
        size_t length = strspn(at + 2, name);

        if (length > 0 && at[2 + length] == '}')
            return true;
    }
    return false;
}

static int describe_as_template(struct domain_description *description, const struct template *template)
{
    free(description->template);
    description->template = strdup(template->name);
    description->roles &= (uint8_t)~ROLE_PROTECTED;
    if (description->roles == 0)
        description->roles = ROLE_STANDBY;
    description->has_metadata = true;
    description->names_service = asks_for_value(template->user_data) || asks_for_value(template->meta_data);
    free(description->macs);
    description->macs = NULL;
    description->n_macs = 0;
    return description->template != NULL ? 0 : -ENOMEM;
}

static bool find_disk(const struct domain_description *description, const char *target, uint32_t *ret)
{
    for (uint32_t i = 0; i < description->n_disks; i++) {
        const struct disk *disk = &description->disks[i];

        if (disk->writable && !disk->shareable && !disk->is_backing && text_equal(disk_target(disk), target)) {
            *ret = i;
            return true;
        }
    }
    return false;
}

/* The base image, which was the top, and what stands below it stay as they are, below what is yet to be made. */
static int put_overlay(struct domain_description *description, uint32_t place, const char *uuid)
{
    struct disk *disk = &description->disks[place];
    _cleanup_(freep) char *target = text_copy(disk_target(disk));
    _cleanup_(freep) char *overlay = NULL;
    struct making making = {0};
    struct disk base;
    int r = -ENOMEM;

    strncpy(making.uuid, uuid, sizeof(making.uuid) - 1);
    if (target != NULL)
        r = making_volume_name(&making, target, &overlay);
    if (r == 0)
        r = disk_copy(disk, &base);
    if (r < 0)
        return r;
    base.writable = base.has_chain = false;
    r = domain_description_set_chain(description, place, &base, 1);
    disk_done(&base);
    return r < 0 ? r : disk_set_texts(&description->disks[place], overlay, NULL, NULL, target);
}

static int put_overlays(struct domain_description *description, const struct template *template, const char *uuid)
{
    uint32_t place;
    int r = 0;

    for (size_t i = 0; r == 0 && i < template->n_disks; i++)
        if (find_disk(description, template->disks[i].target, &place))
            r = put_overlay(description, place, uuid);
    return r;
}

int template_describe(const struct template *template, const char *uuid, unsigned number,
                      struct domain_description **ret)
{
    _cleanup_(freep) char *name =
        number > 1 ? text_print("%s.%u", template->name, number) : text_print("%s", template->name);
    const struct domain_identity identity = {.name = name, .uuid = uuid};
    _cleanup_(domain_description_freep) struct domain_description *description = NULL;
    struct diags diags = {0};
    int r = name == NULL ? -ENOMEM
                         : domain_xml_parse_as(template->xml, strlen(template->xml), template->file, &identity, &diags,
                                               &description);

    diags_done(&diags);
    if (r == 0)
        r = describe_as_template(description, template);
    if (r == 0)
        r = put_overlays(description, template, uuid);
    if (r < 0)
        return r;
    *ret = steal_pointer(&description);
    return 0;
}
