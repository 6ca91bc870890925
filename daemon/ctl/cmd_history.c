/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* understudyctl history: the recoveries, the newest first, or one of them in full. */
#include <errno.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/moment.h"
#include "base/units.h"
#include "ctl/client.h"
#include "ctl/ctl.h"
#include "ctl/fencing.h"
#include "ctl/field.h"
#include "ctl/message.h"
#include "ctl/print.h"
#include "ctl/ranking.h"
#include "ctl/table.h"
#include "ctl/timeline.h"
#include "report/time.h"

#define ROWS_DEFAULT 20
/* Recoveries that are asked for at once. */
#define PAGE 200

static const char *kind_of(const json_t *recovery)
{
    return field_true(recovery, "is_rehearsal") ? " (rehearsal)" : field_true(recovery, "is_drill") ? " (drill)" : "";
}

static void add_recovery(struct table *table, const json_t *recovery)
{
    _cleanup_(freep) char *overlap = field_ratio(recovery, "overlap");
    _cleanup_(freep) char *duration = field_duration(recovery, "duration_ms");
    _cleanup_(freep) char *outage = field_duration(recovery, "outage_ms");
    const char *outcome = field_word(recovery, "outcome"), *at = field_word(recovery, "failed_at");

    table_add(table, STYLE_PLAIN, "%s", field_word(recovery, "id"));
    table_add(table, STYLE_STRONG, "%s", field_word(recovery, "failed"));
    table_add(table, STYLE_PLAIN, "%s", field_word(json_object_get(recovery, "service"), "name"));
    table_add(table, STYLE_PLAIN, "%s%s", field_word(recovery, "cause"), kind_of(recovery));
    table_add(table, style_of_outcome(outcome), "%s", outcome);
    table_add(table, STYLE_STRONG, "%s", field_word(recovery, "replacement"));
    table_add(table, STYLE_PLAIN, "%s", field_is_null(recovery, "warmth") ? "-" : field_word(recovery, "warmth"));
    table_add(table, STYLE_PLAIN, "%s", overlap);
    table_add(table, STYLE_PLAIN, "%.10s %.8s", at,
              strlen(at) > strlen("2026-11-22T") ? at + strlen("2026-11-22T") : "");
    table_add(table, STYLE_PLAIN, "%s", outage);
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

static void print_none(const struct ctl_options *options)
{
    bool is_narrowed = options->since != NULL || options->until != NULL || options->outcome != NULL;

    print_styled(STYLE_PLAIN, "No recovery%s%s%s.\n", options->failed != NULL ? " of " : "",
                 options->failed != NULL ? options->failed : "", is_narrowed ? " is as asked for" : " yet");
}

/* A page: under the titles if it is the first one; of several, each shows the same columns. */
static void print_recoveries(const json_t *recoveries, bool is_first, bool is_one_of_several)
{
    bool shows_service = is_one_of_several || is_any_of_another_service(recoveries);
    const struct column columns[] = {
        {"RECOVERY", COLUMN_WHOLE},
        {"FAILED", COLUMN_WHOLE},
        {"SERVICE", shows_service ? COLUMN_WHOLE : COLUMN_HIDDEN},
        {"CAUSE", COLUMN_CUT},
        {"OUTCOME", COLUMN_WHOLE},
        {"REPLACEMENT", COLUMN_WHOLE},
        {"WARM", COLUMN_SPARE},
        {"OVERLAP", COLUMN_SPARE_NUMBER},
        {"FAILED AT (UTC)", COLUMN_SPARE},
        {"OUTAGE", COLUMN_NUMBER},
        {"TOOK", COLUMN_NUMBER},
    };
    _cleanup_(table_freep) struct table *table = table_new(columns, ELEMENTS_OF(columns));

    for (size_t i = 0; i < json_array_size(recoveries); i++)
        add_recovery(table, json_array_get(recoveries, i));
    if (!is_first)
        table_hide_titles(table);
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
    _cleanup_(freep) char *outage = field_duration(recovery, "outage_ms"),
                          *failed_at = field_instant(recovery, "failed_at");

    if (!field_is_null(recovery, "outage_ms"))
        print_fact("outage", "%s since %s", outage, failed_at);
    if (!field_is_null(recovery, "ordered_by"))
        print_fact("ordered by", "%s", field_word(recovery, "ordered_by"));
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
    printf(" %s %s%s\n", field_true(recovery, "under_way") ? "for" : "after", duration, kind_of(recovery));
    print_facts(recovery);
    putchar('\n');
    timeline_print(recovery);
    if (json_array_size(json_object_get(recovery, "candidates")) > 0) {
        putchar('\n');
        ranking_print(recovery, replacement, limit);
    }
}

/* "2h": so long ago; else as of time_parse. As the API takes it; NULL for NULL. -EINVAL. */
static int read_time(const char *text, char **ret)
{
    char instant[TIME_TEXT_SIZE];
    int64_t us;

    if (text == NULL)
        return 0;
    if (duration_parse(text, &us) == 0)
        us = (int64_t)time(NULL) * USEC_PER_SEC - us;
    else if (time_parse(text, &us) < 0)
        return -EINVAL;
    time_format(us, instant);
    *ret = format_text("%s", instant);
    return 0;
}

static void add_query(struct client *client, char **path, const char *name, const char *value)
{
    _cleanup_(freep) char *before = *path,
                          *query = client_query(client, strchr(before, '?') != NULL ? '&' : '?', name, value);

    *path = format_text("%s%s", before, query);
}

static int misuse_time(const char *option, const char *text)
{
    complain("--%s needs a time such as 2h or 7d (so long ago), 2026-11-22 or \"2026-11-22 14:54\" (UTC), not \"%s\"",
             option, text);
    return EXIT_USAGE;
}

/* The path without limit and before. Returns an exit status. */
static int make_path(struct client *client, const struct ctl_options *options, char **ret)
{
    _cleanup_(freep) char *since = NULL, *until = NULL;
    _cleanup_(freep) char *path = format_text("%s", "/v1/recoveries");

    if (read_time(options->since, &since) < 0)
        return misuse_time("since", options->since);
    if (read_time(options->until, &until) < 0)
        return misuse_time("until", options->until);
    add_query(client, &path, "failed", options->failed);
    add_query(client, &path, "since", since);
    add_query(client, &path, "until", until);
    add_query(client, &path, "outcome", options->outcome);
    *ret = steal_pointer(&path);
    return EXIT_SUCCESS;
}

/* before: the id of the last one so far; NULL: none. */
static int get_page(struct client *client, const char *whole, size_t most, const char *before, json_t **ret)
{
    _cleanup_(freep) char *path = format_text("%s", whole), *number = format_text("%zu", most);

    add_query(client, &path, "limit", number);
    add_query(client, &path, "before", before);
    return client_exit_status(client_get(client, ret, path, NULL));
}

/* As elements of a list, of which so many were printed before. */
static void print_elements(const json_t *recoveries, size_t n_before)
{
    for (size_t i = 0; i < json_array_size(recoveries); i++) {
        puts(n_before + i > 0 ? "," : "{\"recoveries\": [");
        print_json(json_array_get(recoveries, i));
    }
}

/* Page by page, so that a long history needs no memory. limit: SIZE_MAX: all. */
static int run_list(struct client *client, const struct ctl_options *options, size_t limit)
{
    _cleanup_(freep) char *path = NULL, *before = NULL;
    int status = make_path(client, options, &path);
    size_t n = 0, got = 1;

    while (status == EXIT_SUCCESS && n < limit && got > 0) {
        _cleanup_(json_decrefp) json_t *answer = NULL;
        const json_t *page;

        status = get_page(client, path, limit - n < PAGE ? limit - n : PAGE, before, &answer);
        page = json_object_get(answer, "recoveries");
        got = json_array_size(page);
        if (status != EXIT_SUCCESS || got == 0)
            break;
        if (options->json)
            print_elements(page, n);
        else
            print_recoveries(page, n == 0, limit > PAGE);
        n += got;
        if (field_is_null(answer, "next_page"))
            break;
        free(before);
        before = format_text("%s", field_word(answer, "next_page"));
    }
    if (options->json && (n > 0 || status == EXIT_SUCCESS))
        puts(n > 0 ? "], \"next_page\": null}" : "{\"recoveries\": [], \"next_page\": null}");
    else if (n == 0 && status == EXIT_SUCCESS)
        print_none(options);
    return status;
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
        fencing_print(json_object_get(answer, "fencing"), host,
                      (size_t)(options->limit < 0 ? ROWS_DEFAULT : options->limit));
    return EXIT_SUCCESS;
}

static int run(struct client *client, const struct ctl_options *options, const char *argument)
{
    _cleanup_(json_decrefp) json_t *answer = NULL;
    long limit = options->limit < 0 ? ROWS_DEFAULT : options->limit;
    int status;

    if (options->fencing)
        return run_fencing(client, options, argument);
    if (argument == NULL)
        return run_list(client, options,
                        limit == 0 || (options->json && options->limit < 0) ? SIZE_MAX : (size_t)limit);
    status = client_exit_status(client_get(client, &answer, "/v1/recoveries/{}", argument));
    if (status != EXIT_SUCCESS)
        return status;
    if (options->json)
        print_json(answer);
    else
        print_recovery(answer, (size_t)limit);
    return EXIT_SUCCESS;
}

const struct command command_history = {
    .name = "history",
    .argument = "RECOVERY",
    .argument_optional = true,
    .options = OPTION_FAILED | OPTION_LIMIT | OPTION_SINCE | OPTION_UNTIL | OPTION_OUTCOME | OPTION_FENCING,
    .help = "the recoveries, the newest first, or one in full; or how hosts were fenced",
    .run = run,
};
