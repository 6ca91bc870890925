/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Our element: roles, priority, service, resources and marks. What cannot be read is told, in the findings and in the
 * description, and nothing else is made of it.
 */
#include "model/metadata_xml.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "model/domain_xml.h"
#include "model/machine.h"
#include "model/mark.h"

/* So many faults are told of one machine, and so much of a text is quoted. */
#define FAULTS_MAX  8
#define QUOTE_BYTES 80

/* Cuts no character in two. */
static int quote_length(const char *text)
{
    size_t length = strnlen(text, QUOTE_BYTES + 1);

    if (length <= QUOTE_BYTES)
        return (int)length;
    for (length = QUOTE_BYTES; length > 0 && ((unsigned char)text[length] & 0xc0) == 0x80; length--)
        ;
    return (int)length;
}

/* "text: what", as xml_warn; what may be NULL. */
static void complain(struct xml_reader *reader, const xmlNode *node, const char *text, const char *what)
{
    struct domain_description *description = reader->description;
    _cleanup_(freep) char *finding = text_print("understudy metadata: %s", text);
    int length = what != NULL ? quote_length(what) : 0;
    char *longer;

    if (finding == NULL) {
        reader->out_of_memory = true;
        return;
    }
    xml_warn(reader, node, finding, what);
    if (++reader->n_metadata_faults > FAULTS_MAX)
        return;
    longer = text_print("%s%s%s%s%.*s%s", description->metadata_faults != NULL ? description->metadata_faults : "",
                        description->metadata_faults != NULL ? "; " : "", text, what != NULL ? ": " : "", length,
                        what != NULL ? what : "", what != NULL && what[length] != '\0' ? "…" : "");
    if (longer == NULL) {
        reader->out_of_memory = true;
        return;
    }
    free(description->metadata_faults);
    description->metadata_faults = longer;
}

/* Likewise, of a kind or value that no feature can have. */
static void complain_of_word(struct xml_reader *reader, const xmlNode *node, const char *word, const char *fault,
                             const char *what)
{
    _cleanup_(freep) char *text = text_print("resource is left out, since its %s %s", word, fault);

    if (text != NULL)
        complain(reader, node, text, what);
    else
        reader->out_of_memory = true;
}

/* Attributes without a namespace, other than these; names ends with NULL. */
static const char *find_unknown_attribute(const xmlNode *node, const char *const *names)
{
    for (const xmlAttr *attribute = node->properties; attribute != NULL; attribute = attribute->next) {
        const char *const *name = names;

        while (*name != NULL && strcmp((const char *)attribute->name, *name) != 0)
            name++;
        if (*name == NULL && attribute->ns == NULL)
            return (const char *)attribute->name;
    }
    return NULL;
}

/* <understudy:resource kind="language">nodejs</understudy:resource>; empty: it has none of this kind. */
static void read_resource(struct xml_reader *reader, const xmlNode *node)
{
    static const char *const attributes[] = {"kind", NULL};
    _cleanup_(freep) char *kind = xml_attribute(reader, node, "kind");
    _cleanup_(freep) char *value = xml_text(reader, node);
    const char *unknown = find_unknown_attribute(node, attributes), *fault;

    if (kind == NULL) {
        complain(reader, node, "resource without a kind", value);
        return;
    }
    if (unknown != NULL) {
        complain(reader, node,
                 value == NULL ? "resource is left out, since its value must stand between its tags; unknown attribute"
                               : "resource with an unknown attribute",
                 unknown);
        if (value == NULL)
            return;
    }
    if ((fault = feature_kind_fault(kind)) != NULL)
        complain_of_word(reader, node, "kind", fault, kind);
    else if (value != NULL && (fault = feature_value_fault(value)) != NULL)
        complain_of_word(reader, node, "value", fault, value);
    else if (feature_texts_add(&reader->description->features, kind, value) < 0)
        reader->out_of_memory = true;
}

static void read_role(struct xml_reader *reader, const xmlNode *machine)
{
    _cleanup_(freep) char *role = xml_attribute(reader, machine, "role");
    unsigned roles;

    if (role == NULL)
        return;
    if (machine_roles_parse(role, &roles) < 0) {
        complain(reader, machine, "role is not made of protected and standby, or ignored", role);
        roles = ROLE_UNREADABLE;
    }
    reader->description->roles = (uint8_t)roles;
}

/* What may be a role that was mistyped is none that could be read. */
static void read_other_attributes(struct xml_reader *reader, const xmlNode *machine)
{
    static const char *const attributes[] = {"role", "priority", "service", NULL};
    const char *unknown = find_unknown_attribute(machine, attributes);

    if (unknown == NULL)
        return;
    complain(reader, machine, "unknown attribute", unknown);
    if (reader->description->roles == 0 && text_distance(unknown, "role") <= 2)
        reader->description->roles = ROLE_UNREADABLE;
}

static void read_priority(struct xml_reader *reader, const xmlNode *machine)
{
    _cleanup_(freep) char *text = xml_attribute(reader, machine, "priority");
    char *end;

    if (text == NULL)
        return;
    errno = 0;
    long priority = strtol(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || priority < INT_MIN || priority > INT_MAX) {
        complain(reader, machine, "priority is not a number", text);
        return;
    }
    reader->description->has_priority = true;
    reader->description->priority = (int)priority;
}

/* That names another domain: it came with a copy of the definition, and says nothing of this one. */
static bool is_of_this_domain(struct xml_reader *reader, const xmlNode *node)
{
    char uuid[UUID_TEXT_SIZE];

    uuid_format(reader->description->uuid, uuid);
    return xml_attribute_is(reader, node, "domain", uuid);
}

static bool copy_attribute(struct xml_reader *reader, const xmlNode *node, const char *name, char *ret, size_t size)
{
    _cleanup_(freep) char *text = xml_attribute(reader, node, name);

    if (text == NULL || strlen(text) >= size || (size < SERVICE_NAME_SIZE && (text[0] == '\0' || strchr(text, ' '))))
        return false;
    strcpy(ret, text);
    return true;
}

/* See metadata.c. */
static void read_mark(struct xml_reader *reader, const xmlNode *node)
{
    struct mark mark = {.is_warm = xml_attribute_is(reader, node, "warm", "yes")};
    char text[MARK_TEXT_SIZE];

    if (!is_of_this_domain(reader, node) || reader->description->mark != NULL)
        return;
    if (!mark.is_warm &&
        (!copy_attribute(reader, node, "recovery", mark.recovery_id, sizeof(mark.recovery_id)) ||
         !copy_attribute(reader, node, "hypervisor", mark.original.hypervisor, sizeof(mark.original.hypervisor)) ||
         !copy_attribute(reader, node, "original", mark.original.uuid, sizeof(mark.original.uuid)) ||
         !copy_attribute(reader, node, "service", mark.service, sizeof(mark.service))))
        return;
    mark_print(&mark, text);
    reader->description->mark = strdup(text);
    reader->out_of_memory |= reader->description->mark == NULL;
}

/* <understudy:made domain="UUID" template="NAME" service="SERVICE"/>: understudy made the machine. */
static void read_made(struct xml_reader *reader, const xmlNode *node)
{
    if (!is_of_this_domain(reader, node) || reader->description->template != NULL)
        return;
    reader->description->template = xml_attribute(reader, node, "template");
    reader->description->is_unfinished = xml_attribute_is(reader, node, "unfinished", "yes");
    reader->description->is_made_standby = xml_attribute_is(reader, node, "advance", "yes");
}

/* What a template says of itself is read by template.c, and says nothing of a domain, which may have been made from it. */
static void pass_over(struct xml_reader *reader, const xmlNode *node)
{
    (void)reader;
    (void)node;
}

/* Understudy made the element for it. */
static bool is_mark_alone(const xmlNode *machine)
{
    const xmlNode *first = xmlFirstElementChild((xmlNode *)machine);

    return machine->properties == NULL && first != NULL && xml_is_element(first, "mark") &&
           xmlNextElementSibling((xmlNode *)first) == NULL;
}

static void read_child(struct xml_reader *reader, const xmlNode *node)
{
    static const struct {
        const char *element;
        void (*read)(struct xml_reader *reader, const xmlNode *node);
    } children[] = {
        {"resource", read_resource},
        {"mark", read_mark},
        {"made", read_made},
        {"template", pass_over},
    };

    for (size_t i = 0; i < ELEMENTS_OF(children); i++)
        if (xml_is_element(node, children[i].element)) {
            children[i].read(reader, node);
            return;
        }
    complain(reader, node, "unknown element", (const char *)node->name);
}

static void read_children(struct xml_reader *reader, const xmlNode *machine)
{
    for (const xmlNode *node = machine->children; node != NULL; node = node->next) {
        if (node->type != XML_ELEMENT_NODE)
            continue;
        if (xml_is_in_namespace(node, UNDERSTUDY_METADATA_URI))
            read_child(reader, node);
        else
            complain(reader, node, "element of another namespace", (const char *)node->name);
    }
}

/* An element of ours by its name or prefix, in a namespace that is not. */
static const xmlNode *find_misnamed(const xmlNode *metadata)
{
    for (const xmlNode *node = metadata != NULL ? metadata->children : NULL; node != NULL; node = node->next) {
        const xmlNs *ns = node->type == XML_ELEMENT_NODE ? node->ns : NULL;
        const char *prefix = ns != NULL && ns->prefix != NULL ? (const char *)ns->prefix : "";

        if (ns != NULL && ns->href != NULL && !xml_is_in_namespace(node, UNDERSTUDY_METADATA_URI) &&
            (strcasecmp(prefix, UNDERSTUDY_METADATA_PREFIX) == 0 ||
             strcasestr((const char *)ns->href, UNDERSTUDY_METADATA_PREFIX) != NULL))
            return node;
    }
    return NULL;
}

static void read_misnamed(struct xml_reader *reader, const xmlNode *metadata)
{
    const xmlNode *node = find_misnamed(metadata);

    if (node == NULL)
        return;
    complain(reader, node, "nothing is read of the namespace, which is not " UNDERSTUDY_METADATA_URI,
             (const char *)node->ns->href);
    if (reader->description->roles == 0 && xmlHasNsProp(node, BAD_CAST "role", NULL) != NULL)
        reader->description->roles = ROLE_UNREADABLE;
}

static void read_machine(struct xml_reader *reader, const xmlNode *machine)
{
    reader->description->has_metadata = !is_mark_alone(machine);
    read_role(reader, machine);
    read_other_attributes(reader, machine);
    read_priority(reader, machine);
    reader->description->service = xml_attribute(reader, machine, "service");
    read_children(reader, machine);
}

void metadata_xml_read(struct xml_reader *reader, const xmlNode *domain)
{
    const xmlNode *metadata = xml_child(domain, "metadata");
    const xmlNode *machine = xml_child_in(metadata, "machine", UNDERSTUDY_METADATA_URI);

    if (machine != NULL)
        read_machine(reader, machine);
    read_misnamed(reader, metadata);
    if (reader->n_metadata_faults > FAULTS_MAX) {
        char *longer =
            text_print("%s; %u more", reader->description->metadata_faults, reader->n_metadata_faults - FAULTS_MAX);

        reader->out_of_memory |= longer == NULL;
        free(reader->description->metadata_faults);
        reader->description->metadata_faults = longer;
    }
}
