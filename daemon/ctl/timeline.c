/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * After a failure the steps come in the order of the table. By order they do not: the other machine is chosen before the
 * one that serves is shut down.
 */
#include "ctl/timeline.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ctl/field.h"
#include "ctl/message.h"
#include "ctl/print.h"
#include "ctl/table.h"

struct step {
    const char *label; /* NULL: the outcome */
    const char *member;
    const char *what; /* NULL: how long it took in all */
};

static const struct step steps_of_failure[] = {
    {"detected", "detected_at", "the hypervisor reported the failure"},
    {"confirmed", "confirmed_at", "the failed machine is surely off"},
    {"decided", "decided_at", "a candidate is chosen and claimed"},
    {"recorded", "recorded_at", "the intent is on disk"},
    {"started", "started_at", "the candidate runs"},
    {"settled", "settled_at", "the candidate stayed up"},
    {NULL, "ended_at", NULL},
};

static const struct step steps_of_order[] = {
    {"ordered", "detected_at", "an operator ordered it"},
    {"decided", "decided_at", "the other machine is claimed"},
    {"recorded", "recorded_at", "the intent is on disk"},
    {"confirmed", "confirmed_at", "the machine that served is off"},
    {"started", "started_at", "the other machine runs"},
    {"settled", "settled_at", "the other machine stayed up"},
    {NULL, "ended_at", NULL},
};

#define STEPS ELEMENTS_OF(steps_of_failure)
_Static_assert(ELEMENTS_OF(steps_of_order) == STEPS, "both have the same steps");

struct reached {
    const struct step *step;
    size_t place;  /* in the table: decides between equal times */
    int64_t at_us; /* of the clock */
};

bool timeline_is_of_an_order(const json_t *recovery)
{
    return field_is(recovery, "cause", "failover") || field_is(recovery, "cause", "failback");
}

static int compare(const void *left, const void *right)
{
    const struct reached *a = left, *b = right;

    if (a->at_us != b->at_us)
        return a->at_us < b->at_us ? -1 : 1;
    return a->place < b->place ? -1 : 1;
}

static size_t collect(const json_t *recovery, struct reached reached[STEPS])
{
    const struct step *steps = timeline_is_of_an_order(recovery) ? steps_of_order : steps_of_failure;
    size_t n = 0;

    for (size_t i = 0; i < STEPS; i++)
        if (!field_is_null(recovery, steps[i].member))
            reached[n++] = (struct reached){&steps[i], i, field_real_us(recovery, steps[i].member)};
    qsort(reached, n, sizeof(*reached), compare);
    return n;
}

/* day: of the first step, "2026-11-22", which stands above the column. */
static void add_step(struct table *table, const json_t *recovery, const struct reached *reached, bool is_first,
                     const char *day)
{
    const struct step *step = reached->step;
    const char *instant = field_word(recovery, step->member), *outcome = field_word(recovery, "outcome");
    bool is_that_day = strncmp(instant, day, strlen("2026-11-22")) == 0;
    double total_us = field_number(json_object_get(recovery, "times_ms"), "total") * 1000;
    _cleanup_(freep) char *total = format_text("%.6f s in all", total_us / 1000000);
    _cleanup_(freep) char *span = is_first
                                      ? format_text("%s", "")
                                      : format_text("%.6f s", (double)(reached->at_us - reached[-1].at_us) / 1000000);

    table_add(table, step->label != NULL ? STYLE_PLAIN : style_of_outcome(outcome), "%s",
              step->label != NULL ? step->label : outcome);
    table_add(table, STYLE_PLAIN, "%.*s%.15s", is_that_day ? 0 : (int)strlen("2026-11-22T"), instant,
              instant + strlen("2026-11-22T"));
    table_add(table, STYLE_STRONG, "%s", span);
    table_add(table, STYLE_FAINT, "%s", step->what != NULL ? step->what : total);
}

void timeline_print(const json_t *recovery)
{
    struct reached reached[STEPS];
    size_t n = collect(recovery, reached);
    const char *day = n > 0 ? field_word(recovery, reached[0].step->member) : "";
    _cleanup_(freep) char *title = format_text("UTC %.10s", day);
    const struct column columns[] = {
        {"STEP", COLUMN_WHOLE},
        {title, COLUMN_WHOLE},
        {"TOOK", COLUMN_NUMBER},
        {"WHAT", COLUMN_CUT},
    };
    _cleanup_(table_freep) struct table *table = table_new(columns, ELEMENTS_OF(columns));

    for (size_t i = 0; i < n; i++)
        add_step(table, recovery, &reached[i], i == 0, day);
    table_print(table);
}
