/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One process at a time writes to a state directory. */
#ifndef UNDERSTUDY_DAEMON_STORE_CLAIM_H
#define UNDERSTUDY_DAEMON_STORE_CLAIM_H

#include <stdbool.h>

#include "base/cleanup.h"

/*
 * Claims the directory of this database until *ret_fd is closed, which the end of the process does as well. Blocks as the
 * disk does. -EBUSY: another process has it. Where the disk does not let it be claimed, *ret_fd is -1 and the result 0: it
 * will not let it be written to either.
 */
int claim_take(const char *database_path, int *ret_fd) _must_check_;

/* What was claimed is still what others find there, so that it keeps them away. */
bool claim_holds(const char *database_path, int fd) _must_check_;

/* 1: a process has this state directory; 0: none has. Claims nothing, also not for a moment. Negative errno. */
int claim_look(const char *directory) _must_check_;

#endif
