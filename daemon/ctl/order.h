/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the commands that order something share. */
#ifndef UNDERSTUDY_DAEMON_CTL_ORDER_H
#define UNDERSTUDY_DAEMON_CTL_ORDER_H

#include "ctl/ctl.h"

/*
 * Posts an order to path, in which {} stands for the machine or service, and prints the answer; with --wait, what comes of
 * it as well, to the end. Takes body. Returns the exit status.
 */
int order_post(struct client *client, const struct ctl_options *options, json_t *body, const char *path,
               const char *argument);

#endif
