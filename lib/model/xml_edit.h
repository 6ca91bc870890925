/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Inside lib/model: how domain XML is changed, and printed again. Errors are -ENOMEM alone. */
#ifndef UNDERSTUDY_MODEL_XML_EDIT_H
#define UNDERSTUDY_MODEL_XML_EDIT_H

#include <stdbool.h>

#include <libxml/tree.h>

#include "base/cleanup.h"

/* End with xmlFreeDoc. drops_blanks: what only indents is left out. NULL: it is no XML, or there is no memory. */
xmlDoc *xml_edit_parse(const char *xml, bool drops_blanks) _must_check_;
/* indents: each element in a line of its own, where the blanks were dropped. The caller frees *ret. */
int xml_edit_print(xmlDoc *document, xmlNode *element, bool indents, char **ret) _must_check_;

xmlNode *xml_edit_child(xmlNode *parent, const char *name);
/* The child of that name, which is made where it is not there. NULL: no memory. */
xmlNode *xml_edit_have_child(xmlNode *parent, const char *name);
/* <name>text</name>, and nothing else in it. */
int xml_edit_have_text(xmlNode *parent, const char *name, const char *text) _must_check_;
void xml_edit_discard(xmlNode *node);
/* name NULL: whatever it is. Takes NULL as a parent. */
void xml_edit_discard_children(xmlNode *parent, const char *name);

int xml_edit_set(xmlNode *element, const char *name, const char *value) _must_check_;
/*
 * NULL: there is none. Borrowed, so that no answer depends on memory: a disk that was not recognised would stay on its base
 * image.
 */
const char *xml_edit_attribute(const xmlNode *node, const char *name);
bool xml_edit_attribute_is(const xmlNode *node, const char *name, const char *expected);

/* A disk that the machine writes to, and no other machine. */
bool xml_edit_is_own_disk(xmlNode *node);
int xml_edit_set_driver(xmlNode *disk, const char *format) _must_check_;

/* Our element in the metadata, which is made where it is not there. NULL: no memory. */
xmlNode *xml_edit_have_machine(xmlNode *domain);

#endif
