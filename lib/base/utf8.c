/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A decoder that never reads past the terminating NUL. Knows nothing of JSON or terminals. */
#include "base/utf8.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

static const char replacement_text[] = "\xef\xbf\xbd";

/* The bits a lead byte carries, how many bytes follow it, and the smallest character that needs so many. */
static const struct lead {
    uint8_t mask;
    uint8_t value;
    uint8_t followers;
    uint32_t smallest;
} leads[] = {
    {0x80, 0x00, 0, 0x0},
    {0xe0, 0xc0, 1, 0x80},
    {0xf0, 0xe0, 2, 0x800},
    {0xf8, 0xf0, 3, 0x10000},
};

static bool is_character(uint32_t character)
{
    return character <= 0x10ffff && (character < 0xd800 || character > 0xdfff);
}

size_t utf8_decode(const char *text, uint32_t *ret_character)
{
    const unsigned char *bytes = (const unsigned char *)text;

    *ret_character = UTF8_REPLACEMENT;
    for (size_t i = 0; i < ELEMENTS_OF(leads); i++) {
        const struct lead *lead = &leads[i];
        uint32_t character;
        size_t n;

        if ((bytes[0] & lead->mask) != lead->value)
            continue;
        character = bytes[0] & (uint8_t)~lead->mask;
        for (n = 1; n <= lead->followers && (bytes[n] & 0xc0) == 0x80; n++)
            character = character << 6 | (bytes[n] & 0x3f);
        if (n <= lead->followers || character < lead->smallest || !is_character(character))
            return 1;
        *ret_character = character;
        return n;
    }
    return 1;
}

int utf8_make_valid(const char *text, char **ret)
{
    char *valid = malloc(strlen(text) * strlen(replacement_text) + 1);
    char *end = valid;

    if (valid == NULL)
        return -ENOMEM;
    while (*text != '\0') {
        uint32_t character;
        size_t length = utf8_decode(text, &character);

        if (character == UTF8_REPLACEMENT)
            end = stpcpy(end, replacement_text);
        else
            end = mempcpy(end, text, length);
        text += length;
    }
    *end = '\0';
    *ret = valid;
    return 0;
}
