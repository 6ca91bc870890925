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
#include "model/mark.h"

#define ELEMENT "machine"
#define MARK    "mark"

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

static void remove_marks(xmlNode *element)
{
    xmlNode *next;

    for (xmlNode *node = element->children; node != NULL; node = next) {
        next = node->next;
        if (node->type != XML_ELEMENT_NODE || strcmp((const char *)node->name, MARK) != 0)
            continue;
        xmlUnlinkNode(node);
        xmlFreeNode(node);
    }
}

/* <mark domain="…" warm="yes"/>, or <mark domain="…" recovery="…" hypervisor="…" original="…" service="…"/>. */
static int add_mark(xmlNode *element, const char *uuid, const struct mark *mark)
{
    xmlNode *node = xmlNewChild(element, NULL, BAD_CAST MARK, NULL);
    int r = node != NULL ? set(node, "domain", uuid) : -ENOMEM;

    if (r == 0 && mark->is_warm)
        return set(node, "warm", "yes");
    if (r == 0)
        r = set(node, "recovery", mark->recovery_id);
    if (r == 0)
        r = set(node, "hypervisor", mark->original.hypervisor);
    if (r == 0)
        r = set(node, "original", mark->original.uuid);
    return r == 0 ? set(node, "service", mark->service) : r;
}

static int change_mark(xmlNode *element, const char *uuid, const char *text)
{
    struct mark mark;

    remove_marks(element);
    if (text[0] == '\0')
        return 0;
    return mark_scan(text, &mark) ? add_mark(element, uuid, &mark) : -EINVAL;
}

static bool is_empty(const xmlNode *element)
{
    return element->properties == NULL && xmlFirstElementChild((xmlNode *)element) == NULL;
}

int metadata_apply(const char *xml, const char *uuid, const struct metadata_change *change, char **ret)
{
    _cleanup_(xmlFreeDocp) xmlDoc *document = xml != NULL ? parse(xml) : make_empty();
    _cleanup_(xmlBufferFreep) xmlBuffer *buffer = NULL;
    xmlNode *element = document != NULL ? xmlDocGetRootElement(document) : NULL;
    char *text;
    int r;

    if (element == NULL)
        return xml != NULL ? -EINVAL : -ENOMEM;
    if (strcmp((const char *)element->name, ELEMENT) != 0)
        return -EINVAL;
    r = change->sets_mark ? change_mark(element, uuid, change->mark) : change_attributes(element, change);
    if (r < 0)
        return r;
    if (is_empty(element)) {
        *ret = NULL;
        return 0;
    }
    buffer = xmlBufferCreate();
    if (buffer == NULL || xmlNodeDump(buffer, document, element, 0, 0) < 0)
        return -ENOMEM;
    text = strdup((const char *)xmlBufferContent(buffer));
    if (text == NULL)
        return -ENOMEM;
    *ret = text;
    return 0;
}
