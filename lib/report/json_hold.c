/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Holds, as they are told and as they are asked for. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "report/json.h"
#include "report/json_value.h"

/* A reason is one line. */
#define REASON_MAX 200
/* A longer one is no maintenance. */
#define LONGEST_MS (366 * 86400e3)

json_t *json_hold(struct json_maker *maker, const struct hold *hold)
{
    json_t *object;
    int64_t until_us;

    if (hold == NULL)
        return json_null();
    until_us = hold_until_us(hold);
    object = json_object();
    json_put(maker, object, "what", json_text(hold->name));
    json_put(maker, object, "scope", json_text(hold_scope_name(hold->scope)));
    json_put(maker, object, "hypervisor",
             json_text(hold->target.hypervisor[0] != '\0' ? hold->target.hypervisor : NULL));
    json_put(maker, object, "uuid", json_text(hold->target.uuid[0] != '\0' ? hold->target.uuid : NULL));
    json_put(maker, object, "reason", json_text(hold->reason));
    json_put(maker, object, "by", json_text(hold->by[0] != '\0' ? hold->by : NULL));
    json_put(maker, object, "since", json_instant((struct moment){.real_us = hold->since_us}));
    json_put(maker, object, "until", json_instant((struct moment){.real_us = until_us}));
    json_put(maker, object, "evacuating", json_boolean(hold->is_evacuating));
    json_put(maker, object, "overdue", json_boolean(hold->is_overdue));
    return object;
}

int json_format_hold(const struct hold *hold, char **ret)
{
    struct json_maker maker = {0};

    return json_finish(&maker, json_hold(&maker, hold), ret);
}

json_t *json_holds(struct json_maker *maker, const struct coordinator *coordinator)
{
    json_t *array = json_array();

    for (size_t i = 0; coordinator != NULL && i < coordinator_hold_count(coordinator); i++)
        if (!coordinator_hold_at(coordinator, i)->is_over)
            json_append(maker, array, json_hold(maker, coordinator_hold_at(coordinator, i)));
    return array;
}

int json_format_holds(const struct coordinator *coordinator, char **ret)
{
    struct json_maker maker = {0};

    return json_finish(&maker, json_list(&maker, "holds", json_holds(&maker, coordinator)), ret);
}

void hold_request_done(struct hold_request *request)
{
    free(request->target);
    free(request->reason);
    *request = (struct hold_request){0};
}

/* One line, as people write it: it is told in logs and tables. */
static const char *take_reason(const json_t *value, struct hold_request *ret)
{
    const char *text = json_string_value(value);

    if (text == NULL || strlen(text) > REASON_MAX)
        return "is no text of 200 bytes at the most";
    for (const char *c = text; *c != '\0'; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            return "has a control character";
    if (text[0] == '\0')
        return NULL;
    ret->reason = strdup(text);
    return ret->reason != NULL ? NULL : json_out_of_memory;
}

static const char *take_time(const json_t *value, struct hold_request *ret)
{
    double time_ms = json_number_value(value);

    if (!json_is_number(value) || !(time_ms >= 1000 && time_ms <= LONGEST_MS))
        return "is no number of milliseconds, from 1000 to those of a year";
    ret->time_us = (int64_t)(time_ms * (double)USEC_PER_MSEC);
    return NULL;
}

static const char *take_member(void *context, const char *name, const json_t *value)
{
    struct hold_request *ret = context;

    if (strcmp(name, "target") == 0) {
        if (!json_is_string(value))
            return "is no text";
        free(ret->target);
        ret->target = strdup(json_string_value(value));
        return ret->target != NULL ? NULL : json_out_of_memory;
    }
    if (json_is_null(value) && (strcmp(name, "reason") == 0 || strcmp(name, "for_ms") == 0))
        return NULL;
    if (strcmp(name, "evacuate") == 0 || strcmp(name, "confirmed") == 0) {
        if (!json_is_boolean(value))
            return "is neither true nor false";
        *(strcmp(name, "evacuate") == 0 ? &ret->evacuates : &ret->is_confirmed) = json_is_true(value);
        return NULL;
    }
    if (strcmp(name, "reason") == 0)
        return take_reason(value, ret);
    if (strcmp(name, "for_ms") == 0)
        return take_time(value, ret);
    return "is unknown; a hold has \"target\", \"reason\", \"for_ms\", \"evacuate\" and \"confirmed\"";
}

int json_parse_hold(const char *text, size_t length, struct hold_request *ret, char **ret_problem)
{
    int r = json_read_members(text, length, take_member, ret, ret_problem);

    if (r < 0 || ret->target != NULL)
        return r;
    *ret_problem = strdup("the body does not say what is to be held: \"target\"");
    return -EINVAL;
}
