/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Maps against the schema. The only place that knows which function reads which type. */
#include "config/object.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "config/agents.h"
#include "config/collection.h"
#include "config/policy.h"
#include "config/value.h"

static value_read_function read_list;
static value_release_function release_list;
static value_equal_function equal_list;

/* release NULL: owns nothing. Sections have no member and no functions. */
static const struct {
    value_read_function *read;
    value_release_function *release;
    value_equal_function *equal;
} types[SCHEMA_TYPE_COUNT] = {
    [SCHEMA_BOOL] = {value_read_bool, NULL, value_equal_bytes},
    [SCHEMA_CHOICE] = {value_read_choice, NULL, value_equal_bytes},
    [SCHEMA_INTEGER] = {value_read_integer, NULL, value_equal_bytes},
    [SCHEMA_DECIMAL] = {value_read_decimal, NULL, value_equal_bytes},
    [SCHEMA_DURATION] = {value_read_duration, NULL, value_equal_bytes},
    [SCHEMA_SIZE] = {value_read_size, NULL, value_equal_bytes},
    [SCHEMA_NAME] = {value_read_name, value_release_text, value_equal_text},
    [SCHEMA_URI] = {value_read_uri, value_release_text, value_equal_text},
    [SCHEMA_PATH] = {value_read_path, value_release_text, value_equal_text},
    [SCHEMA_NAME_OR_NONE] = {value_read_name_or_none, value_release_text, value_equal_text},
    [SCHEMA_PATH_OR_NONE] = {value_read_path_or_none, value_release_text, value_equal_text},
    [SCHEMA_ENDPOINT_OR_NONE] = {value_read_endpoint_or_none, value_release_text, value_equal_text},
    [SCHEMA_WINDOW] = {value_read_window, value_release_text, value_equal_text},
    [SCHEMA_PATTERNS] = {value_read_patterns, value_release_list, value_equal_list},
    [SCHEMA_DIRECTORIES] = {value_read_directories, value_release_list, value_equal_list},
    [SCHEMA_KINDS] = {value_read_kinds, value_release_list, value_equal_list},
    [SCHEMA_HYPERVISORS] = {read_list, release_list, equal_list},
    [SCHEMA_SERVICES] = {read_list, release_list, equal_list},
    [SCHEMA_ENVIRONMENT_WEIGHTS] = {collection_read_environment_weights, NULL, value_equal_bytes},
    [SCHEMA_RESOURCE_WEIGHTS] = {collection_read_resource_weights, collection_release_resource_weights,
                                 collection_equal_resource_weights},
    [SCHEMA_OPTIONS] = {collection_read_options, collection_release_options, collection_equal_options},
    [SCHEMA_AGENTS] = {agents_read, agents_release, agents_equal},
    [SCHEMA_HOST_AGENTS] = {agents_read_of_host, agents_release, agents_equal},
    [SCHEMA_LEVELS] = {agents_read_levels, agents_release_levels, agents_equal_levels},
    [SCHEMA_VARIABLES] = {collection_read_options, collection_release_options, collection_equal_options},
    [SCHEMA_MACHINES] = {collection_read_machines, collection_release_machines, collection_equal_machines},
};

static void set_default(struct reader *reader, const struct schema_key *key, void *object)
{
    _cleanup_(document_freep) struct document *document = NULL;
    struct place place = {.name = key->path};
    int r = document_parse(key->default_text, strlen(key->default_text), reader->file, reader->diags, &document);

    if (r == -ENOMEM)
        reader->is_out_of_memory = true;
    else if (r < 0)
        reader->n_errors++;
    else
        types[key->type].read(reader, &place, key, document->root, object);
}

void object_set_defaults(struct reader *reader, const char *section, void *object)
{
    for (const struct schema_key *key = NULL; (key = schema_next_child(section, key)) != NULL;) {
        if (key->type == SCHEMA_SECTION)
            object_set_defaults(reader, key->path, object);
        else if (key->default_text != NULL)
            set_default(reader, key, object);
        else if (key->default_from != NULL)
            memcpy(schema_member(key, object), schema_member(schema_find(key->default_from), object), key->size);
    }
}

static void report_unknown(struct reader *reader, const struct place *place, const char *section,
                           const struct node *name)
{
    const struct schema_key *meant = schema_suggest(section, name->text);
    bool is_sibling = meant != NULL && schema_find_child(section, schema_name(meant)) == meant;
    char path[PLACE_TEXT_SIZE], quoted[QUOTED_SIZE];

    place_format(place, path);
    quote_name(name->text, quoted);
    reader_error(reader, NULL, name, "unknown key%s%s%s%s%s%s%s%s", quoted[0] != '\0' ? " " : "", quoted,
                 place != NULL ? " in '" : "", path, place != NULL ? "'" : "", meant != NULL ? "; did you mean '" : "",
                 meant == NULL ? ""
                 : is_sibling  ? schema_name(meant)
                               : meant->path,
                 meant != NULL ? "'?" : "");
}

static void read_pair(struct reader *reader, const struct place *place, const char *section, const struct node *name,
                      const struct node *value, void *object)
{
    const struct schema_key *key = schema_find_child(section, name->text);
    const char *remedy = schema_removed(section, name->text);
    struct place here = {.parent = place, .name = name->text};

    if (remedy != NULL)
        reader_error(reader, &here, name, "there is no such key any more: %s", remedy);
    else if (key == NULL)
        report_unknown(reader, place, section, name);
    else if (key->type == SCHEMA_SECTION)
        object_read(reader, &here, key->path, value, object);
    else
        types[key->type].read(reader, &here, key, value, object);
}

/* Keys that the map leaves out: an error, or as another key. */
static void complete(struct reader *reader, const struct place *place, const char *section, const struct node *map,
                     void *object)
{
    for (const struct schema_key *key = NULL; (key = schema_next_child(section, key)) != NULL;) {
        char expected[SCHEMA_EXPECTATION_SIZE];

        if (node_find(map, schema_name(key)) != NULL)
            continue;
        if (key->is_required) {
            schema_expectation(key, expected);
            reader_error(reader, place, map, "'%s' is missing, expected %s", schema_name(key), expected);
        } else if (key->default_from != NULL) {
            memcpy(schema_member(key, object), schema_member(schema_find(key->default_from), object), key->size);
        }
    }
}

void object_read(struct reader *reader, const struct place *place, const char *section, const struct node *node,
                 void *object)
{
    if (node->kind == NODE_MAP) {
        reader_check_duplicates(reader, place, node);
    } else if (!node_is_null(node)) {
        /* A text is not shown: it may be pairs that are written badly. */
        reader_error(reader, place, node, "found %s, expected a map of keys",
                     node->kind == NODE_LIST ? "a list" : "a text");
        return;
    }
    for (size_t i = 0; i < node->n_items; i += 2)
        read_pair(reader, place, section, node->items[i], node->items[i + 1], object);
    complete(reader, place, section, node, object);
}

void object_done(const char *section, void *object)
{
    for (const struct schema_key *key = NULL; (key = schema_next_child(section, key)) != NULL;) {
        if (key->type == SCHEMA_SECTION)
            object_done(key->path, object);
        else if (types[key->type].release != NULL)
            types[key->type].release(key, object);
    }
}

bool object_equal_key(const struct schema_key *key, const void *a, const void *b)
{
    return key->type == SCHEMA_SECTION || types[key->type].equal(key, a, b);
}

/* ---- lists of objects ---- */

#define HYPERVISOR "hypervisors[]"
#define SERVICE    "services[]"

/* The first among n that has the same text at this offset as the one after them; n: none. */
static size_t find_twin(const struct config_hypervisor *hypervisors, size_t n, size_t offset)
{
    char *const *text = (char *const *)((const char *)&hypervisors[n] + offset);
    size_t i = 0;

    while (i < n && (*text == NULL || !text_equal(*(char *const *)((const char *)&hypervisors[i] + offset), *text)))
        i++;
    return i;
}

/* One host under two names would have each failure recovered twice. */
static void check_twins(struct reader *reader, const struct place *here, const struct node *list, size_t index,
                        void *elements)
{
    const struct config_hypervisor *hypervisors = elements;
    size_t namesake = find_twin(hypervisors, index, offsetof(struct config_hypervisor, name));
    size_t twin = find_twin(hypervisors, index, offsetof(struct config_hypervisor, uri));

    if (namesake < index)
        reader_error(reader, here, list->items[index], "a second hypervisor named '%s', the first is in line %u",
                     hypervisors[index].name, list->items[namesake]->line);
    else if (twin < index)
        reader_error(reader, here, list->items[index], "the same URI as in line %u; a host is named once",
                     list->items[twin]->line);
}

/* "verify.level" below a map. */
static bool is_given(const struct node *map, const char *path)
{
    const char *dot = strchr(path, '.');
    char section[32];
    const struct node *below;

    if (dot == NULL)
        return node_find(map, path) != NULL;
    snprintf(section, sizeof(section), "%.*s", (int)(dot - path), path);
    below = node_find(map, section);
    return below != NULL && below->kind == NODE_MAP && is_given(below, dot + 1);
}

/* Which keys an entry of services gives: those that it leaves out are as for everything. */
static void note_given(struct reader *reader, const struct place *here, const struct node *list, size_t index,
                       void *elements)
{
    struct config_service *service = (struct config_service *)elements + index;
    const struct node *node = list->items[index];
    const struct schema_key *key;

    service->line = node->line;
    for (size_t place = 0; (key = policy_key(place)) != NULL; place++)
        if (node->kind == NODE_MAP && is_given(node, key->path + strlen(SERVICE ".")))
            service->given |= UINT32_C(1) << place;
    if (service->given == 0 && reader->n_errors == 0)
        reader_warn(reader, here, node, "gives nothing but match, and means nothing");
}

/* What the elements of a list are. */
struct object_list {
    const char *section;
    size_t size;
    /* At each element that was read. */
    void (*finish)(struct reader *reader, const struct place *here, const struct node *list, size_t index,
                   void *elements);
};

static const struct object_list *list_of(const struct schema_key *key)
{
    static const struct object_list hypervisors = {HYPERVISOR, sizeof(struct config_hypervisor), check_twins};
    static const struct object_list services = {SERVICE, sizeof(struct config_service), note_given};

    return key->type == SCHEMA_SERVICES ? &services : &hypervisors;
}

static void read_list(struct reader *reader, const struct place *place, const struct schema_key *key,
                      const struct node *node, void *object)
{
    const struct object_list *list = list_of(key);
    char expected[SCHEMA_EXPECTATION_SIZE];
    char *elements;

    schema_expectation(key, expected);
    if (node->kind != NODE_LIST) {
        reader_mismatch(reader, place, node, expected);
        return;
    }
    if (node->n_items < (size_t)key->min) {
        reader_error(reader, place, node, "found an empty list, expected %s", expected);
        return;
    }
    if (node->n_items > (size_t)key->max) {
        reader_error(reader, place, node, "found %zu, expected at most %" PRId64, node->n_items, key->max);
        return;
    }
    elements = calloc(node->n_items + 1, list->size);
    if (elements == NULL) {
        reader->is_out_of_memory = true;
        return;
    }
    release_list(key, object);
    *(void **)schema_member(key, object) = elements;
    *schema_member_count(key, object) = node->n_items;
    for (size_t i = 0; i < node->n_items; i++) {
        struct place here = {.parent = place, .index = i};

        object_set_defaults(reader, list->section, elements + i * list->size);
        object_read(reader, &here, list->section, node->items[i], elements + i * list->size);
        list->finish(reader, &here, node, i, elements);
    }
}

static void release_list(const struct schema_key *key, void *object)
{
    const struct object_list *list = list_of(key);
    char **member = schema_member(key, object);

    for (size_t i = 0; i < *schema_member_count(key, object); i++)
        object_done(list->section, *member + i * list->size);
    free(*member);
    *member = NULL;
    *schema_member_count(key, object) = 0;
}

/* All that is below a section. */
static bool equal_keys(const char *section, const void *a, const void *b)
{
    for (const struct schema_key *key = NULL; (key = schema_next_child(section, key)) != NULL;)
        if (key->type == SCHEMA_SECTION ? !equal_keys(key->path, a, b) : !object_equal_key(key, a, b))
            return false;
    return true;
}

/* A key that is given may have the value of one that is not. */
static bool gives_same(const void *a, const void *b)
{
    return ((const struct config_service *)a)->given == ((const struct config_service *)b)->given;
}

static bool equal_list(const struct schema_key *key, const void *a, const void *b)
{
    const struct object_list *list = list_of(key);
    const char *left = *(char *const *)schema_member_const(key, a),
               *right = *(char *const *)schema_member_const(key, b);
    size_t n = schema_member_count_const(key, a);

    if (n != schema_member_count_const(key, b))
        return false;
    for (size_t i = 0; i < n; i++)
        if (!equal_keys(list->section, left + i * list->size, right + i * list->size) ||
            (key->type == SCHEMA_SERVICES && !gives_same(left + i * list->size, right + i * list->size)))
            return false;
    return true;
}
