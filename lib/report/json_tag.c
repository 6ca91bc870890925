/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What an operator wants the metadata of a machine to say, as it comes in. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "report/json.h"
#include "report/json_value.h"

void tag_request_done(struct tag_request *request)
{
    string_list_done(&request->added);
    string_list_done(&request->removed);
    free(request->from);
}

/* Each of these: NULL, all is well. */
static const char *take_words(const json_t *array, struct string_list *words)
{
    const json_t *value;
    size_t i;

    if (!json_is_array(array))
        return "is no array of texts such as \"database/mysql\"";
    json_array_foreach(array, i, value)
    {
        if (!json_is_string(value))
            return "is no array of texts such as \"database/mysql\"";
        if (string_list_add(words, json_string_value(value)) < 0)
            return json_out_of_memory;
    }
    return NULL;
}

static const char *take_from(const json_t *value, struct tag_request *ret)
{
    if (!json_is_string(value))
        return "is no name of a machine";
    free(ret->from);
    ret->from = strdup(json_string_value(value));
    return ret->from != NULL ? NULL : json_out_of_memory;
}

static const char *take_role(const json_t *value, struct tag_request *ret)
{
    ret->sets_role = true;
    ret->roles = 0;
    if (json_is_null(value) ||
        (json_is_string(value) && machine_roles_parse(json_string_value(value), &ret->roles) == 0))
        return NULL;
    return "is not made of protected and standby, nor ignored, nor null";
}

static const char *take_priority(const json_t *value, struct tag_request *ret)
{
    ret->sets_priority = true;
    ret->has_priority = json_is_integer(value);
    if (json_is_null(value))
        return NULL;
    if (!json_is_integer(value) || json_integer_value(value) < INT_MIN || json_integer_value(value) > INT_MAX)
        return "is neither a whole number nor null";
    ret->priority = (int)json_integer_value(value);
    return NULL;
}

static const char *take_member(void *context, const char *name, const json_t *value)
{
    struct tag_request *ret = context;

    if (strcmp(name, "add") == 0)
        return take_words(value, &ret->added);
    if (strcmp(name, "remove") == 0)
        return take_words(value, &ret->removed);
    if (strcmp(name, "from") == 0)
        return take_from(value, ret);
    if (strcmp(name, "role") == 0)
        return take_role(value, ret);
    if (strcmp(name, "priority") == 0)
        return take_priority(value, ret);
    return "is unknown; tags are \"add\", \"remove\", \"from\", \"role\" and \"priority\"";
}

int json_parse_tags(const char *text, size_t length, struct tag_request *ret, char **ret_problem)
{
    return json_read_members(text, length, take_member, ret, ret_problem);
}
