/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A file that is written completely or not at all. */
#ifndef UNDERSTUDY_DAEMON_CTL_NEW_FILE_H
#define UNDERSTUDY_DAEMON_CTL_NEW_FILE_H

#include <stdbool.h>

#include "base/cleanup.h"

/*
 * For its owner and its group (0640), which with takes_group is that of its directory. One that is there already is left
 * alone (-EEXIST), or with `replaces` replaced. What went wrong is said on stderr. Negative errno.
 */
int new_file_write(const char *path, const char *text, bool takes_group, bool replaces) _must_check_;

#endif
