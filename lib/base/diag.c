/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Findings about input, collected for a person to read. Knows no format and no stream. */
#include "base/diag.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

void diags_add(struct diags *diags, enum diag_severity severity, const char *file, unsigned line, unsigned column,
               const char *format, ...)
{
    _cleanup_(freep) char *message = NULL;
    _cleanup_(freep) char *name = NULL;
    va_list arguments;
    int length;

    va_start(arguments, format);
    length = vasprintf(&message, format, arguments);
    va_end(arguments);
    if (length < 0) {
        message = NULL;
        diags->incomplete = true;
        return;
    }
    if (file != NULL) {
        name = strdup(file);
        if (name == NULL) {
            diags->incomplete = true;
            return;
        }
    }

    struct diag *items = reallocarray(diags->items, diags->count + 1, sizeof(*items));
    if (items == NULL) {
        diags->incomplete = true;
        return;
    }
    diags->items = items;
    items[diags->count++] = (struct diag){
        .severity = severity,
        .file = steal_pointer(&name),
        .line = line,
        .column = column,
        .message = steal_pointer(&message),
    };
}

bool diags_have_errors(const struct diags *diags)
{
    if (diags->incomplete)
        return true;
    for (size_t i = 0; i < diags->count; i++)
        if (diags->items[i].severity == DIAG_ERROR)
            return true;
    return false;
}

int diag_format(const struct diag *diag, char **ret)
{
    const char *severity = diag->severity == DIAG_ERROR ? "error" : "warning";
    char *text = NULL;
    int length;

    if (diag->file == NULL)
        length = asprintf(&text, "%s: %s", severity, diag->message);
    else if (diag->line == 0)
        length = asprintf(&text, "%s: %s: %s", diag->file, severity, diag->message);
    else if (diag->column == 0)
        length = asprintf(&text, "%s:%u: %s: %s", diag->file, diag->line, severity, diag->message);
    else
        length = asprintf(&text, "%s:%u:%u: %s: %s", diag->file, diag->line, diag->column, severity, diag->message);
    if (length < 0)
        return -ENOMEM;
    *ret = text_printable(text);
    free(text);
    return *ret != NULL ? 0 : -ENOMEM;
}

void diags_done(struct diags *diags)
{
    for (size_t i = 0; i < diags->count; i++) {
        free(diags->items[i].file);
        free(diags->items[i].message);
    }
    free(diags->items);
    *diags = (struct diags){0};
}
