/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One host, as far as it can be reached: whether it is lost, and whether it is certain that it runs nothing
 * any more. A pure function of (state, event, now) to what is to be done; knows no machine and no other host.
 */
#ifndef UNDERSTUDY_DETECT_HOST_H
#define UNDERSTUDY_DETECT_HOST_H

#include <stdbool.h>

#include "base/moment.h"
#include "config/config.h"

enum host_state {
    HOST_UNKNOWN,   /* not heard of since the start */
    HOST_REACHABLE, /* connected, or connected last */
    HOST_MISSING,   /* cannot be reached; its time runs */
    HOST_DOUBTED,   /* its time is over: the others are asked whether the daemon itself is cut off */
    HOST_ISOLATED,  /* most are gone at once: not taken for lost */
    HOST_LOST,      /* and nothing on it needs to be recovered */
    HOST_FENCING,   /* the agent is at work */
    HOST_UNFENCED,  /* lost, and not known to be off: nothing of it is started elsewhere */
    HOST_FENCED,    /* surely off, or was when it was last heard of */
    HOST_STATE_COUNT,
};

/* "unknown", "reachable" … */
const char *host_state_name(enum host_state state);

/* Given up: what it has is not worth waiting for. */
bool host_state_is_lost(enum host_state state);
/* Cannot be reached, and is not known to be off. */
bool host_state_is_gone(enum host_state state);

enum host_event_kind {
    HOST_CONNECTED,
    HOST_LISTED, /* and it said what it has */
    HOST_DISCONNECTED,
    HOST_TICK,
    HOST_WITNESSED, /* the others were asked: see most_are_gone */
    HOST_ANSWER,    /* of the agent: see error */
    HOST_CONFIRMED, /* an operator says that it is off */
    HOST_HOLD,      /* a hold began or ended: see is_held */
    HOST_EVENT_COUNT,
};

const char *host_event_name(enum host_event_kind kind);

struct host_event {
    enum host_event_kind kind;
    struct moment now;
    bool is_here;       /* it is the host that the daemon runs on: never lost */
    bool most_are_gone; /* HOST_WITNESSED */
    bool is_held;       /* by the operator: it does not count as lost, and is not fenced */
    bool is_unbegun;    /* HOST_HOLD: the agent was not started yet */
    bool is_needed;     /* something on it would be recovered, were it off */
    bool can_be_fenced; /* there is an agent, and it may be used */
    int error;          /* HOST_ANSWER: 0, or negative errno */
    const char *message;
};

/* A plain value: begin with {0}, end with host_done. */
struct host_track {
    enum host_state state;
    struct moment missing; /* since when; {0}: it is not */
    struct moment fenced;  /* when it was found off; {0}: it was not */
    bool was_by_hand;      /* and an operator said so */
    bool is_connected;
    bool was_seen;       /* since the agent began */
    bool is_given_up;    /* that it is lost was told */
    bool was_lost;       /* and has not been listed since */
    bool is_changed;     /* since it was last handed out to be written down */
    unsigned tries;      /* of the agent, since it was lost */
    int64_t deadline_us; /* mono_us of the next HOST_TICK that matters; USEC_INFINITY; 0 in a new one */
    char *trouble;       /* why the agent failed last; NULL */
    unsigned long ignored;
};

void host_done(struct host_track *host);

/* What one step asks for, and what is worth telling. */
struct host_step {
    bool asks_others; /* answer with HOST_WITNESSED */
    bool is_isolated;
    bool is_rejoined;
    bool is_lost;
    bool fences; /* start the agent, answer with HOST_ANSWER */
    bool has_failed;
    bool is_fenced; /* what it had is off */
    bool is_back;   /* after it was lost */
    bool wants_listing;
};

/* Takes one event. */
struct host_step host_handle(struct host_track *host, const struct host_event *event, const struct config *config);

/* As it was written down before the daemon was started: fenced stays fenced, lost is remembered. */
void host_restore(struct host_track *host, enum host_state state, struct moment missing, struct moment fenced);

#endif
