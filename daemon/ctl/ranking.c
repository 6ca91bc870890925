/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Each candidate takes a line with its numbers; below it a long verdict, what it lacks and what it has beyond. */
#include "ctl/ranking.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "ctl/ctl.h"
#include "ctl/field.h"
#include "ctl/print.h"
#include "ctl/width.h"

#define BAR_WIDTH  12
#define NAME_MIN   9
#define NAME_MAX   24
#define RANK_WIDTH 5

/* Columns: rank, name, overlap with its bar, similarity, coverage, verdict. */
static size_t verdict_column(size_t name_width)
{
    return RANK_WIDTH + name_width + 2 + strlen("0.0000 ") + BAR_WIDTH + 2 + strlen("SIMILARITY") + 2 +
           strlen("COVERAGE") + 2;
}

static size_t measure_names(const json_t *candidates, size_t n)
{
    size_t width = NAME_MIN;

    for (size_t i = 0; i < n; i++) {
        size_t length = width_of(field_word(json_array_get(candidates, i), "name"));

        if (length > width)
            width = length;
    }
    return width < NAME_MAX ? width : NAME_MAX;
}

static void print_difference(const json_t *candidate, const char *member, char sign, enum style style)
{
    _cleanup_(freep) char *features = field_joined(candidate, member, ", ");

    if (features[0] == '\0')
        return;
    printf("%*s", RANK_WIDTH, "");
    print_styled(style, "%c ", sign);
    width_disarm(features);
    print_wrapped(style, RANK_WIDTH + 2, RANK_WIDTH + 2, features);
}

/* In its column where it fits; a long one takes lines of its own. */
static void print_verdict(const json_t *candidate, bool is_chosen, enum style style, size_t column)
{
    _cleanup_(freep) char *reason = format_text("%s", field_word(candidate, "reason"));

    width_disarm(reason);
    if (column + width_of(reason) <= print_width()) {
        print_styled(style, "%s\n", reason);
        return;
    }
    print_styled(style, "%s\n", is_chosen ? "chosen" : field_true(candidate, "eligible") ? "eligible" : "out");
    printf("%*s", RANK_WIDTH, "");
    print_styled(style, "= ");
    print_wrapped(style, RANK_WIDTH + 2, RANK_WIDTH + 2, reason);
}

static void print_candidate(const json_t *candidate, size_t rank, bool is_chosen, size_t name_width)
{
    bool eligible = field_true(candidate, "eligible");
    enum style style = is_chosen ? STYLE_GOOD : eligible ? STYLE_PLAIN : STYLE_FAINT;
    const char *name = field_word(candidate, "name");
    size_t shown = width_cut(name, name_width);
    _cleanup_(freep) char *place = eligible ? format_text("%zu", rank) : format_text("-");
    _cleanup_(freep) char *cut = format_text("%.*s", (int)shown, name);
    _cleanup_(freep) char *overlap = field_ratio(candidate, "overlap");
    _cleanup_(freep) char *similarity = field_ratio(candidate, "similarity");
    _cleanup_(freep) char *coverage = field_ratio(candidate, "coverage");
    _cleanup_(freep) char *bar = print_make_bar(field_number(candidate, "overlap"), BAR_WIDTH);

    print_styled(style, "%3s  ", place);
    print_styled(is_chosen ? STYLE_STRONG : style, "%s", cut);
    printf("%*s", (int)(name_width - width_of(cut)) + 2, "");
    print_styled(style, "%s %s  %-10s  %-8s  ", overlap, bar, similarity, coverage);
    print_verdict(candidate, is_chosen, style, verdict_column(name_width));
    print_difference(candidate, "missing", '-', STYLE_BAD);
    print_difference(candidate, "surplus", '+', STYLE_FAINT);
}

void ranking_print(const json_t *document, const char *chosen, size_t limit)
{
    const json_t *candidates = json_object_get(document, "candidates");
    size_t count = json_array_size(candidates), n = limit > 0 && count > limit ? limit : count;
    int64_t left_out = field_integer(document, "left_out") + (int64_t)(count - n);
    size_t name_width = measure_names(candidates, n);

    if (count == 0) {
        puts("  There is no candidate at all.");
        return;
    }
    print_styled(STYLE_FAINT, "     %-*s  %-*s  SIMILARITY  COVERAGE  VERDICT\n", (int)name_width, "CANDIDATE",
                 (int)strlen("0.0000 ") + BAR_WIDTH, "OVERLAP");
    for (size_t i = 0; i < n; i++) {
        const json_t *candidate = json_array_get(candidates, i);

        print_candidate(candidate, i + 1, chosen != NULL && field_is(candidate, "name", chosen), name_width);
    }
    if (left_out > 0)
        printf("     ... and %" PRId64 " more\n", left_out);
}
