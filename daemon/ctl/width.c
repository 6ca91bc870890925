/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Column widths by ranges of Unicode (UAX #11, in coarse), so that Korean and Chinese names line up. */
#include "ctl/width.h"

#include <stdint.h>
#include <string.h>

#include "report/utf8.h"

static const struct range {
    uint32_t first;
    uint32_t last;
    unsigned width;
} ranges[] = {
    {0x0300, 0x036f, 0},   {0x200b, 0x200f, 0},   {0xfe00, 0xfe0f, 0},   {0x1100, 0x115f, 2}, {0x2e80, 0xa4cf, 2},
    {0xac00, 0xd7a3, 2},   {0xf900, 0xfaff, 2},   {0xfe30, 0xfe6f, 2},   {0xff00, 0xff60, 2}, {0xffe0, 0xffe6, 2},
    {0x1f300, 0x1f64f, 2}, {0x1f900, 0x1f9ff, 2}, {0x20000, 0x3fffd, 2},
};

static unsigned character_width(uint32_t character)
{
    for (size_t i = 0; i < ELEMENTS_OF(ranges); i++)
        if (character >= ranges[i].first && character <= ranges[i].last)
            return ranges[i].width;
    return 1;
}

size_t width_of(const char *text)
{
    size_t width = 0;

    while (*text != '\0') {
        uint32_t character;

        text += utf8_decode(text, &character);
        width += character_width(character);
    }
    return width;
}

size_t width_cut(const char *text, size_t columns)
{
    const char *at = text;
    size_t width = 0;

    while (*at != '\0') {
        uint32_t character;
        size_t length = utf8_decode(at, &character);

        width += character_width(character);
        if (width > columns)
            break;
        at += length;
    }
    return (size_t)(at - text);
}

void width_disarm(char *text)
{
    char *to = text;

    while (*text != '\0') {
        uint32_t character;
        size_t length = utf8_decode(text, &character);

        if ((character < 0x20 && character != '\n') || (character >= 0x7f && character < 0xa0)) {
            *to++ = '?';
        } else {
            memmove(to, text, length);
            to += length;
        }
        text += length;
    }
    *to = '\0';
}
