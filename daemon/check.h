/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* understudyd --check: what is wrong in a configuration, and what in it is surely not meant. */
#ifndef UNDERSTUDY_DAEMON_CHECK_H
#define UNDERSTUDY_DAEMON_CHECK_H

#include <stdbool.h>

/*
 * Prints every finding on stderr, those of a running daemon about its machines included. EXIT_FAILURE: the configuration
 * cannot be used, or is_strict and there are warnings; else EXIT_SUCCESS.
 */
int check_configuration(const char *path, bool is_strict);

#endif
