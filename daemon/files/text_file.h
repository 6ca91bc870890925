/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Files that an administrator writes, as texts. */
#ifndef UNDERSTUDY_DAEMON_TEXT_FILE_H
#define UNDERSTUDY_DAEMON_TEXT_FILE_H

#include <stddef.h>

#include "base/cleanup.h"
#include "base/diag.h"

/*
 * The whole file, which the caller frees. -ENOENT, -EACCES and so on: it cannot be read; -EFBIG: it is larger than any such
 * file; both are told in diags. -ENOMEM.
 */
int text_file_read(const char *path, struct diags *diags, char **ret, size_t *ret_length) _must_check_;

#endif
