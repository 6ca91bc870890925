/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Styles, facts and prose on standard output. */
#include "ctl/print.h"

#include <langinfo.h>
#include <locale.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

#include "base/text.h"
#include "base/utf8.h"
#include "ctl/message.h"

#define LABEL_WIDTH  16
#define WIDTH_AT_ALL 40 /* where a terminal says that it is narrower, lines are longer than it */

static const char *const style_codes[STYLE_COUNT] = {
    [STYLE_PLAIN] = NULL,     [STYLE_STRONG] = "\033[1m",   [STYLE_FAINT] = "\033[2m",    [STYLE_GOOD] = "\033[32m",
    [STYLE_BAD] = "\033[31m", [STYLE_NOTABLE] = "\033[33m", [STYLE_ALARM] = "\033[1;31m",
};

static bool in_colour;
static bool in_utf8;
static size_t terminal_width; /* 0: none */
static size_t width = PRINT_WIDTH;

/* As libsmartcols does: by the terminal itself, else by COLUMNS. */
static size_t find_terminal_width(void)
{
    const char *columns = getenv("COLUMNS");
    long number = columns != NULL ? strtol(columns, NULL, 10) : 0;
    struct winsize size;

    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        return size.ws_col;
    return number > 0 ? (size_t)number : PRINT_WIDTH;
}

/* The daemon sends UTF-8, whatever the locale. In another locale, libsmartcols and wcwidth would not know it. */
static void set_locale(void)
{
    setlocale(LC_CTYPE, "");
    in_utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
    if (!in_utf8)
        setlocale(LC_CTYPE, "C.UTF-8");
}

void print_init(void)
{
    const char *no_colour = getenv("NO_COLOR"), *terminal = getenv("TERM");

    set_locale();
    if (isatty(STDOUT_FILENO))
        terminal_width = find_terminal_width();
    in_colour = terminal_width > 0 && (no_colour == NULL || no_colour[0] == '\0') &&
                (terminal == NULL || strcmp(terminal, "dumb") != 0);
    if (terminal_width > 0 && terminal_width < width)
        width = terminal_width > WIDTH_AT_ALL ? terminal_width : WIDTH_AT_ALL;
}

size_t print_terminal_width(void)
{
    return terminal_width;
}

const char *print_style_code(enum style style)
{
    return in_colour ? style_codes[style] : NULL;
}

static void put_styled(enum style style, const char *text, size_t length)
{
    const char *code = print_style_code(style);

    printf("%s%.*s%s", code != NULL ? code : "", (int)length, text, code != NULL ? "\033[0m" : "");
}

void print_styled(enum style style, const char *format, ...)
{
    _cleanup_(freep) char *text = NULL;
    va_list arguments;

    va_start(arguments, format);
    text = format_printable(format, arguments);
    va_end(arguments);
    put_styled(style, text, strlen(text));
}

char *print_make_bar(double share, unsigned length)
{
    const char *full = in_utf8 ? "\xe2\x96\x88" : "#", *empty = in_utf8 ? "\xe2\x96\x91" : ".";
    unsigned n = (unsigned)(share * length + 0.5);
    char *bar = malloc(length * strlen("\xe2\x96\x88") + 1), *end = bar;

    if (bar == NULL)
        die_of_memory();
    *end = '\0';
    for (unsigned i = 0; i < length; i++)
        end = stpcpy(end, i < n ? full : empty);
    return bar;
}

static void put_json(const json_t *document, size_t flags)
{
    _cleanup_(freep) char *text = json_dumps(document, flags | JSON_REAL_PRECISION(12)), *printable = NULL;

    if (text == NULL || (printable = text_printable_json(text)) == NULL)
        die_of_memory();
    puts(printable);
}

void print_json_line(const json_t *document)
{
    put_json(document, JSON_COMPACT);
}

void print_json(const json_t *document)
{
    put_json(document, JSON_INDENT(2) | JSON_ENCODE_ANY);
}

/* How many bytes of the text fit into so many columns of a terminal. */
static size_t bytes_that_fit(const char *text, size_t columns)
{
    const char *at = text;
    size_t taken = 0;

    while (*at != '\0') {
        uint32_t character;
        size_t length = utf8_decode(at, &character);
        int wide = wcwidth((wchar_t)character);

        taken += wide > 0 ? (size_t)wide : 0;
        if (taken > columns)
            break;
        at += length;
    }
    return (size_t)(at - text);
}

/* Where to break: after the last blank that leaves the line short enough; behind the first word where there is none. */
static size_t line_length(const char *text, size_t columns)
{
    size_t fits = bytes_that_fit(text, columns);

    if (text[fits] == '\0')
        return fits;
    for (size_t i = fits; i > 0; i--)
        if (text[i] == ' ')
            return i;
    return strcspn(text, " ");
}

static void put_wrapped(enum style style, size_t column, size_t indent, const char *text)
{
    size_t from = column;

    for (;;) {
        size_t length = line_length(text, width > from ? width - from : 1);

        put_styled(style, text, length);
        putchar('\n');
        text += length + strspn(text + length, " ");
        if (*text == '\0')
            return;
        printf("%*s", (int)indent, "");
        from = indent;
    }
}

void print_wrapped(enum style style, size_t column, size_t indent, const char *text)
{
    _cleanup_(freep) char *printable = text_printable(text);

    if (printable == NULL)
        die_of_memory();
    put_wrapped(style, column, indent, printable);
}

void print_fact(const char *label, const char *format, ...)
{
    _cleanup_(freep) char *text = NULL;
    va_list arguments;

    va_start(arguments, format);
    text = format_printable(format, arguments);
    va_end(arguments);
    print_styled(STYLE_FAINT, "  %-*s", LABEL_WIDTH - 2, label);
    put_wrapped(STYLE_PLAIN, LABEL_WIDTH, LABEL_WIDTH, text);
}

void print_paragraph(enum style style, size_t indent, const char *format, ...)
{
    _cleanup_(freep) char *text = NULL;
    va_list arguments;

    va_start(arguments, format);
    text = format_printable(format, arguments);
    va_end(arguments);
    printf("%*s", (int)indent, "");
    put_wrapped(style, indent, indent, text);
}
