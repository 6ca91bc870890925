/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bytes in, lines out. Knows no process, and trusts no program. */
#include "hooks/output.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "report/utf8.h"

/* C0 and C1 controls move cursors, set titles and end lines; 1 byte that reads as U+FFFD is no character. */
static bool is_printable(uint32_t character, size_t length)
{
    if (character == UTF8_REPLACEMENT)
        return length > 1;
    return character >= 0x20 && (character < 0x7f || character > 0x9f);
}

void output_make_printable(const char *text, size_t length, char *ret, size_t size)
{
    const char *end = text + length;
    char *at = ret;

    while (text < end) {
        char piece[4 * 4 + 1] = "";
        uint32_t character;
        size_t taken = utf8_decode(text, &character);
        size_t written = taken;

        if (is_printable(character, taken)) {
            memcpy(piece, text, taken);
        } else {
            written = 0;
            for (size_t i = 0; i < taken; i++)
                written += (size_t)sprintf(piece + written, "\\x%02x", (unsigned char)text[i]);
        }
        if (written >= size - (size_t)(at - ret))
            break;
        at = mempcpy(at, piece, written);
        text += taken;
    }
    *at = '\0';
}

static void tell_line(struct output *output)
{
    char text[4 * OUTPUT_LINE_BYTES + 1];

    if (output->length == 0)
        return;
    output->pending[output->length] = '\0';
    output_make_printable(output->pending, output->length, text, sizeof(text));
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
