/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The log: to journald with structured fields where systemd started the daemon with a journal stream, readable lines on
 * stderr otherwise. Callable from any thread.
 */
#ifndef UNDERSTUDY_DAEMON_LOG_H
#define UNDERSTUDY_DAEMON_LOG_H

#include <stdbool.h>
#include <syslog.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "protocol/notice.h"
#include "workflow/recovery.h"
#include "service/messages.h"

/* Finds out where to write. Before the first line; without it lines go to stderr. */
void log_open(void);

/* Lines less serious than this are not written; LOG_INFO at first. */
void log_set_level(int priority);

/* priority: LOG_ERR and so on of syslog(3). No newline at the end. */
void log_line(int priority, const char *format, ...) _printf_(2, 3);

/* What a line is about, as fields of its entry; everything is borrowed, and empty or NULL where it does not apply. */
struct log_subject {
    struct machine_ref machine;
    const char *machine_name;
    const char *recovery_id;
};

/* As log_line, with fields. */
void log_about(int priority, const struct log_subject *subject, const char *format, ...) _printf_(3, 4);

/* As log_about, with the message's priority and its MESSAGE_ID. subject may be NULL. */
void log_event(enum event_message event, const struct log_subject *subject, const char *format, ...) _printf_(3, 4);

/*
 * A notice with its MESSAGE_ID and fields (UNDERSTUDY_MACHINE, UNDERSTUDY_RECOVERY, …). recovery: the one it is about,
 * or NULL; when that has recovered, how long each part of the way took.
 */
void log_notice(const struct notice *notice, const struct recovery *recovery);

/* Every finding, errors as LOG_ERR and warnings as LOG_WARNING. */
void log_diags(const struct diags *diags);

#endif
