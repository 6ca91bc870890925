/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Weights and facts. What a kind and a value may be is asked of the feature table, not known here. */
#include "config/collection.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/id_set.h"
#include "base/text.h"
#include "model/spec.h"

/* False: not a map, and reported. */
static bool check_map(struct reader *reader, const struct place *place, const struct schema_key *key,
                      const struct node *node)
{
    char expected[SCHEMA_EXPECTATION_SIZE];

    if (node->kind == NODE_MAP) {
        reader_check_duplicates(reader, place, node);
        return true;
    }
    schema_expectation(key, expected);
    reader_mismatch(reader, place, node, expected);
    return false;
}

/* Zeroed elements for n, and one more so that there is something for none; false: no memory, and the reader knows. */
static bool allocate(struct reader *reader, size_t n, size_t size, void *ret)
{
    void *elements = calloc(n + 1, size);

    if (elements == NULL) {
        reader->is_out_of_memory = true;
        return false;
    }
    *(void **)ret = elements;
    return true;
}

static bool copy(struct reader *reader, const char *text, char **ret)
{
    *ret = strdup(text);
    if (*ret == NULL)
        reader->is_out_of_memory = true;
    return *ret != NULL;
}

static void read_weight(struct reader *reader, const struct place *place, const struct schema_key *weights,
                        const struct node *node, uint32_t *weight)
{
    const struct schema_key key = {
        .type = SCHEMA_DECIMAL, .size = sizeof(*weight), .min = weights->min, .max = weights->max};

    value_read_decimal(reader, place, &key, node, weight);
}

void collection_read_environment_weights(struct reader *reader, const struct place *place, const struct schema_key *key,
                                         const struct node *node, void *object)
{
    uint32_t *weights = schema_member(key, object);

    if (!check_map(reader, place, key, node))
        return;
    memset(weights, 0, key->size);
    for (size_t i = 0; i < node->n_items; i += 2) {
        struct place here = {.parent = place, .name = node->items[i]->text};
        enum environment environment;

        if (environment_from_name(node->items[i]->text, &environment) < 0)
            reader_error(reader, &here, node->items[i], "not a kind of hardware, expected cpu, memory or disk");
        else
            read_weight(reader, &here, key, node->items[i + 1], &weights[environment]);
    }
}

/* A kind that machines can be given in the configuration, as value_check_kind; hardware is none. */
static const char *check_resource_kind(struct reader *reader, const struct place *place, const struct node *node,
                                       const char *kind)
{
    const char *name = value_check_kind(reader, place, node, kind);
    enum environment environment;

    if (name == NULL || environment_from_name(name, &environment) < 0)
        return name;
    reader_error(reader, place, node, "'%s' is hardware, not a resource", name);
    return NULL;
}

/* Interns a value; false: no feature can have it, or no memory, and the reader knows. */
static bool check_value(struct reader *reader, const struct place *place, const struct node *node, const char *kind,
                        const char *value, uint32_t *ret_feature)
{
    int r = feature_table_intern(reader->features, kind, value, ret_feature);

    if (r == -EINVAL)
        reader_mismatch(reader, place, node, "a value of printable text, at most 128 bytes");
    else if (r < 0)
        reader->is_out_of_memory = true;
    return r == 0;
}

/* True if the very same key stands before this one, which has been reported. */
static bool is_repeated(const struct reader *reader, const struct node *map, const struct node *name)
{
    if (reader->n_errors >= READER_ERRORS_MAX)
        return true;
    for (size_t i = 0; i < map->n_items && map->items[i] != name; i += 2)
        if (strcmp(map->items[i]->text, name->text) == 0)
            return true;
    return false;
}

/* False: a key of the map seen before, however it was spelt, or no memory; the reader knows. */
static bool check_new(struct reader *reader, const struct place *place, const struct node *map, const struct node *name,
                      struct id_set *seen, uint32_t id)
{
    if (id_set_contains(seen, id)) {
        if (!is_repeated(reader, map, name))
            reader_error(reader, place, name, "given twice; upper and lower case are the same here");
        return false;
    }
    if (id_set_add(seen, id) < 0) {
        reader->is_out_of_memory = true;
        return false;
    }
    return true;
}

struct weight_list {
    struct config_weight *items;
    size_t count;
    struct id_set kinds;    /* weighed as a whole */
    struct id_set features; /* weighed alone */
};

static void free_weights(struct config_weight *weights, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        free(weights[i].kind);
        free(weights[i].value);
    }
    free(weights);
}

static void weight_list_done(struct weight_list *list)
{
    free_weights(list->items, list->count);
    id_set_done(&list->kinds);
    id_set_done(&list->features);
}

/* Fills the list's next element from "kind" or "kind/value". */
static void read_resource_weight(struct reader *reader, const struct place *place, const struct schema_key *key,
                                 const struct node *map, size_t index, struct weight_list *list)
{
    const struct node *name = map->items[index], *value = map->items[index + 1];
    struct config_weight *weight = &list->items[list->count];
    const char *slash = strchr(name->text, '/');
    _cleanup_(freep) char *head =
        slash != NULL ? strndup(name->text, (size_t)(slash - name->text)) : strdup(name->text);
    uint32_t id;
    const char *kind;

    if (head == NULL) {
        reader->is_out_of_memory = true;
        return;
    }
    kind = check_resource_kind(reader, place, name, head);
    if (kind == NULL)
        return;
    if (slash != NULL) {
        if (!check_value(reader, place, name, kind, slash + 1, &id) ||
            !check_new(reader, place, map, name, &list->features, id))
            return;
    } else if (feature_table_intern_kind(reader->features, kind, &id) < 0 ||
               !check_new(reader, place, map, name, &list->kinds, id)) {
        return;
    }
    list->count++;
    if (!copy(reader, kind, &weight->kind) || (slash != NULL && !copy(reader, slash + 1, &weight->value)))
        return;
    read_weight(reader, place, key, value, &weight->millionths);
}

void collection_read_resource_weights(struct reader *reader, const struct place *place, const struct schema_key *key,
                                      const struct node *node, void *object)
{
    _cleanup_(weight_list_done) struct weight_list list = {0};
    struct config_weight **member = schema_member(key, object);

    if (!check_map(reader, place, key, node) || !allocate(reader, node->n_items / 2, sizeof(*list.items), &list.items))
        return;
    for (size_t i = 0; i < node->n_items; i += 2) {
        struct place here = {.parent = place, .name = node->items[i]->text};

        read_resource_weight(reader, &here, key, node, i, &list);
    }
    collection_release_resource_weights(key, object);
    *schema_member_count(key, object) = list.count;
    *member = steal_pointer(&list.items);
    list.count = 0;
}

void collection_release_resource_weights(const struct schema_key *key, void *object)
{
    struct config_weight **member = schema_member(key, object);

    free_weights(*member, *schema_member_count(key, object));
    *member = NULL;
    *schema_member_count(key, object) = 0;
}

bool collection_equal_resource_weights(const struct schema_key *key, const void *a, const void *b)
{
    const struct config_weight *left = *(struct config_weight *const *)schema_member_const(key, a);
    const struct config_weight *right = *(struct config_weight *const *)schema_member_const(key, b);
    size_t n = schema_member_count_const(key, a);

    if (n != schema_member_count_const(key, b))
        return false;
    for (size_t i = 0; i < n; i++)
        if (!text_equal(left[i].kind, right[i].kind) || !text_equal(left[i].value, right[i].value) ||
            left[i].millionths != right[i].millionths)
            return false;
    return true;
}

static void free_machines(struct config_machine *machines, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < machines[i].n_facts; j++) {
            free(machines[i].facts[j].kind);
            free(machines[i].facts[j].value);
        }
        free(machines[i].facts);
        free(machines[i].name);
    }
    free(machines);
}

/* Adds one fact to a machine that has room for it; text NULL: it has none of the kind. */
static void add_fact(struct reader *reader, struct config_machine *machine, const char *kind, const char *value)
{
    struct config_fact *fact = &machine->facts[machine->n_facts++];

    if (copy(reader, kind, &fact->kind) && value != NULL)
        copy(reader, value, &fact->value);
}

static void read_fact_value(struct reader *reader, const struct place *place, const struct node *node, const char *kind,
                            struct config_machine *machine)
{
    const char *text = node_text(node);
    bool ignored;
    uint32_t id;

    if (text == NULL)
        reader_mismatch(reader, place, node, "a value or a list of values, [] for none");
    else if (node_to_bool(node, &ignored) == 0)
        reader_mismatch(reader, place, node, "a value; write [] for none, or quote the word if it is the value");
    else if (check_value(reader, place, node, kind, text, &id))
        add_fact(reader, machine, kind, text);
}

static void read_facts(struct reader *reader, const struct place *place, const struct node *map, size_t index,
                       struct id_set *kinds, struct config_machine *machine)
{
    const struct node *name = map->items[index], *value = map->items[index + 1];
    const char *kind = check_resource_kind(reader, place, name, name->text);
    uint32_t id;

    if (kind == NULL || feature_table_intern_kind(reader->features, kind, &id) < 0 ||
        !check_new(reader, place, map, name, kinds, id))
        return;
    if (value->kind != NODE_LIST) {
        read_fact_value(reader, place, value, kind, machine);
        return;
    }
    if (value->n_items == 0)
        add_fact(reader, machine, kind, NULL);
    for (size_t i = 0; i < value->n_items; i++) {
        struct place here = {.parent = place, .index = i};

        read_fact_value(reader, &here, value->items[i], kind, machine);
    }
}

/* The facts a map of facts can make at most. */
static size_t count_facts(const struct node *node)
{
    size_t n = 0;

    for (size_t i = 1; i < node->n_items; i += 2)
        n += node->items[i]->n_items > 0 ? node->items[i]->n_items : 1;
    return n;
}

static void read_machine(struct reader *reader, const struct place *place, const struct node *name,
                         const struct node *value, struct config_machine *machine)
{
    _cleanup_(id_set_done) struct id_set kinds = {0};

    if (name->text[0] == '\0' || has_control_character(name->text)) {
        reader_mismatch(reader, place, name, "the name of a machine");
        return;
    }
    if (name->text[strcspn(name->text, "*?[")] != '\0')
        reader_warn(reader, place, name, "taken as the name of a machine; patterns do not work here");
    if (value->kind != NODE_MAP) {
        reader_mismatch(reader, place, value, "a map from kinds to values, such as {database: mysql}");
        return;
    }
    reader_check_duplicates(reader, place, value);
    if (!copy(reader, name->text, &machine->name) ||
        !allocate(reader, count_facts(value), sizeof(*machine->facts), &machine->facts))
        return;
    for (size_t i = 0; i < value->n_items; i += 2) {
        struct place here = {.parent = place, .name = value->items[i]->text};

        read_facts(reader, &here, value, i, &kinds, machine);
    }
}

void collection_read_machines(struct reader *reader, const struct place *place, const struct schema_key *key,
                              const struct node *node, void *object)
{
    struct config_machine **member = schema_member(key, object), *machines;
    size_t n = node->n_items / 2;

    if (!node_is_null(node) && !check_map(reader, place, key, node))
        return;
    if (!allocate(reader, n, sizeof(*machines), &machines))
        return;
    collection_release_machines(key, object);
    *member = machines;
    *schema_member_count(key, object) = n;
    for (size_t i = 0; i < n; i++) {
        struct place here = {.parent = place, .name = node->items[2 * i]->text};

        read_machine(reader, &here, node->items[2 * i], node->items[2 * i + 1], &machines[i]);
    }
}

void collection_release_machines(const struct schema_key *key, void *object)
{
    struct config_machine **member = schema_member(key, object);

    free_machines(*member, *schema_member_count(key, object));
    *member = NULL;
    *schema_member_count(key, object) = 0;
}

static bool machine_equal(const struct config_machine *a, const struct config_machine *b)
{
    if (!text_equal(a->name, b->name) || a->n_facts != b->n_facts)
        return false;
    for (size_t i = 0; i < a->n_facts; i++)
        if (!text_equal(a->facts[i].kind, b->facts[i].kind) || !text_equal(a->facts[i].value, b->facts[i].value))
            return false;
    return true;
}

bool collection_equal_machines(const struct schema_key *key, const void *a, const void *b)
{
    const struct config_machine *left = *(struct config_machine *const *)schema_member_const(key, a);
    const struct config_machine *right = *(struct config_machine *const *)schema_member_const(key, b);
    size_t n = schema_member_count_const(key, a);

    if (n != schema_member_count_const(key, b))
        return false;
    for (size_t i = 0; i < n; i++)
        if (!machine_equal(&left[i], &right[i]))
            return false;
    return true;
}

static void free_options(struct config_options *options)
{
    for (size_t i = 0; i < options->count; i++) {
        free(options->items[i].name);
        free(options->items[i].value);
    }
    free(options->items);
    *options = (struct config_options){0};
}

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define DIGITS  "0123456789"

static bool is_of(const char *text, const char *allowed)
{
    return text[0] != '\0' && text[strspn(text, allowed)] == '\0';
}

/* What a hook is told by the daemon, or what decides which programs run, is not for a file to say. */
static bool is_reserved(const char *name)
{
    return strncmp(name, "UNDERSTUDY_", strlen("UNDERSTUDY_")) == 0 || strncmp(name, "LD_", strlen("LD_")) == 0 ||
           strcmp(name, "PATH") == 0 || strcmp(name, "IFS") == 0;
}

/* False: the name cannot be one, and the reader knows. It may be a secret, and is not repeated; the place is that of the map. */
static bool check_option_name(struct reader *reader, const struct place *place, const struct schema_key *key,
                              const struct node *name)
{
    bool is_variable = key->type == SCHEMA_VARIABLES;

    if (is_variable && (!is_of(name->text, LETTERS DIGITS "_") || strchr(DIGITS, name->text[0]) != NULL))
        reader_mismatch(reader, place, name, "an environment variable's name of letters, digits and '_'");
    else if (is_variable && is_reserved(name->text))
        reader_error(reader, place, name,
                     "found the name of a variable that hooks have already, or that is PATH, IFS "
                     "or begins with LD_ or UNDERSTUDY_, expected another name");
    else if (!is_variable && !is_of(name->text, LETTERS DIGITS "-_"))
        reader_mismatch(reader, place, name, "an option's name of letters, digits, '-' and '_'");
    else if (!is_variable && strcmp(name->text, "action") == 0)
        reader_error(reader, place, name, "not an option here; fence.action sets the action");
    else
        return true;
    return false;
}

/* A value of one line. It may be a secret, as above. */
static void read_option(struct reader *reader, const struct place *place, const struct schema_key *key,
                        const struct node *name, const struct node *value, struct config_options *options)
{
    const char *text = node_text(value);
    struct config_option *option = &options->items[options->count];

    if (!check_option_name(reader, place, key, name))
        return;
    if (text == NULL || strlen(text) > (size_t)key->max || has_control_character(text)) {
        reader_error(reader, place, value, "expected one line of printable text, at most %" PRId64 " bytes", key->max);
        return;
    }
    options->count++;
    if (copy(reader, name->text, &option->name))
        copy(reader, text, &option->value);
}

void collection_read_options(struct reader *reader, const struct place *place, const struct schema_key *key,
                             const struct node *node, void *object)
{
    _cleanup_(free_options) struct config_options options = {0};
    struct config_options *member = schema_member(key, object);
    struct place secret = *place;

    secret.is_secret = true;
    if (!node_is_null(node) && !check_map(reader, &secret, key, node))
        return;
    if (!allocate(reader, node->n_items / 2, sizeof(*options.items), &options.items))
        return;
    for (size_t i = 0; i < node->n_items; i += 2)
        read_option(reader, &secret, key, node->items[i], node->items[i + 1], &options);
    free_options(member);
    *member = options;
    options = (struct config_options){0};
}

void collection_release_options(const struct schema_key *key, void *object)
{
    free_options(schema_member(key, object));
}

bool collection_equal_options(const struct schema_key *key, const void *a, const void *b)
{
    const struct config_options *left = schema_member_const(key, a), *right = schema_member_const(key, b);

    if (left->count != right->count)
        return false;
    for (size_t i = 0; i < left->count; i++)
        if (!text_equal(left->items[i].name, right->items[i].name) ||
            !text_equal(left->items[i].value, right->items[i].value))
            return false;
    return true;
}

/* The message of check_value says so. */
_Static_assert(FEATURE_VALUE_MAX == 128, "the longest value");
