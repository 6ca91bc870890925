/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Elements, attributes and texts of a document of libxml2. Knows nothing of what they mean. */
#include "model/xml.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libxml/parser.h>

#include "base/text.h"

DEFINE_CLEANUP(xmlParserCtxt, xmlFreeParserCtxt);

/* Of one element, and of a document. Those of libvirt have a dozen of either. */
#define ATTRIBUTES_MAX 256
#define NAMESPACES_MAX 256

/* Behind the mark, or the end where it does not come. */
static const char *skip_past(const char *at, const char *end, const char *mark)
{
    const char *found = memmem(at, (size_t)(end - at), mark, strlen(mark));

    return found != NULL ? found + strlen(mark) : end;
}

static bool begins_with(const char *at, const char *end, const char *mark)
{
    return (size_t)(end - at) >= strlen(mark) && memcmp(at, mark, strlen(mark)) == 0;
}

/* Counts in the tag that begins at `at`; returns where it ends. */
static const char *measure_tag(const char *at, const char *end, unsigned *n_attributes, unsigned *n_namespaces)
{
    for (; at < end && *at != '>'; at++) {
        if (*at == '"' || *at == '\'') {
            at = memchr(at + 1, *at, (size_t)(end - at - 1));
            if (at == NULL)
                return end;
        }
        *n_attributes += *at == '=';
        *n_namespaces += begins_with(at, end, "xmlns");
    }
    return at;
}

const char *xml_find_absurdity(const char *xml, size_t length)
{
    const char *end = xml + length, *at = xml;
    unsigned n_namespaces = 0;

    while (at < end && (at = memchr(at, '<', (size_t)(end - at))) != NULL) {
        unsigned n_attributes = 0;

        if (begins_with(at, end, "<!--"))
            at = skip_past(at, end, "-->");
        else if (begins_with(at, end, "<![CDATA["))
            at = skip_past(at, end, "]]>");
        else if (begins_with(at, end, "<?"))
            at = skip_past(at, end, "?>");
        else
            at = measure_tag(at, end, &n_attributes, &n_namespaces);
        if (n_attributes > ATTRIBUTES_MAX)
            return "an element has too many attributes";
        if (n_namespaces > NAMESPACES_MAX)
            return "too many namespaces";
    }
    return NULL;
}

static unsigned line_of(const xmlNode *node)
{
    long line = xmlGetLineNo(node);

    return line > 0 ? (unsigned)line : 0;
}

void xml_warn(struct xml_reader *reader, const xmlNode *node, const char *text, const char *what)
{
    diags_add(reader->diags, DIAG_WARNING, reader->name, line_of(node), 0, "%s%s%s", text, what != NULL ? ": " : "",
              what != NULL ? what : "");
}

void xml_refuse(struct xml_reader *reader, const xmlNode *node, const char *pattern, ...)
{
    _cleanup_(freep) char *text = NULL;
    va_list arguments;

    va_start(arguments, pattern);
    text = text_vprint(pattern, arguments);
    va_end(arguments);
    if (text != NULL)
        diags_add(reader->diags, DIAG_ERROR, reader->name, line_of(node), 0, "%s", text);
    else
        reader->out_of_memory = true;
}

bool xml_is_element(const xmlNode *node, const char *name)
{
    return node->type == XML_ELEMENT_NODE && strcmp((const char *)node->name, name) == 0;
}

bool xml_is_in_namespace(const xmlNode *node, const char *uri)
{
    return node->ns != NULL && node->ns->href != NULL && strcmp((const char *)node->ns->href, uri) == 0;
}

const xmlNode *xml_child_in(const xmlNode *parent, const char *name, const char *uri)
{
    for (const xmlNode *node = parent != NULL ? parent->children : NULL; node != NULL; node = node->next)
        if (xml_is_element(node, name) && (uri == NULL || xml_is_in_namespace(node, uri)))
            return node;
    return NULL;
}

const xmlNode *xml_child(const xmlNode *parent, const char *name)
{
    return xml_child_in(parent, name, NULL);
}

/* Copies what libxml2 allocated into our own allocator, without surrounding blanks; empty becomes NULL. */
static char *take_text(struct xml_reader *reader, xmlChar *raw)
{
    const char *start = (const char *)raw;
    char *text = NULL;

    if (raw == NULL)
        return NULL;
    start += strspn(start, " \t\r\n");
    size_t length = strlen(start);
    while (length > 0 && isspace((unsigned char)start[length - 1]))
        length--;
    if (length > 0) {
        text = strndup(start, length);
        reader->out_of_memory |= text == NULL;
    }
    xmlFree(raw);
    return text;
}

char *xml_text(struct xml_reader *reader, const xmlNode *node)
{
    xmlChar *raw = node != NULL ? xmlNodeGetContent(node) : NULL;

    reader->out_of_memory |= node != NULL && raw == NULL;
    return take_text(reader, raw);
}

char *xml_attribute(struct xml_reader *reader, const xmlNode *node, const char *name)
{
    const xmlAttr *found = node != NULL ? xmlHasNsProp(node, (const xmlChar *)name, NULL) : NULL;
    xmlChar *raw = found != NULL ? xmlGetNoNsProp(node, (const xmlChar *)name) : NULL;

    reader->out_of_memory |= found != NULL && raw == NULL;
    return take_text(reader, raw);
}

bool xml_attribute_is(struct xml_reader *reader, const xmlNode *node, const char *name, const char *expected)
{
    _cleanup_(freep) char *value = xml_attribute(reader, node, name);

    return value != NULL && strcmp(value, expected) == 0;
}

char *xml_format(struct xml_reader *reader, const char *pattern, ...)
{
    va_list arguments;
    char *text;

    va_start(arguments, pattern);
    int length = vasprintf(&text, pattern, arguments);
    va_end(arguments);
    if (length >= 0)
        return text;
    reader->out_of_memory = true;
    return NULL;
}

bool xml_copy_uuid(const char *text, char ret[static UUID_TEXT_SIZE])
{
    if (text == NULL || strlen(text) != UUID_TEXT_SIZE - 1)
        return false;
    for (size_t i = 0; i < UUID_TEXT_SIZE - 1; i++) {
        bool is_dash = i == 8 || i == 13 || i == 18 || i == 23;

        if (is_dash ? text[i] != '-' : !isxdigit((unsigned char)text[i]))
            return false;
    }
    for (size_t i = 0; i < UUID_TEXT_SIZE; i++)
        ret[i] = (char)tolower((unsigned char)text[i]);
    return true;
}

int xml_open_domain(const char *xml, size_t length, const char *name, int more_options, struct diags *diags,
                    xmlDoc **ret)
{
    const int options = XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_NOCDATA | more_options;
    _cleanup_(xmlFreeParserCtxtp) xmlParserCtxt *context = xmlNewParserCtxt();
    _cleanup_(xmlFreeDocp) xmlDoc *document = NULL;
    const char *absurdity = xml_find_absurdity(xml, length);

    if (context == NULL)
        return -ENOMEM;
    if (absurdity != NULL) {
        diags_add(diags, DIAG_ERROR, name, 0, 0, "not a libvirt domain document: %s", absurdity);
        return -EINVAL;
    }
    if (length <= INT_MAX)
        document = xmlCtxtReadMemory(context, xml, (int)length, NULL, NULL, options);
    const xmlError *error = xmlCtxtGetLastError(context);
    /* There may be a document then, of what was read up to there. */
    if (error != NULL && error->code == XML_ERR_NO_MEMORY)
        return -ENOMEM;
    if (document == NULL) {
        diags_add(diags, DIAG_ERROR, name, error != NULL && error->line > 0 ? (unsigned)error->line : 0, 0,
                  "not well-formed XML");
        return -EINVAL;
    }
    const xmlNode *root = xmlDocGetRootElement(document);
    if (document->intSubset != NULL || root == NULL || !xml_is_element(root, "domain")) {
        diags_add(diags, DIAG_ERROR, name, root != NULL ? line_of(root) : 0, 0, "not a libvirt domain document");
        return -EINVAL;
    }
    *ret = steal_pointer(&document);
    return 0;
}
