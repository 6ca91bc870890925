/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The names and the XML of what is made from a template, with libxml2's tree. Knows no libvirt, and not which volumes
 * there are.
 */
#include "model/template.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libxml/tree.h>

#include "base/text.h"
#include "base/utf8.h"
#include "model/domain_xml.h"
#include "model/own_xml.h"
#include "model/xml.h"
#include "model/xml_edit.h"

#define NAME_MAX_BYTES 63 /* of a label of a host name (RFC 1123) */
#define UUID_DIGITS    4  /* of the UUID, that a name ends with */
#define OVERLAY_SUFFIX ".qcow2"
#define SEED_SUFFIX    "seed.iso"
#define UUID_LENGTH    (UUID_TEXT_SIZE - 1)

/* ---- names ---- */

static bool is_ascii_alnum(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* A dot stands between two labels of a host name, none of which is empty or begins or ends with "-". */
static bool may_stay(const char *text, const char *at)
{
    return is_ascii_alnum(*at) || *at == '-' ||
           (*at == '.' && at > text && is_ascii_alnum(at[-1]) && is_ascii_alnum(at[1]));
}

/* Each character that may not stay becomes one "-"; what comes before the first letter or digit is left out. */
static void make_label(const char *text, char *ret, size_t size)
{
    size_t length = 0;

    for (const char *at = text; *at != '\0' && length + 1 < size;) {
        bool stays = may_stay(text, at);
        uint32_t character;

        if (length > 0 || (stays && is_ascii_alnum(*at)))
            ret[length++] = stays ? *at : '-';
        at += utf8_decode(at, &character);
    }
    /* Where it was cut behind a dot, the label that follows would begin with "-". */
    if (length > 0 && ret[length - 1] == '.')
        ret[length - 1] = '-';
    ret[length] = '\0';
}

int making_host_name(const struct making *making, char **ret)
{
    char label[NAME_MAX_BYTES - UUID_DIGITS]; /* one more for "-", and one less for its NUL */

    make_label(making->service, label, sizeof(label));
    return text_format(ret, "%s", label[0] != '\0' ? label : "machine");
}

int making_name(const struct making *making, char **ret)
{
    _cleanup_(freep) char *host = NULL;
    int r = making_host_name(making, &host);

    return r == 0 ? text_format(ret, "%s-%.*s", host, UUID_DIGITS, making->uuid) : r;
}

/* A target becomes a part of the name of a file. */
static bool is_plain_word(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (!is_ascii_alnum(text[i]))
            return false;
    return length > 0;
}

int making_volume_name(const struct making *making, const char *target, char **ret)
{
    if (!is_plain_word(target, strlen(target)))
        return -EINVAL;
    return text_format(ret, "%s-%s" OVERLAY_SUFFIX, making->uuid, target);
}

int making_seed_name(const struct making *making, char **ret)
{
    return text_format(ret, "%s-" SEED_SUFFIX, making->uuid);
}

/* The length of the text without this end; 0: it has another one. */
static size_t length_before(const char *text, const char *suffix)
{
    size_t length = strlen(text), suffix_length = strlen(suffix);

    return length > suffix_length && strcmp(text + length - suffix_length, suffix) == 0 ? length - suffix_length : 0;
}

bool making_is_volume_of(const char *volume, const char *uuid)
{
    uint8_t bytes[UUID_SIZE];
    const char *rest;

    /* Every text begins with an empty one: what is no UUID has no volumes. */
    if (!uuid_parse(uuid, bytes) || strncmp(volume, uuid, UUID_LENGTH) != 0 || volume[UUID_LENGTH] != '-')
        return false;
    rest = volume + UUID_LENGTH + 1;
    return strcmp(rest, SEED_SUFFIX) == 0 || is_plain_word(rest, length_before(rest, OVERLAY_SUFFIX));
}

/* ---- who it is ---- */

static int identify(xmlNode *domain, const struct making *making)
{
    _cleanup_(freep) char *name = NULL;
    int r = making_name(making, &name);

    xmlUnsetProp(domain, BAD_CAST "id");
    if (r == 0)
        r = xml_edit_have_text(domain, "name", name);
    return r == 0 ? xml_edit_have_text(domain, "uuid", making->uuid) : r;
}

/* ---- disks ---- */

/* NULL: the template knows no such disk. */
static const struct made_disk *find_made(const struct template *template, const struct made_disk *disks, xmlNode *node)
{
    for (size_t i = 0; i < template->n_disks; i++)
        if (xml_edit_attribute_is(xml_edit_child(node, "target"), "dev", template->disks[i].target))
            return &disks[i];
    return NULL;
}

static int set_source(xmlNode *disk, const struct made_disk *made)
{
    xmlNode *source = xmlNewChild(disk, NULL, BAD_CAST "source", NULL);
    int r = source != NULL ? xml_edit_set(disk, "type", "volume") : -ENOMEM;

    if (r == 0)
        r = xml_edit_set(source, "pool", made->pool);
    return r == 0 ? xml_edit_set(source, "volume", made->volume) : r;
}

static int put_overlay(xmlNode *disk, const struct made_disk *made)
{
    static const char *const of_the_base[] = {"source", "backingStore", "mirror"};
    int r;

    for (size_t i = 0; i < ELEMENTS_OF(of_the_base); i++)
        xml_edit_discard_children(disk, of_the_base[i]);
    r = xml_edit_set_driver(disk, "qcow2");
    return r == 0 ? set_source(disk, made) : r;
}

/* -EINVAL: a disk would be left on its base image, since the template does not know it. */
static int put_overlays(xmlNode *devices, const struct template *template, const struct made_disk *disks)
{
    for (xmlNode *node = devices != NULL ? devices->children : NULL; node != NULL; node = node->next) {
        const struct made_disk *made;
        int r;

        if (!xml_edit_is_own_disk(node))
            continue;
        made = find_made(template, disks, node);
        r = made != NULL ? put_overlay(node, made) : -EINVAL;
        if (r < 0)
            return r;
    }
    return 0;
}

/* ---- the seed ---- */

/* The bus of CD-ROMs, and the names of its devices. */
struct bus {
    const char *name;
    const char *prefix;
    char last; /* the last letter that it has */
};

static const struct bus sata = {"sata", "sd", 'z'}, ide = {"ide", "hd", 'd'}, scsi = {"scsi", "sd", 'z'};

/* As virt-install chooses: q35 has no IDE, and what is no PC has neither. */
static const struct bus *choose_bus(xmlNode *domain)
{
    const xmlNode *type = xml_edit_child(xml_edit_child(domain, "os"), "type");
    const char *machine = xml_edit_attribute(type, "machine"), *arch = xml_edit_attribute(type, "arch");

    if (arch != NULL && strcmp(arch, "x86_64") != 0 && strcmp(arch, "i686") != 0)
        return &scsi;
    return machine != NULL && strstr(machine, "q35") != NULL ? &sata : &ide;
}

static bool has_target(xmlNode *devices, const char *target)
{
    for (xmlNode *node = devices->children; node != NULL; node = node->next)
        if (xml_is_element(node, "disk") && xml_edit_attribute_is(xml_edit_child(node, "target"), "dev", target))
            return true;
    return false;
}

static bool find_free_target(xmlNode *devices, const struct bus *bus, char ret[static 8])
{
    for (char letter = 'a'; letter <= bus->last; letter++) {
        snprintf(ret, 8, "%s%c", bus->prefix, letter);
        if (!has_target(devices, ret))
            return true;
    }
    return false;
}

static int add_target(xmlNode *disk, const char *target, const char *bus)
{
    xmlNode *node = xmlNewChild(disk, NULL, BAD_CAST "target", NULL);
    int r = node != NULL ? xml_edit_set(node, "dev", target) : -ENOMEM;

    return r == 0 ? xml_edit_set(node, "bus", bus) : r;
}

/* IDE has four devices. libvirt adds a SATA controller to a machine that has none. -EINVAL: every target is taken. */
static int add_seed(xmlNode *domain, xmlNode *devices, const struct made_disk *seed)
{
    const struct bus *bus = choose_bus(domain);
    char target[8];
    xmlNode *disk;
    int r;

    if (!find_free_target(devices, bus, target)) {
        bus = &sata;
        if (!find_free_target(devices, bus, target))
            return -EINVAL;
    }
    disk = xmlNewChild(devices, NULL, BAD_CAST "disk", NULL);
    r = disk != NULL ? xml_edit_set(disk, "device", "cdrom") : -ENOMEM;
    if (r == 0)
        r = xml_edit_set_driver(disk, "raw");
    if (r == 0)
        r = set_source(disk, seed);
    if (r == 0)
        r = add_target(disk, target, bus->name);
    if (r == 0)
        r = xmlNewChild(disk, NULL, BAD_CAST "readonly", NULL) != NULL ? 0 : -ENOMEM;
    return r;
}

/* ---- the metadata ---- */

/* <understudy:made domain="UUID" template="NAME" service="SERVICE" advance="yes" unfinished="yes"/>, the last two where it is so */
static int add_made(xmlNode *element, const struct template *template, const struct making *making)
{
    xmlNode *node = xmlNewChild(element, NULL, BAD_CAST "made", NULL);
    int r = node != NULL ? xml_edit_set(node, "domain", making->uuid) : -ENOMEM;

    if (r == 0)
        r = xml_edit_set(node, "template", template->name);
    if (r == 0)
        r = xml_edit_set(node, "service", making->service);
    if (r == 0 && making->is_standby)
        r = xml_edit_set(node, "advance", "yes");
    return r == 0 && making->is_unfinished ? xml_edit_set(node, "unfinished", "yes") : r;
}

static int put_metadata(xmlNode *domain, const struct template *template, const struct making *making)
{
    static const char *const of_the_template[] = {"template", "made", "mark"};
    xmlNode *element = xml_edit_have_machine(domain);
    unsigned roles = making->is_standby && !making->is_unfinished ? ROLE_STANDBY : ROLE_IGNORED;
    int r = element != NULL ? xml_edit_set(element, "role", machine_roles_name(roles)) : -ENOMEM;

    for (size_t i = 0; r == 0 && i < ELEMENTS_OF(of_the_template); i++)
        xml_edit_discard_children(element, of_the_template[i]);
    return r == 0 ? add_made(element, template, making) : r;
}

/* libvirt takes the namespace away from what it returns. */
struct made_note making_read_note(const char *metadata, const char *uuid)
{
    _cleanup_(xmlFreeDocp) xmlDoc *document = xml_edit_parse(metadata, false);
    const xmlNode *element = document != NULL ? xmlDocGetRootElement(document) : NULL;
    struct made_note note = {.is_ignored = xml_edit_attribute_is(element, "role", machine_roles_name(ROLE_IGNORED))};

    for (const xmlNode *node = element != NULL ? element->children : NULL; node != NULL; node = node->next) {
        bool is_of_it = xml_is_element(node, "made") && xml_edit_attribute_is(node, "domain", uuid);

        note.is_made |= is_of_it;
        note.is_unfinished |= is_of_it && xml_edit_attribute_is(node, "unfinished", "yes");
        note.is_marked |= xml_is_element(node, "mark") && xml_edit_attribute_is(node, "domain", uuid);
    }
    return note;
}

/* ---- documents ---- */

static int change_domain(xmlNode *domain, const struct template *template, const struct making *making,
                         const struct made_disk *disks, const struct made_disk *seed)
{
    xmlNode *devices = xml_edit_have_child(domain, "devices");
    int r = devices != NULL ? identify(domain, making) : -ENOMEM;

    if (r < 0)
        return r;
    own_xml_forget(domain, devices);
    r = put_overlays(devices, template, disks);
    if (r == 0 && seed != NULL)
        r = add_seed(domain, devices, seed);
    return r == 0 ? put_metadata(domain, template, making) : r;
}

int template_domain_xml(const struct template *template, const struct making *making, const struct made_disk *disks,
                        const struct made_disk *seed, char **ret)
{
    _cleanup_(xmlFreeDocp) xmlDoc *document = xml_edit_parse(template->xml, false);
    xmlNode *domain = document != NULL ? xmlDocGetRootElement(document) : NULL;
    int r;

    if (domain == NULL || document->intSubset != NULL || !xml_is_element(domain, "domain"))
        return -EINVAL;
    r = change_domain(domain, template, making, disks, seed);
    return r == 0 ? xml_edit_print(document, domain, false, ret) : r;
}

/* <format type="…"/> */
static int add_format(xmlNode *parent, const char *format)
{
    xmlNode *node = xmlNewChild(parent, NULL, BAD_CAST "format", NULL);

    return node != NULL ? xml_edit_set(node, "type", format) : -ENOMEM;
}

static int add_base(xmlNode *volume, const char *path, const char *format)
{
    xmlNode *base = xmlNewChild(volume, NULL, BAD_CAST "backingStore", NULL);
    int r = base != NULL ? xml_edit_have_text(base, "path", path) : -ENOMEM;

    return r == 0 && format != NULL ? add_format(base, format) : r;
}

/* Older than 1.1 is what libvirt takes by itself. */
static int add_overlay_target(xmlNode *volume)
{
    xmlNode *target = xmlNewChild(volume, NULL, BAD_CAST "target", NULL);
    int r = target != NULL ? add_format(target, "qcow2") : -ENOMEM;

    return r == 0 ? xml_edit_have_text(target, "compat", "1.1") : r;
}

static int fill_volume(xmlNode *volume, const char *name, uint64_t capacity_bytes)
{
    char capacity[24];
    int r = xml_edit_have_text(volume, "name", name);

    snprintf(capacity, sizeof(capacity), "%" PRIu64, capacity_bytes);
    if (r == 0)
        r = xml_edit_have_text(volume, "capacity", capacity); /* bytes, since no unit is given */
    return r == 0 ? xml_edit_have_text(volume, "allocation", "0") : r;
}

int template_volume_xml(const char *name, uint64_t capacity_bytes, const char *base_path, const char *base_format,
                        char **ret)
{
    _cleanup_(xmlFreeDocp) xmlDoc *document = xmlNewDoc(BAD_CAST "1.0");
    xmlNode *volume = document != NULL ? xmlNewDocNode(document, NULL, BAD_CAST "volume", NULL) : NULL;
    int r;

    if (volume == NULL)
        return -ENOMEM;
    xmlDocSetRootElement(document, volume);
    r = fill_volume(volume, name, capacity_bytes);
    if (r == 0)
        r = add_overlay_target(volume);
    if (r == 0)
        r = add_base(volume, base_path, base_format);
    return r == 0 ? xml_edit_print(document, volume, false, ret) : r;
}
