/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* understudyctl release: lets go of the brake that many failures at once have put on. */
#include <stdio.h>

#include "ctl/client.h"
#include "ctl/ctl.h"
#include "ctl/field.h"
#include "ctl/print.h"

#define TIMEOUT_MS 60000

static int run(struct client *client, const struct ctl_options *options, const char *argument)
{
    _cleanup_(json_decrefp) json_t *answer = NULL;

    (void)argument;
    if (client_post(client, NULL, TIMEOUT_MS, &answer, "/v1/release", NULL) < 0)
        return EXIT_FAILURE;
    if (options->json)
        print_json(answer);
    else if (field_true(answer, "released"))
        print_styled(STYLE_GOOD, "Released: the recoveries that were held go on.\n");
    else
        puts("Nothing was held.");
    return EXIT_SUCCESS;
}

const struct command command_release = {
    .name = "release",
    .help = "let go of the brake: held recoveries go on",
    .run = run,
};
