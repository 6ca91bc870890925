/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * All recoveries under way: opens them, hands them what concerns them, and lets go of those that ended.
 * What one of them goes through is workflow/recovery; candidates are given to them by the assignment.
 */
#ifndef UNDERSTUDY_COORDINATOR_RECOVERIES_H
#define UNDERSTUDY_COORDINATOR_RECOVERIES_H

#include "coordinator/standby/standby.h"
#include "workflow/reading.h"

/* A recovery under way, and what is held for it. */
struct open_recovery {
    struct recovery *recovery;       /* owned by the records */
    const struct machine *failed;    /* held and claimed */
    const struct machine *candidate; /* held and claimed; NULL */
    bool wants_candidate;
    bool wants_original; /* the failed machine itself is to be started again */
    bool is_assignable;  /* the assignment's: in the round under way */
    bool is_postponed;   /* until a listing or a connection changes which candidates there are */
    bool is_behind;      /* it waits for the recovery of another service (precedence) */
    int64_t free_us;     /* mono_us: since when it does so no longer; 0: it never did */
    bool was_kept;       /* the candidate was warm, or on its way there, when it was taken */
    bool was_asked;      /* its start was */
    bool has_action;
    bool is_unchecked; /* with has_action: it was not looked at since whether something is in its way */
    struct action action;
    struct reading reading;                            /* of the candidate, before it is started and after */
    struct open_recovery *prev_reading, *next_reading; /* with reading.is_due */
    struct open_recovery *prev_asking, *next_asking;   /* with has_action: among all that have one */
    const char *starts_on; /* the hypervisor where it counts as a start under way, borrowed; NULL: nowhere */
    int64_t retry_us;      /* mono_us; USEC_INFINITY */
    bool is_retry;         /* its service was down, and is tried again without an order */
};

struct recoveries {
    struct registry *registry;
    struct brake *brake;
    struct guest_clock *guest_clock;
    struct standby *standby;
    struct open_recovery **open;
    size_t n_open;
    struct open_recovery *asking;  /* those with an action, the first that asked first */
    struct open_recovery *reading; /* those whose candidates are to be read */
    size_t n_commitments;          /* among them, starts, and what else commits to a candidate */
    bool has_unchecked;            /* one of these may be unchecked */
    bool has_ended;                /* one of them, since the last sweep */
    int64_t forgot_us;             /* when old records were looked for last: mono_us */
};

component_handle recoveries_handle;
component_answer recoveries_answer;
component_tick recoveries_tick;
component_deadline recoveries_deadline;
component_next recoveries_next;
void recoveries_done(struct recoveries *recoveries);

#endif
