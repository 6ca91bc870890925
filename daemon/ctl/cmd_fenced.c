/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* understudyctl fenced: the operator has made sure that a lost host is off. */
#include <errno.h>
#include <stdio.h>

#include "ctl/client.h"
#include "ctl/ctl.h"
#include "ctl/field.h"
#include "ctl/message.h"
#include "ctl/print.h"

#define TIMEOUT_MS 60000

static int run(struct client *client, const struct ctl_options *options, const char *argument)
{
    _cleanup_(json_decrefp) json_t *body = json_pack("{s:b}", "confirmed", options->yes);
    _cleanup_(json_decrefp) json_t *answer = NULL;
    int r;

    if (body == NULL)
        die_of_memory();
    r = client_post(client, body, TIMEOUT_MS, &answer, "/v1/hypervisors/{}/fenced", argument);
    if (r < 0)
        return client_exit_status(r);
    if (options->json)
        print_json(answer);
    else
        print_styled(STYLE_NOTABLE, "%s is confirmed off: its machines are recovered elsewhere.\n",
                     field_word(answer, "host"));
    return EXIT_SUCCESS;
}

const struct command command_fenced = {
    .name = "fenced",
    .argument = "HOST",
    .options = OPTION_YES,
    .help = "confirm that a lost host is off",
    .run = run,
};
