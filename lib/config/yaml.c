/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libyaml's events → tree. Refuses what could exhaust memory or the stack before it is built, and what
 * no configuration needs: tags, merge keys, several documents. Knows nothing of configuration keys.
 */
#include "config/yaml.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <yaml.h>

struct anchor {
    char *name;
    struct node *node;
};

struct builder {
    yaml_parser_t parser;
    const char *text;
    size_t length;
    const char *file;
    struct diags *diags;
    struct document *document;
    unsigned n_documents;
    struct node *open[DOCUMENT_DEPTH_MAX];
    size_t depth;
    struct anchor anchors[DOCUMENT_ANCHORS_MAX];
    size_t n_anchors;
};

void document_free(struct document *document)
{
    if (document == NULL)
        return;
    for (struct node *node = document->nodes, *next; node != NULL; node = next) {
        next = node->next;
        free(node->text);
        free(node->items);
        free(node);
    }
    free(document);
}

static void builder_done(struct builder *builder)
{
    yaml_parser_delete(&builder->parser);
    for (size_t i = 0; i < builder->n_anchors; i++)
        free(builder->anchors[i].name);
    document_free(builder->document);
}

/* Reports at a place that libyaml names, counted from 0, and returns -EINVAL for the caller to return. */
#define refuse(builder, mark, ...)                                                                                     \
    (diags_add((builder)->diags, DIAG_ERROR, (builder)->file, (unsigned)(mark).line + 1, (unsigned)(mark).column + 1,  \
               __VA_ARGS__),                                                                                           \
     -EINVAL)

/* Where a byte stands; columns are counted in characters, as libyaml does. */
static yaml_mark_t mark_of_offset(const struct builder *builder, size_t offset)
{
    yaml_mark_t mark = {0};

    for (size_t i = 0; i < offset && i < builder->length; i++) {
        unsigned char byte = (unsigned char)builder->text[i];

        if (byte == '\n') {
            mark.line++;
            mark.column = 0;
        } else if ((byte & 0xC0) != 0x80) {
            mark.column++;
        }
    }
    return mark;
}

static bool is_tab_at(const struct builder *builder, yaml_mark_t mark)
{
    const char *at = builder->text, *end = builder->text + builder->length;

    for (size_t line = 0; line < mark.line && at != NULL; line++) {
        at = memchr(at, '\n', (size_t)(end - at));
        at = at == NULL ? NULL : at + 1;
    }
    for (size_t column = 0; at != NULL && at < end && column < mark.column; at++)
        if (((unsigned char)at[0] & 0xC0) != 0x80)
            column++;
    return at != NULL && at < end && *at == '\t';
}

/* Words for what libyaml stumbled over, with the advice that the commonest mistakes need. */
static int refuse_syntax(struct builder *builder)
{
    const yaml_parser_t *parser = &builder->parser;
    const char *problem = parser->problem != NULL ? parser->problem : "not YAML";
    const char *context = parser->context != NULL ? parser->context : "";
    const char *advice = "";
    char begun[40] = "";

    if (parser->error == YAML_MEMORY_ERROR)
        return -ENOMEM;
    if (parser->error == YAML_READER_ERROR)
        return refuse(builder, mark_of_offset(builder, parser->problem_offset), "%s (byte 0x%02x)", problem,
                      (unsigned)(parser->problem_value & 0xff));
    if (is_tab_at(builder, parser->problem_mark))
        advice = "; this is a tab, indent with spaces";
    else if (strcmp(context, "while scanning an alias") == 0)
        advice = "; quote text that begins with '*', as in \"*\"";
    if (context[0] != '\0' && parser->context_mark.line < parser->problem_mark.line)
        snprintf(begun, sizeof(begun), " (begun in line %zu)", parser->context_mark.line + 1);
    return refuse(builder, parser->problem_mark, "%s%s%s%s%s", context, begun, context[0] != '\0' ? ": " : "", problem,
                  advice);
}

static int node_new(struct builder *builder, enum node_kind kind, const yaml_event_t *event, struct node **ret)
{
    struct node *node = calloc(1, sizeof(*node));

    if (node == NULL)
        return -ENOMEM;
    node->kind = kind;
    node->line = (unsigned)event->start_mark.line + 1;
    node->column = (unsigned)event->start_mark.column + 1;
    node->n_nodes = 1;
    node->is_open = kind != NODE_SCALAR;
    node->next = builder->document->nodes;
    builder->document->nodes = node;
    *ret = node;
    return 0;
}

static int append(struct node *parent, struct node *node)
{
    /* Full exactly when the count is a power of two (or nothing was allocated yet). */
    if ((parent->n_items & (parent->n_items - 1)) == 0) {
        size_t capacity = parent->n_items == 0 ? 1 : parent->n_items * 2;
        struct node **items = reallocarray(parent->items, capacity, sizeof(*items));

        if (items == NULL)
            return -ENOMEM;
        parent->items = items;
    }
    parent->items[parent->n_items++] = node;
    return 0;
}

static bool expects_key(const struct builder *builder)
{
    const struct node *parent = builder->depth > 0 ? builder->open[builder->depth - 1] : NULL;

    return parent != NULL && parent->kind == NODE_MAP && parent->n_items % 2 == 0;
}

/* Counts nodes into the innermost open collection, before an alias can multiply them beyond bounds. */
static int count_nodes(struct builder *builder, yaml_mark_t mark, size_t n)
{
    struct node *parent = builder->depth > 0 ? builder->open[builder->depth - 1] : NULL;

    if (parent == NULL)
        return 0;
    parent->n_nodes += n;
    if (parent->n_nodes > DOCUMENT_NODES_MAX)
        return refuse(builder, mark, "more than %zu values, with every alias written out", DOCUMENT_NODES_MAX);
    return 0;
}

static int attach(struct builder *builder, struct node *node, yaml_mark_t mark)
{
    if (builder->depth == 0) {
        builder->document->root = node;
        return 0;
    }
    if (expects_key(builder)) {
        if (node->kind != NODE_SCALAR)
            return refuse(builder, mark, "found a %s as a key, expected a text",
                          node->kind == NODE_LIST ? "list" : "map");
        if (node->is_plain && strcmp(node->text, "<<") == 0)
            return refuse(builder, mark, "merge keys ('<<') are not supported, write the keys out");
    }
    return append(builder->open[builder->depth - 1], node);
}

static int set_anchor(struct builder *builder, const yaml_char_t *name, yaml_mark_t mark, struct node *node)
{
    struct anchor *anchor = &builder->anchors[builder->n_anchors];

    if (name == NULL)
        return 0;
    if (builder->n_anchors == DOCUMENT_ANCHORS_MAX)
        return refuse(builder, mark, "more than %d anchors", DOCUMENT_ANCHORS_MAX);
    anchor->name = strdup((const char *)name);
    if (anchor->name == NULL)
        return -ENOMEM;
    anchor->node = node;
    builder->n_anchors++;
    return 0;
}

/* As for aliases, the word is not repeated: it may be a password without quotes. */
static int refuse_tag(struct builder *builder, yaml_mark_t mark)
{
    return refuse(builder, mark, "tags are not supported; quote text that begins with '!'");
}

static int handle_alias(struct builder *builder, const yaml_event_t *event)
{
    const char *name = (const char *)event->data.alias.anchor;
    struct node *node = NULL;
    int r;

    /* An anchor may be given again; the last one before the alias counts. */
    for (size_t i = builder->n_anchors; i > 0 && node == NULL; i--)
        if (strcmp(builder->anchors[i - 1].name, name) == 0)
            node = builder->anchors[i - 1].node;
    if (node == NULL)
        return refuse(builder, event->start_mark, "an alias has no anchor before it; quote text that begins with '*'");
    if (node->is_open)
        return refuse(builder, event->start_mark, "an alias stands within the very value it names");
    r = count_nodes(builder, event->start_mark, node->n_nodes);
    return r < 0 ? r : attach(builder, node, event->start_mark);
}

static int handle_scalar(struct builder *builder, const yaml_event_t *event)
{
    const char *value = (const char *)event->data.scalar.value;
    struct node *node;
    int r;

    if (event->data.scalar.tag != NULL)
        return refuse_tag(builder, event->start_mark);
    if (strlen(value) != event->data.scalar.length)
        return refuse(builder, event->start_mark, "text holds a NUL character");
    r = node_new(builder, NODE_SCALAR, event, &node);
    if (r < 0)
        return r;
    node->is_plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    node->is_long = event->end_mark.line > event->start_mark.line;
    node->text = strdup(value);
    if (node->text == NULL)
        return -ENOMEM;
    r = set_anchor(builder, event->data.scalar.anchor, event->start_mark, node);
    if (r < 0)
        return r;
    r = count_nodes(builder, event->start_mark, 1);
    return r < 0 ? r : attach(builder, node, event->start_mark);
}

static int handle_start(struct builder *builder, const yaml_event_t *event, enum node_kind kind, const yaml_char_t *tag,
                        const yaml_char_t *anchor)
{
    struct node *node;
    int r;

    if (tag != NULL)
        return refuse_tag(builder, event->start_mark);
    if (builder->depth == DOCUMENT_DEPTH_MAX)
        return refuse(builder, event->start_mark, "nested deeper than %d levels", DOCUMENT_DEPTH_MAX);
    r = node_new(builder, kind, event, &node);
    if (r < 0)
        return r;
    r = set_anchor(builder, anchor, event->start_mark, node);
    if (r < 0)
        return r;
    r = attach(builder, node, event->start_mark);
    if (r < 0)
        return r;
    builder->open[builder->depth++] = node;
    return 0;
}

static int handle_end(struct builder *builder, const yaml_event_t *event)
{
    struct node *node = builder->open[--builder->depth];

    node->is_open = false;
    return count_nodes(builder, event->start_mark, node->n_nodes);
}

static int handle_event(struct builder *builder, const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_DOCUMENT_START_EVENT:
        if (builder->n_documents++ > 0)
            return refuse(builder, event->start_mark, "a second document begins here, expected only one");
        return 0;
    case YAML_ALIAS_EVENT:
        return handle_alias(builder, event);
    case YAML_SCALAR_EVENT:
        return handle_scalar(builder, event);
    case YAML_SEQUENCE_START_EVENT:
        return handle_start(builder, event, NODE_LIST, event->data.sequence_start.tag,
                            event->data.sequence_start.anchor);
    case YAML_MAPPING_START_EVENT:
        return handle_start(builder, event, NODE_MAP, event->data.mapping_start.tag, event->data.mapping_start.anchor);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        return handle_end(builder, event);
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_STREAM_END_EVENT:
    case YAML_DOCUMENT_END_EVENT:
        return 0;
    }
    return 0;
}

static int build(struct builder *builder)
{
    bool is_end = false;

    while (!is_end) {
        yaml_event_t event;
        int r;

        if (!yaml_parser_parse(&builder->parser, &event))
            return refuse_syntax(builder);
        is_end = event.type == YAML_STREAM_END_EVENT;
        r = handle_event(builder, &event);
        yaml_event_delete(&event);
        if (r < 0)
            return r;
    }
    return 0;
}

int document_parse(const char *text, size_t length, const char *file, struct diags *diags, struct document **ret)
{
    struct builder builder = {.text = text, .length = length, .file = file, .diags = diags};
    int r;

    if (length > DOCUMENT_BYTES_MAX) {
        diags_add(diags, DIAG_ERROR, file, 0, 0, "larger than %zu bytes", DOCUMENT_BYTES_MAX);
        return -EINVAL;
    }
    if (!yaml_parser_initialize(&builder.parser))
        return -ENOMEM;
    yaml_parser_set_encoding(&builder.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&builder.parser, (const unsigned char *)text, length);
    builder.document = calloc(1, sizeof(*builder.document));
    r = builder.document == NULL ? -ENOMEM : build(&builder);
    if (r == 0)
        *ret = steal_pointer(&builder.document);
    builder_done(&builder);
    return r;
}

bool node_is_null(const struct node *node)
{
    return node->kind == NODE_SCALAR && node->is_plain &&
           (node->text[0] == '\0' || strcmp(node->text, "~") == 0 || strcasecmp(node->text, "null") == 0);
}

int node_to_bool(const struct node *node, bool *ret)
{
    static const struct {
        const char *text;
        bool value;
    } words[] = {{"true", true}, {"yes", true}, {"on", true}, {"false", false}, {"no", false}, {"off", false}};

    if (node->kind != NODE_SCALAR || !node->is_plain)
        return -EINVAL;
    for (size_t i = 0; i < ELEMENTS_OF(words); i++)
        if (strcasecmp(node->text, words[i].text) == 0) {
            *ret = words[i].value;
            return 0;
        }
    return -EINVAL;
}

const struct node *node_find(const struct node *map, const char *key)
{
    if (map->kind != NODE_MAP)
        return NULL;
    for (size_t i = 0; i + 1 < map->n_items; i += 2)
        if (strcmp(map->items[i]->text, key) == 0)
            return map->items[i + 1];
    return NULL;
}
