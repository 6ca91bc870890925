/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One failure and all that is done about it, from detection to outcome: a pure function of (state,
 * event, now) to actions. The choice of candidates, claims, and several recoveries at once are the coordinator's.
 *
 * A failover or failback that an operator ordered is one as well: the machine that serves did not fail, but is to be
 * relieved by another one (enum relief). What is said of the failed machine holds for that one.
 */
#ifndef UNDERSTUDY_WORKFLOW_RECOVERY_H
#define UNDERSTUDY_WORKFLOW_RECOVERY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/moment.h"
#include "config/config.h"
#include "protocol/action.h"
#include "protocol/cause.h"
#include "protocol/explanation.h"
#include "workflow/question.h"

enum recovery_state {
    RECOVERY_DETECTED,
    RECOVERY_CONFIRMING, /* asking whether it is dead */
    RECOVERY_DESTROYING, /* its remains are being ended */
    RECOVERY_SELECTING,  /* waits for a candidate */
    RECOVERY_RECORDING,  /* the intent to start the candidate is being written to disk */
    RECOVERY_PREPARING,  /* pre-start hooks run */
    RECOVERY_STARTING,   /* the candidate is being started */
    RECOVERY_RESOLVING,  /* the start was cut off: asking what became of it */
    RECOVERY_STOPPING,   /* a candidate that may be half up is being ended before the next */
    RECOVERY_SETTLING,   /* it runs; must stay up for the settle time */
    RECOVERY_VERIFYING,  /* it stayed up; must show that it does its work */
    RECOVERY_WAITING,    /* no candidate is left; the failed machine is started again after a pause */
    RECOVERY_ANNOUNCING, /* hooks are asked before the machine that serves is relieved */
    RECOVERY_RELIEVING,  /* it is being asked to shut down */
    RECOVERY_LEAVING,    /* it shuts down */
    RECOVERY_ENDING,     /* it did not in time, and is ended */
    RECOVERY_RECOVERED,
    RECOVERY_EXHAUSTED,  /* no candidate is left */
    RECOVERY_DISMISSED,  /* the machine runs after all */
    RECOVERY_OBSERVED,   /* mode observe: decided, nothing started */
    RECOVERY_CALLED_OFF, /* a failover or failback: the machine that served goes on, or was started again */
    RECOVERY_HELD,       /* the machine failed while it was held: nothing was begun, or nothing further */
    RECOVERY_STATE_COUNT,
};

/* "detected", "confirming", …; the last six are the outcomes that history shows. */
const char *recovery_state_name(enum recovery_state state);
bool recovery_state_is_final(enum recovery_state state);
/* The failed machine is not known to be dead yet. */
bool recovery_state_is_unconfirmed(enum recovery_state state);
/* A candidate was chosen and did not fail yet, nor is it known to work. */
bool recovery_state_has_candidate(enum recovery_state state);
/* As above, and it takes a place among the starts under way on its hypervisor. */
bool recovery_state_is_coming_up(enum recovery_state state);
/* The machine that serves is being relieved: with RELIEF_FIRST nothing was asked of the candidate yet. */
bool recovery_state_is_relieving(enum recovery_state state);
/* Its question is put to the hypervisor of the failed machine. */
bool recovery_state_asks_of_failed(enum recovery_state state);

enum recovery_event_kind {
    RECOVERY_BEGIN,
    RECOVERY_ANSWER,           /* the action under way was answered: see result */
    RECOVERY_CHOSEN,           /* candidate is claimed for this recovery */
    RECOVERY_NO_CANDIDATE,     /* no candidate is left; detail says why */
    RECOVERY_NO_ORIGINAL,      /* the failed machine itself cannot be started; detail says why */
    RECOVERY_ORIGINAL_RUNS,    /* the failed machine is said to run: old news, or an operator started it */
    RECOVERY_ORIGINAL_STOPPED, /* the failed machine is said to be off */
    RECOVERY_ORIGINAL_FAILED,  /* one that was to be relieved failed by itself: see cause */
    RECOVERY_REPLACEMENT_STOPPED,
    RECOVERY_RECONNECTED,      /* the hypervisor that the recovery waits for is back, and listed */
    RECOVERY_ORIGINAL_FENCED,  /* the host of the failed machine is surely off */
    RECOVERY_CANDIDATE_LOST,   /* the candidate's host is given up, and may still be on */
    RECOVERY_CANDIDATE_FENCED, /* and is surely off */
    RECOVERY_SERVED,           /* its service is served by another machine: detail says by which */
    RECOVERY_CANDIDATE_UNFIT,  /* what was read of it forbids that it runs: detail says why */
    RECOVERY_HOLD,             /* a hold covers it: nothing further is begun; detail says which */
    RECOVERY_RECONSIDER,       /* what it decided was not begun, and is old by now */
    RECOVERY_TICK,
    RECOVERY_ABANDON, /* it cannot go on: detail says why */
    RECOVERY_EVENT_COUNT,
};

const char *recovery_event_name(enum recovery_event_kind kind);

struct recovery_event {
    enum recovery_event_kind kind;
    struct moment now;
    const struct action_result *result; /* RECOVERY_ANSWER */
    const struct machine *candidate;    /* RECOVERY_CHOSEN */
    enum warmth warmth;                 /* RECOVERY_CHOSEN: of the candidate */
    bool takes_over;                    /* RECOVERY_CHOSEN: it was being kept warm, and may run already */
    struct wanted_ports ports;          /* RECOVERY_CHOSEN: on which it must serve, once it runs */
    const char *detail;       /* RECOVERY_NO_CANDIDATE, _NO_ORIGINAL, _CANDIDATE_UNFIT, _SERVED, _HOLD, _ABANDON */
    enum failure_cause cause; /* RECOVERY_ORIGINAL_FAILED */
};

/* An operator orders that another machine takes over from one that serves. */
enum relief {
    RELIEF_NONE,  /* it failed */
    RELIEF_FIRST, /* it is stopped, and then the other one is started */
    RELIEF_LAST,  /* the other one is started and verified, and then it is stopped: the two share nothing */
    RELIEF_COUNT,
};

/* "none", "first", "last". */
const char *relief_name(enum relief relief);

/* What is known of a start that was asked for. */
enum start_fate {
    START_SETTLED,    /* not asked for yet; or answered, or seen to have taken effect: no more will come of it */
    START_UNANSWERED, /* asked for and never answered: the machine may still come up, whatever has been decided since */
    START_CAME_LATE,  /* came up when it had been given up, and is to be ended */
    START_FATE_COUNT,
};

/* "settled" and so on. */
const char *start_fate_name(enum start_fate fate);

/* One candidate that was tried, and what became of it. */
struct recovery_attempt {
    struct machine_ref candidate;
    char *name;
    char *error;    /* NULL: it runs, or nothing went wrong yet */
    bool is_void;   /* understudyd was interrupted, or a host was lost: not the candidate's fault, and not counted */
    bool is_vetoed; /* by a pre-start hook: not tried again by this recovery, nor its fault, and not counted */
    enum start_fate fate;
    bool may_leave_parts;  /* it was to be made from a template, and has not run: coordinator/leftovers */
    bool hangs;            /* the call that starts it was not answered (yet), and may still take effect */
    struct moment decided; /* when it was chosen */
};

/*
 * Kept as the record of history after its end. Times are moments of the failure's own course; a
 * moment of {0} has not come.
 */
struct recovery {
    char id[RECOVERY_ID_SIZE];
    enum recovery_state state;

    struct machine_ref failed;
    char *failed_name;
    struct machine_ref service; /* the original machine of the service that the failed one served */
    char *service_name;
    enum failure_cause cause;
    int priority;
    bool is_drill;
    bool is_rehearsal;                   /* a drill, a failover, or the failback after one of these */
    bool is_cleared;                     /* of one that is: that it failed is no problem any more */
    char ordered_by[OPERATOR_NAME_SIZE]; /* of a drill, a relief, and what is tried again by order */
    enum relief relief;
    struct machine_ref to; /* with relief: the machine that is to take over */
    char *to_name;         /* its name; NULL without relief */
    bool is_forced;        /* with relief: it is ended if it does not shut down in time */
    bool is_anyway;        /* with relief: `to` need not be similar, nor stand by */
    bool is_returning;     /* with relief: `to` was given up, and the machine that served serves again */

    struct machine_ref replacement;       /* the candidate being tried, or the one that runs */
    char *replacement_name;               /* NULL: none (any more) */
    double similarity, coverage, overlap; /* of the replacement */
    enum warmth warmth;                   /* of the replacement when it was chosen */
    struct recovery_attempt *attempts;
    size_t n_attempts;

    unsigned restarts;        /* of the failed machine itself, begun */
    unsigned restarts_before; /* the same by earlier recoveries within recovery.limit_window; set when it is opened */
    bool is_beyond_limit;     /* recovery.limit allows no replacement; set when it is opened */
    bool is_braked;           /* by the brake */
    bool is_refused;          /* by recovery.limit */
    bool is_held;             /* a hold came over it, or over its machine later: what is left to do is the operator's */
    bool is_unrecorded;       /* something was started without an intent on disk */

    struct moment failed_at; /* when its service went down, as far as known: never later than detected */
    struct moment detected, confirmed, decided, recorded, started, settled, ended;
    struct moment relieved;          /* when the failed machine was asked to shut down */
    struct moment down_since;        /* of one that tries a service again: when the first recovery of it failed */
    struct explanation *explanation; /* of the last decision; NULL before it */
    char *detail;                    /* why it ended as it did, one sentence; NULL while it goes on */

    /* under way */
    struct question question;  /* that the state is about */
    enum verify_level level;   /* at which the replacement is verified */
    struct wanted_ports ports; /* on which it must serve */
    char *ports_unasked;       /* why not all of them could be looked at; NULL: they were, or not yet */
    bool state_is_unreliable;  /* it hangs or panics in a loop, and has not been seen dead since: it may look alive */
    bool was_seen_dead; /* in this life of the daemon; from the beginning, where the kernel told the end of its QEMU */
    bool is_restarting; /* the candidate is the failed machine itself */
    bool takes_over;    /* the candidate was being kept warm: that it runs already is our own doing */
    bool is_unfit;      /* the candidate has opened what is in use: it is stopped, also while it is held */
    bool is_changed;    /* since it was last handed out to be written down */
    unsigned long ignored; /* events that meant nothing in their state */
};

/* What one step asks for: at most one action. */
struct recovery_step {
    bool has_action; /* the caller writes the id it gave to the action into question.action_id */
    struct action action;
    bool wants_original;     /* answer with RECOVERY_CHOSEN of the failed machine itself, or RECOVERY_NO_ORIGINAL */
    bool wants_named;        /* answer with RECOVERY_CHOSEN of `to`, or RECOVERY_NO_CANDIDATE */
    bool has_decided;        /* on a candidate */
    bool found_off;          /* the failed machine is off, as its hypervisor says */
    bool has_started;        /* the replacement runs: post-start */
    bool intent_failed;      /* the intent could not be written, and it goes on without */
    bool was_stopped;        /* with releases_candidate: it was started, and is surely off now */
    bool quarantines;        /* with releases_candidate: it did not come up by its own fault */
    bool wants_candidate;    /* answer with RECOVERY_CHOSEN or RECOVERY_NO_CANDIDATE */
    bool releases_candidate; /* the claim on `released` ends */
    bool is_withdrawn;       /* with releases_candidate: before anything was asked of it */
    struct machine_ref released;
    bool ended; /* reached a final state in this step */
};

/* What a hypervisor tells of a machine that failed so is no proof that it works. */
bool recovery_cause_is_unreliable(enum failure_cause cause);

int recovery_new(const char *id, const struct machine *failed, enum failure_cause cause, struct moment detected,
                 struct recovery **ret) _must_check_;
void recovery_free(struct recovery *recovery);
DEFINE_CLEANUP(struct recovery, recovery_free);

/* Takes one event. -ENOMEM (of RECOVERY_CHOSEN only): the recovery is as it was. */
int recovery_handle(struct recovery *recovery, const struct recovery_event *event, const struct config *config,
                    struct recovery_step *ret_step) _must_check_;

/*
 * A recovery read back after the daemon was started anew: puts it where it can go on. What was under
 * way is asked about again as soon as the hypervisor is there (RECOVERY_RECONNECTED).
 */
void recovery_resume(struct recovery *recovery);

/* The replacement has this name now. Without memory it keeps the one that it had. */
void recovery_name_replacement(struct recovery *recovery, const char *name);

/* Ends one that cannot go on, outside of its course: its record is all that is left. */
void recovery_close(struct recovery *recovery, const char *detail, struct moment now);

/* The failed machine and its replacement have one name, on two hosts: what people read names the hosts then. */
bool recovery_is_between_namesakes(const struct recovery *recovery);

/* Attempts that count: not those that we interrupted ourselves. */
size_t recovery_attempt_count(const struct recovery *recovery);
/* When its service went down: as the first recovery of it failed. For one that has ended. */
struct moment recovery_down_since(const struct recovery *recovery);

/* A rehearsal that has failed, unless an operator has cleared that. */
bool recovery_is_failed_rehearsal(const struct recovery *recovery);

/* Another machine than the failed one was started: the recovery counts towards recovery.limit. */
bool recovery_started_another(const struct recovery *recovery);

/* A decision of the recovery was not handed out yet: RECOVERY_RECONSIDER means something to it. */
bool recovery_can_be_reconsidered(const struct recovery *recovery);

/* The hypervisor whose return it waits for, borrowed; NULL: it waits for none. */
const char *recovery_waits_for(const struct recovery *recovery);

/* From detection to the end (or now while it goes on), in microseconds. */
int64_t recovery_duration_us(const struct recovery *recovery, struct moment now);

/*
 * How long the service was down (or is, up to now, while it goes on), in microseconds: from the failure, with what was
 * waited for before it counted as one, and with the fencing of its host. -1: the recovery did not end that, or, ordered,
 * caused none.
 */
int64_t recovery_outage_us(const struct recovery *recovery, struct moment now);

#endif
