/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The log: to journald with structured fields when systemd started us with a journal stream, readable
 * lines on stderr otherwise. Callable from any thread.
 */
#ifndef UNDERSTUDY_DAEMON_LOG_H
#define UNDERSTUDY_DAEMON_LOG_H

#include <stdbool.h>
#include <syslog.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "failover/notice.h"
#include "service/messages.h"

/* Finds out where to write. Before the first line; without it lines go to stderr. */
void log_open(void);

/* Lines less serious than this are not written; LOG_INFO at first. */
void log_set_level(int priority);

/* priority: LOG_ERR and so on of syslog(3). No newline at the end. */
void log_line(int priority, const char *format, ...) _printf_(2, 3);

/* As log_line, with the message's priority and its MESSAGE_ID. */
void log_event(enum event_message event, const char *format, ...) _printf_(2, 3);

/* A notice with its MESSAGE_ID and fields (UNDERSTUDY_MACHINE, UNDERSTUDY_RECOVERY, …). */
void log_notice(const struct notice *notice);

/* Every finding, errors as LOG_ERR and warnings as LOG_WARNING. */
void log_diags(const struct diags *diags);

#endif
