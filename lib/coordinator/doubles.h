/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What runs twice: a machine beside the one that took its place, as when a host comes back that had been
 * given up. That is told, and one of the two is stopped where when_both_run says so, but never the last one.
 */
#ifndef UNDERSTUDY_COORDINATOR_DOUBLES_H
#define UNDERSTUDY_COORDINATOR_DOUBLES_H

#include "coordinator/component.h"
#include "coordinator/tasks.h"

struct doubles {
    struct registry *registry;
    struct task *surplus; /* machines to be stopped while another one runs for the same service */
};

component_handle doubles_handle;
component_answer doubles_answer;
component_next doubles_next;
void doubles_done(struct doubles *doubles);

#endif
