/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the daemon answers is printed here, too, and with it names of machines: both are made printable. */
#include "ctl/message.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

void complain(const char *format, ...)
{
    _cleanup_(freep) char *text = NULL;
    va_list arguments;

    va_start(arguments, format);
    text = format_printable(format, arguments);
    va_end(arguments);
    fflush(stdout);
    fprintf(stderr, "understudyctl: %s\n", text);
}

void die_of_memory(void)
{
    fflush(stdout);
    fputs("understudyctl: out of memory\n", stderr);
    exit(EXIT_FAILURE);
}

char *format_printable(const char *format, va_list arguments)
{
    bool ends_line = format[0] != '\0' && format[strlen(format) - 1] == '\n';
    _cleanup_(freep) char *text = text_vprint(format, arguments), *printable = NULL;

    if (text == NULL)
        die_of_memory();
    if (ends_line)
        text[strlen(text) - 1] = '\0';
    printable = text_printable(text);
    if (printable == NULL)
        die_of_memory();
    return ends_line ? format_text("%s\n", printable) : steal_pointer(&printable);
}

char *format_text(const char *format, ...)
{
    va_list arguments;
    char *text;

    va_start(arguments, format);
    if (vasprintf(&text, format, arguments) < 0)
        die_of_memory();
    va_end(arguments);
    return text;
}
