/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How understudyctl prints: styles where they are wanted, lines that end where the terminal does, and nothing from
 * the daemon that could steer the terminal.
 */
#ifndef UNDERSTUDY_DAEMON_CTL_PRINT_H
#define UNDERSTUDY_DAEMON_CTL_PRINT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"

/* The longest line of prose, on a terminal and elsewhere. */
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

/* In columns; 0: the output goes to no terminal. */
size_t print_terminal_width(void);

/* The sequence that begins a style on a terminal; NULL: nothing is to be sent for it. */
const char *print_style_code(enum style style);

/* Prints a formatted text in a style, made printable (format_printable). */
void print_styled(enum style style, const char *format, ...) _printf_(2, 3);

/* A value as a bar of so many characters. 0 ≤ share ≤ 1. Caller frees. */
char *print_make_bar(double share, unsigned length) _must_check_;

/* The document as the daemon gave it, indented, or in one line; what a terminal would obey in its texts is escaped. */
void print_json(const json_t *document);
void print_json_line(const json_t *document);

/* "  label     value", for lists of facts. The value breaks after ", " and " " where the line is full. */
void print_fact(const char *label, const char *format, ...) _printf_(2, 3);

/* A text made printable, in lines from column `indent` that break at blanks, the first line beginning at `column`. */
void print_wrapped(enum style style, size_t column, size_t indent, const char *text);

/* A formatted text in lines that all begin at column `indent`. */
void print_paragraph(enum style style, size_t indent, const char *format, ...) _printf_(3, 4);

#endif
