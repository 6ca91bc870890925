/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How understudyctl prints: styles where they are wanted, columns as wide as their content, and
 * nothing from the daemon that could steer the terminal.
 */
#ifndef UNDERSTUDY_DAEMON_CTL_PRINT_H
#define UNDERSTUDY_DAEMON_CTL_PRINT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"

/* Of what goes to no terminal, and the longest line of prose on any. */
#define PRINT_WIDTH 100

enum style {
    STYLE_PLAIN,
    STYLE_STRONG,
    STYLE_FAINT,
    STYLE_GOOD,
    STYLE_BAD,
    STYLE_NOTABLE,
    STYLE_ALARM,
    STYLE_COUNT,
};

/* Looks at the terminal, NO_COLOR and the locale; once, before anything is printed. */
void print_init(void);

/* Where lines of prose end: PRINT_WIDTH, or less on a narrow terminal. */
size_t print_width(void) _must_check_;

/* Prints a formatted text in a style. Control characters in it, but newlines, become '?'. */
void print_styled(enum style style, const char *format, ...) _printf_(2, 3);

/* A value in a bar of `width` characters. 0 ≤ share ≤ 1. Caller frees. */
char *print_make_bar(double share, unsigned width) _must_check_;

/* The document as the daemon gave it, indented. */
void print_json(const json_t *document);

/* "  label     value", for lists of facts. The value breaks after ", " and " " where the line is full. */
void print_fact(const char *label, const char *format, ...) _printf_(2, 3);

/* A text between column `indent` and print_width(), broken at blanks, the first line beginning at `column`. */
void print_wrapped(enum style style, size_t column, size_t indent, const char *text);

/* A formatted text in lines that all begin at column `indent`. */
void print_paragraph(enum style style, size_t indent, const char *format, ...) _printf_(3, 4);

struct table;

/* titles: borrowed. Never NULL. */
struct table *table_new(const char *const *titles, size_t n_columns);
void table_free(struct table *table);
DEFINE_CLEANUP(struct table, table_free);

/* The next cell, row by row from the left. */
void table_add(struct table *table, enum style style, const char *format, ...) _printf_(3, 4);
/* The last column is the least important: it is cut before any other is. */
void table_cut_last_first(struct table *table);
/* Prints it; the widest columns are cut where it would be wider than the terminal, or than PRINT_WIDTH without one. */
void table_print(const struct table *table);

#endif
