/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the daemon answers is printed here, too, and with it names of machines: they are made harmless. */
#include "ctl/message.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "ctl/harmless.h"

void complain(const char *format, ...)
{
    _cleanup_(freep) char *text = NULL;
    va_list arguments;

    va_start(arguments, format);
    if (vasprintf(&text, format, arguments) < 0)
        text = NULL;
    va_end(arguments);
    if (text != NULL)
        harmless_make(text);
    fflush(stdout);
    fprintf(stderr, "understudyctl: %s\n", text != NULL ? text : "out of memory");
}

void die_of_memory(void)
{
    complain("out of memory");
    exit(EXIT_FAILURE);
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
