/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Each candidate takes a row with its numbers; below it the verdict, what it lacks and what it has beyond. */
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

static enum style style_of_candidate(const json_t *candidate, bool is_chosen)
{
    return is_chosen ? STYLE_GOOD : field_true(candidate, "eligible") ? STYLE_PLAIN : STYLE_FAINT;
}

static void add_candidate(struct table *table, const json_t *candidate, size_t rank, bool is_chosen)
{
    enum style style = style_of_candidate(candidate, is_chosen);
    _cleanup_(freep) char *place = field_true(candidate, "eligible") ? format_text("%zu", rank) : format_text("-");
    _cleanup_(freep) char *overlap = field_ratio(candidate, "overlap");
    _cleanup_(freep) char *similarity = field_ratio(candidate, "similarity");
    _cleanup_(freep) char *coverage = field_ratio(candidate, "coverage");
    _cleanup_(freep) char *bar = print_make_bar(field_number(candidate, "overlap"), BAR_LENGTH);

    table_add(table, style, "%3s", place);
    table_add(table, is_chosen ? STYLE_STRONG : style, "%s", field_word(candidate, "name"));
    table_add(table, style, "%s %s", overlap, bar);
    table_add(table, style, "%s", similarity);
    table_add(table, style, "%s", coverage);
}

static void print_below(enum style style, char sign, const char *text)
{
    if (text[0] == '\0')
        return;
    printf("%*s", INDENT, "");
    print_styled(style, "%c ", sign);
    print_wrapped(style, INDENT + 2, INDENT + 2, text);
}

static void print_verdict(const json_t *candidate, bool is_chosen)
{
    _cleanup_(freep) char *missing = field_joined(candidate, "missing", ", ");
    _cleanup_(freep) char *surplus = field_joined(candidate, "surplus", ", ");

    print_below(style_of_candidate(candidate, is_chosen), '=', field_word(candidate, "reason"));
    print_below(STYLE_BAD, '-', missing);
    print_below(STYLE_FAINT, '+', surplus);
}

void ranking_print(const json_t *document, const char *chosen, size_t limit)
{
    static const struct column columns[] = {
        {"", COLUMN_NUMBER},           {"CANDIDATE", COLUMN_WHOLE}, {"OVERLAP", COLUMN_WHOLE},
        {"SIMILARITY", COLUMN_NUMBER}, {"COVERAGE", COLUMN_NUMBER},
    };
    const json_t *candidates = json_object_get(document, "candidates");
    size_t count = json_array_size(candidates), n = limit > 0 && count > limit ? limit : count;
    int64_t left_out = field_integer(document, "left_out") + (int64_t)(count - n);
    _cleanup_(table_freep) struct table *table = table_new(columns, ELEMENTS_OF(columns));

    if (count == 0) {
        puts("  There is no candidate.");
        return;
    }
    for (size_t i = 0; i < n; i++) {
        const json_t *candidate = json_array_get(candidates, i);

        add_candidate(table, candidate, i + 1, chosen != NULL && field_is(candidate, "name", chosen));
    }
    for (size_t i = 0; i < n; i++) {
        const json_t *candidate = json_array_get(candidates, i);

        table_print_row(table, i);
        print_verdict(candidate, chosen != NULL && field_is(candidate, "name", chosen));
    }
    if (left_out > 0)
        printf("     ... and %" PRId64 " more\n", left_out);
}
