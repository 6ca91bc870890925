/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* understudyctl keep: a replacement becomes the original of the service that it serves. */
#include "ctl/order.h"

static int run(struct client *client, const struct ctl_options *options, const char *argument)
{
    return order_post(client, options, json_object(), "/v1/services/{}/keep", argument);
}

const struct command command_keep = {
    .name = "keep",
    .argument = "SERVICE",
    .options = OPTION_WAIT | OPTION_TIMEOUT,
    .help = "let the replacement be the original from now on",
    .run = run,
};
