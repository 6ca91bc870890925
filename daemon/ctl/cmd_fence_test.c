/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* understudyctl fence-test: whether the fence agents of a host answer. */
#include <stdio.h>

#include "ctl/client.h"
#include "ctl/ctl.h"
#include "ctl/field.h"
#include "ctl/message.h"
#include "ctl/print.h"
#include "ctl/table.h"

/* Longer than an agent is given by default; see --timeout. */
#define TIMEOUT_MS 600000

static void print_agents(const json_t *agents)
{
    static const struct column columns[] = {
        {"AGENT", COLUMN_WHOLE}, {"RESULT", COLUMN_WHOLE}, {"TOOK", COLUMN_NUMBER}, {"ANSWER", COLUMN_CUT}};
    _cleanup_(table_freep) struct table *table = table_new(columns, ELEMENTS_OF(columns));

    for (size_t i = 0; i < json_array_size(agents); i++) {
        const json_t *agent = json_array_get(agents, i);
        _cleanup_(freep) char *took = field_duration(agent, "took_ms");
        bool has_answered = field_true(agent, "succeeded");

        table_add(table, STYLE_STRONG, "%s", field_word(agent, "agent"));
        table_add(table, has_answered ? STYLE_GOOD : STYLE_BAD, "%s", has_answered ? "answers" : "fails");
        table_add(table, STYLE_PLAIN, "%s", took);
        table_add(table, STYLE_PLAIN, "%s%s", has_answered ? "the host is " : "", field_word(agent, "answer"));
    }
    table_print(table);
}

static size_t count_failed(const json_t *agents)
{
    size_t n = 0;

    for (size_t i = 0; i < json_array_size(agents); i++)
        n += !field_true(json_array_get(agents, i), "succeeded");
    return n;
}

static int run(struct client *client, const struct ctl_options *options, const char *argument)
{
    _cleanup_(json_decrefp) json_t *body = json_object();
    _cleanup_(json_decrefp) json_t *answer = NULL;
    const json_t *agents;
    int r;

    if (body == NULL || (options->agent != NULL && json_object_set_new(body, "agent", json_string(options->agent)) < 0))
        die_of_memory();
    r = client_post(client, body, options->timeout_ms > 0 ? options->timeout_ms : TIMEOUT_MS, &answer,
                    "/v1/hypervisors/{}/fence-test", argument);
    if (r < 0)
        return client_exit_status(r);
    agents = json_object_get(answer, "agents");
    if (options->json)
        print_json(answer);
    else
        print_agents(agents);
    return count_failed(agents) > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

const struct command command_fence_test = {
    .name = "fence-test",
    .argument = "HOST",
    .options = OPTION_AGENT | OPTION_TIMEOUT,
    .help = "ask the fence agents of a host for its status",
    .run = run,
};
