/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a program prints, as lines fit for a log: printable, of bounded length, not too many. */
#ifndef UNDERSTUDY_HOOKS_OUTPUT_H
#define UNDERSTUDY_HOOKS_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>

#define OUTPUT_BYTES_MAX  65536 /* of one program; the rest is thrown away */
#define OUTPUT_LINES_MAX  1000
#define OUTPUT_LINE_BYTES 1024 /* longer lines are broken */

/* A plain value: initialise line and context, the rest is 0. */
struct output {
    void (*line)(void *context, const char *text);
    void *context;
    size_t bytes;
    unsigned lines;
    bool is_full; /* and that has been told */
    size_t length;
    char pending[OUTPUT_LINE_BYTES + 1]; /* a line whose end has not come */
};

/* Takes a piece as it came from the pipe, and tells the lines that end in it. */
void output_take(struct output *output, const char *data, size_t length);

/* No more will come: tells a last line that has no end. */
void output_end(struct output *output);

#endif
