/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reads domain XML with libxml2's tree: no network, no document type (so no entities), no output.
 * Knows the shape of the document and nothing of what the rest of the program makes of it.
 */
#include "model/domain_xml.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <libxml/parser.h>
#include <libxml/tree.h>

#include "model/hostdev_xml.h"
#include "model/metadata_xml.h"
#include "model/xml.h"

#define OSINFO_URI    "http://libosinfo.org/xmlns/libvirt/domain/1.0"
#define AGENT_CHANNEL "org.qemu.guest_agent.0"

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

static void read_memory(struct xml_reader *reader, const xmlNode *domain)
{
    const xmlNode *node = xml_child(domain, "memory");
    _cleanup_(freep) char *text = xml_text(reader, node);
    _cleanup_(freep) char *unit = xml_attribute(reader, node, "unit");
    uint64_t amount, factor, bytes;

    reader->description->has_hugepages = xml_child(xml_child(domain, "memoryBacking"), "hugepages") != NULL;
    if (node == NULL)
        return;
    if (parse_u64(text, &amount) && unit_factor(unit, &factor) && !__builtin_mul_overflow(amount, factor, &bytes))
        reader->description->memory_kib = bytes / 1024 + (bytes % 1024 != 0);
    else
        xml_warn(reader, node, "memory is not an amount with a known unit", text);
}

/* <vcpu current='2'>4</vcpu>: two are plugged in. libvirt's default is one. */
static void read_vcpus(struct xml_reader *reader, const xmlNode *domain)
{
    const xmlNode *node = xml_child(domain, "vcpu");
    _cleanup_(freep) char *text = xml_attribute(reader, node, "current");
    uint64_t count = 1;

    if (text == NULL)
        text = xml_text(reader, node);
    if (node == NULL || (parse_u64(text, &count) && count > 0 && count <= UINT32_MAX))
        reader->description->vcpus = (uint32_t)count;
    else
        xml_warn(reader, node, "vcpu is not a number of CPUs", text);
}

static void read_on_crash(struct xml_reader *reader, const xmlNode *domain)
{
    static const struct {
        const char *word;
        enum on_crash action;
    } words[] = {
        {"destroy", ON_CRASH_DESTROY},          {"coredump-destroy", ON_CRASH_DESTROY}, {"restart", ON_CRASH_RESTART},
        {"coredump-restart", ON_CRASH_RESTART}, {"rename-restart", ON_CRASH_RESTART},   {"preserve", ON_CRASH_PRESERVE},
    };
    const xmlNode *node = xml_child(domain, "on_crash");
    _cleanup_(freep) char *text = xml_text(reader, node);

    if (text == NULL)
        return;
    for (size_t i = 0; i < ELEMENTS_OF(words); i++)
        if (strcmp(text, words[i].word) == 0) {
            reader->description->on_crash = words[i].action;
            return;
        }
    xml_warn(reader, node, "unknown on_crash", text);
}

/* The port that libvirt takes where none is named; "": it has none. */
static const char *default_port(const char *protocol)
{
    static const struct {
        const char *protocol, *port;
    } ports[] = {
        {"nbd", "10809"}, {"http", "80"}, {"https", "443"}, {"ftp", "21"},
        {"ftps", "990"},  {"tftp", "69"}, {"ssh", "22"},    {"nfs", "2049"},
    };

    for (size_t i = 0; i < ELEMENTS_OF(ports); i++)
        if (strcmp(protocol, ports[i].protocol) == 0)
            return ports[i].port;
    return "";
}

/* "@host:port", or "@" and the path of a Unix socket; empty without a host. NULL: out of memory. */
static char *network_host(struct xml_reader *reader, const xmlNode *source, const char *protocol)
{
    const xmlNode *host = xml_child(source, "host");
    _cleanup_(freep) char *name = xml_attribute(reader, host, "name");
    _cleanup_(freep) char *port = xml_attribute(reader, host, "port");
    _cleanup_(freep) char *socket = xml_attribute(reader, host, "socket");

    if (socket != NULL)
        return xml_format(reader, "@%s", socket);
    if (name == NULL)
        return xml_format(reader, "%s", "");
    for (char *c = name; *c != '\0'; c++)
        *c = (char)tolower((unsigned char)*c);
    if (port == NULL)
        port = xml_format(reader, "%s", default_port(protocol));
    if (port == NULL)
        return NULL;
    return xml_format(reader, "@%s%s%s", name, port[0] != '\0' ? ":" : "", port);
}

/* An iSCSI target without a unit means its unit 0. */
static char *iscsi_source(struct xml_reader *reader, const char *name)
{
    return xml_format(reader, "iscsi:%s%s", name, strchr(name, '/') != NULL ? "" : "/0");
}

/*
 * One text for all spellings of a source. Where the name alone says which image it is, hosts are left out: they are many
 * ways to the one image, and two machines need not list them alike.
 */
static char *network_source(struct xml_reader *reader, const xmlNode *source)
{
    static const char *const self_sufficient[] = {"rbd", "gluster", "sheepdog", "vxhs"};
    _cleanup_(freep) char *protocol = xml_attribute(reader, source, "protocol");
    _cleanup_(freep) char *name = xml_attribute(reader, source, "name");
    _cleanup_(freep) char *query = xml_attribute(reader, source, "query");

    if (protocol == NULL)
        return NULL;
    if (name != NULL && strcmp(protocol, "iscsi") == 0)
        return iscsi_source(reader, name);
    for (size_t i = 0; name != NULL && i < ELEMENTS_OF(self_sufficient); i++)
        if (strcmp(protocol, self_sufficient[i]) == 0)
            return xml_format(reader, "%s:%s", protocol, name);

    _cleanup_(freep) char *host = network_host(reader, source, protocol);
    return host != NULL ? xml_format(reader, "%s:%s%s%s%s", protocol, name != NULL ? name : "",
                                     query != NULL ? "?" : "", query != NULL ? query : "", host)
                        : NULL;
}

/* <source type='pci' namespace='1'><address domain='0x0000' bus='0x01' slot='0x00' function='0x0'/></source> */
static char *nvme_source(struct xml_reader *reader, const xmlNode *source)
{
    _cleanup_(freep) char *namespace = xml_attribute(reader, source, "namespace");
    _cleanup_(freep) char *address = hostdev_pci_address(reader, xml_child(source, "address"));

    if (address == NULL)
        return NULL;
    return xml_format(reader, "nvme:%s/%s", address, namespace != NULL ? namespace : "1");
}

/* NULL where there is no medium. The storage pool and the volume are told apart from the source. */
static char *disk_source(struct xml_reader *reader, const xmlNode *node, char **ret_pool, char **ret_volume)
{
    static const char *const paths[] = {"file", "dev", "dir", "path"}; /* file, block, dir, vhostuser */
    const xmlNode *source = xml_child(node, "source");
    _cleanup_(freep) char *type = xml_attribute(reader, node, "type");
    char *path = NULL;

    if (source == NULL || type == NULL)
        return NULL;
    if (strcmp(type, "network") == 0)
        return network_source(reader, source);
    if (strcmp(type, "nvme") == 0)
        return nvme_source(reader, source);
    if (strcmp(type, "volume") == 0) {
        *ret_pool = xml_attribute(reader, source, "pool");
        *ret_volume = xml_attribute(reader, source, "volume");
        if (*ret_pool == NULL || *ret_volume == NULL)
            return NULL;
        return xml_format(reader, "%s/%s", *ret_pool, *ret_volume);
    }
    for (size_t i = 0; i < ELEMENTS_OF(paths) && path == NULL; i++)
        path = xml_attribute(reader, source, paths[i]);
    return path;
}

/* Takes the texts of the disk where there is memory. */
static void add_disk(struct xml_reader *reader, struct disk *disk)
{
    struct domain_description *description = reader->description;
    struct disk *disks = reallocarray(description->disks, description->n_disks + 1, sizeof(*disks));

    if (disks == NULL) {
        reader->out_of_memory = true;
        return;
    }
    description->disks = disks;
    disks[description->n_disks++] = *disk;
    *disk = (struct disk){0};
}

/* The disk, or an image below one. */
static void add_source(struct xml_reader *reader, const xmlNode *node, const char *target, struct disk *disk)
{
    _cleanup_(freep) char *pool = NULL;
    _cleanup_(freep) char *volume = NULL;
    _cleanup_(freep) char *source = disk_source(reader, node, &pool, &volume);

    if (source == NULL)
        return;
    if (disk_set_texts(disk, source, pool, volume, target) == 0)
        add_disk(reader, disk);
    else
        reader->out_of_memory = true;
    disk_done(disk);
}

/*
 * <backingStore type='file'><source file='/base.qcow2'/><backingStore/></backingStore>: the running machine, and a
 * definition that names its chain, say what stands below a disk. An empty one ends the chain.
 */
static void read_chain(struct xml_reader *reader, const xmlNode *node, const char *target)
{
    while ((node = xml_child(node, "backingStore")) != NULL) {
        struct disk image = {.is_backing = true};

        add_source(reader, node, target, &image);
    }
}

static void read_disk(struct xml_reader *reader, const xmlNode *node)
{
    bool is_cdrom = xml_attribute_is(reader, node, "device", "cdrom");
    bool is_floppy = xml_attribute_is(reader, node, "device", "floppy");
    _cleanup_(freep) char *target = xml_attribute(reader, xml_child(node, "target"), "dev");
    uint32_t n_before = reader->description->n_disks;
    struct disk disk = {
        .writable = !is_cdrom && xml_child(node, "readonly") == NULL,
        .shareable = xml_child(node, "shareable") != NULL,
        .has_chain = xml_child(node, "backingStore") != NULL,
    };

    add_source(reader, node, target, &disk);
    if (reader->description->n_disks > n_before) {
        read_chain(reader, node, target);
        hostdev_read_nvme(reader, node);
    } else if (!is_cdrom && !is_floppy && !reader->out_of_memory) {
        xml_warn(reader, node, "disk without a source", target);
    }
}

static void read_interface(struct xml_reader *reader, const xmlNode *node)
{
    _cleanup_(freep) char *mac = xml_attribute(reader, xml_child(node, "mac"), "address");

    if (mac != NULL && domain_description_add_mac(reader->description, mac) == -ENOMEM)
        reader->out_of_memory = true;
    hostdev_read_interface(reader, node);
}

static void read_channel(struct xml_reader *reader, const xmlNode *node)
{
    const xmlNode *target = xml_child(node, "target");

    if (!xml_attribute_is(reader, target, "name", AGENT_CHANNEL))
        return;
    reader->description->has_agent_channel = true;
    reader->description->agent_connected = xml_attribute_is(reader, target, "state", "connected");
}

static void read_panic(struct xml_reader *reader, const xmlNode *node)
{
    (void)node;
    reader->description->has_panic_device = true;
}

static void read_devices(struct xml_reader *reader, const xmlNode *domain)
{
    static const struct {
        const char *element;
        void (*read)(struct xml_reader *reader, const xmlNode *node);
    } devices[] = {
        {"disk", read_disk},       {"interface", read_interface}, {"hostdev", hostdev_read},
        {"channel", read_channel}, {"panic", read_panic},
    };
    const xmlNode *parent = xml_child(domain, "devices");

    for (const xmlNode *node = parent != NULL ? parent->children : NULL; node != NULL; node = node->next)
        for (size_t i = 0; i < ELEMENTS_OF(devices); i++)
            if (xml_is_element(node, devices[i].element))
                devices[i].read(reader, node);
}

static void read_osinfo(struct xml_reader *reader, const xmlNode *domain)
{
    const xmlNode *libosinfo = xml_child_in(xml_child(domain, "metadata"), "libosinfo", OSINFO_URI);

    reader->description->osinfo_id = xml_attribute(reader, xml_child_in(libosinfo, "os", OSINFO_URI), "id");
}

/* False: the document names no domain. */
static bool read_identity(struct xml_reader *reader, const xmlNode *domain)
{
    _cleanup_(freep) char *uuid = xml_text(reader, xml_child(domain, "uuid"));

    reader->description->name = xml_text(reader, xml_child(domain, "name"));
    return reader->description->name != NULL && uuid != NULL && uuid_parse(uuid, reader->description->uuid);
}

static bool take_identity(struct xml_reader *reader, const struct domain_identity *identity)
{
    reader->description->name = xml_format(reader, "%s", identity->name);
    return uuid_parse(identity->uuid, reader->description->uuid);
}

/* What the metadata says depends on whose it is, so the identity is first. */
static int read_domain(struct xml_reader *reader, const xmlNode *domain, const struct domain_identity *identity)
{
    bool is_identified = identity != NULL ? take_identity(reader, identity) : read_identity(reader, domain);

    reader->description->is_live = xmlHasProp(domain, (const xmlChar *)"id") != NULL;
    read_memory(reader, domain);
    read_vcpus(reader, domain);
    read_on_crash(reader, domain);
    read_devices(reader, domain);
    read_osinfo(reader, domain);
    metadata_xml_read(reader, domain);
    if (reader->out_of_memory)
        return -ENOMEM;
    if (!is_identified) {
        diags_add(reader->diags, DIAG_ERROR, reader->name, 0, 0, "domain without a name or a valid UUID");
        return -EINVAL;
    }
    return 0;
}

void domain_xml_prepare(void)
{
    xmlInitParser();
}

int domain_xml_parse_as(const char *xml, size_t length, const char *name, const struct domain_identity *identity,
                        struct diags *diags, struct domain_description **ret)
{
    _cleanup_(xmlFreeDocp) xmlDoc *document = NULL;
    _cleanup_(domain_description_freep) struct domain_description *description = NULL;
    int r;

    /* It is only read: a tree without indentation, and with short texts inside their nodes, takes two thirds of the time. */
    r = xml_open_domain(xml, length, name, XML_PARSE_NOBLANKS | XML_PARSE_COMPACT, diags, &document);
    if (r < 0)
        return r;
    description = calloc(1, sizeof(*description));
    if (description == NULL)
        return -ENOMEM;

    struct xml_reader reader = {.name = name, .diags = diags, .description = description};
    r = read_domain(&reader, xmlDocGetRootElement(document), identity);
    if (r < 0)
        return r;
    *ret = steal_pointer(&description);
    return 0;
}

int domain_xml_parse(const char *xml, size_t length, const char *name, struct diags *diags,
                     struct domain_description **ret)
{
    return domain_xml_parse_as(xml, length, name, NULL, diags, ret);
}
