/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Columns, lines and colours, said in libsmartcols' words. */
#include "ctl/table.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libsmartcols/libsmartcols.h>

#include "ctl/message.h"

#define GAP "  "

struct table {
    struct libscols_table *table;
    const struct column *columns;
    size_t n_columns;
    struct libscols_line *line;
    size_t n_cells; /* in that line */
};

/* The functions of libsmartcols fail for want of memory only. */
static void check(int r)
{
    if (r < 0)
        die_of_memory();
}

static void *check_pointer(void *pointer)
{
    if (pointer == NULL)
        die_of_memory();
    return pointer;
}

static void add_column(struct table *table, const struct column *column)
{
    static const int flags[] = {
        [COLUMN_WHOLE] = 0, [COLUMN_NUMBER] = SCOLS_FL_RIGHT,       [COLUMN_CUT] = SCOLS_FL_TRUNC,
        [COLUMN_SPARE] = 0, [COLUMN_SPARE_NUMBER] = SCOLS_FL_RIGHT, [COLUMN_HIDDEN] = SCOLS_FL_HIDDEN,
    };
    struct libscols_column *added =
        check_pointer(scols_table_new_column(table->table, column->title, 0, flags[column->kind]));

    if (print_style_code(STYLE_FAINT) != NULL)
        check(scols_cell_set_color(scols_column_get_header(added), print_style_code(STYLE_FAINT)));
}

struct table *table_new(const struct column *columns, size_t n_columns)
{
    struct table *table = check_pointer(calloc(1, sizeof(*table)));

    table->table = check_pointer(scols_new_table());
    table->columns = columns;
    table->n_columns = n_columns;
    check(scols_table_set_column_separator(table->table, GAP));
    /* Its own escapes would escape ours once more. */
    check(scols_table_enable_noencoding(table->table, 1));
    check(scols_table_enable_colors(table->table, print_style_code(STYLE_FAINT) != NULL));
    for (size_t i = 0; i < n_columns; i++)
        add_column(table, &columns[i]);
    return table;
}

void table_free(struct table *table)
{
    if (table == NULL)
        return;
    scols_unref_table(table->table);
    free(table);
}

void table_add(struct table *table, enum style style, const char *format, ...)
{
    size_t column = table->n_cells % table->n_columns;
    va_list arguments;
    char *text;

    va_start(arguments, format);
    text = format_printable(format, arguments);
    va_end(arguments);
    if (column == 0)
        table->line = check_pointer(scols_table_new_line(table->table, NULL));
    /* Takes the text. */
    check(scols_line_refer_data(table->line, column, text));
    if (print_style_code(style) != NULL)
        check(scols_cell_set_color(scols_line_get_cell(table->line, column), print_style_code(style)));
    table->n_cells++;
}

bool table_fits(const struct table *table)
{
    struct libscols_line *line = scols_table_get_line(table->table, 0);
    size_t width = 0;
    char *drawn = NULL;

    if (line == NULL || print_terminal_width() == 0)
        return true;
    /* Drawing one line measures the columns of all. */
    check(scols_table_print_range_to_string(table->table, line, line, &drawn));
    free(drawn);
    for (size_t i = 0; i < table->n_columns; i++) {
        struct libscols_column *column = scols_table_get_column(table->table, i);

        if (!scols_column_is_hidden(column))
            width += scols_column_get_width(column) + (width > 0 ? strlen(GAP) : 0);
    }
    return width <= print_terminal_width();
}

static void hide(struct table *table, size_t column)
{
    struct libscols_column *hidden = scols_table_get_column(table->table, column);

    check(scols_column_set_flags(hidden, scols_column_get_flags(hidden) | SCOLS_FL_HIDDEN));
}

void table_hide_titles(struct table *table)
{
    check(scols_table_enable_noheadings(table->table, 1));
}

void table_print(struct table *table)
{
    for (size_t i = table->n_columns; i-- > 0 && !table_fits(table);)
        if (table->columns[i].kind == COLUMN_SPARE || table->columns[i].kind == COLUMN_SPARE_NUMBER)
            hide(table, i);
    check(scols_print_table(table->table));
}

void table_print_row(struct table *table, size_t row)
{
    struct libscols_line *line = scols_table_get_line(table->table, row);

    check(scols_table_print_range(table->table, line, line));
    /* The end of the last line is left to its caller. */
    if (row + 1 == scols_table_get_nlines(table->table))
        putchar('\n');
}
