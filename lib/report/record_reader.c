/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Members of a JSON document, none of them believed before it was looked at. */
#include "report/record_reader.h"

#include <errno.h>
#include <string.h>

void record_refuse(struct record_reader *reader, int error)
{
    if (reader->error == 0)
        reader->error = error;
}

bool record_is_absent(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);

    return value == NULL || json_is_null(value);
}

bool record_read_bool(struct record_reader *reader, const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);

    if (!json_is_boolean(value))
        record_refuse(reader, -EINVAL);
    return json_is_true(value);
}

int64_t record_read_integer(struct record_reader *reader, const json_t *object, const char *key, int64_t min,
                            int64_t max)
{
    const json_t *value = json_object_get(object, key);

    if (json_is_integer(value) && json_integer_value(value) >= min && json_integer_value(value) <= max)
        return json_integer_value(value);
    record_refuse(reader, -EINVAL);
    return min;
}

double record_read_number(struct record_reader *reader, const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);

    if (!json_is_number(value))
        record_refuse(reader, -EINVAL);
    return json_number_value(value);
}

int record_read_word(struct record_reader *reader, const json_t *object, const char *key,
                     const struct record_vocabulary *vocabulary)
{
    const char *text = json_string_value(json_object_get(object, key));

    for (int i = 0; text != NULL && i < vocabulary->count; i++)
        if (strcmp(text, vocabulary->word(i)) == 0)
            return i;
    record_refuse(reader, -EINVAL);
    return 0;
}

/* NULL: refused. */
static char *copy_text(struct record_reader *reader, const json_t *value)
{
    const char *text = json_string_value(value);
    char *copy = text != NULL ? strdup(text) : NULL;

    if (copy == NULL)
        record_refuse(reader, text != NULL ? -ENOMEM : -EINVAL);
    return copy;
}

char *record_read_text(struct record_reader *reader, const json_t *object, const char *key)
{
    return copy_text(reader, json_object_get(object, key));
}

char *record_read_text_or_null(struct record_reader *reader, const json_t *object, const char *key)
{
    return record_is_absent(object, key) ? NULL : record_read_text(reader, object, key);
}

void record_read_into(struct record_reader *reader, const json_t *object, const char *key, char *buffer, size_t size)
{
    const char *text = json_string_value(json_object_get(object, key));

    if (text == NULL || strlen(text) >= size)
        record_refuse(reader, -EINVAL);
    else
        /* NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker): see the check before */
        strcpy(buffer, text);
}

/* The array under the key, and room for as many elements in *ret_items; NULL, NULL if it is empty or refused. */
const json_t *record_read_array(struct record_reader *reader, const json_t *object, const char *key,
                                size_t element_size, void *ret_items)
{
    const json_t *array = json_object_get(object, key);
    void *items = NULL;

    if (!json_is_array(array)) {
        record_refuse(reader, -EINVAL);
    } else if (json_array_size(array) > 0) {
        items = calloc(json_array_size(array), element_size);
        if (items == NULL)
            record_refuse(reader, -ENOMEM);
    }
    *(void **)ret_items = items;
    return items != NULL ? array : NULL;
}

void record_read_strings(struct record_reader *reader, const json_t *object, const char *key, struct string_list *list)
{
    const json_t *array = record_read_array(reader, object, key, sizeof(*list->items), &list->items);

    for (size_t i = 0; i < json_array_size(array) && reader->error == 0; i++)
        /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): there are elements */
        list->items[list->count++] = copy_text(reader, json_array_get(array, i));
}

/* As json_finish, but with every digit: what is read back is to be what was written. */
int record_finish(const struct json_maker *maker, json_t *document, char **ret)
{
    char *text = maker->lost ? NULL : json_dumps(document, JSON_COMPACT);

    json_decref(document);
    if (text == NULL)
        return -ENOMEM;
    *ret = text;
    return 0;
}

/* jansson gives no reason when it runs out of memory. */
int record_load(const char *text, json_t **ret)
{
    json_error_t error = {0};
    json_t *document = json_loads(text, JSON_REJECT_DUPLICATES, &error);

    if (document == NULL)
        return json_error_code(&error) == json_error_unknown ? -ENOMEM : -EINVAL;
    *ret = document;
    return 0;
}
