/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Events in columns of fixed width, since the next line is not known yet. */
#include "ctl/event_line.h"

#include <stdio.h>
#include <string.h>

#include "ctl/field.h"
#include "ctl/print.h"

#define KIND_WIDTH  19 /* failure-unprotected */
#define TEXT_COLUMN (strlen("14:54:00.000") + 2 + KIND_WIDTH + 2)

void event_line_print(const json_t *notice, bool in_json)
{
    const char *at = field_word(notice, "at"), *kind = field_word(notice, "kind");
    bool has_time = strlen(at) > strlen("2026-11-22T14:54:00.000");

    if (in_json) {
        print_json_line(notice);
    } else {
        print_styled(STYLE_FAINT, "%.12s  ", has_time ? at + strlen("2026-11-22T") : "            ");
        print_styled(style_of_outcome(kind), "%-*s  ", KIND_WIDTH, kind);
        print_wrapped(STYLE_PLAIN, TEXT_COLUMN, TEXT_COLUMN, field_word(notice, "text"));
    }
    fflush(stdout);
}
