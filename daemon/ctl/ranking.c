/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Each candidate takes a row with its numbers and its verdict; below it what it lacks and what it has beyond. Where the
 * terminal is too narrow for the verdicts, they stand below the rows, too. The last line counts those that the daemon
 * does not list, by the reason why they are out.
 */
#include "ctl/ranking.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/field.h"
#include "ctl/message.h"
#include "ctl/print.h"
#include "ctl/table.h"

#define BAR_LENGTH 12
#define INDENT     5 /* below the name of the candidate */

static enum style style_of_candidate(const json_t *candidate, bool is_taken)
{
    return is_taken ? STYLE_GOOD : field_true(candidate, "eligible") ? STYLE_PLAIN : STYLE_FAINT;
}

static void add_candidate(struct table *table, const json_t *candidate, size_t rank, bool is_taken)
{
    enum style style = style_of_candidate(candidate, is_taken);
    _cleanup_(freep) char *place = field_true(candidate, "eligible") ? format_text("%zu", rank) : format_text("-");
    _cleanup_(freep) char *overlap = field_ratio(candidate, "overlap");
    _cleanup_(freep) char *similarity = field_ratio(candidate, "similarity");
    _cleanup_(freep) char *coverage = field_ratio(candidate, "coverage");
    _cleanup_(freep) char *bar = field_is_null(candidate, "overlap")
                                     ? format_text("%s", "")
                                     : print_make_bar(field_number(candidate, "overlap"), BAR_LENGTH);

    table_add(table, style, "%3s", place);
    table_add(table, is_taken ? STYLE_STRONG : style, "%s", field_word(candidate, "name"));
    table_add(table, style, "%s%s%s", overlap, bar[0] != '\0' ? " " : "", bar);
    table_add(table, style, "%s", similarity);
    table_add(table, style, "%s", coverage);
    table_add(table, style, "%s", field_word(candidate, "reason"));
}

static void print_below(enum style style, char sign, const char *text)
{
    if (text[0] == '\0')
        return;
    printf("%*s", INDENT, "");
    print_styled(style, "%c ", sign);
    print_wrapped(style, INDENT + 2, INDENT + 2, text);
}

static void print_differences(const json_t *candidate)
{
    _cleanup_(freep) char *missing = field_joined(candidate, "missing", ", ");
    _cleanup_(freep) char *surplus = field_joined(candidate, "surplus", ", ");
    _cleanup_(freep) char *weightless = field_joined(candidate, "weightless", ", ");

    print_below(STYLE_BAD, '-', missing);
    print_below(STYLE_FAINT, '+', surplus);
    print_below(STYLE_FAINT, '~', weightless);
}

static bool is_chosen(const json_t *candidate, const char *chosen)
{
    return chosen != NULL && field_is(candidate, "name", chosen);
}

/* What is shown of a document, in which the eligible candidates come first. */
struct ranking {
    const json_t *candidates;
    const char *chosen; /* NULL: none is */
    size_t n_eligible, limit;
};

/* The limit holds for the eligible and for the others, and the chosen one is shown whatever its place. */
static bool is_shown(const struct ranking *ranking, size_t place)
{
    if (place >= ranking->n_eligible)
        return place - ranking->n_eligible < ranking->limit;
    return place < ranking->limit || is_chosen(json_array_get(ranking->candidates, place), ranking->chosen);
}

static size_t count_eligible(const json_t *candidates)
{
    size_t n = 0;

    while (n < json_array_size(candidates) && field_true(json_array_get(candidates, n), "eligible"))
        n++;
    return n;
}

static struct table *make_table(const struct ranking *ranking, bool with_verdicts)
{
    const struct column columns[] = {
        {"", COLUMN_NUMBER},         {"CANDIDATE", COLUMN_WHOLE},
        {"OVERLAP", COLUMN_WHOLE},   {"SIMILARITY", COLUMN_NUMBER},
        {"COVERAGE", COLUMN_NUMBER}, {"VERDICT", with_verdicts ? COLUMN_WHOLE : COLUMN_HIDDEN},
    };
    struct table *table = table_new(columns, ELEMENTS_OF(columns));

    for (size_t i = 0; i < json_array_size(ranking->candidates); i++) {
        const json_t *candidate = json_array_get(ranking->candidates, i);

        if (is_shown(ranking, i))
            add_candidate(table, candidate, i + 1, is_chosen(candidate, ranking->chosen));
    }
    return table;
}

/* How many were shown. */
static size_t print_rows(const struct ranking *ranking)
{
    _cleanup_(table_freep) struct table *whole = make_table(ranking, true);
    _cleanup_(table_freep) struct table *narrow = table_fits(whole) ? NULL : make_table(ranking, false);
    size_t n = 0;

    for (size_t i = 0; i < json_array_size(ranking->candidates); i++) {
        const json_t *candidate = json_array_get(ranking->candidates, i);

        if (!is_shown(ranking, i))
            continue;
        table_print_row(narrow != NULL ? narrow : whole, n++);
        if (narrow != NULL)
            print_below(style_of_candidate(candidate, is_chosen(candidate, ranking->chosen)), '=',
                        field_word(candidate, "reason"));
        print_differences(candidate);
    }
    return n;
}

/* Why so many are out. */
struct reason {
    const char *word; /* borrowed from the document */
    int64_t count;
};

static int compare_reasons(const void *left, const void *right)
{
    const struct reason *a = left, *b = right;

    if (a->count != b->count)
        return a->count > b->count ? -1 : 1;
    return strcmp(a->word, b->word);
}

/* "900 not similar enough, 40 claimed": the most frequent first. */
static char *format_reasons(const json_t *by_reason)
{
    _cleanup_(freep) struct reason *reasons = calloc(json_object_size(by_reason) + 1, sizeof(*reasons));
    size_t n = 0, size = 0;
    char *text = NULL;
    FILE *out = open_memstream(&text, &size);
    const char *word;
    json_t *count;

    if (reasons == NULL || out == NULL)
        die_of_memory();
    json_object_foreach((json_t *)by_reason, word, count) reasons[n++] =
        (struct reason){word, json_integer_value(count)};
    qsort(reasons, n, sizeof(*reasons), compare_reasons);
    for (size_t i = 0; i < n; i++)
        fprintf(out, "%s%" PRId64 " %s", i > 0 ? ", " : "", reasons[i].count, reasons[i].word);
    if (fclose(out) != 0)
        die_of_memory();
    return text;
}

/* A decision of a daemon that did not count them yet has no reasons. */
static void print_left_out(const json_t *document)
{
    int64_t left_out = field_integer(document, "left_out");
    _cleanup_(freep) char *reasons = format_reasons(json_object_get(document, "left_out_by_reason"));

    if (left_out > 0)
        print_paragraph(STYLE_PLAIN, INDENT, "... and %" PRId64 " more%s%s", left_out, reasons[0] != '\0' ? ": " : "",
                        reasons);
}

void ranking_print(const json_t *document, const char *chosen, size_t limit)
{
    const json_t *candidates = json_object_get(document, "candidates");
    struct ranking ranking = {candidates, chosen, count_eligible(candidates), limit > 0 ? limit : SIZE_MAX};
    size_t count = json_array_size(candidates), n_shown = print_rows(&ranking);

    if (count == 0)
        puts("  There is no candidate.");
    if (n_shown < count)
        print_paragraph(STYLE_PLAIN, INDENT, "... and %zu more, which --limit 0 shows", count - n_shown);
    print_left_out(document);
}
