/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* understudyctl reload: has the daemon read its configuration again, and says how that went. */
#include <errno.h>
#include <stdio.h>

#include "ctl/client.h"
#include "ctl/ctl.h"
#include "ctl/field.h"
#include "ctl/print.h"

#define TIMEOUT_MS 60000

static int run(struct client *client, const struct ctl_options *options, const char *argument)
{
    _cleanup_(json_decrefp) json_t *answer = NULL;
    int r;

    (void)argument;
    r = client_post(client, NULL, TIMEOUT_MS, &answer, "/v1/reload", NULL);
    if (r < 0)
        return r == -ECANCELED ? EXIT_FAILURE : client_exit_status(r); /* an error in a file is no refusal */
    if (options->json) {
        print_json(answer);
        return EXIT_SUCCESS;
    }
    print_styled(STYLE_GOOD, "The configuration is reloaded.\n");
    if (!field_is_null(answer, "needs_restart"))
        print_styled(STYLE_PLAIN, "These keys take effect when understudyd is restarted: %s\n",
                     field_word(answer, "needs_restart"));
    return EXIT_SUCCESS;
}

const struct command command_reload = {
    .name = "reload",
    .help = "read the configuration again; fails if it is refused",
    .run = run,
};
