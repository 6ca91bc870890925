/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * All recoveries under way: opens them, hands them what concerns them, and lets go of those that ended.
 * What one of them goes through is workflow/recovery; candidates are given to them by the assignment.
 */
#ifndef UNDERSTUDY_COORDINATOR_RECOVERIES_H
#define UNDERSTUDY_COORDINATOR_RECOVERIES_H

#include "coordinator/standby/standby.h"

struct ranking;

/* A recovery under way, and what is held for it. */
struct open_recovery {
    struct recovery *recovery; /* owned by the records */
    struct machine *failed;    /* held and claimed */
    struct machine *candidate; /* held and claimed; NULL */
    bool wants_candidate;
    bool is_postponed; /* until a listing or a connection changes which candidates there are */
    bool was_kept;     /* the candidate was warm, or on its way there, when it was taken */
    bool was_asked;    /* its start was */
    bool has_action;
    struct action action;
    int64_t retry_us; /* mono_us; USEC_INFINITY */

    /* The assignment's. */
    bool is_assignable;      /* in the round under way */
    struct ranking *ranking; /* of those that could take its place; NULL: none was made yet. See ranking_is_current */
    bool is_doubted;         /* the last ranking turned out to be wrong */
};

struct recoveries {
    struct registry *registry;
    struct brake *brake;
    struct guest_clock *guest_clock;
    struct standby *standby;
    struct open_recovery **open;
    size_t n_open;
};

component_handle recoveries_handle;
component_answer recoveries_answer;
component_tick recoveries_tick;
component_deadline recoveries_deadline;
component_next recoveries_next;
void recoveries_done(struct recoveries *recoveries);

/* So few starts are under way on a hypervisor that one more may be. */
bool recoveries_have_capacity(const struct recoveries *recoveries, const char *hypervisor);

#endif
