/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Small helpers for texts on the heap. */
#include "base/text.h"

#include <ctype.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

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
