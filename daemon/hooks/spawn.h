/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Starts a program with nothing of the daemon but what the program is given on purpose. */
#ifndef UNDERSTUDY_HOOKS_SPAWN_H
#define UNDERSTUDY_HOOKS_SPAWN_H

#include <sys/types.h>

#include "hooks/process.h"

/*
 * Starts it as the leader of a session, and so of a process group, of its own. *ret_pidfd becomes readable when
 * it ends; *ret_output is the reading end of a pipe, non-blocking. The caller closes both, and reaps the
 * child. Negative errno, with the reason in ret_message (PROCESS_MESSAGE_SIZE): nothing runs.
 */
int spawn_program(const struct program *program, char *ret_message, pid_t *ret_pid, int *ret_pidfd,
                  int *ret_output) _must_check_;

/* Whether it could be started now, as far as files tell. Negative errno, with the reason in ret_message. */
int spawn_check(const char *path, char *ret_message) _must_check_;

#endif
