/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A file of the catalog: checked as a configuration is, and kept as it stands, since the entries' texts are its own. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "config/reader.h"
#include "config/value.h"
#include "discovery/catalog.h"
#include "discovery/entries.h"

static const char *const name_keys[CATALOG_NAME_KINDS] = {
    [CATALOG_PACKAGE] = "packages",
    [CATALOG_SERVICE] = "services",
    [CATALOG_COMMAND] = "commands",
    [CATALOG_SPELLING] = "names",
};

#define PARTS_MAX 9

/* Room for one more; NULL: no memory, and the reader knows. */
static void *grow(struct reader *reader, void *all, size_t *count, size_t size)
{
    char **array = all, *grown = reallocarray(*array, *count + 1, size);

    if (grown == NULL) {
        reader->is_out_of_memory = true;
        return NULL;
    }
    *array = grown;
    memset(grown + *count * size, 0, size);
    return grown + (*count)++ * size;
}

static bool check_map(struct reader *reader, const struct place *place, const struct node *node, const char *expected)
{
    if (node->kind != NODE_MAP)
        reader_mismatch(reader, place, node, expected);
    else
        reader_check_duplicates(reader, place, node);
    return node->kind == NODE_MAP;
}

/* A list of texts; NULL: something else, which is reported. */
static const struct node *read_texts(struct reader *reader, const struct place *place, const struct node *node,
                                     const char *expected)
{
    if (node->kind != NODE_LIST) {
        reader_mismatch(reader, place, node, expected);
        return NULL;
    }
    for (size_t i = 0; i < node->n_items; i++)
        if (node_text(node->items[i]) == NULL || node->items[i]->text[0] == '\0') {
            reader_mismatch(reader, &(struct place){.parent = place, .index = i}, node->items[i], "a text");
            return NULL;
        }
    return node;
}

/* ---- features ---- */

static const char family_letters[] = "abcdefghijklmnopqrstuvwxyz0123456789-";

static void add_pattern(struct reader *reader, struct catalog_entry *entry, size_t *count, const char *text)
{
    const char *colon = strchr(text, ':');
    struct catalog_pattern *pattern = grow(reader, &entry->patterns, count, sizeof(*pattern));

    if (pattern == NULL)
        return;
    if (colon != NULL && colon != text && text[strspn(text, family_letters)] == ':') {
        pattern->family = text;
        text = colon + 1;
    }
    pattern->text = text;
    pattern->literal = strcspn(text, "*?[");
}

/* Of each kind in its turn, since they stand in this order. */
static void read_names(struct reader *reader, const struct place *place, const struct node *node,
                       struct catalog_entry *entry)
{
    size_t count = 0;

    for (enum catalog_name_kind kind = 0; kind < CATALOG_NAME_KINDS; kind++) {
        struct place here = {.parent = place, .name = name_keys[kind]};
        const struct node *names = node_find(node, name_keys[kind]);

        if (names != NULL)
            names = read_texts(reader, &here, names, "a list of names such as [nginx, \"nginx-*\"]");
        for (size_t i = 0; names != NULL && i < names->n_items; i++)
            add_pattern(reader, entry, &count, names->items[i]->text);
        entry->ends[kind] = count;
    }
    entry->feature.is_server = entry->ends[CATALOG_SERVICE] > entry->ends[CATALOG_PACKAGE];
}

static const struct node *read_uses(struct reader *reader, const struct place *place, const struct node *node)
{
    static const char expected[] = "a list of features such as [language/java]";
    const struct node *uses = read_texts(reader, place, node, expected);

    for (size_t i = 0; uses != NULL && i < uses->n_items; i++)
        if (strchr(uses->items[i]->text, '/') == NULL) {
            reader_mismatch(reader, place, uses->items[i], expected);
            return NULL;
        }
    return uses;
}

static void read_ports(struct reader *reader, const struct place *place, const struct node *node,
                       struct catalog_feature *feature)
{
    static const char expected[] = "a list of at most 8 ports from 1 to 65535, such as [25, 587]";
    const struct node *ports = read_texts(reader, place, node, expected);

    for (size_t i = 0; ports != NULL && i < ports->n_items; i++) {
        char *end;
        unsigned long port = strtoul(ports->items[i]->text, &end, 10);

        if (*end != '\0' || port == 0 || port > UINT16_MAX || i == CATALOG_PORTS_MAX) {
            reader_mismatch(reader, place, ports->items[i], expected);
            return;
        }
        feature->ports[feature->n_ports++] = (uint16_t)port;
    }
}

static bool read_is_in_images(struct reader *reader, const struct place *place, const struct node *node)
{
    const char *text = node_text(node);
    bool is_true = text != NULL && strcmp(text, "true") == 0;

    if (!is_true && (text == NULL || strcmp(text, "false") != 0))
        reader_mismatch(reader, place, node, "true or false");
    return is_true;
}

static bool is_name_key(const char *text)
{
    for (enum catalog_name_kind kind = 0; kind < CATALOG_NAME_KINDS; kind++)
        if (strcmp(name_keys[kind], text) == 0)
            return true;
    return false;
}

static void read_entry(struct reader *reader, const struct place *place, const struct node *node,
                       struct catalog_entry *entry)
{
    for (size_t i = 0; i < node->n_items; i += 2) {
        struct place here = {.parent = place, .name = node->items[i]->text};

        if (strcmp(here.name, "uses") == 0)
            entry->uses = read_uses(reader, &here, node->items[i + 1]);
        else if (strcmp(here.name, "ports") == 0)
            read_ports(reader, &here, node->items[i + 1], &entry->feature);
        else if (strcmp(here.name, "in_images") == 0)
            entry->feature.is_in_images = read_is_in_images(reader, &here, node->items[i + 1]);
        else if (!is_name_key(here.name))
            reader_error(reader, &here, node->items[i],
                         "not a key of the catalog, expected packages, services, commands, uses, ports, names or "
                         "in_images");
    }
    read_names(reader, place, node, entry);
}

/* What an earlier file says of the feature is gone. */
static void remove_entry(struct catalog *catalog, const char *kind, const char *value)
{
    for (size_t i = 0; i < catalog->n_entries; i++) {
        struct catalog_entry *entry = &catalog->entries[i];

        if (strcasecmp(entry->feature.kind, kind) != 0 || strcasecmp(entry->feature.value, value) != 0)
            continue;
        catalog_entry_done(entry);
        memmove(entry, entry + 1, (--catalog->n_entries - i) * sizeof(*entry));
        return;
    }
}

static void read_value(struct reader *reader, const struct place *place, const struct node *kind,
                       const struct node *value, const struct node *node, struct catalog *catalog)
{
    struct catalog_entry *entry;
    uint32_t feature;
    int r = feature_table_intern(reader->features, kind->text, value->text, &feature);

    if (r == -ENOMEM)
        reader->is_out_of_memory = true;
    if (r == -EINVAL)
        reader_mismatch(reader, place, value, "a value of printable text, at most 128 bytes");
    if (r < 0)
        return;
    remove_entry(catalog, kind->text, value->text);
    if (node_is_null(node) ||
        !check_map(reader, place, node, "a map of packages, services, commands, uses and names, or null"))
        return;
    entry = grow(reader, &catalog->entries, &catalog->n_entries, sizeof(*entry));
    if (entry == NULL)
        return;
    entry->feature.kind = kind->text;
    entry->feature.value = value->text;
    read_entry(reader, place, node, entry);
}

static void read_features(struct reader *reader, const struct place *place, const struct node *node,
                          struct catalog *catalog)
{
    if (!check_map(reader, place, node, "a map of kinds"))
        return;
    for (size_t i = 0; i < node->n_items; i += 2) {
        const struct node *kind = node->items[i], *values = node->items[i + 1];
        struct place here = {.parent = place, .name = kind->text};

        if (value_check_kind(reader, &here, kind, kind->text) == NULL ||
            !check_map(reader, &here, values, "a map of values"))
            continue;
        for (size_t k = 0; k < values->n_items; k += 2)
            read_value(reader, &(struct place){.parent = &here, .name = values->items[k]->text}, kind, values->items[k],
                       values->items[k + 1], catalog);
    }
}

/* ---- systems ---- */

static void read_parts(struct reader *reader, const struct place *place, const struct node *node, unsigned *ret)
{
    const char *text = node_text(node);

    if (text == NULL || text[0] < '0' || text[0] > '0' + PARTS_MAX || text[1] != '\0')
        reader_mismatch(reader, place, node, "how many parts of a version count, from 0 to 9");
    else
        *ret = (unsigned)(text[0] - '0');
}

static void read_system_key(struct reader *reader, const struct place *place, const struct node *key,
                            const struct node *node, struct catalog_system *system)
{
    if (strcmp(key->text, "parts") == 0) {
        read_parts(reader, place, node, &system->parts);
    } else if (strcmp(key->text, "names") == 0) {
        system->names = read_texts(reader, place, node, "a list of names such as [rockylinux]");
    } else if (strcmp(key->text, "family") == 0) {
        system->family = node_text(node);
        if (system->family == NULL)
            reader_mismatch(reader, place, node, "the name of a family, such as debian");
    } else {
        reader_error(reader, place, key, "not a key of the catalog, expected family, parts or names");
    }
}

static void remove_system(struct catalog *catalog, const char *name)
{
    for (size_t i = 0; i < catalog->n_systems; i++)
        if (strcmp(catalog->systems[i].name, name) == 0)
            catalog->systems[i] = catalog->systems[--catalog->n_systems];
}

static void read_system(struct reader *reader, const struct place *place, const struct node *name,
                        const struct node *node, struct catalog *catalog)
{
    struct catalog_system *system;

    remove_system(catalog, name->text);
    if (node_is_null(node) || !check_map(reader, place, node, "a map of family, parts and names, or null"))
        return;
    system = grow(reader, &catalog->systems, &catalog->n_systems, sizeof(*system));
    if (system == NULL)
        return;
    *system = (struct catalog_system){.name = name->text, .family = name->text, .parts = PARTS_MAX};
    for (size_t i = 0; i < node->n_items; i += 2)
        read_system_key(reader, &(struct place){.parent = place, .name = node->items[i]->text}, node->items[i],
                        node->items[i + 1], system);
}

static void read_systems(struct reader *reader, const struct place *place, const struct node *node,
                         struct catalog *catalog)
{
    if (!check_map(reader, place, node, "a map of systems"))
        return;
    for (size_t i = 0; i < node->n_items; i += 2)
        read_system(reader, &(struct place){.parent = place, .name = node->items[i]->text}, node->items[i],
                    node->items[i + 1], catalog);
}

static void read_document(struct reader *reader, const struct node *root, struct catalog *catalog)
{
    if (root == NULL || !check_map(reader, NULL, root, "a map of features and systems"))
        return;
    for (size_t i = 0; i < root->n_items; i += 2) {
        struct place here = {.name = root->items[i]->text};

        if (strcmp(here.name, "features") == 0)
            read_features(reader, &here, root->items[i + 1], catalog);
        else if (strcmp(here.name, "systems") == 0)
            read_systems(reader, &here, root->items[i + 1], catalog);
        else
            reader_error(reader, &here, root->items[i], "not a key of the catalog, expected features or systems");
    }
}

int catalog_read(struct catalog *catalog, const char *text, size_t length, const char *file, struct diags *diags)
{
    struct document **document;
    struct reader reader;
    int r = reader_init(&reader, file, diags);

    if (r < 0)
        return r;
    document = grow(&reader, &catalog->documents, &catalog->n_documents, sizeof(*document));
    if (document != NULL) {
        r = document_parse(text, length, file, diags, document);
        if (r == 0)
            read_document(&reader, (*document)->root, catalog);
    }
    if (r == 0)
        r = reader_result(&reader);
    reader_done(&reader);
    return r;
}
