/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What may come next on the command line, for the completion of shells: daemon/ctl/completion/ calls it. */
#ifndef UNDERSTUDY_DAEMON_CTL_COMPLETE_H
#define UNDERSTUDY_DAEMON_CTL_COMPLETE_H

#include <stddef.h>

#include "ctl/ctl.h"

/* What "understudyctl complete" exits with where a file is to be named. */
#define EXIT_COMPLETE_FILE 3

/*
 * Prints what the last of the words may become, a line each: the word, a tab, what it is. Live names come from the daemon;
 * without it there are none. The tables end with a NULL, and with a name that is NULL. socket: where none is among the
 * words. Returns the exit status.
 */
int complete_print(const char *const *words, size_t n_words, const struct command *const *commands,
                   const struct option_help *options, const char *socket);

#endif
