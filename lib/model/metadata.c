/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sets and removes attributes of the element with libxml2's tree. Knows no libvirt. */
#include "model/metadata.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libxml/parser.h>
#include <libxml/tree.h>

#include "base/cleanup.h"
#include "model/machine.h"

#define ELEMENT "machine"

DEFINE_CLEANUP(xmlDoc, xmlFreeDoc);
DEFINE_CLEANUP(xmlBuffer, xmlBufferFree);

static xmlDoc *parse(const char *xml)
{
    static const int options = XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING;

    return xmlReadMemory(xml, (int)strlen(xml), NULL, NULL, options);
}

static xmlDoc *make_empty(void)
{
    xmlDoc *document = xmlNewDoc(BAD_CAST "1.0");
    xmlNode *root = document != NULL ? xmlNewDocNode(document, NULL, BAD_CAST ELEMENT, NULL) : NULL;

    if (root != NULL) {
        xmlDocSetRootElement(document, root);
        return document;
    }
    xmlFreeDoc(document);
    return NULL;
}

static int set(xmlNode *element, const char *name, const char *value)
{
    return xmlSetProp(element, BAD_CAST name, BAD_CAST value) != NULL ? 0 : -ENOMEM;
}

static int change_attributes(xmlNode *element, const struct metadata_change *change)
{
    char priority[16];
    int r = set(element, "role", machine_roles_name(change->roles));

    if (r == 0 && change->sets_priority) {
        snprintf(priority, sizeof(priority), "%d", change->priority);
        r = set(element, "priority", priority);
    }
    if (change->service[0] == '\0')
        xmlUnsetProp(element, BAD_CAST "service");
    else if (r == 0)
        r = set(element, "service", change->service);
    return r;
}

int metadata_apply(const char *xml, const struct metadata_change *change, char **ret)
{
    _cleanup_(xmlFreeDocp) xmlDoc *document = xml != NULL ? parse(xml) : make_empty();
    _cleanup_(xmlBufferFreep) xmlBuffer *buffer = NULL;
    xmlNode *element = document != NULL ? xmlDocGetRootElement(document) : NULL;
    char *text;

    if (element == NULL)
        return xml != NULL ? -EINVAL : -ENOMEM;
    if (strcmp((const char *)element->name, ELEMENT) != 0)
        return -EINVAL;
    if (change_attributes(element, change) < 0)
        return -ENOMEM;
    buffer = xmlBufferCreate();
    if (buffer == NULL || xmlNodeDump(buffer, document, element, 0, 0) < 0)
        return -ENOMEM;
    text = strdup((const char *)xmlBufferContent(buffer));
    if (text == NULL)
        return -ENOMEM;
    *ret = text;
    return 0;
}
