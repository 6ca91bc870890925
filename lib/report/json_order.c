/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Orders of an operator, as they come in and as they are answered. */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "report/json.h"
#include "report/json_value.h"

static const struct {
    const char *name;
    size_t offset; /* in struct order */
} flags[] = {
    {"ignore_limit", offsetof(struct order, ignores_limit)},
    {"ignore_quarantine", offsetof(struct order, ignores_quarantine)},
    {"force", offsetof(struct order, is_forced)},
    {"anyway", offsetof(struct order, is_anyway)},
    {"confirmed", offsetof(struct order, is_confirmed)},
};

struct reading {
    struct order *order;
    char **to;
};

static const char *take_member(void *context, const char *name, const json_t *value)
{
    struct reading *reading = context;

    if (strcmp(name, "to") == 0) {
        if (!json_is_string(value))
            return "is no name of a machine";
        free(*reading->to);
        *reading->to = strdup(json_string_value(value));
        return *reading->to != NULL ? NULL : json_out_of_memory;
    }
    for (size_t i = 0; i < ELEMENTS_OF(flags); i++) {
        if (strcmp(flags[i].name, name) != 0)
            continue;
        if (!json_is_boolean(value))
            return "is neither true nor false";
        *(bool *)((char *)reading->order + flags[i].offset) = json_is_true(value);
        return NULL;
    }
    return "is unknown; an order has \"to\", \"ignore_limit\", \"ignore_quarantine\", \"force\", \"anyway\" and "
           "\"confirmed\"";
}

int json_parse_order(const char *text, size_t length, struct order *ret, char **ret_to, char **ret_problem)
{
    struct reading reading = {.order = ret, .to = ret_to};

    return length == 0 ? 0 : json_read_members(text, length, take_member, &reading, ret_problem);
}

int json_format_order(const struct order_answer *answer, char **ret)
{
    struct json_maker maker = {0};
    json_t *object = json_object();

    json_put(&maker, object, "message", json_text(answer->words));
    json_put(&maker, object, "recovery", json_text(answer->recovery_id[0] != '\0' ? answer->recovery_id : NULL));
    return json_finish(&maker, object, ret);
}
