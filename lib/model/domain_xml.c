/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reads domain XML with libxml2's tree: no network, no document type (so no entities), no output.
 * Knows the shape of the document and nothing of what the rest of the program makes of it.
 *
 * Running out of memory is noted in the reader and asked for once, at the end: until then every
 * missing string reads as an attribute or element that is not there.
 */
#include "model/domain_xml.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <libxml/parser.h>
#include <libxml/tree.h>

#include "model/machine.h"

#define OSINFO_URI    "http://libosinfo.org/xmlns/libvirt/domain/1.0"
#define AGENT_CHANNEL "org.qemu.guest_agent.0"

DEFINE_CLEANUP(xmlDoc, xmlFreeDoc);
DEFINE_CLEANUP(xmlParserCtxt, xmlFreeParserCtxt);

struct reader {
    const char *name;
    struct diags *diags;
    struct domain_description *description;
    bool out_of_memory;
};

static void warn(struct reader *reader, const xmlNode *node, const char *text, const char *what)
{
    long line = xmlGetLineNo(node);

    diags_add(reader->diags, DIAG_WARNING, reader->name, line > 0 ? (unsigned)line : 0, 0, "%s%s%s", text,
              what != NULL ? ": " : "", what != NULL ? what : "");
}

static bool is_element(const xmlNode *node, const char *name)
{
    return node->type == XML_ELEMENT_NODE && strcmp((const char *)node->name, name) == 0;
}

static bool in_namespace(const xmlNode *node, const char *uri)
{
    return node->ns != NULL && node->ns->href != NULL && strcmp((const char *)node->ns->href, uri) == 0;
}

/* The first child element of that name, in that namespace unless uri is NULL. A NULL parent has none. */
static const xmlNode *child_in(const xmlNode *parent, const char *name, const char *uri)
{
    for (const xmlNode *node = parent != NULL ? parent->children : NULL; node != NULL; node = node->next)
        if (is_element(node, name) && (uri == NULL || in_namespace(node, uri)))
            return node;
    return NULL;
}

static const xmlNode *child(const xmlNode *parent, const char *name)
{
    return child_in(parent, name, NULL);
}

/* Copies what libxml2 allocated into our own allocator, without surrounding blanks; empty becomes NULL. */
static char *take_text(struct reader *reader, xmlChar *raw)
{
    const char *start = (const char *)raw;
    char *text = NULL;

    if (raw == NULL)
        return NULL;
    start += strspn(start, " \t\r\n");
    size_t length = strlen(start);
    while (length > 0 && isspace((unsigned char)start[length - 1]))
        length--;
    if (length > 0) {
        text = strndup(start, length);
        reader->out_of_memory |= text == NULL;
    }
    xmlFree(raw);
    return text;
}

/* NULL for a node that is missing or empty. Caller frees. */
static char *element_text(struct reader *reader, const xmlNode *node)
{
    xmlChar *raw = node != NULL ? xmlNodeGetContent(node) : NULL;

    reader->out_of_memory |= node != NULL && raw == NULL;
    return take_text(reader, raw);
}

/* NULL for a node or an attribute that is missing, or empty. Caller frees. */
static char *attribute(struct reader *reader, const xmlNode *node, const char *name)
{
    const xmlAttr *found = node != NULL ? xmlHasNsProp(node, (const xmlChar *)name, NULL) : NULL;
    xmlChar *raw = found != NULL ? xmlGetNoNsProp(node, (const xmlChar *)name) : NULL;

    reader->out_of_memory |= found != NULL && raw == NULL;
    return take_text(reader, raw);
}

static bool attribute_is(struct reader *reader, const xmlNode *node, const char *name, const char *expected)
{
    _cleanup_(freep) char *value = attribute(reader, node, name);

    return value != NULL && strcmp(value, expected) == 0;
}

static _printf_(2, 3) char *format(struct reader *reader, const char *pattern, ...)
{
    va_list arguments;
    char *text;

    va_start(arguments, pattern);
    int length = vasprintf(&text, pattern, arguments);
    va_end(arguments);
    if (length >= 0)
        return text;
    reader->out_of_memory = true;
    return NULL;
}

/* Room for one more element at the end of an array of `count`; NULL: out of memory, the array is as it was. */
static void *grow(struct reader *reader, void *array, size_t count, size_t size)
{
    void *larger = reallocarray(array, count + 1, size);

    reader->out_of_memory |= larger == NULL;
    return larger;
}

static bool parse_u64(const char *text, uint64_t *ret)
{
    char *end;

    if (text == NULL || !isdigit((unsigned char)text[0]))
        return false;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (errno != 0 || *end != '\0')
        return false;
    *ret = value;
    return true;
}

/*
 * The factor of a unit in bytes as libvirt scales: "KiB" and "k" are 1024, "KB" is 1000, and so on;
 * no unit means KiB (https://libvirt.org/formatdomain.html#memory-allocation).
 */
static bool unit_factor(const char *unit, uint64_t *ret)
{
    static const char powers[] = "kmgtpe";
    uint64_t factor = 1, base;

    if (unit == NULL)
        unit = "KiB";
    if (strcasecmp(unit, "b") == 0 || strcasecmp(unit, "byte") == 0 || strcasecmp(unit, "bytes") == 0) {
        *ret = 1;
        return true;
    }
    const char *power = strchr(powers, tolower((unsigned char)unit[0]));
    if (power == NULL || *power == '\0')
        return false;
    if (unit[1] == '\0' || strcasecmp(unit + 1, "ib") == 0)
        base = 1024;
    else if (strcasecmp(unit + 1, "b") == 0)
        base = 1000;
    else
        return false;
    for (const char *p = powers; p <= power; p++)
        factor *= base;
    *ret = factor;
    return true;
}

static void read_memory(struct reader *reader, const xmlNode *domain)
{
    const xmlNode *node = child(domain, "memory");
    _cleanup_(freep) char *text = element_text(reader, node);
    _cleanup_(freep) char *unit = attribute(reader, node, "unit");
    uint64_t amount, factor, bytes;

    if (node == NULL)
        return;
    if (parse_u64(text, &amount) && unit_factor(unit, &factor) && !__builtin_mul_overflow(amount, factor, &bytes))
        reader->description->memory_kib = bytes / 1024 + (bytes % 1024 != 0);
    else
        warn(reader, node, "memory is not an amount with a known unit", text);
}

/* <vcpu current='2'>4</vcpu>: two are plugged in. libvirt's default is one. */
static void read_vcpus(struct reader *reader, const xmlNode *domain)
{
    const xmlNode *node = child(domain, "vcpu");
    _cleanup_(freep) char *text = attribute(reader, node, "current");
    uint64_t count = 1;

    if (text == NULL)
        text = element_text(reader, node);
    if (node == NULL || (parse_u64(text, &count) && count > 0 && count <= UINT32_MAX))
        reader->description->vcpus = (uint32_t)count;
    else
        warn(reader, node, "vcpu is not a number of CPUs", text);
}

static void read_on_crash(struct reader *reader, const xmlNode *domain)
{
    static const struct {
        const char *word;
        enum on_crash action;
    } words[] = {
        {"destroy", ON_CRASH_DESTROY},          {"coredump-destroy", ON_CRASH_DESTROY}, {"restart", ON_CRASH_RESTART},
        {"coredump-restart", ON_CRASH_RESTART}, {"rename-restart", ON_CRASH_RESTART},   {"preserve", ON_CRASH_PRESERVE},
    };
    const xmlNode *node = child(domain, "on_crash");
    _cleanup_(freep) char *text = element_text(reader, node);

    if (text == NULL)
        return;
    for (size_t i = 0; i < ELEMENTS_OF(words); i++)
        if (strcmp(text, words[i].word) == 0) {
            reader->description->on_crash = words[i].action;
            return;
        }
    warn(reader, node, "unknown on_crash", text);
}

/* "@host:port", or "@" and the path of a Unix socket; empty without a host. NULL: out of memory. */
static char *network_host(struct reader *reader, const xmlNode *source)
{
    const xmlNode *host = child(source, "host");
    _cleanup_(freep) char *name = attribute(reader, host, "name");
    _cleanup_(freep) char *port = attribute(reader, host, "port");
    _cleanup_(freep) char *socket = attribute(reader, host, "socket");

    if (socket != NULL)
        return format(reader, "@%s", socket);
    if (name == NULL)
        return format(reader, "%s", "");
    return format(reader, "@%s%s%s", name, port != NULL ? ":" : "", port != NULL ? port : "");
}

/*
 * Where the name alone says which image it is, hosts are left out: they are many ways to the one
 * image, and two machines need not list them alike.
 */
static char *network_source(struct reader *reader, const xmlNode *source)
{
    static const char *const self_sufficient[] = {"rbd", "iscsi", "gluster", "sheepdog", "vxhs"};
    _cleanup_(freep) char *protocol = attribute(reader, source, "protocol");
    _cleanup_(freep) char *name = attribute(reader, source, "name");

    if (protocol == NULL)
        return NULL;
    for (size_t i = 0; name != NULL && i < ELEMENTS_OF(self_sufficient); i++)
        if (strcmp(protocol, self_sufficient[i]) == 0)
            return format(reader, "%s:%s", protocol, name);

    _cleanup_(freep) char *host = network_host(reader, source);
    return host != NULL ? format(reader, "%s:%s%s", protocol, name != NULL ? name : "", host) : NULL;
}

/* <source type='pci' namespace='1'><address domain='0x0000' bus='0x01' slot='0x00' function='0x0'/></source> */
static char *nvme_source(struct reader *reader, const xmlNode *source)
{
    static const char *const parts[] = {"domain", "bus", "slot", "function"};
    _cleanup_(freep) char *namespace = attribute(reader, source, "namespace");
    const xmlNode *address = child(source, "address");
    unsigned long numbers[ELEMENTS_OF(parts)] = {0};

    if (address == NULL)
        return NULL;
    for (size_t i = 0; i < ELEMENTS_OF(parts); i++) {
        _cleanup_(freep) char *text = attribute(reader, address, parts[i]);

        if (text != NULL)
            numbers[i] = strtoul(text, NULL, 16);
    }
    return format(reader, "nvme:%04lx:%02lx:%02lx.%lx/%s", numbers[0], numbers[1], numbers[2], numbers[3],
                  namespace != NULL ? namespace : "1");
}

/* Leaves disk->source NULL where there is no medium. */
static void read_source(struct reader *reader, const xmlNode *node, struct disk *disk)
{
    static const char *const paths[] = {"file", "dev", "dir", "path"}; /* file, block, dir, vhostuser */
    const xmlNode *source = child(node, "source");
    _cleanup_(freep) char *type = attribute(reader, node, "type");

    if (source == NULL || type == NULL)
        return;
    if (strcmp(type, "network") == 0) {
        disk->source = network_source(reader, source);
    } else if (strcmp(type, "nvme") == 0) {
        disk->source = nvme_source(reader, source);
    } else if (strcmp(type, "volume") == 0) {
        disk->pool = attribute(reader, source, "pool");
        disk->volume = attribute(reader, source, "volume");
        if (disk->pool != NULL && disk->volume != NULL)
            disk->source = format(reader, "%s/%s", disk->pool, disk->volume);
    } else {
        for (size_t i = 0; i < ELEMENTS_OF(paths) && disk->source == NULL; i++)
            disk->source = attribute(reader, source, paths[i]);
    }
}

static void disk_done(struct disk *disk)
{
    free(disk->source);
    free(disk->pool);
    free(disk->volume);
    free(disk->target);
}

static void read_disk(struct reader *reader, const xmlNode *node)
{
    struct domain_description *description = reader->description;
    bool is_cdrom = attribute_is(reader, node, "device", "cdrom");
    bool is_floppy = attribute_is(reader, node, "device", "floppy");
    _cleanup_(disk_done) struct disk disk = {
        .target = attribute(reader, child(node, "target"), "dev"),
        .writable = !is_cdrom && child(node, "readonly") == NULL,
        .shareable = child(node, "shareable") != NULL,
    };

    read_source(reader, node, &disk);
    if (disk.source == NULL) {
        if (!is_cdrom && !is_floppy)
            warn(reader, node, "disk without a source", disk.target);
        return;
    }
    struct disk *disks = grow(reader, description->disks, description->n_disks, sizeof(*disks));
    if (disks == NULL)
        return;
    description->disks = disks;
    disks[description->n_disks++] = disk;
    disk = (struct disk){0};
}

static void read_interface(struct reader *reader, const xmlNode *node)
{
    struct domain_description *description = reader->description;
    _cleanup_(freep) char *mac = attribute(reader, child(node, "mac"), "address");

    if (mac == NULL)
        return;
    for (char *p = mac; *p != '\0'; p++)
        *p = (char)tolower((unsigned char)*p);

    char **macs = grow(reader, description->macs, description->n_macs, sizeof(*macs));
    if (macs == NULL)
        return;
    description->macs = macs;
    macs[description->n_macs++] = steal_pointer(&mac);
}

static void read_channel(struct reader *reader, const xmlNode *node)
{
    const xmlNode *target = child(node, "target");

    if (!attribute_is(reader, target, "name", AGENT_CHANNEL))
        return;
    reader->description->has_agent_channel = true;
    reader->description->agent_connected = attribute_is(reader, target, "state", "connected");
}

static void read_panic(struct reader *reader, const xmlNode *node)
{
    (void)node;
    reader->description->has_panic_device = true;
}

static void read_devices(struct reader *reader, const xmlNode *domain)
{
    static const struct {
        const char *element;
        void (*read)(struct reader *reader, const xmlNode *node);
    } devices[] = {
        {"disk", read_disk},
        {"interface", read_interface},
        {"channel", read_channel},
        {"panic", read_panic},
    };
    const xmlNode *parent = child(domain, "devices");

    for (const xmlNode *node = parent != NULL ? parent->children : NULL; node != NULL; node = node->next)
        for (size_t i = 0; i < ELEMENTS_OF(devices); i++)
            if (is_element(node, devices[i].element))
                devices[i].read(reader, node);
}

static void read_osinfo(struct reader *reader, const xmlNode *domain)
{
    const xmlNode *libosinfo = child_in(child(domain, "metadata"), "libosinfo", OSINFO_URI);

    reader->description->osinfo_id = attribute(reader, child_in(libosinfo, "os", OSINFO_URI), "id");
}

/* <understudy:resource kind="language">nodejs</understudy:resource>; empty: it has none of this kind. */
static void read_resource(struct reader *reader, const xmlNode *node)
{
    struct domain_description *description = reader->description;
    _cleanup_(freep) char *kind = attribute(reader, node, "kind");
    _cleanup_(freep) char *value = element_text(reader, node);

    if (kind == NULL) {
        warn(reader, node, "understudy metadata: resource without a kind", value);
        return;
    }
    struct feature_text *features = grow(reader, description->features, description->n_features, sizeof(*features));
    if (features == NULL)
        return;
    description->features = features;
    features[description->n_features].kind = steal_pointer(&kind);
    features[description->n_features++].value = steal_pointer(&value);
}

static void read_role(struct reader *reader, const xmlNode *machine)
{
    _cleanup_(freep) char *role = attribute(reader, machine, "role");
    unsigned roles;

    if (role == NULL)
        return;
    if (machine_roles_parse(role, &roles) < 0)
        warn(reader, machine, "understudy metadata: role is not made of protected and standby, or ignored", role);
    else
        reader->description->role = steal_pointer(&role);
}

static void read_priority(struct reader *reader, const xmlNode *machine)
{
    _cleanup_(freep) char *text = attribute(reader, machine, "priority");
    char *end;

    if (text == NULL)
        return;
    errno = 0;
    long priority = strtol(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || priority < INT_MIN || priority > INT_MAX) {
        warn(reader, machine, "understudy metadata: priority is not a number", text);
        return;
    }
    reader->description->has_priority = true;
    reader->description->priority = (int)priority;
}

static void read_metadata(struct reader *reader, const xmlNode *domain)
{
    const xmlNode *machine = child_in(child(domain, "metadata"), "machine", UNDERSTUDY_METADATA_URI);

    if (machine == NULL)
        return;
    reader->description->has_metadata = true;
    read_role(reader, machine);
    read_priority(reader, machine);
    for (const xmlNode *node = machine->children; node != NULL; node = node->next) {
        if (node->type != XML_ELEMENT_NODE)
            continue;
        if (is_element(node, "resource") && in_namespace(node, UNDERSTUDY_METADATA_URI))
            read_resource(reader, node);
        else
            warn(reader, node, "understudy metadata: unknown element", (const char *)node->name);
    }
}

/* 32 hexadecimal digits in groups of 8-4-4-4-12, taken over in lower case. */
static bool copy_uuid(const char *text, char ret[static UUID_TEXT_SIZE])
{
    if (text == NULL || strlen(text) != UUID_TEXT_SIZE - 1)
        return false;
    for (size_t i = 0; i < UUID_TEXT_SIZE - 1; i++) {
        bool is_dash = i == 8 || i == 13 || i == 18 || i == 23;

        if (is_dash ? text[i] != '-' : !isxdigit((unsigned char)text[i]))
            return false;
    }
    for (size_t i = 0; i < UUID_TEXT_SIZE; i++)
        ret[i] = (char)tolower((unsigned char)text[i]);
    return true;
}

static int read_domain(struct reader *reader, const xmlNode *domain)
{
    _cleanup_(freep) char *uuid = element_text(reader, child(domain, "uuid"));
    bool is_identified;

    reader->description->name = element_text(reader, child(domain, "name"));
    is_identified = reader->description->name != NULL && copy_uuid(uuid, reader->description->uuid);
    read_memory(reader, domain);
    read_vcpus(reader, domain);
    read_on_crash(reader, domain);
    read_devices(reader, domain);
    read_osinfo(reader, domain);
    read_metadata(reader, domain);
    if (reader->out_of_memory)
        return -ENOMEM;
    if (!is_identified) {
        diags_add(reader->diags, DIAG_ERROR, reader->name, 0, 0, "domain without a name or a valid UUID");
        return -EINVAL;
    }
    return 0;
}

static int parse_document(const char *xml, size_t length, const char *name, struct diags *diags, xmlDoc **ret)
{
    static const int options = XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_NOCDATA;
    _cleanup_(xmlFreeParserCtxtp) xmlParserCtxt *context = xmlNewParserCtxt();
    _cleanup_(xmlFreeDocp) xmlDoc *document = NULL;

    if (context == NULL)
        return -ENOMEM;
    if (length <= INT_MAX)
        document = xmlCtxtReadMemory(context, xml, (int)length, NULL, NULL, options);
    const xmlError *error = xmlCtxtGetLastError(context);
    /* There may be a document then, of what was read up to there. */
    if (error != NULL && error->code == XML_ERR_NO_MEMORY)
        return -ENOMEM;
    if (document == NULL) {
        diags_add(diags, DIAG_ERROR, name, error != NULL && error->line > 0 ? (unsigned)error->line : 0, 0,
                  "not well-formed XML");
        return -EINVAL;
    }
    const xmlNode *root = xmlDocGetRootElement(document);
    if (document->intSubset != NULL || root == NULL || !is_element(root, "domain")) {
        diags_add(diags, DIAG_ERROR, name, 0, 0, "not a libvirt domain document");
        return -EINVAL;
    }
    *ret = steal_pointer(&document);
    return 0;
}

void domain_xml_prepare(void)
{
    xmlInitParser();
}

int domain_xml_parse(const char *xml, size_t length, const char *name, struct diags *diags,
                     struct domain_description **ret)
{
    _cleanup_(xmlFreeDocp) xmlDoc *document = NULL;
    _cleanup_(domain_description_freep) struct domain_description *description = NULL;
    int r;

    r = parse_document(xml, length, name, diags, &document);
    if (r < 0)
        return r;
    description = calloc(1, sizeof(*description));
    if (description == NULL)
        return -ENOMEM;

    struct reader reader = {.name = name, .diags = diags, .description = description};
    r = read_domain(&reader, xmlDocGetRootElement(document));
    if (r < 0)
        return r;
    *ret = steal_pointer(&description);
    return 0;
}
