/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Each candidate takes a row with its numbers and its verdict; below it what it lacks and what it has beyond. Where the
 * terminal is too narrow for the verdicts, they stand below the rows, too.
 */
#include "ctl/ranking.h"

#include <inttypes.h>
#include <stdio.h>
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
    _cleanup_(freep) char *bar = print_make_bar(field_number(candidate, "overlap"), BAR_LENGTH);

    table_add(table, style, "%3s", place);
    table_add(table, is_taken ? STYLE_STRONG : style, "%s", field_word(candidate, "name"));
    table_add(table, style, "%s %s", overlap, bar);
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

    print_below(STYLE_BAD, '-', missing);
    print_below(STYLE_FAINT, '+', surplus);
}

static bool is_chosen(const json_t *candidate, const char *chosen)
{
    return chosen != NULL && field_is(candidate, "name", chosen);
}

/* The first n candidates. */
static struct table *make_table(const json_t *candidates, size_t n, const char *chosen, bool with_verdicts)
{
    const struct column columns[] = {
        {"", COLUMN_NUMBER},         {"CANDIDATE", COLUMN_WHOLE},
        {"OVERLAP", COLUMN_WHOLE},   {"SIMILARITY", COLUMN_NUMBER},
        {"COVERAGE", COLUMN_NUMBER}, {"VERDICT", with_verdicts ? COLUMN_WHOLE : COLUMN_HIDDEN},
    };
    struct table *table = table_new(columns, ELEMENTS_OF(columns));

    for (size_t i = 0; i < n; i++) {
        const json_t *candidate = json_array_get(candidates, i);

        add_candidate(table, candidate, i + 1, is_chosen(candidate, chosen));
    }
    return table;
}

void ranking_print(const json_t *document, const char *chosen, size_t limit)
{
    const json_t *candidates = json_object_get(document, "candidates");
    size_t count = json_array_size(candidates), n = limit > 0 && count > limit ? limit : count;
    int64_t left_out = field_integer(document, "left_out") + (int64_t)(count - n);
    _cleanup_(table_freep) struct table *whole = make_table(candidates, n, chosen, true);
    _cleanup_(table_freep) struct table *narrow = table_fits(whole) ? NULL : make_table(candidates, n, chosen, false);

    if (count == 0) {
        puts("  There is no candidate.");
        return;
    }
    for (size_t i = 0; i < n; i++) {
        const json_t *candidate = json_array_get(candidates, i);

        table_print_row(narrow != NULL ? narrow : whole, i);
        if (narrow != NULL)
            print_below(style_of_candidate(candidate, is_chosen(candidate, chosen)), '=',
                        field_word(candidate, "reason"));
        print_differences(candidate);
    }
    if (left_out > 0)
        printf("     ... and %" PRId64 " more\n", left_out);
}
