/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Volumes and pools, read with libxml2. */
#include "model/storage_xml.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include <libxml/parser.h>

#include "base/text.h"
#include "model/xml.h"

/* A document with this root. */
static int parse(const char *xml, size_t length, const char *root, xmlDoc **ret)
{
    static const int options = XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING;
    _cleanup_(xmlFreeDocp) xmlDoc *document = length <= INT_MAX && xml_find_absurdity(xml, length) == NULL
                                                  ? xmlReadMemory(xml, (int)length, NULL, NULL, options)
                                                  : NULL;
    const xmlNode *node = document != NULL ? xmlDocGetRootElement(document) : NULL;

    if (node == NULL || document->intSubset != NULL || !xml_is_element(node, root))
        return -EINVAL;
    *ret = steal_pointer(&document);
    return 0;
}

int volume_xml_backing(const char *xml, size_t length, char **ret)
{
    _cleanup_(xmlFreeDocp) xmlDoc *document = NULL;
    struct xml_reader reader = {0};
    int r = parse(xml, length, "volume", &document);

    if (r < 0)
        return r;
    *ret = xml_text(&reader, xml_child(xml_child(xmlDocGetRootElement(document), "backingStore"), "path"));
    return reader.out_of_memory ? -ENOMEM : 0;
}

/* <format type="…"/> of the image that this child of the volume describes. */
static int read_format(const char *xml, size_t length, const char *child, char **ret)
{
    _cleanup_(xmlFreeDocp) xmlDoc *document = NULL;
    struct xml_reader reader = {0};
    int r = parse(xml, length, "volume", &document);

    if (r < 0)
        return r;
    *ret = xml_attribute(&reader, xml_child(xml_child(xmlDocGetRootElement(document), child), "format"), "type");
    return reader.out_of_memory ? -ENOMEM : 0;
}

int volume_xml_backing_format(const char *xml, size_t length, char **ret)
{
    return read_format(xml, length, "backingStore", ret);
}

int volume_xml_format(const char *xml, size_t length, char **ret)
{
    return read_format(xml, length, "target", ret);
}

int pool_xml_type(const char *xml, size_t length, char **ret)
{
    _cleanup_(xmlFreeDocp) xmlDoc *document = NULL;
    struct xml_reader reader = {0};
    int r = parse(xml, length, "pool", &document);

    if (r < 0)
        return r;
    *ret = xml_attribute(&reader, xmlDocGetRootElement(document), "type");
    if (*ret == NULL)
        return reader.out_of_memory ? -ENOMEM : -EINVAL;
    return 0;
}

bool pool_type_is_network(const char *type)
{
    static const char *const network[] = {"netfs", "rbd", "gluster", "iscsi", "iscsi-direct", "sheepdog", "vstorage"};

    for (size_t i = 0; i < ELEMENTS_OF(network); i++)
        if (strcmp(type, network[i]) == 0)
            return true;
    return false;
}
