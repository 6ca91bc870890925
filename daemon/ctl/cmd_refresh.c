/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* understudyctl refresh: the guest of a machine is asked now what it offers. */
#include "ctl/order.h"

static int run(struct client *client, const struct ctl_options *options, const char *argument)
{
    return order_post(client, options, json_object(), "/v1/machines/{}/refresh", argument);
}

const struct command command_refresh = {
    .name = "refresh",
    .argument = "MACHINE",
    .help = "ask its guest now what it offers",
    .run = run,
};
