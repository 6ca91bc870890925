/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Services are rehearsed, one at a time: another machine takes over, and then the original serves again, by the orders that
 * an operator would give. Those recoveries are marked (`is_rehearsal`), and all else is read off them: when a service was
 * rehearsed last, whether that failed, and whether a rehearsal is to be ended, by the daemon that began it or the next one.
 *
 *     due, in the window, nothing wrong ─▶ a failover, or a drill ─ it ends
 *         recovered ─▶ a failback ─ it ends: the next service, a minute later
 *             not now, and then it is too late ─▶ unfinished: left to an operator, as is all else until then
 *         otherwise ─▶ failed: nothing more is rehearsed until an operator has cleared that, or has it succeed
 *
 * A replacement that fails meanwhile is recovered like any other, and that ends the rehearsal: the service stays where it is.
 */
#ifndef UNDERSTUDY_COORDINATOR_REHEARSALS_H
#define UNDERSTUDY_COORDINATOR_REHEARSALS_H

#include "config/window.h"
#include "coordinator/recoveries.h"
#include "protocol/order.h"
#include "protocol/rehearsal.h"

struct rehearsals {
    struct recoveries *recoveries;
    wall_clock *clock;
    size_t n_severe; /* problems, as the driver told last */
    bool
        has_looked; /* so that what is wrong at the start, or by a new configuration, is known before anything begins */
    int64_t due_us; /* when it is looked again whether something is to be done: mono_us */
    struct order drill; /* to be carried out by the driver; kind ORDER_COUNT: none */
    char drilled_by[OPERATOR_NAME_SIZE];
    struct machine_ref drilled; /* the machine of the last drill that was handed out; empty: none, or it is over */
};

component_handle rehearsals_handle;
component_deadline rehearsals_deadline;

/* The configuration is another. */
void rehearsals_configure(struct rehearsals *rehearsals);

/* ORDER_REHEARSE, as coordinator_order. */
int rehearsals_order(struct rehearsals *rehearsals, const struct order *order, struct moment now,
                     struct order_answer *ret) _must_check_;

/* As coordinator_next_drill. */
bool rehearsals_next_drill(struct rehearsals *rehearsals, struct moment now, struct order *ret);
/* Where a drill for a rehearsal is announced: it is not carried out, and the rehearsal has failed. */
void rehearsals_fail_drill(struct rehearsals *rehearsals, const struct machine_ref *ref, const char *why,
                           struct moment now);

/* As coordinator_rehearsal_trouble. */
enum rehearsal_trouble rehearsals_trouble_of(const struct registry *registry, const struct recovery *recovery);

/* As coordinator_rehearsal. */
int rehearsals_look_out(struct rehearsals *rehearsals, const struct machine_ref *service, struct moment now,
                        struct rehearsal *ret) _must_check_;

#endif
