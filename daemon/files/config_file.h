/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The configuration file: reading it is the daemon's business, understanding it lib/config's. */
#ifndef UNDERSTUDY_DAEMON_CONFIG_FILE_H
#define UNDERSTUDY_DAEMON_CONFIG_FILE_H

#include <stdio.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "config/config.h"
#include "discovery/catalog.h"
#include "files/template_files.h"

#define CONFIG_FILE_DEFAULT UNDERSTUDY_SYSCONFDIR "/understudy/understudy.yaml"

/*
 * Reads and checks a file, the catalog with the files that it names, and the templates, of which a wrong one is a warning.
 * What a person must know is in diags, also on success (warnings). -ENOENT, -EACCES and so on: it cannot be read; -EFBIG: it
 * is larger than any configuration; -EINVAL: it is wrong; -ENOMEM.
 */
int config_file_load(const char *path, struct diags *diags, struct config **ret, struct catalog **ret_catalog,
                     struct templates **ret_templates) _must_check_;

/* As config_file_load, and writes the configuration as it is in force (config_show) to f. -EIO: the stream has an error. */
int config_file_show(const char *path, struct diags *diags, FILE *f) _must_check_;

#endif
