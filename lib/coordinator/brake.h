/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Limits on what is done unattended: the budget of one service, so that what kills its machines does
 * not go through the pool, and the brake for many failures at once, whose cause hardly lies in the machines
 * themselves. Counted over recoveries: a machine that boots and dies again resets nothing.
 */
#ifndef UNDERSTUDY_COORDINATOR_BRAKE_H
#define UNDERSTUDY_COORDINATOR_BRAKE_H

#include "coordinator/component.h"
#include "coordinator/registry.h"

struct brake {
    struct registry *registry;
    bool is_on;
    bool was_on;         /* when the daemon last ran, and that was not told yet */
    int64_t released_us; /* failures before this do not brake: mono_us */
};

component_handle brake_handle;

/* Nothing is to be begun with this machine: the brake is on, or the machine is held. */
bool brake_withholds(const struct brake *brake, const struct machine *machine);

/* Lets go of the brake. False: it was not on. */
bool brake_release(struct brake *brake, struct moment now);
/* A recovery was read back that the brake held. */
void brake_restore(struct brake *brake);
/* Tells once that the brake was on when the daemon last ran. */
void brake_announce_restored(struct brake *brake, struct moment now);

/* For how many failures of a service a replacement was started within the window; `except` (may be NULL) is not counted. */
unsigned brake_budget_spent(const struct registry *registry, const struct machine_ref *original,
                            const struct recovery *except, struct moment now);
/* How often this machine was itself started again within the window, as above. */
unsigned brake_restarts_spent(const struct registry *registry, const struct machine_ref *machine,
                              const struct recovery *except, struct moment now);

#endif
