/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What understudyctl says when something is wrong, and texts that never fail to be made. */
#ifndef UNDERSTUDY_DAEMON_CTL_MESSAGE_H
#define UNDERSTUDY_DAEMON_CTL_MESSAGE_H

#include <stdarg.h>

#include "base/cleanup.h"

/* "understudyctl: …" on stderr, with a newline. */
void complain(const char *format, ...) _printf_(1, 2);

/* No caller of a command could do anything about the want of memory. */
void die_of_memory(void) __attribute__((noreturn));

/* As asprintf, but never fails. Caller frees. */
char *format_text(const char *format, ...) _printf_(1, 2) _must_check_;

/*
 * As format_text, made printable (text_printable): what comes from the daemon holds no line and no command for the terminal.
 * A newline that ends the format itself stays.
 */
char *format_printable(const char *format, va_list arguments) _printf_(1, 0) _must_check_;

#endif
