/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Small helpers for texts on the heap. */
#include "base/text.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

bool text_equal(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
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
