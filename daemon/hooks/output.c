/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bytes in, lines out. Knows no process, and trusts no program. */
#include "hooks/output.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

/* So many of the pending bytes; the rest begins the next line. */
static void tell_line(struct output *output, size_t length)
{
    char text[4 * OUTPUT_LINE_BYTES + 1], next = output->pending[length];

    if (length == 0)
        return;
    output->pending[length] = '\0';
    text_make_printable(output->pending, length, text, sizeof(text));
    output->pending[length] = next;
    output->length -= length;
    memmove(output->pending, output->pending + length, output->length);
    output->lines++;
    output->line(output->context, text);
}

/* A line that is broken because of its length is broken between two characters. */
static size_t break_of(struct output *output)
{
    size_t whole;

    output->pending[output->length] = '\0';
    whole = strlen(output->pending) == output->length ? text_fit(output->pending, output->length) : output->length;
    return whole > 0 ? whole : output->length;
}

static void tell_full(struct output *output)
{
    char text[128];

    tell_line(output, output->length);
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
        if (data[i] == '\n')
            tell_line(output, output->length);
        else if (output->length == OUTPUT_LINE_BYTES)
            tell_line(output, break_of(output));
    }
}

void output_end(struct output *output)
{
    tell_line(output, output->length);
}
