/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How many columns of a terminal a text takes. Asks no locale: what the daemon sends is UTF-8. */
#ifndef UNDERSTUDY_DAEMON_CTL_WIDTH_H
#define UNDERSTUDY_DAEMON_CTL_WIDTH_H

#include <stddef.h>

/* In columns. */
size_t width_of(const char *text);

/* How many bytes of the text fit into so many columns. */
size_t width_cut(const char *text, size_t columns);

/* Replaces what could steer a terminal (C0 but newline, DEL, C1), in place, by '?'. */
void width_disarm(char *text);

#endif
