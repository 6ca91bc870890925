/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/template_text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "model/own_xml.h"
#include "model/template.h"
#include "model/xml.h"
#include "model/xml_edit.h"

/* ---- disks ---- */

static const struct template_base *find_base(const struct template_terms *terms, xmlNode *disk)
{
    for (size_t i = 0; i < terms->n_bases; i++)
        if (xml_edit_attribute_is(xml_edit_child(disk, "target"), "dev", terms->bases[i].target))
            return &terms->bases[i];
    return NULL;
}

static void empty(xmlNode *node)
{
    while (node->properties != NULL)
        xmlRemoveProp(node->properties);
    xml_edit_discard_children(node, NULL);
}

static int put_base(xmlNode *disk, const struct template_base *base)
{
    static const char *const of_the_image[] = {"backingStore", "mirror", "encryption", "auth"};
    xmlNode *source = xml_edit_have_child(disk, "source");
    int r = source != NULL ? xml_edit_set(disk, "type", "file") : -ENOMEM;

    if (r < 0)
        return r;
    for (size_t i = 0; i < ELEMENTS_OF(of_the_image); i++)
        xml_edit_discard_children(disk, of_the_image[i]);
    empty(source);
    r = base->format != NULL ? xml_edit_set_driver(disk, base->format) : 0;
    return r == 0 ? xml_edit_set(source, "file", base->path) : r;
}

static int put_bases(xmlNode *devices, const struct template_terms *terms)
{
    int r = 0;

    for (xmlNode *node = devices->children; r == 0 && node != NULL; node = node->next) {
        const struct template_base *base = xml_edit_is_own_disk(node) ? find_base(terms, node) : NULL;

        if (base != NULL)
            r = put_base(node, base);
    }
    return r;
}

/* A machine that was made has the seed of its own making, and each that is made from the template gets another one. */
static void discard_seed(xmlNode *devices, const xmlNode *uuid)
{
    const char *text = uuid != NULL && uuid->children != NULL ? (const char *)uuid->children->content : NULL;
    xmlNode *next;

    for (xmlNode *node = text != NULL ? devices->children : NULL; node != NULL; node = next) {
        const char *volume = xml_edit_attribute(xml_edit_child(node, "source"), "volume");

        next = node->next;
        if (xml_is_element(node, "disk") && !xml_edit_is_own_disk(node) && volume != NULL &&
            making_is_volume_of(volume, text))
            xml_edit_discard(node);
    }
}

/* ---- the metadata ---- */

/* <understudy:template max="2"/> */
static int add_template(xmlNode *element, unsigned max)
{
    xmlNode *node = xmlNewChild(element, NULL, BAD_CAST "template", NULL);
    char text[16];

    snprintf(text, sizeof(text), "%u", max);
    return node != NULL ? xml_edit_set(node, "max", text) : -ENOMEM;
}

static int add_resource(xmlNode *element, const struct feature_text *feature)
{
    xmlNode *node = xmlNewTextChild(element, NULL, BAD_CAST "resource", BAD_CAST feature->value);

    return node != NULL ? xml_edit_set(node, "kind", feature->kind) : -ENOMEM;
}

static int put_metadata(xmlNode *domain, const struct template_terms *terms)
{
    xmlNode *element = xml_edit_have_machine(domain);
    struct feature_text feature;
    int r;

    if (element == NULL)
        return -ENOMEM;
    empty(element);
    r = add_template(element, terms->max);
    for (size_t place = 0; r == 0 && feature_texts_next(terms->features, &place, &feature);)
        r = add_resource(element, &feature);
    return r;
}

/* ---- the whole ---- */

static int change_domain(xmlNode *domain, const struct template_terms *terms)
{
    xmlNode *devices = xml_edit_have_child(domain, "devices");
    int r;

    if (devices == NULL)
        return -ENOMEM;
    xmlUnsetProp(domain, BAD_CAST "id");
    discard_seed(devices, xml_edit_child(domain, "uuid"));
    xml_edit_discard_children(domain, "name");
    xml_edit_discard_children(domain, "uuid");
    own_xml_forget(domain, devices);
    r = put_bases(devices, terms);
    return r == 0 ? put_metadata(domain, terms) : r;
}

int template_text_write(const char *xml, const struct template_terms *terms, char **ret)
{
    _cleanup_(xmlFreeDocp) xmlDoc *document = xml_edit_parse(xml, true);
    xmlNode *domain = document != NULL ? xmlDocGetRootElement(document) : NULL;
    _cleanup_(freep) char *text = NULL;
    int r;

    if (domain == NULL || document->intSubset != NULL || !xml_is_element(domain, "domain"))
        return -EINVAL;
    r = change_domain(domain, terms);
    if (r == 0)
        r = xml_edit_print(document, domain, true, &text);
    return r == 0 ? text_format(ret, "%s\n", text) : r;
}
