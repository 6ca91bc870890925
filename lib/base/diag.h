/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a person must read when input is bad: where it stands and what was expected. Parsers collect
 * every finding in one pass, so a list is the unit; nothing here prints or exits.
 */
#ifndef UNDERSTUDY_BASE_DIAG_H
#define UNDERSTUDY_BASE_DIAG_H

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"

enum diag_severity {
    DIAG_ERROR,
    DIAG_WARNING,
};

/* One finding. line and column count from 1; 0 means that the whole file is meant. */
struct diag {
    enum diag_severity severity;
    char *file; /* NULL where the input has no name */
    unsigned line;
    unsigned column;
    char *message;
};

/* A plain value: initialise with {0}, end with diags_done. incomplete: a finding was lost for want of memory. */
struct diags {
    struct diag *items;
    size_t count;
    bool incomplete;
};

/* Appends a finding, copying file (may be NULL) and the formatted message. Out of memory sets `incomplete`. */
void diags_add(struct diags *diags, enum diag_severity severity, const char *file, unsigned line, unsigned column,
               const char *format, ...) _printf_(6, 7);

/* True if any finding is an error, or one was lost. */
bool diags_have_errors(const struct diags *diags);

/* "file:line:column: error: message", less what of the place is 0; no newline. Caller frees *ret. -ENOMEM. */
int diag_format(const struct diag *diag, char **ret) _must_check_;

void diags_done(struct diags *diags);

#endif
