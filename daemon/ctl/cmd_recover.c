/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* understudyctl recover: a service that is down is recovered now. */
#include "ctl/order.h"

static int run(struct client *client, const struct ctl_options *options, const char *argument)
{
    return order_post(
        client, options,
        json_pack("{s:b, s:b}", "ignore_limit", options->ignore_limit, "ignore_quarantine", options->ignore_quarantine),
        "/v1/services/{}/recover", argument);
}

const struct command command_recover = {
    .name = "recover",
    .argument = "SERVICE",
    .options = OPTION_IGNORE_LIMIT | OPTION_IGNORE_QUARANTINE | OPTION_WAIT | OPTION_TIMEOUT,
    .help = "recover a service that is down",
    .run = run,
};
