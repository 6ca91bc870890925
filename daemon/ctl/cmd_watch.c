/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* understudyctl watch: events as they happen. */
#include <errno.h>
#include <stdio.h>

#include "ctl/client.h"
#include "ctl/ctl.h"
#include "ctl/event_line.h"
#include "ctl/field.h"
#include "ctl/message.h"

static bool on_event(void *context, const json_t *notice)
{
    const struct ctl_options *options = context;

    event_line_print(notice, options->json);
    /* Where nothing reads the output any more, following would have no use. */
    return !ferror(stdout) && (options->until == NULL || !field_is(notice, "kind", options->until));
}

static int run(struct client *client, const struct ctl_options *options, const char *argument)
{
    struct ctl_options copy = *options;
    struct client_follower follower = {.event = on_event, .context = &copy};
    int r = client_follow(client, &follower, options->timeout_ms);

    (void)argument;
    if (r == -ETIMEDOUT && options->until != NULL)
        complain("no event of the kind %s came in time", options->until);
    return r == 0 || (r == -ETIMEDOUT && options->until == NULL) ? EXIT_SUCCESS : client_exit_status(r);
}

const struct command command_watch = {
    .name = "watch",
    .options = OPTION_UNTIL | OPTION_TIMEOUT,
    .help = "events as they happen",
    .run = run,
};
