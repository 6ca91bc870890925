/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A text line by line, as the tools of a guest print it. What the lines mean is not known here. */
#ifndef UNDERSTUDY_DISCOVERY_LINES_H
#define UNDERSTUDY_DISCOVERY_LINES_H

#include <stdbool.h>
#include <stddef.h>

#define LINE_SIZE 256

/* Begin with {text, text + length}. */
struct lines {
    const char *at, *end;
};

/* One that is too long is cut. False: there are no more. */
bool lines_next(struct lines *lines, char ret[static LINE_SIZE]);

/* What stands behind a key at the beginning of the line; NULL: another line. */
char *line_after(char *line, const char *key);

/* Without blanks at both ends; the end is cut in place. */
char *line_trim(char *line);

#endif
