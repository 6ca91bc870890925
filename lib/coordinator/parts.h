/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The coordinator as a whole: each component's own struct, and nothing beside them. For coordinator.c, memory.c and
 * view.c, which make up the public interface. */
#ifndef UNDERSTUDY_COORDINATOR_PARTS_H
#define UNDERSTUDY_COORDINATOR_PARTS_H

#include "coordinator/assignment.h"
#include "coordinator/autostart.h"
#include "coordinator/coordinator.h"
#include "coordinator/discovery.h"
#include "coordinator/evacuation.h"
#include "coordinator/expiry.h"
#include "coordinator/fence_tests.h"
#include "coordinator/heartbeat.h"
#include "coordinator/holds.h"
#include "coordinator/leftovers.h"
#include "coordinator/marks.h"
#include "coordinator/recoveries.h"
#include "coordinator/rehearsals.h"
#include "coordinator/retries.h"
#include "coordinator/services.h"

struct coordinator {
    struct registry registry;
    struct holds holds;
    struct brake brake;
    struct late_starts late_starts;
    struct heartbeat heartbeat;
    struct discovery discovery;
    struct guest_clock guest_clock;
    struct standby standby;
    struct recoveries recoveries;
    struct services services;
    struct autostart autostart;
    struct leftovers leftovers;
    struct expiry expiry;
    struct marks marks;
    struct retries retries;
    struct evacuation evacuation;
    struct rehearsals rehearsals;
    struct assignment assignment;
    unsigned long overruns; /* inputs after which the facts did not come to an end */
};

#endif
