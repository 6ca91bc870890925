/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Inside lib/model: what readers of domain XML ask a document of libxml2.
 *
 * Running out of memory is noted in the reader and asked for once, at the end: until then every
 * missing string reads as an attribute or element that is not there.
 */
#ifndef UNDERSTUDY_MODEL_XML_H
#define UNDERSTUDY_MODEL_XML_H

#include <stdbool.h>

#include <libxml/tree.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "model/description.h"

struct xml_reader {
    const char *name;
    struct diags *diags;
    struct domain_description *description;
    unsigned n_metadata_faults;
    bool out_of_memory;
};

/*
 * What no document of libvirt looks like, and what libxml2 would read for many seconds, since it compares every
 * attribute of an element, and every namespace in force, with all others. Reads the text alone, once. NULL: nothing;
 * else what it is, static.
 */
const char *xml_find_absurdity(const char *xml, size_t length);

DEFINE_CLEANUP(xmlDoc, xmlFreeDoc);

/*
 * A document whose root is <domain>, and which has no document type; end with xmlFreeDoc. name: what findings call it;
 * more_options: of enum xmlParserOption.
 * -EINVAL: it is none, with an error in diags. -ENOMEM.
 */
int xml_open_domain(const char *xml, size_t length, const char *name, int more_options, struct diags *diags,
                    xmlDoc **ret) _must_check_;

/* "text: what", or the text alone without `what`, as a warning at the line of the node. */
void xml_warn(struct xml_reader *reader, const xmlNode *node, const char *text, const char *what);

/* An error at the line of the node. */
void xml_refuse(struct xml_reader *reader, const xmlNode *node, const char *pattern, ...) _printf_(3, 4);

bool xml_is_element(const xmlNode *node, const char *name);
bool xml_is_in_namespace(const xmlNode *node, const char *uri);
/* The first child element of that name, in that namespace unless uri is NULL. A NULL parent has none. */
const xmlNode *xml_child_in(const xmlNode *parent, const char *name, const char *uri);
const xmlNode *xml_child(const xmlNode *parent, const char *name);

/* Without surrounding blanks. NULL for a node or an attribute that is missing, or empty. Caller frees. */
char *xml_text(struct xml_reader *reader, const xmlNode *node);
char *xml_attribute(struct xml_reader *reader, const xmlNode *node, const char *name);
bool xml_attribute_is(struct xml_reader *reader, const xmlNode *node, const char *name, const char *expected);

/* Caller frees. NULL: out of memory. */
char *xml_format(struct xml_reader *reader, const char *pattern, ...) _printf_(2, 3);

/* 32 hexadecimal digits in groups of 8-4-4-4-12, taken over in lower case. False: it is no such text. */
bool xml_copy_uuid(const char *text, char ret[static UUID_TEXT_SIZE]);

#endif
