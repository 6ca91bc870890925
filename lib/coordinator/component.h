/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What every component of the coordinator looks like from coordinator.c: the functions of its row in the
 * table. `self` is the component's own struct. A component has those functions that it needs.
 */
#ifndef UNDERSTUDY_COORDINATOR_COMPONENT_H
#define UNDERSTUDY_COORDINATOR_COMPONENT_H

#include "base/moment.h"
#include "protocol/action.h"

/* Acts on the facts that were left for it. False: there were none. */
typedef bool component_handle(void *self, struct moment now);
/* The answer to an action that the component asked for. */
typedef void component_answer(void *self, const struct action *action, const struct action_result *result,
                              struct moment now);
/* Time has passed: what is due now. */
typedef void component_tick(void *self, struct moment now);
/* When the next tick is due: mono_us, or USEC_INFINITY. */
typedef int64_t component_deadline(const void *self);
/* The next action or question that it asks for. False: there is none. */
typedef bool component_next(void *self, struct action *ret);

/* The components; coordinator.c has the table of them. */
enum part {
    PART_MACHINES,
    PART_HOLDS,
    PART_SERVICES,
    PART_AUTOSTART,
    PART_MARKS,
    PART_BRAKE,
    PART_LATE_STARTS,
    PART_HEARTBEAT,
    PART_DISCOVERY,
    PART_GUEST_CLOCK,
    PART_HOSTS,
    PART_FENCE_TESTS,
    PART_STANDBY,
    PART_RECOVERIES,
    PART_LEFTOVERS,
    PART_EXPIRY,
    PART_RETRIES,
    PART_EVACUATION,
    PART_REHEARSALS,
    PART_ASSIGNMENT,
    PART_COUNT,
};

static inline int64_t earlier_us(int64_t a_us, int64_t b_us)
{
    return a_us < b_us ? a_us : b_us;
}

#endif
