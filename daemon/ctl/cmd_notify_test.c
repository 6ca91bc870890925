/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* understudyctl notify-test: whether the hooks that tell people of what happens can tell them. */
#include <stdio.h>

#include "ctl/client.h"
#include "ctl/ctl.h"
#include "ctl/field.h"
#include "ctl/message.h"
#include "ctl/print.h"
#include "ctl/table.h"

/* Longer than a hook is given by default; see --timeout. */
#define TIMEOUT_MS 600000

static void print_hooks(const json_t *hooks)
{
    static const struct column columns[] = {
        {"HOOK", COLUMN_WHOLE}, {"RESULT", COLUMN_WHOLE}, {"TOOK", COLUMN_NUMBER}, {"ANSWER", COLUMN_CUT}};
    _cleanup_(table_freep) struct table *table = table_new(columns, ELEMENTS_OF(columns));

    for (size_t i = 0; i < json_array_size(hooks); i++) {
        const json_t *hook = json_array_get(hooks, i);
        _cleanup_(freep) char *took = field_duration(hook, "took_ms");
        bool has_succeeded = field_true(hook, "succeeded");

        table_add(table, STYLE_STRONG, "%s", field_word(hook, "hook"));
        table_add(table, has_succeeded ? STYLE_GOOD : STYLE_BAD, "%s", has_succeeded ? "succeeded" : "failed");
        table_add(table, STYLE_PLAIN, "%s", took);
        table_add(table, STYLE_PLAIN, "%s", field_word(hook, "answer"));
    }
    table_print(table);
}

static size_t count_failed(const json_t *hooks)
{
    size_t n = 0;

    for (size_t i = 0; i < json_array_size(hooks); i++)
        n += !field_true(json_array_get(hooks, i), "succeeded");
    return n;
}

static int run(struct client *client, const struct ctl_options *options, const char *argument)
{
    _cleanup_(json_decrefp) json_t *body = json_object();
    _cleanup_(json_decrefp) json_t *answer = NULL;
    const json_t *hooks;
    int r;

    if (body == NULL || (argument != NULL && json_object_set_new(body, "hook", json_string(argument)) < 0))
        die_of_memory();
    r = client_post(client, body, options->timeout_ms > 0 ? options->timeout_ms : TIMEOUT_MS, &answer, "/v1/hooks/test",
                    NULL);
    if (r < 0)
        return client_exit_status(r);
    hooks = json_object_get(answer, "hooks");
    if (options->json)
        print_json(answer);
    else
        print_hooks(hooks);
    return count_failed(hooks) > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

const struct command command_notify_test = {
    .name = "notify-test",
    .argument = "HOOK",
    .argument_optional = true,
    .options = OPTION_TIMEOUT,
    .help = "send a test by the hooks that notify, and say what came of each",
    .run = run,
};
