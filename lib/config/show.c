/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Written from the tree of the file, not from the struct: so each value is spelled as the administrator spelled it, and a
 * further type of value needs nothing here.
 */
#include "config/show.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "config/schema.h"
#include "config/secret.h"
#include "config/yaml.h"

struct show {
    FILE *f;
    bool is_out_of_memory;
};

/* Means the same without quotes wherever it stands. */
static bool is_plain(const struct node *node)
{
    static const char safe[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_./+-";

    return node->is_plain && node->text[0] != '\0' && strspn(node->text, safe) == strlen(node->text) &&
           !(node->text[0] == '-' && node->text[1] == '\0');
}

/* As it stands between double quotes; NULL: no memory. */
static char *escape(const char *text)
{
    char *escaped = malloc(4 * strlen(text) + 1), *at = escaped;

    for (; escaped != NULL && *text != '\0'; text++) {
        if ((unsigned char)*text < ' ')
            at += sprintf(at, "\\x%02x", (unsigned)*text);
        else if (*text == '"' || *text == '\\')
            at += sprintf(at, "\\%c", *text);
        else
            *at++ = *text;
    }
    if (escaped != NULL)
        *at = '\0';
    return escaped;
}

static void write_quoted(struct show *show, const char *text)
{
    _cleanup_(freep) char *masked = secret_mask_uris(text), *escaped = masked != NULL ? escape(masked) : NULL;
    _cleanup_(freep) char *printable = escaped != NULL ? text_printable_json(escaped) : NULL; /* \uNNNN is YAML, too */

    if (printable == NULL)
        show->is_out_of_memory = true;
    else
        fprintf(show->f, "\"%s\"", printable);
}

static void write_scalar(struct show *show, const struct node *node, bool is_secret)
{
    if (node_is_null(node))
        fputs("null", show->f);
    else if (is_secret)
        fputs("\"" SECRET_MASK "\"", show->f);
    else if (is_plain(node))
        fputs(node->text, show->f);
    else
        write_quoted(show, node->text);
}

/* On one line. The depth of a document is bounded. */
static void write_node(struct show *show, const struct node *node, bool is_secret)
{
    switch (node->kind) {
    case NODE_SCALAR:
        write_scalar(show, node, is_secret);
        return;
    case NODE_LIST:
        fputc('[', show->f);
        for (size_t i = 0; i < node->n_items; i++) {
            fputs(i > 0 ? ", " : "", show->f);
            write_node(show, node->items[i], is_secret);
        }
        fputc(']', show->f);
        return;
    case NODE_MAP:
        fputc('{', show->f);
        for (size_t i = 0; i + 1 < node->n_items; i += 2) {
            fputs(i > 0 ? ", " : "", show->f);
            write_scalar(show, node->items[i], false);
            fputs(": ", show->f);
            write_node(show, node->items[i + 1], is_secret || secret_is_name(node->items[i]->text));
        }
        fputc('}', show->f);
        return;
    }
}

static void write_object(struct show *show, const char *section, const struct node *map, int indent, bool is_element);

/* object: the map that the key stands in; NULL: the file does not have it. */
static void write_key(struct show *show, const struct schema_key *key, const struct node *object, int indent)
{
    const struct node *given = object != NULL ? node_find(object, schema_name(key)) : NULL;
    const struct schema_key *other = key->default_from != NULL ? schema_find(key->default_from) : NULL;

    if (given == NULL && other != NULL && object != NULL)
        given = node_find(object, schema_name(other));
    if (key->type == SCHEMA_SECTION) {
        fprintf(show->f, "%s:\n", schema_name(key));
        write_object(show, key->path, given, indent + 2, false);
        return;
    }
    if (key->type == SCHEMA_HYPERVISORS && given != NULL && given->kind == NODE_LIST && given->n_items > 0) {
        fprintf(show->f, "%s:\n", schema_name(key));
        for (size_t i = 0; i < given->n_items; i++)
            write_object(show, "hypervisors[]", given->items[i], indent + 4, true);
        return;
    }
    fprintf(show->f, "%s: ", schema_name(key));
    if (given != NULL)
        write_node(show, given, secret_is_name(schema_name(key)));
    else
        fputs(other != NULL ? other->default_text : key->default_text, show->f);
    fputc('\n', show->f);
}

/* What has no default and was not given is not there. */
static bool is_there(const struct schema_key *key, const struct node *object)
{
    return key->type == SCHEMA_SECTION || key->default_text != NULL || key->default_from != NULL ||
           (object != NULL && node_find(object, schema_name(key)) != NULL);
}

/* The keys of the section; of an element of a list, with a dash before the first. */
static void write_object(struct show *show, const char *section, const struct node *map, int indent, bool is_element)
{
    bool is_first = true;

    for (const struct schema_key *key = NULL; (key = schema_next_child(section, key)) != NULL;) {
        if (!is_there(key, map))
            continue;
        if (is_element && is_first)
            fprintf(show->f, "%*s- ", indent - 2, "");
        else
            fprintf(show->f, "%*s", indent, "");
        is_first = false;
        write_key(show, key, map, indent);
    }
}

int config_show(FILE *f, const char *text, size_t length, const char *file, struct diags *diags)
{
    _cleanup_(document_freep) struct document *document = NULL;
    struct show show = {.f = f};
    int r = document_parse(text, length, file, diags, &document);

    if (r < 0)
        return r;
    write_object(&show, "", document->root, 0, false);
    if (show.is_out_of_memory)
        return -ENOMEM;
    return fflush(f) != 0 || ferror(f) ? -EIO : 0;
}

/* One that is so short stands in too many other words. */
#define SECRET_BYTES_MIN 4

static int list_secrets(const struct node *node, bool is_secret, struct string_list *ret)
{
    bool is_map = node->kind == NODE_MAP;
    int r = 0;

    if (node->kind == NODE_SCALAR)
        return is_secret && strlen(node->text) >= SECRET_BYTES_MIN ? string_list_add(ret, node->text) : 0;
    for (size_t i = is_map ? 1 : 0; i < node->n_items && r == 0; i += is_map ? 2 : 1)
        r = list_secrets(node->items[i], is_secret || (is_map && secret_is_name(node->items[i - 1]->text)), ret);
    return r;
}

int config_list_secrets(const char *text, size_t length, struct string_list *ret)
{
    _cleanup_(document_freep) struct document *document = NULL;
    _cleanup_(diags_done) struct diags diags = {0};
    int r = document_parse(text, length, NULL, &diags, &document);

    if (r < 0 || document->root == NULL)
        return r == -ENOMEM ? r : 0;
    return list_secrets(document->root, false, ret);
}
