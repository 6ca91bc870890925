/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The one table of the kinds of action: what performs each, how urgent a call to libvirt it is, whether that asks the
 * guest agent, and which function makes it. Their names are action_kind_name's. Includes no libvirt header, so that
 * the rest of the daemon can ask who performs an action.
 */
#ifndef UNDERSTUDY_DAEMON_HYPERVISOR_KINDS_H
#define UNDERSTUDY_DAEMON_HYPERVISOR_KINDS_H

#include <stdbool.h>

#include "hypervisor/worker.h"
#include "protocol/action.h"

enum performer {
    PERFORMER_HYPERVISOR,
    PERFORMER_STORE,
    PERFORMER_PROGRAM,
    PERFORMER_FENCE_AGENT,
    PERFORMER_COUNT,
};

struct _virConnect; /* libvirt's virConnectPtr points to it */

/* Blocks; fills what the result of such an action holds. */
typedef void (*kind_call)(struct _virConnect *connection, const struct action *action, struct action_result *result);

enum performer kind_performer(const struct action *action);
enum job_class kind_job_class(enum action_kind kind);
bool kind_asks_agent(enum action_kind kind);

/* NULL: no hypervisor performs it, or its answer is more than a result (LIST and DESCRIBE). */
kind_call kind_function(enum action_kind kind);

#endif
