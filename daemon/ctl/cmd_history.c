/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* understudyctl history: the recoveries, the newest first, or one of them in full. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "ctl/client.h"
#include "ctl/ctl.h"
#include "ctl/fencing.h"
#include "ctl/field.h"
#include "ctl/message.h"
#include "ctl/print.h"
#include "ctl/ranking.h"
#include "ctl/table.h"
#include "ctl/timeline.h"

#define ROWS_DEFAULT 20

static void add_recovery(struct table *table, const json_t *recovery)
{
    _cleanup_(freep) char *overlap = field_ratio(recovery, "overlap");
    _cleanup_(freep) char *duration = field_duration(recovery, "duration_ms");
    const char *outcome = field_word(recovery, "outcome");

    table_add(table, STYLE_PLAIN, "%s", field_word(recovery, "id"));
    table_add(table, STYLE_STRONG, "%s", field_word(recovery, "failed"));
    table_add(table, STYLE_PLAIN, "%s", field_word(json_object_get(recovery, "service"), "name"));
    table_add(table, STYLE_PLAIN, "%s%s", field_word(recovery, "cause"),
              field_true(recovery, "is_drill") ? " (drill)" : "");
    table_add(table, style_of_outcome(outcome), "%s", outcome);
    table_add(table, STYLE_STRONG, "%s", field_word(recovery, "replacement"));
    table_add(table, STYLE_PLAIN, "%s", field_is_null(recovery, "warmth") ? "-" : field_word(recovery, "warmth"));
    table_add(table, STYLE_PLAIN, "%s", overlap);
    table_add(table, STYLE_PLAIN, "%s", duration);
}

/* A replacement failed. */
static bool is_any_of_another_service(const json_t *recoveries)
{
    for (size_t i = 0; i < json_array_size(recoveries); i++)
        if (!field_is_null(json_array_get(recoveries, i), "service"))
            return true;
    return false;
}

/* failed: the machine that was asked for, or NULL. */
static void print_recoveries(const json_t *recoveries, const char *failed)
{
    const struct column columns[] = {
        {"RECOVERY", COLUMN_WHOLE},
        {"FAILED", COLUMN_WHOLE},
        {"SERVICE", is_any_of_another_service(recoveries) ? COLUMN_WHOLE : COLUMN_HIDDEN},
        {"CAUSE", COLUMN_CUT},
        {"OUTCOME", COLUMN_WHOLE},
        {"REPLACEMENT", COLUMN_WHOLE},
        {"WARM", COLUMN_WHOLE},
        {"OVERLAP", COLUMN_NUMBER},
        {"TOOK", COLUMN_NUMBER},
    };
    _cleanup_(table_freep) struct table *table = table_new(columns, ELEMENTS_OF(columns));

    if (json_array_size(recoveries) == 0) {
        print_styled(STYLE_PLAIN, "No recovery%s%s yet.\n", failed != NULL ? " of " : "", failed != NULL ? failed : "");
        return;
    }
    for (size_t i = 0; i < json_array_size(recoveries); i++)
        add_recovery(table, json_array_get(recoveries, i));
    table_print(table);
}

/* What a recovery that has not ended is doing. */
static const char *under_way_in_words(const char *state)
{
    static const struct {
        const char *state;
        const char *words;
    } all[] = {
        {"detected", "a failure was reported, and nothing has been done yet"},
        {"confirming", "the hypervisor is asked whether the failed machine is really off"},
        {"destroying", "what is left of the failed machine is being ended, so that nothing runs twice"},
        {"selecting", "a candidate is being chosen; while the brake is on, none is: understudyctl status"},
        {"recording", "the intent to start the candidate is being written to disk"},
        {"preparing", "the pre-start hooks run"},
        {"starting", "the candidate is being started"},
        {"resolving", "the start was cut off; the hypervisor is asked what became of it"},
        {"stopping", "a candidate that did not come up is being ended"},
        {"settling", "the candidate runs and must stay up for recovery.settle"},
        {"verifying", "the candidate stayed up and must show that it does its work"},
        {"waiting", "no candidate is left; after a pause the failed machine itself is started again"},
    };

    for (size_t i = 0; i < ELEMENTS_OF(all); i++)
        if (strcmp(all[i].state, state) == 0)
            return all[i].words;
    return state;
}

static void print_attempts(const json_t *attempts)
{
    for (size_t i = 0; i < json_array_size(attempts); i++) {
        const json_t *attempt = json_array_get(attempts, i);

        if (!field_is_null(attempt, "error"))
            print_fact("tried", "%s: %s%s", field_word(attempt, "name"), field_word(attempt, "error"),
                       field_true(attempt, "void") ? " (does not count as an attempt)" : "");
    }
}

/* What the replacement had to show beyond its agent. */
static void print_ports(const json_t *recovery)
{
    _cleanup_(freep) char *ports = field_joined(recovery, "verify_ports", ", ");
    _cleanup_(freep) char *reached = field_joined(recovery, "verify_reached_ports", ", ");
    bool was_asked = field_is_null(recovery, "ports_unasked");

    if (ports[0] != '\0')
        print_fact(
            "must listen", "on %s%s%s%s%s", ports, reached[0] != '\0' ? ", and be reached on " : "", reached,
            was_asked ? "" : "; that could not be seen: ", was_asked ? "" : field_word(recovery, "ports_unasked"));
}

/* Everything about the recovery that needs no table. */
static void print_facts(const json_t *recovery)
{
    const json_t *service = json_object_get(recovery, "service");
    const char *replacement = field_text(recovery, "replacement");

    print_fact("cause", "%s: %s", field_word(recovery, "cause"), field_word(recovery, "cause_text"));
    if (field_true(recovery, "under_way"))
        print_fact("now", "%s", under_way_in_words(field_word(recovery, "outcome")));
    if (field_is(recovery, "cause", "host-lost"))
        print_fact("fencing", "understudyctl history --fencing %s", field_word(recovery, "hypervisor"));
    if (json_is_object(service))
        print_fact("service", "%s on %s, which it served as a replacement", field_word(service, "name"),
                   field_word(service, "hypervisor"));
    if (replacement != NULL)
        print_fact("replacement", "%s on %s, %s when it was chosen, verified at level %s", replacement,
                   field_word(recovery, "replacement_hypervisor"), field_word(recovery, "warmth"),
                   field_word(recovery, "verify"));
    if (replacement != NULL)
        print_ports(recovery);
    print_attempts(json_object_get(recovery, "attempts"));
    if (field_integer(recovery, "restarts") > 0)
        print_fact("restarts", "%" PRId64 " of the failed machine itself", field_integer(recovery, "restarts"));
    if (field_true(recovery, "unrecorded"))
        print_fact("unrecorded", "a candidate was started although the intent could not be written to disk");
    if (!field_is_null(recovery, "detail"))
        print_fact("detail", "%s", field_word(recovery, "detail"));
}

/* "VM-001 on node1 recovered", or "… relieved by VM-005" where nothing had failed. */
static void print_head(const json_t *recovery)
{
    const char *outcome = field_word(recovery, "outcome");
    bool is_relieved = timeline_is_of_an_order(recovery) && field_is(recovery, "outcome", "recovered");

    print_styled(STYLE_STRONG, "%s: %s on %s ", field_word(recovery, "id"), field_word(recovery, "failed"),
                 field_word(recovery, "hypervisor"));
    print_styled(style_of_outcome(outcome), "%s%s", is_relieved ? "relieved by " : outcome,
                 is_relieved ? field_word(recovery, "replacement") : "");
}

static void print_recovery(const json_t *recovery, size_t limit)
{
    const char *replacement = field_text(recovery, "replacement");
    _cleanup_(freep) char *duration = field_duration(recovery, "duration_ms");

    print_head(recovery);
    printf(" %s %s%s\n", field_true(recovery, "under_way") ? "for" : "after", duration,
           field_true(recovery, "is_drill") ? " (drill)" : "");
    print_facts(recovery);
    putchar('\n');
    timeline_print(recovery);
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

/* host: NULL: all. */
static int run_fencing(struct client *client, const struct ctl_options *options, const char *host)
{
    _cleanup_(freep) char *path = client_query(client, '?', "host", host);
    _cleanup_(freep) char *whole = format_text("/v1/fencing%s", path);
    _cleanup_(json_decrefp) json_t *answer = NULL;
    int r = client_get(client, &answer, whole, NULL);

    if (r < 0)
        return client_exit_status(r);
    if (options->json)
        print_json(answer);
    else
        fencing_print(answer, host, (size_t)(options->limit < 0 ? ROWS_DEFAULT : options->limit));
    return EXIT_SUCCESS;
}

static int run(struct client *client, const struct ctl_options *options, const char *argument)
{
    _cleanup_(json_decrefp) json_t *answer = NULL;
    long limit = options->limit < 0 ? ROWS_DEFAULT : options->limit;
    int r;

    if (options->fencing)
        return run_fencing(client, options, argument);
    r = argument != NULL ? client_get(client, &answer, "/v1/recoveries/{}", argument)
                         : get_recoveries(client, options, options->json ? options->limit : limit, &answer);

    if (r < 0)
        return client_exit_status(r);
    if (options->json)
        print_json(answer);
    else if (argument != NULL)
        print_recovery(answer, (size_t)limit);
    else
        print_recoveries(answer, options->failed);
    return EXIT_SUCCESS;
}

const struct command command_history = {
    .name = "history",
    .argument = "RECOVERY|HOST",
    .argument_optional = true,
    .options = OPTION_FAILED | OPTION_LIMIT | OPTION_FENCING,
    .help = "the recoveries, the newest first, or one in full; or how hosts were fenced",
    .run = run,
};
