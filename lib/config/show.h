/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A configuration as it would be in force: what the file says, and the defaults of what it leaves out. */
#ifndef UNDERSTUDY_CONFIG_SHOW_H
#define UNDERSTUDY_CONFIG_SHOW_H

#include <stddef.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "config/config.h"

/*
 * Writes every key with its value, as YAML that is read as the same configuration, but for secrets (secret.h), which are
 * masked. text: of a file that config_parse takes; of another one, the keys that there are are written as they are.
 * Flushes. -EINVAL: no YAML, and diags says why; -ENOMEM; -EIO: the stream has an error.
 */
int config_show(FILE *f, const char *text, size_t length, const char *file, struct diags *diags) _must_check_;

/*
 * Adds the secrets of the file to *ret, but for passwords in URIs and the shortest; what is no YAML has none. -ENOMEM.
 */
int config_list_secrets(const char *text, size_t length, struct string_list *ret) _must_check_;

#endif
