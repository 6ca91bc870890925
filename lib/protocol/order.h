/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What an operator orders. Plain values. */
#ifndef UNDERSTUDY_PROTOCOL_ORDER_H
#define UNDERSTUDY_PROTOCOL_ORDER_H

#include <stdbool.h>

#include "protocol/action.h"

enum order_kind {
    ORDER_RECOVER,  /* a service that is down is recovered now */
    ORDER_CLEAR,    /* the quarantine and the failure of a machine are forgotten */
    ORDER_FAILOVER, /* another machine takes over a service that is up */
    ORDER_FAILBACK, /* the original serves again, in place of its replacement */
    ORDER_DRILL,    /* the next failure of a machine is a drill. When this is taken, the driver has that written down
                     * (REMEMBER) and crashes the machine; on another host it destroys it. */
    ORDER_KEEP,     /* the replacement becomes the original of the service */
    ORDER_EVACUATE, /* the services of a host are failed over, and then it is held */
    ORDER_REHEARSE, /* another machine takes over, and then the original serves again */
    ORDER_REFRESH,  /* the guest of a machine is asked now what it offers */
    ORDER_COUNT,
};

/* "recover", "clear" … */
const char *order_kind_name(enum order_kind kind);

struct order {
    enum order_kind kind;
    /*
     * Of ORDER_CLEAR, ORDER_REFRESH and ORDER_DRILL; of ORDER_EVACUATE a host, without a UUID; else the original of the
     * service, or what serves it.
     */
    struct machine_ref machine;
    bool ignores_limit;      /* of ORDER_RECOVER: recovery.limit does not count */
    bool ignores_quarantine; /* of ORDER_RECOVER: of machines that are similar enough, the quarantine ends */
    bool has_to;             /* of ORDER_FAILOVER: `to` is set */
    struct machine_ref to;   /* that is to take over; else the best one is */
    bool is_forced; /* of failover and failback: the machine that serves is ended if it does not stop in time */
    /* Of ORDER_FAILOVER with `to`: however little alike it is; of ORDER_DRILL: though nothing would be started. */
    bool is_anyway;
    bool is_rehearsal; /* of failover, failback and drill: a part of one */
    bool is_question;  /* of failover, failback and drill: whether it would be taken; nothing is done */
    /* Of ORDER_FAILBACK, ORDER_EVACUATE and ORDER_REHEARSE: an outage is accepted; of ORDER_DRILL: the machine may be crashed. */
    bool is_confirmed;
    const char *by;     /* who gives it, as far as it is known, borrowed; NULL: not known */
    const char *reason; /* of ORDER_EVACUATE, as of a hold, borrowed; NULL: none */
    int64_t time_us;    /* of ORDER_EVACUATE: how long the hold lasts then; 0: until it is released */
};

/* The answer to an order. Free with order_answer_done. */
struct order_answer {
    char *words;                        /* what is being done, or why not and what to do instead; NULL: no memory */
    char recovery_id[RECOVERY_ID_SIZE]; /* of the recovery that was begun, or, of ORDER_KEEP, that began the diversion;
                                           empty: none */
};

void order_answer_done(struct order_answer *answer);

#endif
