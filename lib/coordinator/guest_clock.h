/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Clocks of guests that slept, suspended or saved, and run again: set through their agents, beside the
 * recovery and never in its way. An agent that does not answer yet is asked again a few times.
 */
#ifndef UNDERSTUDY_COORDINATOR_GUEST_CLOCK_H
#define UNDERSTUDY_COORDINATOR_GUEST_CLOCK_H

#include "coordinator/component.h"
#include "coordinator/tasks.h"

struct guest_clock {
    struct registry *registry;
    struct task *sleepers; /* guests whose clock is to be set */
};

/* The guest slept, and runs again: its clock is to be set, if it has an agent. Without memory that is told. */
void guest_clock_want(struct guest_clock *guest_clock, const struct machine *machine, struct moment now);

component_answer guest_clock_answer;
component_next guest_clock_next;
void guest_clock_done(struct guest_clock *guest_clock);

#endif
