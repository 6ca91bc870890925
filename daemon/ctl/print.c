/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Styles, facts and tables on standard output. */
#include "ctl/print.h"

#include <langinfo.h>
#include <locale.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "ctl/ctl.h"
#include "ctl/width.h"

#define LABEL_WIDTH 16
#define CUT_MARK    "..."
#define GAP         2
#define COLUMN_MIN  8
#define TABLE_MIN   60

static const char *const style_codes[STYLE_COUNT] = {
    [STYLE_PLAIN] = "",       [STYLE_STRONG] = "\033[1m",   [STYLE_FAINT] = "\033[2m",    [STYLE_GOOD] = "\033[32m",
    [STYLE_BAD] = "\033[31m", [STYLE_NOTABLE] = "\033[33m", [STYLE_ALARM] = "\033[1;31m",
};

static bool in_colour;
static bool in_utf8;
static size_t table_width = PRINT_WIDTH;

size_t print_width(void)
{
    return table_width < PRINT_WIDTH ? table_width : PRINT_WIDTH;
}

static void look_at_terminal(void)
{
    struct winsize size;

    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        table_width = size.ws_col > TABLE_MIN ? size.ws_col : TABLE_MIN;
}

void print_init(void)
{
    const char *no_colour = getenv("NO_COLOR");
    const char *terminal = getenv("TERM");

    setlocale(LC_CTYPE, "");
    in_utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
    in_colour = isatty(STDOUT_FILENO) && (no_colour == NULL || no_colour[0] == '\0') &&
                (terminal == NULL || strcmp(terminal, "dumb") != 0);
    look_at_terminal();
}

static char *format_arguments(const char *format, va_list arguments)
{
    char *text;

    if (vasprintf(&text, format, arguments) < 0)
        die_of_memory();
    width_disarm(text);
    return text;
}

static void put_styled(enum style style, const char *text, size_t length)
{
    bool styled = in_colour && style != STYLE_PLAIN;

    printf("%s%.*s%s", styled ? style_codes[style] : "", (int)length, text, styled ? "\033[0m" : "");
}

void print_styled(enum style style, const char *format, ...)
{
    _cleanup_(freep) char *text = NULL;
    va_list arguments;

    va_start(arguments, format);
    text = format_arguments(format, arguments);
    va_end(arguments);
    put_styled(style, text, strlen(text));
}

char *print_make_bar(double share, unsigned width)
{
    const char *full = in_utf8 ? "\xe2\x96\x88" : "#", *empty = in_utf8 ? "\xe2\x96\x91" : ".";
    unsigned n = (unsigned)(share * width + 0.5);
    char *bar = malloc(width * strlen("\xe2\x96\x88") + 1), *end = bar;

    if (bar == NULL)
        die_of_memory();
    *end = '\0';
    for (unsigned i = 0; i < width; i++)
        end = stpcpy(end, i < n ? full : empty);
    return bar;
}

void print_json(const json_t *document)
{
    json_dumpf(document, stdout, JSON_INDENT(2) | JSON_ENCODE_ANY | JSON_REAL_PRECISION(12));
    putchar('\n');
}

/* Where to break: after the last blank that leaves the line short enough; all of it where there is none. */
static size_t line_length(const char *text, size_t columns)
{
    size_t fits = width_cut(text, columns);

    if (text[fits] == '\0')
        return fits;
    for (size_t i = fits; i > 0; i--)
        if (text[i] == ' ')
            return i;
    return strcspn(text, " ");
}

void print_wrapped(enum style style, size_t column, size_t indent, const char *text)
{
    size_t from = column;

    for (;;) {
        size_t length = line_length(text, print_width() > from ? print_width() - from : 1);

        put_styled(style, text, length);
        putchar('\n');
        text += length + strspn(text + length, " ");
        if (*text == '\0')
            return;
        printf("%*s", (int)indent, "");
        from = indent;
    }
}

void print_fact(const char *label, const char *format, ...)
{
    _cleanup_(freep) char *text = NULL;
    va_list arguments;

    va_start(arguments, format);
    text = format_arguments(format, arguments);
    va_end(arguments);
    print_styled(STYLE_FAINT, "  %-*s", LABEL_WIDTH - 2, label);
    print_wrapped(STYLE_PLAIN, LABEL_WIDTH, LABEL_WIDTH, text);
}

void print_paragraph(enum style style, size_t indent, const char *format, ...)
{
    _cleanup_(freep) char *text = NULL;
    va_list arguments;

    va_start(arguments, format);
    text = format_arguments(format, arguments);
    va_end(arguments);
    printf("%*s", (int)indent, "");
    print_wrapped(style, indent, indent, text);
}

struct cell {
    enum style style;
    char *text;
};

struct table {
    const char *const *titles;
    size_t n_columns;
    bool is_last_cut_first;
    struct cell *cells;
    size_t n_cells;
};

struct table *table_new(const char *const *titles, size_t n_columns)
{
    struct table *table = calloc(1, sizeof(*table));

    if (table == NULL)
        die_of_memory();
    table->titles = titles;
    table->n_columns = n_columns;
    return table;
}

void table_cut_last_first(struct table *table)
{
    table->is_last_cut_first = true;
}

void table_free(struct table *table)
{
    if (table == NULL)
        return;
    for (size_t i = 0; i < table->n_cells; i++)
        free(table->cells[i].text);
    free(table->cells);
    free(table);
}

static bool is_power_of_two(size_t n)
{
    return (n & (n - 1)) == 0;
}

void table_add(struct table *table, enum style style, const char *format, ...)
{
    va_list arguments;
    char *text;

    /* Grows by doubling: a list may have ten thousand rows. */
    if (is_power_of_two(table->n_cells)) {
        size_t capacity = table->n_cells > 0 ? table->n_cells * 2 : 1;
        struct cell *cells = reallocarray(table->cells, capacity, sizeof(*cells));

        if (cells == NULL)
            die_of_memory();
        table->cells = cells;
    }
    va_start(arguments, format);
    text = format_arguments(format, arguments);
    va_end(arguments);
    table->cells[table->n_cells++] = (struct cell){.style = style, .text = text};
}

static void measure(const struct table *table, size_t *widths)
{
    for (size_t i = 0; i < table->n_columns; i++)
        widths[i] = width_of(table->titles[i]);
    for (size_t i = 0; i < table->n_cells; i++) {
        size_t width = width_of(table->cells[i].text);

        if (width > widths[i % table->n_columns])
            widths[i % table->n_columns] = width;
    }
}

static void shrink(const struct table *table, size_t *widths)
{
    size_t last = table->n_columns - 1;

    for (;;) {
        size_t total = GAP * last, widest = 0;

        for (size_t i = 0; i < table->n_columns; i++) {
            total += widths[i];
            if (widths[i] > widths[widest])
                widest = i;
        }
        if (table->is_last_cut_first && widths[last] > COLUMN_MIN)
            widest = last;
        if (total <= table_width || widths[widest] <= COLUMN_MIN)
            return;
        widths[widest]--;
    }
}

static void put_cell(enum style style, const char *text, size_t width, bool is_last)
{
    bool is_cut = width_of(text) > width;
    size_t length = is_cut ? width_cut(text, width - strlen(CUT_MARK)) : strlen(text);
    _cleanup_(freep) char *shown = format_text("%.*s%s", (int)length, text, is_cut ? CUT_MARK : "");

    put_styled(style, shown, strlen(shown));
    if (is_last)
        putchar('\n');
    else
        printf("%*s", (int)(width - width_of(shown)) + GAP, "");
}

void table_print(const struct table *table)
{
    _cleanup_(freep) size_t *widths = calloc(table->n_columns, sizeof(*widths));

    if (widths == NULL)
        die_of_memory();
    measure(table, widths);
    shrink(table, widths);
    for (size_t i = 0; i < table->n_columns; i++)
        put_cell(STYLE_FAINT, table->titles[i], widths[i], i == table->n_columns - 1);
    for (size_t i = 0; i < table->n_cells; i++) {
        size_t column = i % table->n_columns;

        put_cell(table->cells[i].style, table->cells[i].text, widths[column], column == table->n_columns - 1);
    }
}
