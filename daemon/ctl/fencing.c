/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A line for each agent. */
#include "ctl/fencing.h"

#include <inttypes.h>

#include "ctl/field.h"
#include "ctl/print.h"
#include "ctl/table.h"

void fencing_print(const json_t *entries, const char *host, size_t limit)
{
    static const struct column columns[] = {
        {"TIME", COLUMN_WHOLE},  {"HOST", COLUMN_WHOLE},   {"ATTEMPT", COLUMN_NUMBER}, {"LEVEL", COLUMN_NUMBER},
        {"AGENT", COLUMN_WHOLE}, {"ACTION", COLUMN_WHOLE}, {"TOOK", COLUMN_NUMBER},    {"ANSWER", COLUMN_CUT},
    };
    _cleanup_(table_freep) struct table *table = table_new(columns, ELEMENTS_OF(columns));

    if (json_array_size(entries) == 0) {
        print_styled(STYLE_PLAIN, "No host%s%s was fenced yet.\n", host != NULL ? " of the name " : "",
                     host != NULL ? host : "");
        return;
    }
    for (size_t i = 0; i < json_array_size(entries) && (limit == 0 || i < limit); i++) {
        const json_t *entry = json_array_get(entries, i);
        _cleanup_(freep) char *at = field_instant(entry, "at");
        _cleanup_(freep) char *took = field_duration(entry, "took_ms");

        table_add(table, STYLE_PLAIN, "%s", at);
        table_add(table, STYLE_STRONG, "%s", field_word(entry, "host"));
        table_add(table, STYLE_PLAIN, "%" PRId64, field_integer(entry, "attempt"));
        table_add(table, STYLE_PLAIN, "%" PRId64, field_integer(entry, "level"));
        table_add(table, STYLE_STRONG, "%s", field_word(entry, "agent"));
        table_add(table, STYLE_PLAIN, "%s", field_word(entry, "action"));
        table_add(table, STYLE_PLAIN, "%s", took);
        table_add(table, field_true(entry, "succeeded") ? STYLE_GOOD : STYLE_BAD, "%s", field_word(entry, "answer"));
    }
    table_print(table);
}
