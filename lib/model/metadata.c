/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sets and removes attributes and children of the element with libxml2's tree. Knows no libvirt. */
#include "model/metadata.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <libxml/parser.h>
#include <libxml/tree.h>

#include "base/cleanup.h"
#include "model/machine.h"
#include "model/mark.h"
#include "model/xml.h"

#define ELEMENT  "machine"
#define RESOURCE "resource"
#define MARK     "mark"
#define MADE     "made"
#define BLANKS   " \t\r\n"

DEFINE_CLEANUP(xmlBuffer, xmlBufferFree);

static xmlDoc *parse(const char *xml)
{
    static const int options = XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING;

    if (xml_find_absurdity(xml, strlen(xml)) != NULL)
        return NULL;
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

/* text NULL: it has none. */
static int set_or_remove(xmlNode *element, const char *name, const char *text)
{
    if (text != NULL)
        return set(element, name, text);
    xmlUnsetProp(element, BAD_CAST name);
    return 0;
}

static int set_priority(xmlNode *element, int priority)
{
    char text[16];

    snprintf(text, sizeof(text), "%d", priority);
    return set(element, "priority", text);
}

static void remove_children(xmlNode *element, const char *name)
{
    xmlNode *next;

    for (xmlNode *node = element->children; node != NULL; node = next) {
        next = node->next;
        if (node->type != XML_ELEMENT_NODE || strcmp((const char *)node->name, name) != 0)
            continue;
        xmlUnlinkNode(node);
        xmlFreeNode(node);
    }
}

/* With a role of its own it is a machine like others, however it was made. */
static int change_attributes(xmlNode *element, const struct metadata_change *change)
{
    int r = set(element, "role", machine_roles_name(change->roles));

    remove_children(element, MADE);
    if (r == 0 && change->sets_priority)
        r = set_priority(element, change->priority);
    return r < 0 ? r : set_or_remove(element, "service", change->service[0] != '\0' ? change->service : NULL);
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

static bool attribute_is(xmlNode *node, const char *name, const char *expected)
{
    xmlChar *value = xmlGetProp(node, BAD_CAST name);
    bool is_same = value != NULL && strcmp((const char *)value, expected) == 0;

    xmlFree(value);
    return is_same;
}

/* <made domain="…" advance="yes">: understudy made it as a standby, and no operator gave it another role. */
static xmlNode *find_made_standby(xmlNode *element, const char *uuid)
{
    if (!attribute_is(element, "role", machine_roles_name(ROLE_STANDBY)))
        return NULL;
    for (xmlNode *node = xmlFirstElementChild(element); node != NULL; node = xmlNextElementSibling(node))
        if (strcmp((const char *)node->name, MADE) == 0 && attribute_is(node, "domain", uuid) &&
            attribute_is(node, "advance", "yes"))
            return node;
    return NULL;
}

/* One that was made as a standby is none any more once it has served: what its clients wrote is on its disks. */
static int change_mark(xmlNode *element, const char *uuid, const struct metadata_change *change)
{
    struct mark mark = {.is_warm = true};
    int r = 0;

    remove_children(element, MARK);
    if (change->mark[0] != '\0')
        r = mark_scan(change->mark, &mark) ? add_mark(element, uuid, &mark) : -EINVAL;
    if (r == 0 && (!mark.is_warm || change->has_served) && find_made_standby(element, uuid) != NULL)
        r = set(element, "role", machine_roles_name(ROLE_IGNORED));
    return r;
}

static bool is_empty(const xmlNode *element)
{
    return element->properties == NULL && xmlFirstElementChild((xmlNode *)element) == NULL;
}

static int open_element(const char *xml, xmlDoc **ret_document, xmlNode **ret_element)
{
    xmlDoc *document = xml != NULL ? parse(xml) : make_empty();
    xmlNode *element = document != NULL ? xmlDocGetRootElement(document) : NULL;

    if (element != NULL && strcmp((const char *)element->name, ELEMENT) == 0) {
        *ret_document = document;
        *ret_element = element;
        return 0;
    }
    xmlFreeDoc(document);
    return xml != NULL ? -EINVAL : -ENOMEM;
}

/* *ret NULL: nothing is left of it. */
static int print(xmlDoc *document, xmlNode *element, char **ret)
{
    _cleanup_(xmlBufferFreep) xmlBuffer *buffer = NULL;

    *ret = NULL;
    if (is_empty(element))
        return 0;
    buffer = xmlBufferCreate();
    if (buffer == NULL || xmlNodeDump(buffer, document, element, 0, 0) < 0)
        return -ENOMEM;
    *ret = strdup((const char *)xmlBufferContent(buffer));
    return *ret != NULL ? 0 : -ENOMEM;
}

int metadata_apply(const char *xml, const char *uuid, const struct metadata_change *change, char **ret)
{
    _cleanup_(xmlFreeDocp) xmlDoc *document = NULL;
    xmlNode *element = NULL;
    int r = open_element(xml, &document, &element);

    if (r == 0)
        r = change->sets_mark ? change_mark(element, uuid, change) : change_attributes(element, change);
    return r < 0 ? r : print(document, element, ret);
}

/* ---- what an operator changes ---- */

void metadata_tags_done(struct metadata_tags *tags)
{
    feature_texts_done(&tags->removed);
    feature_texts_done(&tags->added);
}

static int copy_texts(const struct feature_texts *from, struct feature_texts *ret)
{
    struct feature_text feature;
    int r = 0;

    for (size_t place = 0; r == 0 && feature_texts_next(from, &place, &feature);)
        r = feature_texts_add(ret, feature.kind, feature.value);
    return r;
}

int metadata_tags_copy(const struct metadata_tags *tags, struct metadata_tags *ret)
{
    struct metadata_tags copy = *tags;
    int r;

    copy.removed = copy.added = (struct feature_texts){0};
    r = copy_texts(&tags->removed, &copy.removed);
    if (r == 0)
        r = copy_texts(&tags->added, &copy.added);
    if (r == 0)
        *ret = copy;
    else
        metadata_tags_done(&copy);
    return r;
}

/* Of a <resource>: its kind, or with is_value its text, without blanks around it. NULL: no memory. */
static char *read_trimmed(xmlNode *node, bool is_value)
{
    xmlChar *text = is_value ? xmlNodeGetContent(node) : xmlGetProp(node, BAD_CAST "kind");
    const char *begin = text != NULL ? (const char *)text : "", *end;
    char *trimmed;

    begin += strspn(begin, BLANKS);
    for (end = begin + strlen(begin); end > begin && strchr(BLANKS, end[-1]) != NULL; end--)
        ;
    trimmed = strndup(begin, (size_t)(end - begin));
    xmlFree(text);
    return trimmed;
}

/* Resources with this kind and value, or with value NULL with this kind. -ENOMEM. */
static int count_resources(xmlNode *element, const struct feature_text *wanted, bool removes, size_t *ret)
{
    xmlNode *next;

    *ret = 0;
    for (xmlNode *node = xmlFirstElementChild(element); node != NULL; node = next) {
        _cleanup_(freep) char *kind = NULL;
        _cleanup_(freep) char *value = NULL;

        next = xmlNextElementSibling(node);
        if (strcmp((const char *)node->name, RESOURCE) != 0)
            continue;
        kind = read_trimmed(node, false);
        value = read_trimmed(node, true);
        if (kind == NULL || value == NULL)
            return -ENOMEM;
        if (strcasecmp(kind, wanted->kind) != 0 || (wanted->value != NULL && strcasecmp(value, wanted->value) != 0))
            continue;
        ++*ret;
        if (!removes)
            continue;
        xmlUnlinkNode(node);
        xmlFreeNode(node);
    }
    return 0;
}

/* Unless it is there. A value of NULL says that the machine has none of the kind. */
static int add_resource(xmlNode *element, const struct feature_text *feature)
{
    const struct feature_text wanted = {.kind = feature->kind, .value = feature->value != NULL ? feature->value : ""};
    xmlNode *node;
    size_t n;
    int r = count_resources(element, &wanted, false, &n);

    if (r < 0 || n > 0)
        return r;
    node = xmlNewTextChild(element, NULL, BAD_CAST RESOURCE, BAD_CAST feature->value);
    return node != NULL ? set(node, "kind", feature->kind) : -ENOMEM;
}

static int change_resources(xmlNode *element, const struct metadata_tags *tags)
{
    struct feature_text feature;
    size_t n;
    int r = 0;

    for (size_t place = 0; r == 0 && feature_texts_next(&tags->removed, &place, &feature);)
        r = count_resources(element, &feature, true, &n);
    for (size_t place = 0; r == 0 && feature_texts_next(&tags->added, &place, &feature);)
        r = add_resource(element, &feature);
    return r;
}

/* It is the operator's from now on, however it was made. */
static int set_role(xmlNode *element, unsigned roles)
{
    for (xmlNode *node = xmlFirstElementChild(element); node != NULL; node = xmlNextElementSibling(node))
        if (strcmp((const char *)node->name, MADE) == 0)
            xmlUnsetProp(node, BAD_CAST "advance");
    return set_or_remove(element, "role", roles != 0 ? machine_roles_name(roles) : NULL);
}

int metadata_tag(const char *xml, const struct metadata_tags *tags, char **ret)
{
    _cleanup_(xmlFreeDocp) xmlDoc *document = NULL;
    xmlNode *element = NULL;
    int r = open_element(xml, &document, &element);

    if (r == 0 && tags->sets_role)
        r = set_role(element, tags->roles);
    if (r == 0 && tags->sets_priority)
        r = tags->has_priority ? set_priority(element, tags->priority) : set_or_remove(element, "priority", NULL);
    if (r == 0)
        r = change_resources(element, tags);
    return r < 0 ? r : print(document, element, ret);
}
