/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * understudyctl problems, check: what is wrong now and what to do about it, for people, and in one line for monitoring
 * plug-ins (https://www.monitoring-plugins.org/doc/guidelines.html).
 */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>

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

static int list(struct client *client, const struct ctl_options *options, const char *argument)
{
    _cleanup_(json_decrefp) json_t *problems = NULL;
    int r;

    (void)argument;
    r = client_get(client, &problems, "/v1/problems", NULL);
    if (r < 0)
        return client_exit_status(r);
    if (options->json)
        print_json(problems);
    else if (json_array_size(problems) == 0)
        puts("There is no problem.");
    else
        problem_lines_print(problems, SIZE_MAX);
    return EXIT_SUCCESS;
}

/* One line, without what would be read as performance data, and not longer than monitoring systems take. */
static void print_check(const char *word, const json_t *problems, const json_t *services)
{
    size_t count = json_array_size(problems);

    printf("UNDERSTUDY %s - ", word);
    for (size_t i = 0; i < count && i < CHECK_SHOWN; i++) {
        _cleanup_(freep) char *text = format_text("%s", field_word(json_array_get(problems, i), "text"));

        for (char *at = text; *at != '\0'; at++)
            if (*at == '|' || *at == '\n')
                *at = ' ';
        print_styled(STYLE_PLAIN, "%s%s", i > 0 ? "; " : "", text);
    }
    if (count > CHECK_SHOWN)
        printf("; %zu more", count - CHECK_SHOWN);
    if (count == 0)
        printf("%" PRId64 " services up", field_integer(services, "up"));
    printf(" | problems=%zu services=%" PRId64 "\n", count, field_integer(services, "up"));
}

static int check(struct client *client, const struct ctl_options *options, const char *argument)
{
    _cleanup_(json_decrefp) json_t *status = NULL;
    const json_t *problems;
    int64_t severity;

    (void)argument;
    if (client_get(client, &status, "/v1/status", NULL) < 0) {
        puts("UNDERSTUDY UNKNOWN - understudyd does not answer");
        return CHECK_UNKNOWN;
    }
    problems = json_object_get(status, "problems");
    severity = field_integer(json_array_get(problems, 0), "severity"); /* the severe come first; 0: there is none */
    if (options->json)
        print_json(problems);
    else
        print_check(severity >= 2   ? "CRITICAL"
                    : severity == 1 ? "WARNING"
                                    : "OK",
                    problems, json_object_get(status, "services"));
    return severity >= 2 ? CHECK_CRITICAL : severity == 1 ? CHECK_WARNING : CHECK_OK;
}

const struct command command_problems = {
    .name = "problems",
    .help = "what is wrong now, and what to do about it",
    .run = list,
};

const struct command command_check = {
    .name = "check",
    .help = "the same in one line, for monitoring: exit 0 well, 1, 2 bad, 3 no answer",
    .run = check,
};
