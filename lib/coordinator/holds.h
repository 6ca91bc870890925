/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Holds: how one begins and ends, and what then changes for hosts, machines and recoveries. What is held is watched as
 * ever; each component that would begin something asks the machine or the host whether it is held.
 */
#ifndef UNDERSTUDY_COORDINATOR_HOLDS_H
#define UNDERSTUDY_COORDINATOR_HOLDS_H

#include "coordinator/component.h"
#include "coordinator/registry.h"

struct holds {
    struct registry *registry;
    int64_t due_us; /* when one ends next: mono_us; USEC_INFINITY */
};

component_handle holds_handle;
component_deadline holds_deadline;

/* As in hold_new. One that is on the same already gets the new reason and time. -ENOMEM: all is as it was. */
int holds_begin(struct holds *holds, enum hold_scope scope, const struct machine_ref *target, const char *name,
                const char *reason, const char *by, int64_t time_us, struct moment now) _must_check_;
/* The host takes no starts from now on, and its hold begins with holds_have_evacuated. -ENOMEM: all is as it was. */
int holds_evacuate(struct holds *holds, const struct machine_ref *host, const char *reason, const char *by,
                   int64_t time_us, struct moment now) _must_check_;
/* what_stays: which services could not be failed over, for people. */
void holds_have_evacuated(struct holds *holds, struct hold *hold, const char *what_stays, struct moment now);
/* The operator releases exactly this. -ENOENT: it is not held. */
int holds_end(struct holds *holds, enum hold_scope scope, const struct machine_ref *target,
              struct moment now) _must_check_;
/* One that was read back; takes it. -ENOMEM: it is freed. */
int holds_restore(struct holds *holds, struct hold *hold) _must_check_;

#endif
