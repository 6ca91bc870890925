/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* understudyctl clear: the quarantine and the failure of a machine are forgotten. */
#include "ctl/order.h"

static int run(struct client *client, const struct ctl_options *options, const char *argument)
{
    return order_post(client, options, json_object(), "/v1/machines/{}/clear", argument);
}

const struct command command_clear = {
    .name = "clear",
    .argument = "MACHINE",
    .help = "forget that it failed, and end its quarantine",
    .run = run,
};
