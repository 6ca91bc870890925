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

/*
 * What comes from outside (names of machines, words of guests, programs and libvirt) goes through one of these before it
 * reaches a terminal, a line of a log or a cell of a table, and through nothing else. Control characters (C0 with newline
 * and tab, DEL, C1), line and paragraph separators, characters that turn the direction of writing or are invisible,
 * and bytes that are not UTF-8 become \xNN, a byte each; the rest stays.
 *
 * text_make_printable writes to ret (size bytes, at least 1), cut where it does not fit; text has a NUL at text[length],
 * and may have others before it. text_printable gives a copy that the caller frees; NULL: no memory.
 */
void text_make_printable(const char *text, size_t length, char *ret, size_t size);
char *text_printable(const char *text) _must_check_;

/*
 * The text as one word of a shell command: in quotes where it has other characters than letters, digits and "/._-+". A copy
 * that the caller frees; NULL: no memory.
 */
char *text_shell_word(const char *text) _must_check_;

/* How much of the text, at most so many bytes, ends with a whole character of UTF-8: for "%.*s". */
size_t text_fit(const char *text, size_t most) _must_check_;

/* As a JSON string can hold it: the same characters as \uNNNN inside of strings; what is between them stays. NULL: no memory. */
char *text_printable_json(const char *json) _must_check_;

#define TEXT_DISTANCE_MAX 64

/*
 * Levenshtein's distance without regard to ASCII case, to find what a mistyped word means. SIZE_MAX where one of the two
 * is longer than TEXT_DISTANCE_MAX bytes: the work grows with the square.
 */
size_t text_distance(const char *a, const char *b);

#endif
