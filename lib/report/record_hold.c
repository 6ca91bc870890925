/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Holds as JSON, written and read side by side. */
#include <errno.h>
#include <stdlib.h>

#include "report/record.h"
#include "report/record_reader.h"

/* Beyond is damage. */
#define TIME_LIMIT_US (INT64_MAX / 8)

int record_format_hold(const struct hold *hold, char **ret)
{
    struct json_maker maker = {0};
    json_t *object = json_object();

    json_put(&maker, object, "scope", json_text(hold_scope_name(hold->scope)));
    json_put(&maker, object, "hypervisor", json_text(hold->target.hypervisor));
    json_put(&maker, object, "uuid", json_text(hold->target.uuid));
    json_put(&maker, object, "name", json_text(hold->name));
    json_put(&maker, object, "reason", json_text(hold->reason));
    json_put(&maker, object, "by", json_text(hold->by));
    json_put(&maker, object, "since_us", json_integer(hold->since_us));
    json_put(&maker, object, "time_us", json_integer(hold->time_us));
    if (hold->is_evacuating)
        json_put(&maker, object, "evacuating", json_true());
    return record_finish(&maker, object, ret);
}

int record_parse_hold(const char *text, struct hold **ret)
{
    _cleanup_(hold_freep) struct hold *hold = calloc(1, sizeof(*hold));
    struct record_reader reader = {0};
    json_t *document = NULL;
    const char *scope;
    int r;

    if (hold == NULL)
        return -ENOMEM;
    r = record_load(text, &document);
    if (r < 0)
        return r;
    scope = json_string_value(json_object_get(document, "scope"));
    if (scope == NULL || hold_scope_parse(scope, &hold->scope) < 0)
        record_refuse(&reader, -EINVAL);
    record_read_into(&reader, document, "hypervisor", hold->target.hypervisor, sizeof(hold->target.hypervisor));
    record_read_into(&reader, document, "uuid", hold->target.uuid, sizeof(hold->target.uuid));
    hold->name = record_read_text(&reader, document, "name");
    hold->reason = record_read_text_or_null(&reader, document, "reason");
    if (!record_is_absent(document, "by"))
        record_read_into(&reader, document, "by", hold->by, sizeof(hold->by));
    hold->since_us = record_read_integer(&reader, document, "since_us", -TIME_LIMIT_US, TIME_LIMIT_US);
    hold->time_us = record_read_integer(&reader, document, "time_us", 0, TIME_LIMIT_US);
    if (!record_is_absent(document, "evacuating"))
        hold->is_evacuating = record_read_bool(&reader, document, "evacuating");
    json_decref(document);
    if (reader.error < 0)
        return reader.error;
    *ret = steal_pointer(&hold);
    return 0;
}
