/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Small helpers for texts on the heap. A text may be NULL where its owner says so. */
#ifndef UNDERSTUDY_BASE_TEXT_H
#define UNDERSTUDY_BASE_TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"

/* As strcmp() == 0, but NULL equals NULL. */
bool text_equal(const char *a, const char *b);
/* The same words: "600 s" is as "1200 s". Takes NULL, which equals only NULL. */
bool text_equal_but_for_numbers(const char *a, const char *b);

/* A copy that the caller frees; NULL for NULL, and where there is no memory. */
char *text_copy(const char *text);

/* The formatted text, which the caller frees; NULL where there is no memory. */
char *text_print(const char *format, ...) _printf_(1, 2);
char *text_vprint(const char *format, va_list arguments) _printf_(1, 0);

/* As text_print, into *ret. -ENOMEM leaves *ret as it was. */
int text_format(char **ret, const char *format, ...) _must_check_ _printf_(2, 3);

#define TEXT_DISTANCE_MAX 64

/*
 * Levenshtein's distance without regard to ASCII case, to find what a mistyped word means. SIZE_MAX where one of the two
 * is longer than TEXT_DISTANCE_MAX bytes: the work grows with the square.
 */
size_t text_distance(const char *a, const char *b);

#endif
