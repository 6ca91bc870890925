/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How serious each kind of message is, and the MESSAGE_ID by which an operator finds it in the journal. */
#ifndef UNDERSTUDY_DAEMON_MESSAGES_H
#define UNDERSTUDY_DAEMON_MESSAGES_H

#include "protocol/notice.h"

struct message {
    int priority;   /* of syslog(3) */
    const char *id; /* 32 hexadecimal digits */
};

const struct message *message_of(enum notice_kind kind);

/* Messages of the daemon about itself; machines and recoveries have notices. */
enum event_message {
    MESSAGE_READY,
    MESSAGE_PARTLY_READY, /* a hypervisor is not listed yet */
    MESSAGE_NOT_STARTED,
    MESSAGE_STOPPING,
    MESSAGE_RELOADED,
    MESSAGE_RELOAD_FAILED,
    MESSAGE_NO_ROLES,      /* the administrator has named no machine yet */
    MESSAGE_NEEDS_RESTART, /* a key has changed that is only read at the start */
    MESSAGE_HOST_SHUTDOWN,
    MESSAGE_DRILL, /* a machine is crashed on purpose */
    MESSAGE_HOOK_FAILED,
    MESSAGE_CALL_HANGS, /* a call to a hypervisor; the watchdog is not fed until it returns */
    MESSAGE_COUNT,
};

const struct message *message_of_event(enum event_message message);

#endif
