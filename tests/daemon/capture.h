/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a function prints on standard output, as a text, and what must stand in it. */
#ifndef UNDERSTUDY_TESTS_CAPTURE_H
#define UNDERSTUDY_TESTS_CAPTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct capture {
    FILE *file; /* takes over standard output */
    int kept;   /* standard output as it was */
};

static inline void capture_begin(struct capture *capture)
{
    capture->file = tmpfile();
    assert_non_null(capture->file);
    fflush(stdout);
    capture->kept = dup(STDOUT_FILENO);
    assert_true(capture->kept >= 0 && dup2(fileno(capture->file), STDOUT_FILENO) >= 0);
}

static inline void capture_end(struct capture *capture, char *ret, size_t size)
{
    size_t length;

    fflush(stdout);
    assert_true(dup2(capture->kept, STDOUT_FILENO) >= 0);
    close(capture->kept);
    rewind(capture->file);
    length = fread(ret, 1, size - 1, capture->file);
    ret[length] = '\0';
    fclose(capture->file);
}

static inline void has(const char *text, const char *expected)
{
    if (strstr(text, expected) == NULL)
        fail_msg("no \"%s\" in\n%s", expected, text);
}

static inline void has_not(const char *text, const char *unexpected)
{
    if (strstr(text, unexpected) != NULL)
        fail_msg("\"%s\" in\n%s", unexpected, text);
}

static inline void has_order(const char *text, const char *first, const char *second)
{
    has(text, first);
    has(text, second);
    if (strstr(text, first) > strstr(text, second))
        fail_msg("\"%s\" is not before \"%s\" in\n%s", first, second, text);
}

#endif
