/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What was made of a machine that never ran is removed. An attempt of a recovery says that there may be something
 * (`may_leave_parts`), from before the intent is on disk until it has been removed, or until the machine has run: then it
 * holds what its guest wrote, and is left alone. A daemon that dies in between finds that in the record.
 *
 *     the attempt has failed, its host is listed, and nothing more will come of its start  ─▶  UNMAKE, until it succeeds
 */
#ifndef UNDERSTUDY_COORDINATOR_LEFTOVERS_H
#define UNDERSTUDY_COORDINATOR_LEFTOVERS_H

#include "coordinator/component.h"
#include "coordinator/tasks.h"

struct leftovers {
    struct registry *registry;
    struct task *tasks; /* one for each machine at most */
    int64_t now_us;     /* mono_us, of the last input */
    int64_t due_us;     /* mono_us: of a start that was not answered nothing comes any more; USEC_INFINITY */
};

component_handle leftovers_handle;
component_answer leftovers_answer;
component_deadline leftovers_deadline;
component_next leftovers_next;
void leftovers_done(struct leftovers *leftovers);

#endif
