/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A machine that was made from a template and is not needed any more is kept, off, for recovery.keep_made, and then removed
 * with its disks; that is announced before.
 *
 *     it is off, ignored, and serves nothing        `idle_since_us` of its memory
 *     … and all but EXPIRY_NOTICE_US of that is over  `removal_us`, and announced: a problem, and a notice
 *     … and it is still so then                       UNMAKE with its data, until it succeeds
 *     it runs, or has another role                  both are forgotten
 *     it was migrated, or another host knows it       it is never removed, from then on: its disks are another's
 *
 * Both are on disk, and counted in real time. A machine is never removed sooner after its announcement than that says: when
 * the clock has jumped, it is announced anew.
 */
#ifndef UNDERSTUDY_COORDINATOR_EXPIRY_H
#define UNDERSTUDY_COORDINATOR_EXPIRY_H

#include "coordinator/component.h"
#include "coordinator/tasks.h"

#define EXPIRY_NOTICE_US (7 * 24 * 3600 * USEC_PER_SEC)

struct expiry {
    struct registry *registry;
    struct task *tasks; /* one for each machine at most */
    int64_t look_us;    /* mono_us: all machines are looked at next */
    struct moment now;  /* of the last tick */
    int64_t begun_us;   /* mono_us: they were looked at first; 0: not yet */
};

/* The clock has jumped: what was announced is announced anew. */
void expiry_forget_announcements(struct expiry *expiry);

component_answer expiry_answer;
component_tick expiry_tick;
component_deadline expiry_deadline;
component_next expiry_next;
void expiry_done(struct expiry *expiry);

#endif
