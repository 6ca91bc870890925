/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads the templates on disk as a reload would, and asks each host whether a machine could be made of them. Uses nothing. */
#ifndef UNDERSTUDY_DAEMON_TEMPLATE_TRIALS_H
#define UNDERSTUDY_DAEMON_TEMPLATE_TRIALS_H

#include "base/cleanup.h"
#include "config/config.h"
#include "protocol/template_check.h"

struct answers;
struct nodes;

/* check: what came of it; borrowed. */
typedef void (*template_trials_done)(void *token, const struct template_check *check);

/*
 * One question at a time to each host, each with the deadline of a call; a host that does not answer one is not asked the
 * others. The directories are those of config, which may go meanwhile. On 0, done(token, …) will be called once, later or at
 * once. -ENOMEM.
 */
int template_trials_begin(const struct nodes *nodes, struct answers *answers, const struct config *config,
                          template_trials_done done, void *token) _must_check_;

#endif
