/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The few kinds of value that answers are made of. Knows nothing of machines or recoveries. */
#include "report/json_value.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "report/time.h"
#include "base/text.h"
#include "base/utf8.h"

#define SIGNIFICANT_DIGITS 12

void json_put(struct json_maker *maker, json_t *object, const char *key, json_t *value)
{
    if (json_object_set_new(object, key, value) < 0)
        maker->lost = true;
}

void json_append(struct json_maker *maker, json_t *array, json_t *value)
{
    if (json_array_append_new(array, value) < 0)
        maker->lost = true;
}

json_t *json_text(const char *text)
{
    _cleanup_(freep) char *valid = NULL;
    json_t *value;

    if (text == NULL)
        return json_null();
    value = json_string(text);
    if (value != NULL || utf8_make_valid(text, &valid) < 0)
        return value;
    return json_string(valid);
}

json_t *json_number(double number)
{
    return isfinite(number) ? json_real(number) : json_null();
}

json_t *json_count(uint64_t count)
{
    return json_integer(count > INT64_MAX ? INT64_MAX : (json_int_t)count);
}

json_t *json_strings(struct json_maker *maker, const struct string_list *list)
{
    json_t *array = json_array();

    for (size_t i = 0; i < list->count; i++)
        json_append(maker, array, json_text(list->items[i]));
    return array;
}

json_t *json_ports(struct json_maker *maker, const struct ports *ports)
{
    json_t *array = json_array();

    for (size_t i = 0; i < ports->count; i++)
        json_append(maker, array, json_integer(ports->items[i]));
    return array;
}

json_t *json_instant(struct moment moment)
{
    char text[TIME_TEXT_SIZE];

    if (!moment_has_come(moment))
        return json_null();
    time_format(moment.real_us, text);
    return json_string(text);
}

const char json_out_of_memory[] = "out of memory";

int json_read_members(const char *text, size_t length, json_taker *take, void *context, char **ret_problem)
{
    json_t *document = length > 0 ? json_loadb(text, length, JSON_REJECT_DUPLICATES, NULL) : NULL, *value;
    const char *problem = NULL, *name;
    int r = 0;

    json_object_foreach(document, name, value)
    {
        problem = take(context, name, value);
        if (problem != NULL)
            break;
    }
    if (problem == json_out_of_memory)
        r = -ENOMEM;
    else if (problem != NULL || !json_is_object(document)) {
        *ret_problem = problem != NULL ? text_print("\"%s\" %s", name, problem) : strdup("the body is no JSON object");
        r = -EINVAL;
    }
    json_decref(document);
    return r;
}

json_t *json_list(struct json_maker *maker, const char *name, json_t *array)
{
    json_t *object = json_object();

    json_put(maker, object, name, array);
    json_put(maker, object, "next_page", json_null());
    return object;
}

int json_finish(const struct json_maker *maker, json_t *document, char **ret)
{
    char *text = maker->lost ? NULL : json_dumps(document, JSON_COMPACT | JSON_REAL_PRECISION(SIGNIFICANT_DIGITS));

    json_decref(document);
    if (text == NULL)
        return -ENOMEM;
    *ret = text;
    return 0;
}

/* null where there was nothing to compare. */
static json_t *score_value(const struct explained_candidate *candidate, double score)
{
    return candidate->is_incomparable ? json_null() : json_number(score);
}

json_t *json_candidate(struct json_maker *maker, const struct explained_candidate *candidate)
{
    json_t *object = json_object();

    json_put(maker, object, "name", json_text(candidate->name));
    json_put(maker, object, "hypervisor", json_text(candidate->hypervisor));
    json_put(maker, object, "uuid", json_text(candidate->uuid));
    json_put(maker, object, "similarity", score_value(candidate, candidate->similarity));
    json_put(maker, object, "coverage", score_value(candidate, candidate->coverage));
    json_put(maker, object, "resource_coverage", score_value(candidate, candidate->resource_coverage));
    json_put(maker, object, "overlap", score_value(candidate, candidate->overlap));
    json_put(maker, object, "eligible", json_boolean(candidate->eligible));
    json_put(maker, object, "reason", json_text(candidate->reason));
    json_put(maker, object, "warmth", json_text(candidate->warmth));
    json_put(maker, object, "state", json_text(candidate->state));
    json_put(maker, object, "missing", json_strings(maker, &candidate->missing));
    json_put(maker, object, "surplus", json_strings(maker, &candidate->surplus));
    json_put(maker, object, "weightless", json_strings(maker, &candidate->weightless));
    return object;
}
