/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Messages about a configuration file, with the place they speak of. Knows no keys. */
#include "config/reader.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int reader_init(struct reader *reader, const char *file, struct diags *diags)
{
    *reader = (struct reader){.file = file, .diags = diags};
    return feature_table_new(&reader->features);
}

void reader_done(struct reader *reader)
{
    feature_table_free(reader->features);
    *reader = (struct reader){0};
}

int reader_result(const struct reader *reader)
{
    if (reader->is_out_of_memory)
        return -ENOMEM;
    return reader->n_errors > 0 ? -EINVAL : 0;
}

static bool is_control(char c)
{
    return (unsigned char)c < 0x20 || c == 0x7f;
}

bool has_control_character(const char *text)
{
    for (; *text != '\0'; text++)
        if (is_control(*text))
            return true;
    return false;
}

/* Copies what can be shown of a text, at most QUOTED_SIZE - 8 bytes of it. */
static void show(const char *text, char buffer[static QUOTED_SIZE])
{
    size_t limit = QUOTED_SIZE - 8, length = strlen(text);
    bool is_cut = length > limit;

    if (is_cut) {
        length = limit;
        while (length > 0 && ((unsigned char)text[length] & 0xC0) == 0x80)
            length--;
    }
    for (size_t i = 0; i < length; i++)
        buffer[i] = is_control(text[i]) ? '?' : text[i];
    memcpy(buffer + length, is_cut ? "..." : "", is_cut ? 4 : 1);
}

static const char *quote(const char *text, char buffer[static QUOTED_SIZE])
{
    char shown[QUOTED_SIZE];

    show(text, shown);
    snprintf(buffer, QUOTED_SIZE, "'%.*s'", QUOTED_SIZE - 3, shown);
    return buffer;
}

const char *quote_name(const char *text, char buffer[static QUOTED_SIZE])
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_./";

    buffer[0] = '\0';
    return text[strspn(text, allowed)] == '\0' ? quote(text, buffer) : buffer;
}

static size_t place_append(const struct place *place, char *buffer, size_t at)
{
    char shown[QUOTED_SIZE];
    int length;

    if (place == NULL)
        return at;
    at = place_append(place->parent, buffer, at);
    if (place->name != NULL) {
        show(place->name, shown);
        length = snprintf(buffer + at, PLACE_TEXT_SIZE - at, "%s%s", at > 0 ? "." : "", shown);
    } else {
        length = snprintf(buffer + at, PLACE_TEXT_SIZE - at, "[%zu]", place->index);
    }
    at += (size_t)length;
    return at < PLACE_TEXT_SIZE ? at : PLACE_TEXT_SIZE - 1;
}

void place_format(const struct place *place, char buffer[static PLACE_TEXT_SIZE])
{
    buffer[0] = '\0';
    place_append(place, buffer, 0);
}

_printf_(5, 0) static void report(struct reader *reader, enum diag_severity severity, const struct place *place,
                                  const struct node *node, const char *format, va_list arguments)
{
    _cleanup_(freep) char *message = NULL;
    char path[PLACE_TEXT_SIZE];

    if (vasprintf(&message, format, arguments) < 0) {
        message = NULL;
        reader->is_out_of_memory = true;
        return;
    }
    place_format(place, path);
    diags_add(reader->diags, severity, reader->file, node->line, node->column, "%s%s%s", path,
              path[0] != '\0' ? ": " : "", message);
    if (reader->diags->incomplete)
        reader->is_out_of_memory = true;
}

void reader_error(struct reader *reader, const struct place *place, const struct node *node, const char *format, ...)
{
    va_list arguments;

    reader->n_errors++;
    if (reader->n_errors == READER_ERRORS_MAX)
        diags_add(reader->diags, DIAG_ERROR, reader->file, 0, 0, "too many errors; the rest is not shown");
    if (reader->n_errors >= READER_ERRORS_MAX)
        return;
    va_start(arguments, format);
    report(reader, DIAG_ERROR, place, node, format, arguments);
    va_end(arguments);
}

void reader_warn(struct reader *reader, const struct place *place, const struct node *node, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    report(reader, DIAG_WARNING, place, node, format, arguments);
    va_end(arguments);
}

void reader_mismatch(struct reader *reader, const struct place *place, const struct node *node, const char *expected)
{
    bool is_hidden = node->is_long || (place != NULL && place->is_secret);
    char found[QUOTED_SIZE] = "";

    if (node->kind == NODE_LIST)
        strcpy(found, "a list");
    else if (node->kind == NODE_MAP)
        strcpy(found, "a map");
    else if (node_is_null(node))
        strcpy(found, "nothing");
    else if (is_hidden)
        strcpy(found, node->is_long ? "a text of several lines" : "a text");
    else
        quote(node->text, found);
    reader_error(reader, place, node, "found %s%s, expected %s",
                 node->kind == NODE_SCALAR && !node->is_plain && !is_hidden ? "the quoted text " : "", found, expected);
}

/* By text, and the same text in the order of the file. */
static int compare_keys(const void *a, const void *b)
{
    struct node *const *left = *(struct node *const *const *)a, *const *right = *(struct node *const *const *)b;
    int order = strcmp((*left)->text, (*right)->text);

    if (order != 0)
        return order;
    return left < right ? -1 : left > right;
}

void reader_check_duplicates(struct reader *reader, const struct place *place, const struct node *map)
{
    size_t n = map->n_items / 2, first = 0;
    _cleanup_(freep) struct node *const **sorted = NULL;
    char path[PLACE_TEXT_SIZE], name[QUOTED_SIZE] = "";

    if (n < 2)
        return;
    sorted = reallocarray(NULL, n, sizeof(*sorted));
    if (sorted == NULL) {
        reader->is_out_of_memory = true;
        return;
    }
    for (size_t i = 0; i < n; i++)
        sorted[i] = &map->items[2 * i];
    qsort(sorted, n, sizeof(*sorted), compare_keys);
    place_format(place, path);
    for (size_t i = 1; i < n; i++) {
        if (strcmp((*sorted[first])->text, (*sorted[i])->text) != 0) {
            first = i;
            continue;
        }
        if (place == NULL || !place->is_secret)
            quote_name((*sorted[i])->text, name);
        reader_error(reader, NULL, *sorted[i], "duplicate key%s%s%s%s%s, first given in line %u",
                     name[0] != '\0' ? " " : "", name, path[0] != '\0' ? " in '" : "", path, path[0] != '\0' ? "'" : "",
                     (*sorted[first])->line);
    }
}
