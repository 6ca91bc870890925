/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Small helpers for texts on the heap. */
#include "base/text.h"

#include <ctype.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

bool text_equal(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

bool text_equal_but_for_numbers(const char *a, const char *b)
{
    static const char digits[] = "0123456789";

    if (a == NULL || b == NULL)
        return a == b;
    for (;; a++, b++) {
        size_t a_digits = strspn(a, digits), b_digits = strspn(b, digits);

        if ((a_digits > 0) != (b_digits > 0))
            return false;
        a += a_digits;
        b += b_digits;
        if (*a != *b)
            return false;
        if (*a == '\0')
            return true;
    }
}

char *text_copy(const char *text)
{
    return text != NULL ? strdup(text) : NULL;
}

char *text_vprint(const char *format, va_list arguments)
{
    char *text;

    return vasprintf(&text, format, arguments) < 0 ? NULL : text;
}

char *text_print(const char *format, ...)
{
    va_list arguments;
    char *text;

    va_start(arguments, format);
    text = text_vprint(format, arguments);
    va_end(arguments);
    return text;
}

int text_format(char **ret, const char *format, ...)
{
    va_list arguments;
    char *text;

    va_start(arguments, format);
    text = text_vprint(format, arguments);
    va_end(arguments);
    if (text == NULL)
        return -ENOMEM;
    *ret = text;
    return 0;
}

/* Ranges of Unicode; the characters of direction are those of UAX #9. */
static const struct range {
    uint32_t first, last;
} unprintable[] = {
    {0x0000, 0x001f}, /* C0 */
    {0x007f, 0x009f}, /* DEL and C1 */
    {0x061c, 0x061c}, /* Arabic letter mark */
    {0x200b, 0x200b}, /* zero width space */
    {0x200e, 0x200f}, /* left-to-right and right-to-left mark */
    {0x2028, 0x202e}, /* line and paragraph separator, embeddings and overrides */
    {0x2060, 0x206f}, /* word joiner, invisible operators, isolates, deprecated controls */
    {0xfeff, 0xfeff}, /* byte order mark */
    {0xfff9, 0xfffb}, /* interlinear annotation */
};

/* length: of its bytes. One byte that reads as the replacement character is no character. */
static bool is_printable(uint32_t character, size_t length)
{
    if (character == UTF8_REPLACEMENT)
        return length > 1;
    for (size_t i = 0; i < ELEMENTS_OF(unprintable); i++)
        if (character >= unprintable[i].first && character <= unprintable[i].last)
            return false;
    return true;
}

void text_make_printable(const char *text, size_t length, char *ret, size_t size)
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

static bool is_plain(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("/._-+", c) != NULL);
}

char *text_shell_word(const char *text)
{
    static const char escaped[] = "'\\''"; /* ends the quotes, and begins them again behind one */
    size_t size = sizeof("''"), length = strlen(text);
    bool needs_quotes = length == 0;
    char *word, *at;

    for (size_t i = 0; i < length; i++) {
        needs_quotes |= !is_plain(text[i]);
        size += text[i] == '\'' ? strlen(escaped) : 1;
    }
    if (!needs_quotes)
        return strdup(text);
    word = calloc(1, size);
    if (word == NULL)
        return NULL;
    at = stpcpy(word, "'");
    for (size_t i = 0; i < length; i++)
        if (text[i] == '\'')
            at = stpcpy(at, escaped);
        else
            *at++ = text[i];
    memcpy(at, "'", sizeof("'"));
    return word;
}

size_t text_fit(const char *text, size_t most)
{
    size_t length = strnlen(text, most), begun = length, whole;
    unsigned char first;

    /* Bytes that go on stand behind one that begins a character and says how many they are. */
    while (begun > 0 && length - begun < 3 && ((unsigned char)text[begun - 1] & 0xc0) == 0x80)
        begun--;
    if (begun == 0)
        return length;
    first = (unsigned char)text[--begun];
    whole = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc0 ? 2 : 1;
    return length - begun < whole ? begun : length;
}

char *text_printable(const char *text)
{
    size_t length = strlen(text), size = 4 * length + 1;
    char *printable = malloc(size);

    if (printable != NULL)
        text_make_printable(text, length, printable, size);
    return printable;
}

char *text_printable_json(const char *json)
{
    char *printable = malloc(strlen("\\u0000") * strlen(json) + 1), *at = printable;

    if (printable == NULL)
        return NULL;
    while (*json != '\0') {
        uint32_t character;
        size_t length = utf8_decode(json, &character);

        /* JSON escapes C0 itself; what is below a blank stands between its strings. */
        if (character < ' ' || is_printable(character, length))
            at = mempcpy(at, json, length);
        else
            at += sprintf(at, "\\u%04x", character);
        json += length;
    }
    *at = '\0';
    return printable;
}

size_t text_distance(const char *a, const char *b)
{
    size_t row[TEXT_DISTANCE_MAX + 1];
    size_t length = strlen(b);

    if (length > TEXT_DISTANCE_MAX || strlen(a) > TEXT_DISTANCE_MAX)
        return SIZE_MAX;
    for (size_t j = 0; j <= length; j++)
        row[j] = j;
    for (size_t i = 1; a[i - 1] != '\0'; i++) {
        size_t diagonal = row[0];

        row[0] = i;
        for (size_t j = 1; j <= length; j++) {
            bool differs = tolower((unsigned char)a[i - 1]) != tolower((unsigned char)b[j - 1]);
            size_t best = diagonal + differs;

            best = row[j] + 1 < best ? row[j] + 1 : best;
            best = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
            diagonal = row[j];
            row[j] = best;
        }
    }
    return row[length];
}
