/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * understudyctl problems, check: what is wrong now and what to do about it, for people, and in one line for monitoring
 * plug-ins (https://www.monitoring-plugins.org/doc/guidelines.html).
 */
#include <errno.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "ctl/client.h"
#include "ctl/ctl.h"
#include "ctl/field.h"
#include "ctl/message.h"
#include "ctl/print.h"
#include "ctl/problem_lines.h"

#define CHECK_OK       0
#define CHECK_WARNING  1
#define CHECK_CRITICAL 2
#define CHECK_UNKNOWN  3

#define CHECK_SHOWN 10
/* As other plug-ins. */
#define CHECK_TIMEOUT_MS 10000

static int list(struct client *client, const struct ctl_options *options, const char *argument)
{
    _cleanup_(json_decrefp) json_t *answer = NULL;
    const json_t *problems;
    int r;

    (void)argument;
    r = client_get(client, &answer, "/v1/problems", NULL);
    if (r < 0)
        return client_exit_status(r);
    problems = json_object_get(answer, "problems");
    if (options->json)
        print_json(answer);
    else if (json_array_size(problems) == 0)
        puts("There is no problem.");
    else
        problem_lines_print(problems, SIZE_MAX);
    return EXIT_SUCCESS;
}

/* NRPE passes on 1024 bytes, and the performance data stand at the end. */
#define CHECK_BYTES 800

/* Text of one line, without what would be read as performance data. Caller frees. */
static char *plain_text(const json_t *problem)
{
    _cleanup_(freep) char *text = format_text("%s", field_word(problem, "text"));
    char *printable;

    for (char *at = text; *at != '\0'; at++)
        if (*at == '|' || *at == '\n')
            *at = ' ';
    printable = text_printable(text);
    if (printable == NULL)
        die_of_memory();
    return printable;
}

/* As many problems as fit, the severe ones first; *ret_shown: how many these are. Caller frees. */
static char *join_problems(const json_t *problems, size_t *ret_shown)
{
    char *line = format_text("%s", "");
    size_t shown = 0;

    for (; shown < json_array_size(problems) && shown < CHECK_SHOWN; shown++) {
        _cleanup_(freep) char *before = line, *text = plain_text(json_array_get(problems, shown));
        size_t left = CHECK_BYTES - strlen(before);

        if (shown > 0 && strlen(text) + strlen("; ") > left) {
            before = NULL; /* it is the line still */
            break;
        }
        line = format_text("%s%s%.*s", before, shown > 0 ? "; " : "", (int)text_fit(text, left), text);
    }
    *ret_shown = shown;
    return line;
}

static size_t count_severe(const json_t *problems)
{
    size_t n = 0;

    while (field_integer(json_array_get(problems, n), "severity") >= 2) /* they come first */
        n++;
    return n;
}

static int64_t count_services(const json_t *services)
{
    static const char *const states[] = {"up", "recovering", "down", "stopped", "held", "unknown"};
    int64_t n = 0;

    for (size_t i = 0; i < ELEMENTS_OF(states); i++)
        n += field_integer(services, states[i]);
    return n;
}

/* LABEL=VALUE;WARN;CRIT;MIN;MAX */
static void print_check(const char *word, const json_t *status)
{
    const json_t *problems = json_object_get(status, "problems"), *services = json_object_get(status, "services");
    size_t count = json_array_size(problems), shown;
    _cleanup_(freep) char *line = join_problems(problems, &shown);

    printf("UNDERSTUDY %s - %s", word, line);
    if (count > shown)
        printf("; %zu more", count - shown);
    if (count == 0 && !field_true(status, "ready"))
        printf("not every hypervisor is listed yet");
    else if (count == 0)
        printf("%" PRId64 " service%s up%s", field_integer(services, "up"), PLURAL(field_integer(services, "up")),
               field_is(status, "mode", "observe") ? ", and observed only: nothing is started" : "");
    printf(" | problems=%zu;0;;0; severe=%zu;;0;0; services=%" PRId64 ";;;0;%" PRId64 "\n", count,
           count_severe(problems), field_integer(services, "up"), count_services(services));
}

static int tell_unknown(const struct client *client, int error)
{
    const char *socket = client_socket(client);

    switch (error) {
    case -EACCES:
        printf("UNDERSTUDY UNKNOWN - this user may not look at %s: add it to the group understudy-read\n", socket);
        break;
    case -ETIMEDOUT:
        printf("UNDERSTUDY UNKNOWN - understudyd at %s does not answer in time: systemctl status understudyd\n",
               socket);
        break;
    default:
        printf("UNDERSTUDY UNKNOWN - understudyd at %s does not answer: systemctl status understudyd\n", socket);
    }
    return CHECK_UNKNOWN;
}

static int check(struct client *client, const struct ctl_options *options, const char *argument)
{
    _cleanup_(json_decrefp) json_t *status = NULL;
    int64_t severity;
    int r;

    (void)argument;
    client_set_patience(client, options->timeout_ms > 0 ? options->timeout_ms : CHECK_TIMEOUT_MS);
    r = client_try_get(client, &status, "/v1/status");
    if (r < 0)
        return tell_unknown(client, r);
    severity =
        field_integer(json_array_get(json_object_get(status, "problems"), 0), "severity"); /* the severe come first */
    if (severity == 0 && !field_true(status, "ready"))
        severity = 1;
    if (options->json)
        print_json(json_object_get(status, "problems"));
    else
        print_check(severity >= 2 ? "CRITICAL" : severity == 1 ? "WARNING" : "OK", status);
    return severity >= 2 ? CHECK_CRITICAL : severity == 1 ? CHECK_WARNING : CHECK_OK;
}

const struct command command_problems = {
    .name = "problems",
    .help = "what is wrong now, and what to do about it",
    .run = list,
};

const struct command command_check = {
    .name = "check",
    .options = OPTION_TIMEOUT,
    .help = "the same in one line, for monitoring: exit 0 well, 1, 2 bad, 3 no answer",
    .run = check,
};
