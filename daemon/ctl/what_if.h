/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* --threshold, --min-coverage, --weight and --without, as the daemon takes them. */
#ifndef UNDERSTUDY_DAEMON_CTL_WHAT_IF_H
#define UNDERSTUDY_DAEMON_CTL_WHAT_IF_H

#include "base/cleanup.h"
#include "ctl/ctl.h"

struct client;

/* False: there is no place for one more. key and value are borrowed. */
bool what_if_take(struct ctl_options *options, const char *key, const char *value) _must_check_;

/* The path with what is supposed behind it; separator: '?', or '&' where it has a '?' already. Caller frees. */
char *what_if_path(struct client *client, const struct ctl_options *options, const char *path,
                   char separator) _must_check_;

#endif
