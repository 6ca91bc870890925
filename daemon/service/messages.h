/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How serious each kind of notice is, and the MESSAGE_ID by which an operator finds it in the journal. */
#ifndef UNDERSTUDY_DAEMON_MESSAGES_H
#define UNDERSTUDY_DAEMON_MESSAGES_H

#include "failover/notice.h"

struct message {
    int priority;   /* of syslog(3) */
    const char *id; /* 32 hexadecimal digits */
};

const struct message *message_of(enum notice_kind kind);

#endif
