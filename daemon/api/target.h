/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is meant by a name that may be a host, a machine, or "all". */
#ifndef UNDERSTUDY_DAEMON_API_TARGET_H
#define UNDERSTUDY_DAEMON_API_TARGET_H

#include "coordinator/coordinator.h"

struct target {
    enum hold_scope scope;
    struct machine_ref ref; /* as in struct hold */
    const char *name;       /* borrowed from the coordinator, until its next input */
};

/*
 * text: "all", "host:NAME", "machine:NAME", or NAME, which is refused where a host and a machine have it. A machine that is
 * gone is found where it is still held. -ENOENT, -ENOTUNIQ: *ret_error says so, *ret_hint what may be meant (NULL: nothing
 * is known, or no memory); the caller frees both.
 */
int target_find(const struct coordinator *coordinator, const char *text, struct target *ret, char **ret_error,
                char **ret_hint) _must_check_;

#endif
