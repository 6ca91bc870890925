/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the driver of the make-believe world needs of its hypervisors. Tests use world.h alone. */
#ifndef UNDERSTUDY_TESTS_WORLD_ANSWERS_H
#define UNDERSTUDY_TESTS_WORLD_ANSWERS_H

#include "world.h"

unsigned world_host_of(const struct world *world, const struct machine_ref *ref);

/* The domain is off from now on; no event tells of it. */
void world_stop(struct world *world, unsigned number, enum machine_reason reason);
/* Does what the action asks for, and answers it from these domains. */
void world_do(struct world *world, const struct action *action, const struct world_domain *domains);
/* Hands the answer in, unless the daemon that asked is dead. */
void world_deliver(struct world *world, const struct action *action, const struct action_result *result);

#endif
