/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading single values by their types. Knows no particular key: all it needs is in the row. */
#include "config/value.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "base/units.h"
#include "config/endpoint.h"
#include "config/window.h"
#include "model/uri.h"

const char *node_text(const struct node *node)
{
    return node->kind == NODE_SCALAR && !node_is_null(node) ? node->text : NULL;
}

static void mismatch(struct reader *reader, const struct place *place, const struct schema_key *key,
                     const struct node *node)
{
    char expected[SCHEMA_EXPECTATION_SIZE];

    schema_expectation(key, expected);
    reader_mismatch(reader, place, node, expected);
}

/* Members are written through memcpy: an enum is an integer of its own size, whichever the compiler took. */
static void store(const struct schema_key *key, void *object, int64_t value)
{
    bool as_bool = value != 0;
    uint32_t as_32 = (uint32_t)value;

    if (key->size == sizeof(as_bool))
        memcpy(schema_member(key, object), &as_bool, sizeof(as_bool));
    else if (key->size == sizeof(as_32))
        memcpy(schema_member(key, object), &as_32, sizeof(as_32));
    else
        memcpy(schema_member(key, object), &value, sizeof(value));
}

/* Stores what a parse function of units.h made of the node's text, or tells why not. */
static void accept_number(struct reader *reader, const struct place *place, const struct schema_key *key,
                          const struct node *node, int result, int64_t value, void *object)
{
    char expected[SCHEMA_EXPECTATION_SIZE];

    if (result == -EINVAL) {
        mismatch(reader, place, key, node);
        return;
    }
    schema_expectation(key, expected);
    if (result == -EDOM)
        reader_error(reader, place, node, "%.64s has more than six decimals, expected %s", node->text, expected);
    else if (result < 0 || value < key->min || value > key->max)
        reader_error(reader, place, node, "%.64s is out of range, expected %s", node->text, expected);
    else
        store(key, object, value);
}

void value_read_bool(struct reader *reader, const struct place *place, const struct schema_key *key,
                     const struct node *node, void *object)
{
    bool value;

    if (node_to_bool(node, &value) < 0)
        mismatch(reader, place, key, node);
    else
        store(key, object, value);
}

void value_read_choice(struct reader *reader, const struct place *place, const struct schema_key *key,
                       const struct node *node, void *object)
{
    const char *text = node_text(node);

    for (int64_t i = 0; text != NULL && key->choices[i] != NULL; i++)
        if (strcmp(key->choices[i], text) == 0) {
            store(key, object, i);
            return;
        }
    mismatch(reader, place, key, node);
}

/* A quoted number is a text. */
static const char *plain_text(const struct node *node)
{
    const char *text = node_text(node);

    return text != NULL && node->is_plain ? text : "";
}

void value_read_integer(struct reader *reader, const struct place *place, const struct schema_key *key,
                        const struct node *node, void *object)
{
    int64_t value = 0;
    int r = integer_parse(plain_text(node), &value);

    accept_number(reader, place, key, node, r, value, object);
}

void value_read_decimal(struct reader *reader, const struct place *place, const struct schema_key *key,
                        const struct node *node, void *object)
{
    int64_t value = 0;
    int r = decimal_parse(plain_text(node), &value);

    accept_number(reader, place, key, node, r, value, object);
}

void value_read_duration(struct reader *reader, const struct place *place, const struct schema_key *key,
                         const struct node *node, void *object)
{
    const char *text = node_text(node);
    char expected[SCHEMA_EXPECTATION_SIZE];
    int64_t value = 0;
    int r = duration_parse(text != NULL ? text : "", &value);

    if (r == -EINVAL && text != NULL && text[0] != '\0' && text[strspn(text, "0123456789.")] == '\0') {
        schema_expectation(key, expected);
        reader_error(reader, place, node, "%.64s has no unit (ms, s, m, h or d), expected %s", text, expected);
        return;
    }
    accept_number(reader, place, key, node, r, value, object);
}

void value_read_size(struct reader *reader, const struct place *place, const struct schema_key *key,
                     const struct node *node, void *object)
{
    const char *text = node_text(node);
    char expected[SCHEMA_EXPECTATION_SIZE];
    int64_t value = 0;
    int r = size_parse(text != NULL ? text : "", &value);

    if (r == -EINVAL && text != NULL && text[0] != '\0' && text[strspn(text, "0123456789.")] == '\0') {
        schema_expectation(key, expected);
        reader_error(reader, place, node, "%.64s has no unit (B, KiB, MiB, GiB or TiB), expected %s", text, expected);
        return;
    }
    accept_number(reader, place, key, node, r, value, object);
}

bool value_equal_bytes(const struct schema_key *key, const void *a, const void *b)
{
    return memcmp(schema_member_const(key, a), schema_member_const(key, b), key->size) == 0;
}

static void accept_text(struct reader *reader, const struct place *place, const struct schema_key *key,
                        const struct node *node, bool is_valid, void *object)
{
    char **member = schema_member(key, object);
    char *copy;

    if (!is_valid || strlen(node->text) > (size_t)key->max || has_control_character(node->text)) {
        mismatch(reader, place, key, node);
        return;
    }
    copy = strdup(node->text);
    if (copy == NULL) {
        reader->is_out_of_memory = true;
        return;
    }
    free(*member);
    *member = copy;
}

void value_read_name(struct reader *reader, const struct place *place, const struct schema_key *key,
                     const struct node *node, void *object)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.";
    const char *text = node_text(node);

    accept_text(reader, place, key, node, text != NULL && text[0] != '\0' && text[strspn(text, allowed)] == '\0',
                object);
}

void value_read_uri(struct reader *reader, const struct place *place, const struct schema_key *key,
                    const struct node *node, void *object)
{
    const char *text = node_text(node);

    accept_text(reader, place, key, node, text != NULL && uri_is_valid(text), object);
}

void value_read_path(struct reader *reader, const struct place *place, const struct schema_key *key,
                     const struct node *node, void *object)
{
    const char *text = node_text(node);

    accept_text(reader, place, key, node, text != NULL && text[0] == '/', object);
}

static bool is_none(const struct node *node)
{
    const char *text = node_text(node);

    return text != NULL && strcmp(text, "none") == 0;
}

void value_read_name_or_none(struct reader *reader, const struct place *place, const struct schema_key *key,
                             const struct node *node, void *object)
{
    if (is_none(node))
        value_release_text(key, object);
    else
        value_read_name(reader, place, key, node, object);
}

void value_read_path_or_none(struct reader *reader, const struct place *place, const struct schema_key *key,
                             const struct node *node, void *object)
{
    if (is_none(node))
        value_release_text(key, object);
    else
        value_read_path(reader, place, key, node, object);
}

void value_read_endpoint_or_none(struct reader *reader, const struct place *place, const struct schema_key *key,
                                 const struct node *node, void *object)
{
    const char *text = node_text(node);
    struct endpoint endpoint;

    if (is_none(node))
        value_release_text(key, object);
    else
        accept_text(reader, place, key, node, text != NULL && endpoint_parse(text, &endpoint), object);
}

void value_read_window(struct reader *reader, const struct place *place, const struct schema_key *key,
                       const struct node *node, void *object)
{
    const char *text = node_text(node);
    struct window window;

    accept_text(reader, place, key, node, text != NULL && window_parse(text, &window), object);
}

void value_release_text(const struct schema_key *key, void *object)
{
    char **member = schema_member(key, object);

    free(*member);
    *member = NULL;
}

bool value_equal_text(const struct schema_key *key, const void *a, const void *b)
{
    return text_equal(*(char *const *)schema_member_const(key, a), *(char *const *)schema_member_const(key, b));
}

static void list_done(struct string_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i]);
    free(list->items);
    *list = (struct string_list){0};
}

/* The text to keep for an element, borrowed; NULL: reported. */
typedef const char *element_function(struct reader *reader, const struct place *place, const struct node *node);

static void read_list(struct reader *reader, const struct place *place, const struct schema_key *key,
                      const struct node *node, element_function *element, void *object)
{
    _cleanup_(list_done) struct string_list list = {0};
    struct string_list *member = schema_member(key, object);

    if (node->kind != NODE_LIST) {
        mismatch(reader, place, key, node);
        return;
    }
    if (node->n_items > 0) {
        list.items = calloc(node->n_items, sizeof(*list.items));
        if (list.items == NULL) {
            reader->is_out_of_memory = true;
            return;
        }
    }
    for (size_t i = 0; i < node->n_items; i++) {
        struct place here = {.parent = place, .index = i};
        const char *text = element(reader, &here, node->items[i]);

        if (text == NULL)
            continue;
        list.items[list.count] = strdup(text);
        if (list.items[list.count] == NULL) {
            reader->is_out_of_memory = true;
            return;
        }
        list.count++;
    }
    list_done(member);
    *member = list;
    list = (struct string_list){0};
}

static const char *check_pattern(struct reader *reader, const struct place *place, const struct node *node)
{
    const char *text = node_text(node);

    if (text == NULL || text[0] == '\0' || has_control_character(text)) {
        reader_mismatch(reader, place, node, "a pattern on machine names, such as \"web-*\"");
        return NULL;
    }
    return text;
}

void value_read_patterns(struct reader *reader, const struct place *place, const struct schema_key *key,
                         const struct node *node, void *object)
{
    read_list(reader, place, key, node, check_pattern, object);
}

static const char *check_directory(struct reader *reader, const struct place *place, const struct node *node)
{
    const char *text = node_text(node);

    if (text == NULL || text[0] != '/' || text[strspn(text, "/")] == '\0' || has_control_character(text)) {
        reader_mismatch(reader, place, node, "the absolute path of a directory, and not /, such as \"/srv/shared\"");
        return NULL;
    }
    return text;
}

void value_read_directories(struct reader *reader, const struct place *place, const struct schema_key *key,
                            const struct node *node, void *object)
{
    read_list(reader, place, key, node, check_directory, object);
}

const char *value_check_kind(struct reader *reader, const struct place *place, const struct node *node,
                             const char *kind)
{
    uint32_t id;
    int r = kind == NULL ? -EINVAL : feature_table_intern_kind(reader->features, kind, &id);

    if (r == 0)
        return feature_kind_name(reader->features, id);
    if (r == -EINVAL)
        reader_mismatch(reader, place, node, "a kind: letters, digits, '-' and '_', at most 32 bytes");
    else
        reader->is_out_of_memory = true;
    return NULL;
}

static const char *check_kind(struct reader *reader, const struct place *place, const struct node *node)
{
    return value_check_kind(reader, place, node, node_text(node));
}

void value_read_kinds(struct reader *reader, const struct place *place, const struct schema_key *key,
                      const struct node *node, void *object)
{
    read_list(reader, place, key, node, check_kind, object);
}

void value_release_list(const struct schema_key *key, void *object)
{
    list_done(schema_member(key, object));
}

bool value_equal_list(const struct schema_key *key, const void *a, const void *b)
{
    const struct string_list *left = schema_member_const(key, a), *right = schema_member_const(key, b);

    if (left->count != right->count)
        return false;
    for (size_t i = 0; i < left->count; i++)
        if (strcmp(left->items[i], right->items[i]) != 0)
            return false;
    return true;
}

/* The message of value_check_kind says so. */
_Static_assert(FEATURE_KIND_MAX == 32, "the longest kind");
