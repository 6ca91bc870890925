/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names come from guests and administrators: what a terminal would obey in them is replaced before it is printed. */
#ifndef UNDERSTUDY_DAEMON_CTL_HARMLESS_H
#define UNDERSTUDY_DAEMON_CTL_HARMLESS_H

/*
 * Replaces in place by '?': control characters but newline (C0, DEL, C1), line and paragraph separators, characters
 * that turn the direction of writing, and bytes that are not UTF-8. The text does not grow.
 */
void harmless_make(char *text);

#endif
