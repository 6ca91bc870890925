/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/services_line.h"

#include <inttypes.h>

#include "ctl/field.h"
#include "ctl/message.h"

char *services_line(const json_t *services)
{
    static const char *const states[] = {"up", "recovering", "down", "stopped", "held", "unknown"};
    _cleanup_(freep) char *text = format_text("%s", ""), *replaced = NULL, *bare = NULL;
    int64_t total = 0, diverted = field_integer(services, "diverted"),
            lacking = field_integer(services, "without_next");

    for (size_t i = 0; i < ELEMENTS_OF(states); i++) {
        int64_t count = field_integer(services, states[i]);
        _cleanup_(freep) char *before = text;

        text = count > 0 ? format_text("%s%s%" PRId64 " %s", before, total > 0 ? ", " : ": ", count, states[i])
                         : format_text("%s", before);
        total += count;
    }
    replaced = diverted > 0 ? format_text("; %" PRId64 " served by a replacement", diverted) : format_text("%s", "");
    bare = lacking > 0 ? format_text("; NO MACHINE WOULD TAKE OVER %" PRId64 ": understudyctl services", lacking)
                       : format_text("%s", "");
    return format_text("%" PRId64 "%s%s%s", total, text, replaced, bare);
}

bool service_is_bare(const json_t *service)
{
    return field_is(service, "state", "up") && !json_is_object(json_object_get(service, "next")) &&
           !field_true(service, "restarts_itself");
}
