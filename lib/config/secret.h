/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What of a configuration, and of texts that quote it, is not for every reader. */
#ifndef UNDERSTUDY_CONFIG_SECRET_H
#define UNDERSTUDY_CONFIG_SECRET_H

#include <stdbool.h>

#include "base/cleanup.h"

/* What stands in place of a secret. */
#define SECRET_MASK "***"

/* A value of this name is a secret: "password", "snmp_community", "hook_env" and the like. */
bool secret_is_name(const char *name);

/*
 * A copy in which the passwords of URIs are masked: "tcp://me:***@host", "?password=***". Caller frees; NULL: no memory.
 */
char *secret_mask_uris(const char *text) _must_check_;

#endif
