/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/own_xml.h"

#include "model/xml.h"
#include "model/xml_edit.h"

/* Where the state of its firmware and TPM is. libvirt gives a new path to one without a path, and copies what `template` names. */
static void forget_nvram(xmlNode *domain, xmlNode *devices)
{
    xmlNode *nvram = xml_edit_child(xml_edit_child(domain, "os"), "nvram");

    xmlUnsetProp(xml_edit_child(xml_edit_child(domain, "os"), "varstore"), BAD_CAST "path");
    for (xmlNode *node = devices->children; node != NULL; node = node->next)
        if (xml_is_element(node, "tpm"))
            xml_edit_discard_children(xml_edit_child(node, "backend"), "source");
    if (nvram == NULL)
        return;
    xml_edit_discard_children(nvram, NULL);
    xmlUnsetProp(nvram, BAD_CAST "type");
}

/* An empty <genid/> asks libvirt for a new one; without the element the guest would lose the device. */
static void forget_generation(xmlNode *domain)
{
    xml_edit_discard_children(xml_edit_child(domain, "genid"), NULL);
}

/* libvirt refuses a UUID there that is not that of the domain, and takes the domain's where none is. */
static void forget_serial(xmlNode *domain)
{
    xmlNode *system = xml_edit_child(xml_edit_child(domain, "sysinfo"), "system"), *next;

    for (xmlNode *entry = system != NULL ? system->children : NULL; entry != NULL; entry = next) {
        next = entry->next;
        if (xml_is_element(entry, "entry") && xml_edit_attribute_is(entry, "name", "uuid"))
            xml_edit_discard(entry);
    }
}

static void forget_labels(xmlNode *domain)
{
    for (xmlNode *node = domain->children; node != NULL; node = node->next)
        if (xml_is_element(node, "seclabel") && xml_edit_attribute_is(node, "type", "dynamic")) {
            xml_edit_discard_children(node, "label");
            xml_edit_discard_children(node, "imagelabel");
        }
}

/* Open vSwitch tells ports apart by it. Of the other types libvirt makes none by itself. */
static void forget_port(xmlNode *interface)
{
    xmlNode *port = xml_edit_child(interface, "virtualport");
    xmlNode *parameters = xml_edit_child(port, "parameters");

    if (parameters != NULL && xml_edit_attribute_is(port, "type", "openvswitch"))
        xmlUnsetProp(parameters, BAD_CAST "interfaceid");
}

static void forget_addresses(xmlNode *devices)
{
    for (xmlNode *node = devices != NULL ? devices->children : NULL; node != NULL; node = node->next)
        if (xml_is_element(node, "interface")) {
            xml_edit_discard_children(node, "mac");
            forget_port(node);
        }
}

void own_xml_forget(xmlNode *domain, xmlNode *devices)
{
    forget_nvram(domain, devices);
    forget_generation(domain);
    forget_serial(domain);
    forget_labels(domain);
    forget_addresses(devices);
}
