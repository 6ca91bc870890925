/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* understudyctl history: the recoveries, the newest first, or one of them in full. */
#include <stdio.h>
#include <string.h>

#include "ctl/client.h"
#include "ctl/ctl.h"
#include "ctl/field.h"
#include "ctl/print.h"
#include "ctl/ranking.h"

#define ROWS_DEFAULT 20

static void add_recovery(struct table *table, const json_t *recovery)
{
    _cleanup_(freep) char *overlap = field_ratio(recovery, "overlap");
    _cleanup_(freep) char *duration = field_duration(recovery, "duration_ms");
    const char *outcome = field_word(recovery, "outcome");

    table_add(table, STYLE_PLAIN, "%s", field_word(recovery, "id"));
    table_add(table, STYLE_STRONG, "%s", field_word(recovery, "failed"));
    table_add(table, STYLE_PLAIN, "%s%s", field_word(recovery, "cause"),
              field_true(recovery, "is_drill") ? " (drill)" : "");
    table_add(table, style_of_outcome(outcome), "%s", outcome);
    table_add(table, STYLE_STRONG, "%s", field_word(recovery, "replacement"));
    table_add(table, STYLE_PLAIN, "%s", overlap);
    table_add(table, STYLE_PLAIN, "%s", duration);
}

static void print_recoveries(const json_t *recoveries)
{
    static const char *const titles[] = {"RECOVERY", "FAILED", "CAUSE", "OUTCOME", "REPLACEMENT", "OVERLAP", "TOOK"};
    _cleanup_(table_freep) struct table *table = table_new(titles, ELEMENTS_OF(titles));

    if (json_array_size(recoveries) == 0) {
        puts("No recovery yet.");
        return;
    }
    for (size_t i = 0; i < json_array_size(recoveries); i++)
        add_recovery(table, json_array_get(recoveries, i));
    table_print(table);
}

/* The way of the recovery: each step's instant and what it took. */
static void print_timeline(const json_t *recovery)
{
    static const struct step {
        const char *label;
        const char *instant;
        const char *span; /* of times_us; NULL: the beginning */
    } steps[] = {
        {"detected", "detected_at", NULL},   {"confirmed", "confirmed_at", "confirm"},
        {"decided", "decided_at", "decide"}, {"started", "started_at", "start"},
        {"ended", "ended_at", "settle"},
    };
    const json_t *times = json_object_get(recovery, "times_us");

    for (size_t i = 0; i < ELEMENTS_OF(steps); i++) {
        _cleanup_(freep) char *instant = field_instant(recovery, steps[i].instant);
        bool has_span = steps[i].span != NULL && !field_is_null(times, steps[i].span);
        _cleanup_(freep) char *span =
            has_span ? format_duration(field_number(times, steps[i].span) / 1000) : format_text("%s", "");

        if (!field_is_null(recovery, steps[i].instant))
            print_fact(steps[i].label, "%s%s%s", instant, has_span ? ", after " : "", span);
    }
}

static void print_attempts(const json_t *attempts)
{
    for (size_t i = 0; i < json_array_size(attempts); i++) {
        const json_t *attempt = json_array_get(attempts, i);

        if (!field_is_null(attempt, "error"))
            print_fact("tried", "%s: %s", field_word(attempt, "name"), field_word(attempt, "error"));
    }
}

static void print_recovery(const json_t *recovery, size_t limit)
{
    const char *outcome = field_word(recovery, "outcome"), *replacement = field_text(recovery, "replacement");
    _cleanup_(freep) char *duration = field_duration(recovery, "duration_ms");

    print_styled(STYLE_STRONG, "%s: %s on %s ", field_word(recovery, "id"), field_word(recovery, "failed"),
                 field_word(recovery, "hypervisor"));
    print_styled(style_of_outcome(outcome), "%s", outcome);
    printf(" %s %s%s\n", field_true(recovery, "under_way") ? "for" : "after", duration,
           field_true(recovery, "is_drill") ? " (drill)" : "");
    print_fact("cause", "%s: %s", field_word(recovery, "cause"), field_word(recovery, "cause_text"));
    if (replacement != NULL)
        print_fact("replacement", "%s on %s", replacement, field_word(recovery, "replacement_hypervisor"));
    print_attempts(json_object_get(recovery, "attempts"));
    if (!field_is_null(recovery, "detail"))
        print_fact("detail", "%s", field_word(recovery, "detail"));
    putchar('\n');
    print_timeline(recovery);
    if (json_array_size(json_object_get(recovery, "candidates")) > 0) {
        putchar('\n');
        ranking_print(recovery, replacement, limit);
    }
}

static int get_recoveries(struct client *client, const struct ctl_options *options, long limit, json_t **ret)
{
    _cleanup_(freep) char *number = limit > 0 ? format_text("%ld", limit) : NULL;
    _cleanup_(freep) char *limited = client_query(client, '?', "limit", number);
    _cleanup_(freep) char *failed = client_query(client, number != NULL ? '&' : '?', "failed", options->failed);
    _cleanup_(freep) char *path = format_text("/v1/recoveries%s%s", limited, failed);

    return client_get(client, ret, path, NULL);
}

static int run(struct client *client, const struct ctl_options *options, const char *argument)
{
    _cleanup_(json_decrefp) json_t *answer = NULL;
    long limit = options->limit < 0 ? ROWS_DEFAULT : options->limit;
    int r = argument != NULL ? client_get(client, &answer, "/v1/recoveries/{}", argument)
                             : get_recoveries(client, options, options->json ? options->limit : limit, &answer);

    if (r < 0)
        return EXIT_FAILURE;
    if (options->json)
        print_json(answer);
    else if (argument != NULL)
        print_recovery(answer, (size_t)limit);
    else
        print_recoveries(answer);
    return EXIT_SUCCESS;
}

const struct command command_history = {
    .name = "history",
    .argument = "RECOVERY",
    .argument_optional = true,
    .options = OPTION_FAILED | OPTION_LIMIT,
    .help = "the recoveries, the newest first, or one in full",
    .run = run,
};
