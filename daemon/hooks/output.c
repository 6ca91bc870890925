/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bytes in, lines out. Knows no process, and trusts no program. */
#include "hooks/output.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

static void tell_line(struct output *output)
{
    char text[4 * OUTPUT_LINE_BYTES + 1];

    if (output->length == 0)
        return;
    output->pending[output->length] = '\0';
    text_make_printable(output->pending, output->length, text, sizeof(text));
    output->length = 0;
    output->lines++;
    output->line(output->context, text);
}

static void tell_full(struct output *output)
{
    char text[128];

    tell_line(output);
    output->is_full = true;
    snprintf(text, sizeof(text), "(prints more than %d KiB or %d lines: the rest is thrown away)",
             OUTPUT_BYTES_MAX / 1024, OUTPUT_LINES_MAX);
    output->line(output->context, text);
}

void output_take(struct output *output, const char *data, size_t length)
{
    for (size_t i = 0; i < length && !output->is_full; i++) {
        if (output->bytes == OUTPUT_BYTES_MAX || output->lines == OUTPUT_LINES_MAX) {
            tell_full(output);
            return;
        }
        output->bytes++;
        if (data[i] != '\n')
            output->pending[output->length++] = data[i];
        if (data[i] == '\n' || output->length == OUTPUT_LINE_BYTES)
            tell_line(output);
    }
}

void output_end(struct output *output)
{
    tell_line(output);
}
