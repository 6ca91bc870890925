/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* understudyctl hold, release, holds: the operator orders that nothing is done, ends that, and sees what is held. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "ctl/client.h"
#include "ctl/ctl.h"
#include "ctl/field.h"
#include "ctl/message.h"
#include "ctl/print.h"
#include "ctl/table.h"

#define TIMEOUT_MS 60000

static const char *subject_of(const json_t *hold)
{
    return field_is(hold, "scope", "all") ? "everything" : field_word(hold, "what");
}

static int hold(struct client *client, const struct ctl_options *options, const char *argument)
{
    _cleanup_(json_decrefp) json_t *body = json_pack("{s:s, s:s?}", "target", argument, "reason", options->reason);
    _cleanup_(json_decrefp) json_t *answer = NULL;
    int r;

    if (body == NULL) {
        complain("the name or the reason is no UTF-8");
        return EXIT_USAGE;
    }
    if (options->for_us > 0 && json_object_set_new(body, "for_ms", json_integer(options->for_us / 1000)) < 0)
        die_of_memory();
    if (options->evacuate && (json_object_set_new(body, "evacuate", json_true()) < 0 ||
                              json_object_set_new(body, "confirmed", json_boolean(options->yes)) < 0))
        die_of_memory();
    r = client_post(client, body, TIMEOUT_MS, &answer, "/v1/holds", NULL);
    if (r < 0)
        return client_exit_status(r);
    if (options->json) {
        print_json(answer);
    } else if (options->evacuate) {
        print_styled(STYLE_NOTABLE, "%s. To end it: understudyctl release %s\n", field_word(answer, "message"),
                     argument);
    } else {
        _cleanup_(freep) char *until = field_instant(answer, "until");
        bool has_end = !field_is_null(answer, "until");

        print_styled(STYLE_NOTABLE,
                     "%s is held%s%s: it is watched, and nothing is done. To end it: understudyctl release %s\n",
                     subject_of(answer), has_end ? " until " : "", has_end ? until : "", argument);
    }
    return EXIT_SUCCESS;
}

static void print_released(const json_t *answer, const char *argument)
{
    if (strcmp(argument, "brake") != 0)
        print_styled(STYLE_NOTABLE,
                     "The hold on %s is over. What failed meanwhile is not started by itself: understudyctl services\n",
                     strcmp(argument, "all") == 0 ? "everything" : argument);
    else if (field_true(answer, "released"))
        print_styled(STYLE_GOOD, "The brake is released: the recoveries that waited for it go on.\n");
    else
        puts("The brake was not on.");
}

static int release(struct client *client, const struct ctl_options *options, const char *argument)
{
    _cleanup_(json_decrefp) json_t *answer = NULL;
    int r = client_post(client, NULL, TIMEOUT_MS, &answer, "/v1/release/{}", argument);

    if (r < 0)
        return client_exit_status(r);
    if (options->json)
        print_json(answer);
    else
        print_released(answer, argument);
    return EXIT_SUCCESS;
}

static void add_hold(struct table *table, const json_t *hold)
{
    bool is_overdue = field_true(hold, "overdue"), is_evacuating = field_true(hold, "evacuating");
    _cleanup_(freep) char *since = field_instant(hold, "since"), *until = field_instant(hold, "until");

    table_add(table, STYLE_STRONG, "%s", field_word(hold, "what"));
    table_add(table, STYLE_PLAIN, "%s", field_word(hold, "scope"));
    table_add(table, STYLE_PLAIN, "%s", since);
    table_add(table, is_overdue || is_evacuating ? STYLE_NOTABLE : STYLE_PLAIN, "%s%s",
              is_evacuating                  ? "being evacuated"
              : field_is_null(hold, "until") ? "released"
                                             : until,
              is_overdue ? ", and a host is out of reach" : "");
    table_add(table, STYLE_PLAIN, "%s", field_word(hold, "by"));
    table_add(table, STYLE_PLAIN, "%s", field_word(hold, "reason"));
}

static int list(struct client *client, const struct ctl_options *options, const char *argument)
{
    static const struct column columns[] = {
        {"WHAT", COLUMN_WHOLE},  {"SCOPE", COLUMN_WHOLE}, {"SINCE", COLUMN_WHOLE},
        {"UNTIL", COLUMN_WHOLE}, {"BY", COLUMN_SPARE},    {"REASON", COLUMN_CUT},
    };
    _cleanup_(json_decrefp) json_t *answer = NULL;
    const json_t *holds;
    _cleanup_(table_freep) struct table *table = table_new(columns, ELEMENTS_OF(columns));
    int r;

    (void)argument;
    r = client_get(client, &answer, "/v1/holds", NULL);
    if (r < 0)
        return client_exit_status(r);
    if (options->json) {
        print_json(answer);
        return EXIT_SUCCESS;
    }
    holds = json_object_get(answer, "holds");
    if (json_array_size(holds) == 0) {
        puts("Nothing is held.");
        return EXIT_SUCCESS;
    }
    for (size_t i = 0; i < json_array_size(holds); i++)
        add_hold(table, json_array_get(holds, i));
    table_print(table);
    return EXIT_SUCCESS;
}

const struct command command_hold = {
    .name = "hold",
    .argument = "all|HOST|MACHINE",
    .options = OPTION_REASON | OPTION_FOR | OPTION_EVACUATE | OPTION_YES,
    .help = "watch it, and do nothing, until it is released",
    .run = hold,
};

const struct command command_release = {
    .name = "release",
    .argument = "brake|all|HOST|MACHINE",
    .help = "release the brake, or end a hold",
    .run = release,
};

const struct command command_holds = {
    .name = "holds",
    .help = "what is held, why and until when",
    .run = list,
};
