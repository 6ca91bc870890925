/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Machines that were migrated: what is on record of one goes on to be on record of it, on the host where it runs now. A
 * migration counts when both halves of it are known: that the machine left its host, as libvirt says there, and that one of
 * its UUID is up on another host, or was being migrated to it. Which half is learned first, and whether the daemon was
 * started anew in between, makes no difference.
 */
#ifndef UNDERSTUDY_COORDINATOR_MOVES_H
#define UNDERSTUDY_COORDINATOR_MOVES_H

#include "coordinator/registry.h"

/* It was migrated away from there, as libvirt says, and was not started there since. */
bool moves_have_left(const struct registry *registry, const struct machine_ref *ref);
/* The machine of its UUID that is up on another host; NULL: there is none, or several are. Borrowed. */
const struct machine *moves_find_up(const struct registry *registry, const struct machine_ref *ref);
/* It is up on another host, by later news than those of its state here. */
bool moves_came_up_since(const struct registry *registry, const struct machine *machine);
/* A machine of its UUID is up on another host. */
bool moves_run_elsewhere(const struct registry *registry, const struct machine_ref *ref);
/* The only other host to which a migration is bringing it has it; NULL: there is none, or more than one. Borrowed. */
const struct machine *moves_find_incoming(const struct registry *registry, const struct machine_ref *ref);
/* Where the machine runs that was migrated away from there; NULL: it was not, or that is not known (yet). Borrowed. */
const struct machine *moves_find(const struct registry *registry, const struct machine_ref *ref);
/* The same of one whose start was asked for, if that took effect first: what the listing says of it may be older. */
const struct machine *moves_find_started(const struct registry *registry, const struct machine_ref *ref);
/* It is new on its host, left another one by a migration, and is up nowhere else: it was migrated here, and ran. */
bool moves_have_arrived(const struct registry *registry, const struct machine *machine);
/*
 * Where what is on record of the machine belongs now: where it was migrated to, or, where its host does not have it any more,
 * however that came, where it is up. It may have been off when it was last heard of, started and migrated unseen. One that a
 * recovery has started elsewhere is another machine.
 */
const struct machine *moves_trace(const struct registry *registry, const struct machine_ref *ref);

/* Diversions, the services of recoveries, and what recoveries are to end, follow their machines. */
void moves_follow(struct registry *registry, struct moment now);

/* The machine was migrated and is gone from its host: that is remembered as long as a record, a diversion or a hold names it. */
void moves_remember(struct registry *registry, struct watch *watch);
/* It is remembered, and still needed. */
bool moves_are_remembered(const struct registry *registry, const struct watch *watch);

#endif
