/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One standby on its way to being warm, while it is, and back: a pure function of (state, event, now)
 * to actions. Which standbys are worth it, claims, memory and recoveries that want one are the coordinator's.
 */
#ifndef UNDERSTUDY_WORKFLOW_WARMING_H
#define UNDERSTUDY_WORKFLOW_WARMING_H

#include <stdbool.h>
#include <stddef.h>

#include "base/moment.h"
#include "config/config.h"
#include "workflow/question.h"

enum warming_state {
    WARMING_RECORDING, /* that it is kept is being written to disk */
    WARMING_STARTING,
    WARMING_RESOLVING, /* a call was cut off or failed: asking what became of it */
    WARMING_SETTLING,  /* it runs; must stay up for the settle time, and without another proof until its CPU is quiet */
    WARMING_VERIFYING, /* it stayed up; must show that it does its work */
    WARMING_SUSPENDING, /* it is being suspended or saved */
    WARMING_STANDING,   /* warm */
    WARMING_CHECKING,   /* warm, and something was told that does not go with it: asking */
    WARMING_STUCK,      /* a call outlived its deadline: nothing is safe before it has come back */
    WARMING_STOPPING,
    WARMING_LOOKING,     /* it is off: what has its host to spare now? */
    WARMING_MAY_COME_UP, /* it is off, and a start whose answer was lost may still bring it up */
    WARMING_OVER,
    WARMING_STATE_COUNT,
};

const char *warming_state_name(enum warming_state state);

enum warming_event_kind {
    WARMING_BEGIN,       /* on a new one, or on one that stands: run it, and suspend or save it (again) */
    WARMING_ANSWER,      /* the action under way was answered: see result */
    WARMING_CAME_BACK,   /* a call that had outlived its deadline has ended */
    WARMING_OFF,         /* the hypervisor says that it is off */
    WARMING_UP,          /* the hypervisor says that it runs */
    WARMING_UNLIKE,      /* it was listed in another state than the one in which it stands */
    WARMING_FAILED,      /* it failed, as a guest does: detail says how */
    WARMING_RECONNECTED, /* its hypervisor is back, and listed */
    WARMING_HOST_OFF,    /* its host was lost and is off for sure */
    WARMING_BLOCKED,     /* its start, not asked for yet, must not be: detail says why */
    WARMING_RELEASE,     /* it is not to be warm any more */
    WARMING_TICK,
    WARMING_EVENT_COUNT,
};

struct warming_event {
    enum warming_event_kind kind;
    struct moment now;
    const struct action_result *result; /* WARMING_ANSWER */
    const char *detail;                 /* WARMING_FAILED, WARMING_BLOCKED */
};

/* How it ended. */
enum warming_end {
    WARMING_GOES_ON,
    WARMING_END_FAILED,   /* it did not come up, or could not be suspended or saved; it is off */
    WARMING_END_RELEASED, /* given back; it is off, or saved */
    WARMING_END_DISOWNED, /* an operator started or paused it: it is left alone */
    WARMING_END_LEFT,     /* it was warm by its mark alone: it is left as it is */
};

struct warming {
    char id[RECOVERY_ID_SIZE];
    enum warming_state state;
    struct machine_ref ref;
    enum verify_level level;
    enum keep_warm form;   /* in which it stands, or stood last */
    enum warm_proof proof; /* that its guest was up then */
    bool has_ports;        /* it was asked on which ports it serves, too; the caller says so */
    bool was_warm;         /* this is a refresh: it stood before */
    bool is_by_mark;       /* no record says that it was kept, but its metadata: it is not stopped */
    bool is_failing;       /* it is to be stopped, by its own fault */
    bool is_releasing;     /* it is to be stopped, and did nothing wrong */
    enum action_kind last; /* the latest call that changes something */
    int64_t
        may_start_until_us; /* a start of this course whose answer was lost may take effect up to then: mono_us; 0: none */
    unsigned suspend_failures; /* in a row */
    uint64_t cpu_time_us;      /* that it had used at the last look; 0: not known */
    unsigned quiet_looks;      /* in a row */
    struct moment started;     /* of this course */
    struct moment standing;    /* since when it stands; {0}: not yet */
    enum warming_end end;
    char *detail; /* what went wrong; NULL: nothing */

    struct question question;
    unsigned long ignored;
};

/* What one step asks for: at most one action. */
struct warming_step {
    bool has_action; /* the caller writes the id it gave to the action into question.action_id */
    struct action action;
    bool has_started; /* it runs: what it needs of its host's memory is spent */
    bool stands;      /* it is warm, newly or again */
};

/* A new one, about to be recorded: WARMING_BEGIN sets it off. */
void warming_init(struct warming *warming, const char *id, const struct machine *machine, const struct config *config);

/*
 * One from before the daemon was started, or that a recovery gives back: it stands, in this form; or its course
 * was cut off and goes on; or it is off, and may come up late. With may_start_until_us as above.
 */
void warming_restore_standing(struct warming *warming, enum keep_warm form, enum warm_proof proof, struct moment since);
void warming_restore_course(struct warming *warming, bool waits_for_connection);
void warming_restore_off(struct warming *warming);
void warming_done(struct warming *warming);

/* Takes one event. Never fails: words that there is no memory for are missing. */
void warming_handle(struct warming *warming, const struct warming_event *event, const struct config *config,
                    struct warming_step *ret_step);

/* Nothing is under way at the hypervisor that changes it: a recovery may take it now. */
bool warming_can_yield(const struct warming *warming);
/* A recovery may take it, if not now then soon. */
bool warming_may_yield(const struct warming *warming);

#endif
