/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Tables on standard output, drawn by libsmartcols as lsblk's are: columns are as wide as their content and are cut
 * only where a terminal is too narrow, never for a file or a pipe. The only place that knows libsmartcols.
 */
#ifndef UNDERSTUDY_DAEMON_CTL_TABLE_H
#define UNDERSTUDY_DAEMON_CTL_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"
#include "ctl/print.h"

enum column_kind {
    COLUMN_WHOLE,  /* never cut: ids, names, and what is short */
    COLUMN_NUMBER, /* never cut, aligned to the right */
    COLUMN_CUT, /* cut where it must be: one at most, since libsmartcols' versions share out what is lacking differently */
    COLUMN_SPARE, /* never cut, and left out where the table would be too wide, the last of them first */
    COLUMN_SPARE_NUMBER,
    COLUMN_HIDDEN, /* not shown; its cells are added all the same */
};

struct column {
    const char *title;
    enum column_kind kind;
};

struct table;

/* columns are borrowed as long as the table is. Never NULL. */
struct table *table_new(const struct column *columns, size_t n_columns);
void table_free(struct table *table);
DEFINE_CLEANUP(struct table, table_free);

/* The next cell, row by row from the left. */
void table_add(struct table *table, enum style style, const char *format, ...) _printf_(3, 4);

/* Whether every row fits into a line of the terminal with no column cut. True where there is no terminal. */
bool table_fits(const struct table *table);

/* For rows that go on below those of another table. */
void table_hide_titles(struct table *table);

void table_print(struct table *table);

/* One row, under the titles where it is the first one, so that other lines can stand between rows. */
void table_print_row(struct table *table, size_t row);

#endif
