/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What happened, for people and their tools: plain values that the daemon writes to the journal and
 * to the event stream. lib/ never logs; it hands these out.
 */
#ifndef UNDERSTUDY_PROTOCOL_NOTICE_H
#define UNDERSTUDY_PROTOCOL_NOTICE_H

#include "base/moment.h"
#include "protocol/action.h"
#include "protocol/cause.h"

enum notice_kind {
    NOTICE_FAILURE_DETECTED,
    NOTICE_FAILURE_UNPROTECTED, /* a failure of a machine that is not protected */
    NOTICE_FAILURE_PENDING,     /* may become one: a grace period runs */
    NOTICE_STOP_PLANNED,
    NOTICE_CHANGED,        /* as an operator ordered, or as it should: nothing needs to be done */
    NOTICE_EVENT_NOTED,    /* kdump, a panic with restart, a stop without an explanation */
    NOTICE_WAITS,          /* nothing is chosen before the recovery of another service has ended */
    NOTICE_DECIDED,        /* a candidate was chosen */
    NOTICE_INTENT_FAILED,  /* an intent could not be written, and the recovery goes on */
    NOTICE_STARTED,        /* the replacement runs, not verified yet */
    NOTICE_VETOED,         /* a hook vetoed a candidate; the next one is tried */
    NOTICE_ATTEMPT_FAILED, /* a candidate did not come up; the next one is tried */
    NOTICE_RECOVERED,
    NOTICE_EXHAUSTED,
    NOTICE_DISMISSED,
    NOTICE_OBSERVED,
    NOTICE_CALLED_OFF, /* a failover or failback: the machine that served goes on, or serves again */
    NOTICE_KEPT,       /* a replacement has become the original of the service that it serves */
    NOTICE_NOT_KEPT,   /* it was to, and has not: the diversion stays */
    NOTICE_BRAKE_ON,   /* too many failures at once: nothing is started until released */
    NOTICE_BRAKE_OFF,
    NOTICE_HOLD_BEGUN,
    NOTICE_HOLD_ENDED,
    NOTICE_HOLD_OVERDUE,      /* its time is over, and it stays: a host cannot be reached */
    NOTICE_FAILED_WHILE_HELD, /* nothing is done about it, also after the hold */
    NOTICE_RESUMED,           /* a recovery from before the daemon was started goes on */
    NOTICE_CLOCK_JUMPED,      /* the host slept: acting waits until everything is listed anew */
    NOTICE_STORE_FAILED,      /* what happens cannot be written down */
    NOTICE_STORE_WORKS,
    NOTICE_WARMED,        /* a standby was verified and is warm: suspended or saved */
    NOTICE_REFRESHED,     /* a warm one was run and verified anew */
    NOTICE_WARM_FAILED,   /* it did not come up, or could not be suspended or saved */
    NOTICE_WARM_ENDED,    /* given back, or taken by an operator */
    NOTICE_CLOCK_FAILED,  /* a guest that slept may have the wrong time */
    NOTICE_HYPERVISOR_UP, /* connected and listed */
    NOTICE_HYPERVISOR_DOWN,
    NOTICE_HOST_LOST,    /* out of reach for host_timeout: its hypervisor is in `machine` */
    NOTICE_HOST_FENCED,  /* surely off: its machines are recovered elsewhere */
    NOTICE_FENCE_FAILED, /* nothing of it is started */
    NOTICE_HOST_BACK,
    NOTICE_HOST_REBOOTED,  /* before it was given up: what it ran went down with it */
    NOTICE_HOSTS_ISOLATED, /* most hosts are gone at once: our own network, and nothing is fenced */
    NOTICE_HOSTS_REJOINED,
    NOTICE_SAME_HOST,     /* two connections are one host, or may be */
    NOTICE_BOTH_RUN,      /* a machine runs beside the one that took its place */
    NOTICE_BOTH_RESOLVED, /* one of them was stopped */
    NOTICE_CALL_OVERDUE,  /* a call to a hypervisor outlived its deadline */
    NOTICE_MACHINE_FAULT, /* its XML or metadata cannot be read as it stands */
    NOTICE_OUT_OF_MEMORY,
    NOTICE_PROBLEM_BEGUN, /* of lib/report/problems.h */
    NOTICE_PROBLEM_ENDED,
    NOTICE_COUNT,
};

/* "failure-detected" and so on. */
const char *notice_kind_name(enum notice_kind kind);

struct notice {
    enum notice_kind kind;
    struct moment at;
    struct machine_ref machine; /* empty strings: about no machine */
    char *machine_name;         /* or NULL */
    char recovery_id[RECOVERY_ID_SIZE];
    enum failure_cause cause;
    char *replacement;                    /* name, or NULL */
    double similarity, coverage, overlap; /* meaningful with a replacement */
    const char *warmth;                   /* of the replacement when it was chosen, static; NULL: no replacement */
    int64_t duration_us;                  /* since detection; -1: not measured */
    char *text;                           /* one sentence for people, without a full stop; never NULL */
};

void notice_done(struct notice *notice);

#endif
