/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Candidates for all recoveries that want one, as a set: recoveries that are nearly there are waited
 * for a moment, then a matching serves the more important first and wastes as little likeness as it
 * can. Holds back while the brake is on and where a hypervisor has enough starts under way.
 */
#ifndef UNDERSTUDY_COORDINATOR_ASSIGNMENT_H
#define UNDERSTUDY_COORDINATOR_ASSIGNMENT_H

#include "coordinator/recoveries.h"

struct assignment {
    struct recoveries *recoveries;
    struct moment (*clock)(void); /* NULL: deciding takes no time */
    int64_t began_us;             /* mono_us of the first input; 0: there was none */
    int64_t due_us; /* it waits for recoveries that are nearly there, or goes on: mono_us; USEC_INFINITY */
};

component_handle assignment_handle;
component_deadline assignment_deadline;

#endif
