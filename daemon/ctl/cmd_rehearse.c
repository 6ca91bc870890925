/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* understudyctl rehearse: has a service taken over and given back now, or says when each one is. */
#include <stdio.h>

#include "ctl/client.h"
#include "ctl/ctl.h"
#include "ctl/field.h"
#include "ctl/message.h"
#include "ctl/order.h"
#include "ctl/print.h"
#include "ctl/table.h"

static void print_rehearsals(const json_t *rehearsals)
{
    static const struct column columns[] = {
        {"SERVICE", COLUMN_WHOLE}, {"REHEARSED", COLUMN_WHOLE}, {"NEXT", COLUMN_WHOLE}, {"WHY NOT", COLUMN_CUT}};
    _cleanup_(table_freep) struct table *table = table_new(columns, ELEMENTS_OF(columns));

    for (size_t i = 0; i < json_array_size(rehearsals); i++) {
        const json_t *rehearsal = json_array_get(rehearsals, i);
        _cleanup_(freep) char *last = field_age(rehearsal, "last_at"), *next = field_instant(rehearsal, "next_at");
        bool is_hindered = !field_is_null(rehearsal, "why_not");

        table_add(table, STYLE_STRONG, "%s", field_word(rehearsal, "name"));
        table_add(table, STYLE_PLAIN, "%s", last);
        table_add(table, STYLE_PLAIN, "%.16s%s", next, field_is_null(rehearsal, "next_at") ? "" : " UTC");
        table_add(table, is_hindered ? STYLE_BAD : STYLE_PLAIN, "%s",
                  is_hindered ? field_word(rehearsal, "why_not") : "");
    }
    table_print(table);
}

static int show_plan(struct client *client, const struct ctl_options *options)
{
    _cleanup_(json_decrefp) json_t *answer = NULL;
    const json_t *rehearsals;
    int r = client_get(client, &answer, "/v1/rehearsals", NULL);

    if (r < 0)
        return client_exit_status(r);
    rehearsals = json_object_get(answer, "rehearsals");
    if (options->json)
        print_json(answer);
    else if (json_array_size(rehearsals) == 0)
        puts("No service is protected: understudyctl status says what is missing.");
    else
        print_rehearsals(rehearsals);
    return EXIT_SUCCESS;
}

static int run(struct client *client, const struct ctl_options *options, const char *argument)
{
    if (options->plan && argument == NULL)
        return show_plan(client, options);
    if (options->plan || argument == NULL) {
        complain("rehearse needs the name of a service, or --plan");
        return EXIT_USAGE;
    }
    return order_post(client, options, json_pack("{s:b}", "confirmed", options->yes), "/v1/services/{}/rehearse",
                      argument);
}

const struct command command_rehearse = {
    .name = "rehearse",
    .argument = "SERVICE",
    .argument_optional = true,
    .options = OPTION_PLAN | OPTION_YES,
    .help = "have another machine take over now, and then the original again",
    .run = run,
};
