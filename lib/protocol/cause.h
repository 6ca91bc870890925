/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What took a machine down, and the words for it. */
#ifndef UNDERSTUDY_PROTOCOL_CAUSE_H
#define UNDERSTUDY_PROTOCOL_CAUSE_H

enum failure_cause {
    CAUSE_NONE,
    CAUSE_PROCESS_DIED,    /* the hypervisor process ended by itself */
    CAUSE_PANICKED,        /* guest panic, domain destroyed by its on_crash */
    CAUSE_PANIC_PRESERVED, /* guest panic, remains preserved */
    CAUSE_PANIC_LOOP,      /* guest panics again and again under on_crash restart */
    CAUSE_RESET_LOOP,      /* its watchdog resets the guest again and again, or it is reset too often */
    CAUSE_CRASHED,         /* stopped as crashed without a panic: a dump with crash, a test */
    CAUSE_HOST_KILL,       /* QEMU was ended with SIGTERM on its host */
    CAUSE_IO_ERROR,        /* paused by an I/O error and still so after the grace period */
    CAUSE_WATCHDOG,        /* the guest's watchdog fired and left it paused or off */
    CAUSE_HUNG,            /* its guest does not answer and does nothing */
    CAUSE_FOUND_CRASHED,   /* crashed while the daemon was not connected, found by a listing */
    CAUSE_HOST_LOST,       /* its host was lost, and is off or came back without it */
    CAUSE_LAST_STOPPED,    /* the daemon had its guest shut down, and it turned out to be the one that served */
    CAUSE_FAILOVER,        /* nothing failed: an operator ordered that another machine serves */
    CAUSE_FAILBACK,        /* nothing failed: an operator ordered that the original serves again */
    CAUSE_DRILL,           /* destroyed for a drill, where it could not be crashed */
    CAUSE_COUNT,
};

/* "process-died" and so on, as history and journal write it; and a sentence for people. */
const char *failure_cause_name(enum failure_cause cause);
const char *failure_cause_sentence(enum failure_cause cause);

#endif
