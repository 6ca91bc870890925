/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The autostart of originals: off while a replacement serves, so that a host that boots does not start the original beside
 * it, and on again when the original serves. Whether it was on is asked, and is on disk before it is switched off:
 *
 *     the service is diverted      GET_AUTOSTART ─ on ─▶ QUEUE_AUTOSTART, REMEMBER ─▶ SET_AUTOSTART off
 *     … no longer, and protected   SET_AUTOSTART on ─▶ leaves QUEUE_AUTOSTART
 *
 * A daemon that dies in between asks again: the queue is restored from what is on disk. An original whose replacement was
 * kept is not protected any more, and its autostart stays off; so does that of one that was migrated away, where it was.
 */
#ifndef UNDERSTUDY_COORDINATOR_AUTOSTART_H
#define UNDERSTUDY_COORDINATOR_AUTOSTART_H

#include "coordinator/component.h"
#include "coordinator/tasks.h"

struct autostart {
    struct registry *registry;
    struct task *tasks; /* one for each machine at most: the step that is to be done */
};

component_handle autostart_handle;
component_answer autostart_answer;
component_next autostart_next;
void autostart_done(struct autostart *autostart);

/* A call that was given up has come back. */
void autostart_handle_late_result(struct autostart *autostart, const struct action *action,
                                  const struct action_result *result);

#endif
