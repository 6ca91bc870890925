/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What domains carry in their metadata of what the daemon did with them (model/mark): that one serves a service, or is kept
 * warm. So a lost state directory costs history, and neither protection nor memory. Whenever a machine is described, or what
 * is to be said of it changes, the two are compared, and the mark is written or removed where they differ.
 *
 *     a host is listed first, and none of its machines is on record    its marks are read
 *     … "serves", and the host of the original is not listed yet       is on disk, and waits for that
 *     … "serves", the original is protected, and not up alone          a diversion, for which nothing is ever stopped
 *     … "warm"                                                         it is kept as it is found, and never stopped
 *
 * A mark that says nothing new any more, as of a recovery that ended, is removed.
 */
#ifndef UNDERSTUDY_COORDINATOR_MARKS_H
#define UNDERSTUDY_COORDINATOR_MARKS_H

#include "coordinator/component.h"
#include "coordinator/tasks.h"

struct marks {
    struct registry *registry;
    struct task *tasks; /* one for each machine at most: its mark is to be written, or was, and is not listed yet */
};

component_handle marks_handle;
component_answer marks_answer;
component_next marks_next;
void marks_done(struct marks *marks);

#endif
