/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* understudyctl failover, failback: another machine takes over a service that is up; its original serves again. */
#include "ctl/message.h"
#include "ctl/order.h"

static int fail_over(struct client *client, const struct ctl_options *options, const char *argument)
{
    json_t *body = json_pack("{s:b, s:b}", "force", options->force, "anyway", options->anyway);

    if (body == NULL || (options->to != NULL && json_object_set_new(body, "to", json_string(options->to)) < 0))
        die_of_memory();
    return order_post(client, options, body, "/v1/services/{}/failover", argument);
}

static int fail_back(struct client *client, const struct ctl_options *options, const char *argument)
{
    return order_post(client, options, json_pack("{s:b, s:b}", "force", options->force, "confirmed", options->yes),
                      "/v1/services/{}/failback", argument);
}

const struct command command_failover = {
    .name = "failover",
    .argument = "SERVICE",
    .options = OPTION_TO | OPTION_FORCE | OPTION_ANYWAY | OPTION_WAIT | OPTION_TIMEOUT,
    .help = "let another machine take over a service that is up",
    .run = fail_over,
};

const struct command command_failback = {
    .name = "failback",
    .argument = "SERVICE",
    .options = OPTION_FORCE | OPTION_YES | OPTION_WAIT | OPTION_TIMEOUT,
    .help = "let the original serve again",
    .run = fail_back,
};
