/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One standby on its way to being warm, while it is, and back: a pure function of (state, event, now)
 * to actions. Which standbys are worth it, claims, memory and recoveries that want one are the keeper's.
 */
#ifndef UNDERSTUDY_FAILOVER_WARM_H
#define UNDERSTUDY_FAILOVER_WARM_H

#include <stdbool.h>
#include <stddef.h>

#include "base/moment.h"
#include "config/config.h"
#include "failover/action.h"

enum warm_state {
    WARM_RECORDING, /* that it is ours is being written to disk */
    WARM_STARTING,
    WARM_RESOLVING, /* a call was cut off or failed: asking what became of it */
    WARM_SETTLING,  /* it runs; must stay up for the settle time */
    WARM_VERIFYING, /* it stayed up; must show that it does its work */
    WARM_LAYING,    /* it is being suspended or saved */
    WARM_STANDING,  /* warm */
    WARM_CHECKING,  /* warm, and something was told that does not go with it: asking */
    WARM_STUCK,     /* a call outlived its deadline: nothing is safe before it has come back */
    WARM_STOPPING,
    WARM_LOOKING, /* it is off: what has its host to spare now? */
    WARM_LURKING, /* it is off, and a start whose answer was lost may still bring it up */
    WARM_OVER,
    WARM_STATE_COUNT,
};

const char *warm_state_name(enum warm_state state);

enum warm_event_kind {
    WARM_BEGIN,       /* on a new one, or on one that stands: run it and lay it down (anew) */
    WARM_ANSWER,      /* the action under way was answered: see result */
    WARM_CAME_BACK,   /* a call that had outlived its deadline has ended */
    WARM_OFF,         /* the hypervisor says that it is off */
    WARM_UP,          /* the hypervisor says that it runs */
    WARM_FAILED,      /* it failed, as a guest does: detail says how */
    WARM_RECONNECTED, /* its hypervisor is back, and listed */
    WARM_HOST_OFF,    /* its host was lost and is off for sure */
    WARM_BLOCKED,     /* its start, not asked for yet, must not be: detail says why */
    WARM_RELEASE,     /* it is not to be warm any more */
    WARM_TICK,
    WARM_EVENT_COUNT,
};

const char *warm_event_name(enum warm_event_kind kind);

struct warm_event {
    enum warm_event_kind kind;
    struct moment now;
    const struct action_result *result; /* WARM_ANSWER */
    const char *detail;                 /* WARM_FAILED, WARM_BLOCKED */
};

/* How it ended. */
enum warm_end {
    WARM_GOES_ON,
    WARM_END_FAILED,   /* it did not come up, or could not be laid down; it is off */
    WARM_END_RELEASED, /* given back; it is off, or saved */
    WARM_END_DISOWNED, /* somebody else started or paused it: it is theirs */
};

struct warming {
    char id[RECOVERY_ID_SIZE];
    enum warm_state state;
    struct machine_ref ref;
    enum verify_level level;
    enum keep_warm form;    /* in which it stands, or stood last */
    bool was_warm;          /* this is a refresh: it stood before */
    bool is_failing;        /* it is to be stopped, by its own fault */
    bool is_releasing;      /* it is to be stopped, and did nothing wrong */
    enum action_kind last;  /* the latest call that changes something */
    int64_t loose_until_us; /* a start of ours whose answer was lost may take effect up to then: mono_us; 0: none */
    unsigned lay_failures;  /* in a row */
    struct moment started;  /* of this course */
    struct moment standing; /* since when it stands; {0}: not yet */
    enum warm_end end;
    char *detail; /* what went wrong; NULL: nothing */

    uint64_t action_id; /* whose answer is awaited; 0: none */
    unsigned asked;
    bool waits_for_connection;
    int64_t deadline_us; /* mono_us of the next WARM_TICK; USEC_INFINITY */
    unsigned long ignored;
};

/* What one step asks for: at most one action. */
struct warm_step {
    bool has_action; /* the caller writes the id it gave to the action into warming.action_id */
    struct action action;
    bool has_started; /* it runs: what it needs of its host's memory is spent */
    bool stands;      /* it is warm, newly or again */
};

/* A new one, about to be recorded: WARM_BEGIN sets it off. */
void warming_init(struct warming *warming, const char *id, const struct machine *machine, const struct config *config);

/*
 * One from before the daemon was started, or that a recovery gives back: it stands, in this form; or its course
 * was cut off and goes on; or it is off, and may come up late. With loose_until_us as above.
 */
void warming_restore_standing(struct warming *warming, enum keep_warm form, struct moment since);
void warming_restore_course(struct warming *warming, bool waits_for_connection);
void warming_restore_lurking(struct warming *warming);
void warming_done(struct warming *warming);

/* Takes one event. Never fails: words that there is no memory for are missing. */
void warming_handle(struct warming *warming, const struct warm_event *event, const struct config *config,
                    struct warm_step *ret_step);

/* Nothing is under way at the hypervisor that changes it: a recovery may take it now. */
bool warming_can_yield(const struct warming *warming);
/* A recovery may take it, if not now then soon. */
bool warming_may_yield(const struct warming *warming);

#endif
