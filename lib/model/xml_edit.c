/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libxml2's tree. */
#include "model/xml_edit.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include <libxml/parser.h>

#include "model/domain_xml.h"
#include "model/xml.h"

DEFINE_CLEANUP(xmlBuffer, xmlBufferFree);

xmlNode *xml_edit_child(xmlNode *parent, const char *name)
{
    return (xmlNode *)xml_child(parent, name);
}

int xml_edit_set(xmlNode *element, const char *name, const char *value)
{
    return xmlSetProp(element, BAD_CAST name, BAD_CAST value) != NULL ? 0 : -ENOMEM;
}

void xml_edit_discard(xmlNode *node)
{
    xmlUnlinkNode(node);
    xmlFreeNode(node);
}

void xml_edit_discard_children(xmlNode *parent, const char *name)
{
    xmlNode *next;

    for (xmlNode *node = parent != NULL ? parent->children : NULL; node != NULL; node = next) {
        next = node->next;
        if (name == NULL || xml_is_element(node, name))
            xml_edit_discard(node);
    }
}

xmlNode *xml_edit_have_child(xmlNode *parent, const char *name)
{
    xmlNode *node = xml_edit_child(parent, name);

    return node != NULL ? node : xmlNewChild(parent, NULL, BAD_CAST name, NULL);
}

int xml_edit_have_text(xmlNode *parent, const char *name, const char *text)
{
    xmlNode *node = xml_edit_have_child(parent, name);
    xmlNode *content = node != NULL ? xmlNewText(BAD_CAST text) : NULL;

    if (content == NULL)
        return -ENOMEM;
    xml_edit_discard_children(node, NULL);
    xmlAddChild(node, content);
    return 0;
}

const char *xml_edit_attribute(const xmlNode *node, const char *name)
{
    const xmlAttr *found = node != NULL ? xmlHasNsProp(node, BAD_CAST name, NULL) : NULL;

    if (found == NULL)
        return NULL;
    return found->children != NULL ? (const char *)found->children->content : "";
}

bool xml_edit_attribute_is(const xmlNode *node, const char *name, const char *expected)
{
    const char *value = xml_edit_attribute(node, name);

    return value != NULL && strcmp(value, expected) == 0;
}

xmlDoc *xml_edit_parse(const char *xml, bool drops_blanks)
{
    int options = XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | (drops_blanks ? XML_PARSE_NOBLANKS : 0);
    size_t length = strlen(xml);

    if (length > INT_MAX || xml_find_absurdity(xml, length) != NULL)
        return NULL;
    return xmlReadMemory(xml, (int)length, NULL, NULL, options);
}

int xml_edit_print(xmlDoc *document, xmlNode *element, bool indents, char **ret)
{
    _cleanup_(xmlBufferFreep) xmlBuffer *buffer = xmlBufferCreate();
    char *text;

    if (buffer == NULL || xmlNodeDump(buffer, document, element, 0, indents) < 0)
        return -ENOMEM;
    text = strdup((const char *)xmlBufferContent(buffer));
    if (text == NULL)
        return -ENOMEM;
    *ret = text;
    return 0;
}

static xmlNode *add_element(xmlNode *metadata)
{
    xmlNode *element = xmlNewChild(metadata, NULL, BAD_CAST "machine", NULL);
    xmlNs *ns = element != NULL
                    ? xmlNewNs(element, BAD_CAST UNDERSTUDY_METADATA_URI, BAD_CAST UNDERSTUDY_METADATA_PREFIX)
                    : NULL;

    if (ns == NULL)
        return NULL;
    xmlSetNs(element, ns);
    return element;
}

xmlNode *xml_edit_have_machine(xmlNode *domain)
{
    xmlNode *metadata = xml_edit_have_child(domain, "metadata");
    xmlNode *element = (xmlNode *)xml_child_in(metadata, "machine", UNDERSTUDY_METADATA_URI);

    if (element != NULL || metadata == NULL)
        return element;
    return add_element(metadata);
}

bool xml_edit_is_own_disk(xmlNode *node)
{
    return xml_is_element(node, "disk") &&
           (xml_edit_attribute(node, "device") == NULL || xml_edit_attribute_is(node, "device", "disk")) &&
           xml_edit_child(node, "readonly") == NULL && xml_edit_child(node, "shareable") == NULL;
}

int xml_edit_set_driver(xmlNode *disk, const char *format)
{
    xmlNode *driver = xml_edit_have_child(disk, "driver");
    int r = driver != NULL ? xml_edit_set(driver, "type", format) : -ENOMEM;

    return r == 0 && xml_edit_attribute(driver, "name") == NULL ? xml_edit_set(driver, "name", "qemu") : r;
}
