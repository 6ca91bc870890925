/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Host devices in domain XML (https://libvirt.org/formatdomain.html#host-device-assignment). */
#include "model/hostdev_xml.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Takes the text, NULL for a device that is not understood. */
static void add(struct xml_reader *reader, char *text)
{
    _cleanup_(freep) char *hostdev = text;

    if (hostdev != NULL && domain_description_add_hostdev(reader->description, hostdev) < 0)
        reader->out_of_memory = true;
}

/* Decimal, "0x…" or, after a 0, octal, as libvirt reads it. 0 without the attribute. False: no number up to max. */
static bool read_number(struct xml_reader *reader, const xmlNode *node, const char *name, uint64_t max, uint64_t *ret)
{
    _cleanup_(freep) char *text = xml_attribute(reader, node, name);
    char *end;

    *ret = 0;
    if (text == NULL)
        return true;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 0);
    if (errno != 0 || text[0] == '-' || end == text || *end != '\0' || value > max)
        return false;
    *ret = value;
    return true;
}

/* libvirt, too, takes 0000:00:00 for no address. */
char *hostdev_pci_address(struct xml_reader *reader, const xmlNode *address)
{
    uint64_t domain, bus, slot, function;

    if (address == NULL || !read_number(reader, address, "domain", UINT32_MAX, &domain) ||
        !read_number(reader, address, "bus", 0xff, &bus) || !read_number(reader, address, "slot", 0x1f, &slot) ||
        !read_number(reader, address, "function", 7, &function) || (domain == 0 && bus == 0 && slot == 0))
        return NULL;
    return xml_format(reader, "%04" PRIx64 ":%02" PRIx64 ":%02" PRIx64 ".%" PRIx64, domain, bus, slot, function);
}

static void add_pci(struct xml_reader *reader, const xmlNode *address)
{
    _cleanup_(freep) char *text = hostdev_pci_address(reader, address);

    if (text != NULL)
        add(reader, xml_format(reader, "pci %s", text));
}

static void add_usb_address(struct xml_reader *reader, const xmlNode *address)
{
    uint64_t bus, device;

    if (address != NULL && read_number(reader, address, "bus", UINT32_MAX, &bus) &&
        read_number(reader, address, "device", UINT32_MAX, &device) && bus != 0 && device != 0)
        add(reader, xml_format(reader, "usb bus %" PRIu64 " device %" PRIu64, bus, device));
}

static void read_pci(struct xml_reader *reader, const xmlNode *source)
{
    add_pci(reader, xml_child(source, "address"));
}

/*
 * By what it is, by where it is, or by both. libvirt adds the address while the machine runs, so that only together
 * they meet every other machine that names the device in one of the two ways.
 */
static void read_usb(struct xml_reader *reader, const xmlNode *source)
{
    uint64_t vendor, product;

    if (read_number(reader, xml_child(source, "vendor"), "id", UINT16_MAX, &vendor) &&
        read_number(reader, xml_child(source, "product"), "id", UINT16_MAX, &product) && vendor != 0 && product != 0)
        add(reader, xml_format(reader, "usb %04" PRIx64 ":%04" PRIx64, vendor, product));
    add_usb_address(reader, xml_child(source, "address"));
}

static void read_mdev(struct xml_reader *reader, const xmlNode *source)
{
    _cleanup_(freep) char *text = xml_attribute(reader, xml_child(source, "address"), "uuid");
    char uuid[UUID_TEXT_SIZE];

    if (xml_copy_uuid(text, uuid))
        add(reader, xml_format(reader, "mdev %s", uuid));
}

/* <adapter name='scsi_host0'/><address bus='0' target='1' unit='2'/>, or protocol='iscsi' with a name. */
static void read_scsi(struct xml_reader *reader, const xmlNode *source)
{
    static const char prefix[] = "scsi_host";
    _cleanup_(freep) char *name = xml_attribute(reader, source, "name");
    _cleanup_(freep) char *adapter = xml_attribute(reader, xml_child(source, "adapter"), "name");
    const xmlNode *address = xml_child(source, "address");
    uint64_t bus, target, unit;

    if (xml_attribute_is(reader, source, "protocol", "iscsi") && name != NULL) {
        add(reader, xml_format(reader, "scsi iscsi:%s", name));
        return;
    }
    if (adapter == NULL || strncmp(adapter, prefix, strlen(prefix)) != 0 || address == NULL)
        return;
    const char *host = adapter + strlen(prefix);
    if (*host != '\0' && host[strspn(host, "0123456789")] == '\0' &&
        read_number(reader, address, "bus", UINT32_MAX, &bus) &&
        read_number(reader, address, "target", UINT32_MAX, &target) &&
        read_number(reader, address, "unit", UINT64_MAX, &unit))
        add(reader, xml_format(reader, "scsi %s:%" PRIu64 ":%" PRIu64 ":%" PRIu64, host, bus, target, unit));
}

static void read_scsi_host(struct xml_reader *reader, const xmlNode *source)
{
    _cleanup_(freep) char *name = xml_attribute(reader, source, "wwpn");

    if (xml_attribute_is(reader, source, "protocol", "vhost") && name != NULL)
        add(reader, xml_format(reader, "scsi %s", name));
}

void hostdev_read(struct xml_reader *reader, const xmlNode *hostdev)
{
    static const struct {
        const char *type;
        void (*read)(struct xml_reader *reader, const xmlNode *source);
    } types[] = {
        {"pci", read_pci}, {"usb", read_usb}, {"mdev", read_mdev}, {"scsi", read_scsi}, {"scsi_host", read_scsi_host},
    };
    _cleanup_(freep) char *mode = xml_attribute(reader, hostdev, "mode");
    _cleanup_(freep) char *type = xml_attribute(reader, hostdev, "type");
    const xmlNode *source = xml_child(hostdev, "source");

    /* Without a mode it is a subsystem's. Only SCSI devices can be shareable. */
    if (source == NULL || type == NULL || (mode != NULL && strcmp(mode, "subsystem") != 0) ||
        xml_child(hostdev, "shareable") != NULL)
        return;
    for (size_t i = 0; i < ELEMENTS_OF(types); i++)
        if (strcmp(type, types[i].type) == 0)
            types[i].read(reader, source);
}

void hostdev_read_interface(struct xml_reader *reader, const xmlNode *interface)
{
    const xmlNode *address = xml_child(xml_child(interface, "source"), "address");

    if (!xml_attribute_is(reader, interface, "type", "hostdev"))
        return;
    if (xml_attribute_is(reader, address, "type", "pci"))
        add_pci(reader, address);
    else if (xml_attribute_is(reader, address, "type", "usb"))
        add_usb_address(reader, address);
}

void hostdev_read_nvme(struct xml_reader *reader, const xmlNode *disk)
{
    if (xml_attribute_is(reader, disk, "type", "nvme"))
        add_pci(reader, xml_child(xml_child(disk, "source"), "address"));
}
