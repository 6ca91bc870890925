/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Ranges of Unicode; the characters of direction are those of UAX #9. */
#include "ctl/harmless.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/cleanup.h"
#include "report/utf8.h"

static const struct range {
    uint32_t first, last;
} harmful[] = {
    {0x0000, 0x0009}, /* C0, but newline */
    {0x000b, 0x001f}, /* C0 */
    {0x007f, 0x009f}, /* DEL and C1 */
    {0x061c, 0x061c}, /* Arabic letter mark */
    {0x200e, 0x200f}, /* left-to-right and right-to-left mark */
    {0x2028, 0x202e}, /* line and paragraph separator, embeddings and overrides */
    {0x2066, 0x2069}, /* isolates */
};

static bool is_harmful(uint32_t character, size_t length)
{
    if (character == UTF8_REPLACEMENT && length == 1)
        return true;
    for (size_t i = 0; i < ELEMENTS_OF(harmful); i++)
        if (character >= harmful[i].first && character <= harmful[i].last)
            return true;
    return false;
}

void harmless_make(char *text)
{
    char *to = text;

    while (*text != '\0') {
        uint32_t character;
        size_t length = utf8_decode(text, &character);

        if (is_harmful(character, length)) {
            *to++ = '?';
        } else {
            memmove(to, text, length);
            to += length;
        }
        text += length;
    }
    *to = '\0';
}
