/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lines are copied, so that they can be cut: the text itself is borrowed. */
#include "discovery/lines.h"

#include <string.h>

bool lines_next(struct lines *lines, char ret[static LINE_SIZE])
{
    const char *end;
    size_t length;

    if (lines->at == lines->end)
        return false;
    end = memchr(lines->at, '\n', (size_t)(lines->end - lines->at));
    length = (size_t)((end != NULL ? end : lines->end) - lines->at);
    if (length > LINE_SIZE - 1)
        length = LINE_SIZE - 1;
    memcpy(ret, lines->at, length);
    ret[length] = '\0';
    lines->at = end != NULL ? end + 1 : lines->end;
    return true;
}

char *line_after(char *line, const char *key)
{
    size_t length = strlen(key);

    return strncmp(line, key, length) == 0 ? line + length : NULL;
}

char *line_trim(char *line)
{
    size_t length;

    line += strspn(line, " \t\r");
    length = strlen(line);
    while (length > 0 && strchr(" \t\r", line[length - 1]) != NULL)
        line[--length] = '\0';
    return line;
}
