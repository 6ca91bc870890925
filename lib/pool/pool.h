/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which machines there are: every domain of every configured hypervisor as a machine, with its role, state and
 * claim. Kept current by what the hypervisors tell; decides nothing and asks no hypervisor.
 */
#ifndef UNDERSTUDY_POOL_POOL_H
#define UNDERSTUDY_POOL_POOL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"
#include "config/config.h"
#include "model/feature.h"
#include "model/machine.h"

/* Owns its machines. Not thread-safe: lives on the main thread. Borrows the feature table. */
struct pool;

int pool_new(struct feature_table *table, struct pool **ret) _must_check_;
void pool_free(struct pool *pool);
DEFINE_CLEANUP(struct pool, pool_free);

/*
 * Takes roles and facts from config, now and for every later change, until the next call; machines of
 * hypervisors that are no longer configured are removed. Copies nothing: config must stay until the
 * next pool_configure. -ENOMEM: roles and facts may be partly new; call again with the old one.
 */
int pool_configure(struct pool *pool, const struct config *config) _must_check_;

/*
 * Inserts or updates a machine from what its hypervisor says, and takes the description. What the
 * guest agent told earlier stays. State, claim and sequence are left alone; a new machine starts UNKNOWN.
 * *ret_machine is borrowed; may be NULL. -ENOMEM: nothing changed, description is freed.
 */
int pool_apply(struct pool *pool, const char *hypervisor, struct domain_description *description,
               struct machine **ret_machine) _must_check_;

/* What its guest agent told in an earlier life, as "kind/value": knowledge until it tells something else. -ENOMEM. */
int pool_remember_learned(struct pool *pool, struct machine *machine, const struct string_list *features) _must_check_;

/* Frees the machine; where a claim or a hold still needs it, it stays as not present and GONE until the last of them
 * ends. */
void pool_remove(struct pool *pool, struct machine *machine);

/* A held machine survives its domain. Every hold is let go of once, and the pointer is not used after that. */
void pool_hold(struct pool *pool, struct machine *machine);
void pool_let_go(struct pool *pool, struct machine *machine);

/* Borrowed; NULL if there is none. */
struct machine *pool_find(const struct pool *pool, const char *hypervisor, const char *uuid);

/*
 * By "NAME", "HYPERVISOR/NAME" or UUID, as people write it. -ENOENT: no such machine. -ENOTUNIQ: the
 * name or UUID stands for machines on several hypervisors.
 */
int pool_find_by_name(const struct pool *pool, const char *text, struct machine **ret) _must_check_;

/* How people can refer to this machine: its name, or "hypervisor/name" where the name alone is ambiguous. Borrowed
 * until the pool changes. */
const char *pool_display_name(const struct pool *pool, const struct machine *machine);

/* Iteration in order of arrival: start with NULL; NULL ends it. Take the next one before you remove one. */
struct machine *pool_next(const struct pool *pool, const struct machine *machine);
size_t pool_count(const struct pool *pool);

/* Reserves a machine for one recovery. -EBUSY: another recovery has it. Claiming twice for the same recovery is no
 * error. -ENOMEM. */
int pool_claim(struct pool *pool, struct machine *machine, const char *recovery_id) _must_check_;
/* Does nothing unless this recovery has the claim. May free a machine that is not present any more. */
void pool_release(struct pool *pool, struct machine *machine, const char *recovery_id);

/* Why it is planned and not kept warm, copied; NULL: nothing stands against it. Without memory nothing is kept. */
void pool_set_not_warm(struct pool *pool, struct machine *machine, const char *why);

/* Resolves the specification anew after the description changed in place (a disk's capacity became known). */
void pool_refresh_environment(struct pool *pool, struct machine *machine);

/* The hypervisor of the machine lists it, or no longer does, as far as is known. */
void pool_set_present(struct pool *pool, struct machine *machine, bool is_present);

/*
 * Is another one when a machine came or was freed, appeared or vanished, or its name, its specification or its roles
 * became different, and after every pool_configure. While it is the same, pointers to machines stay good.
 */
uint64_t pool_version(const struct pool *pool);

/* Free host memory in KiB as last reported by the hypervisor; 0: not known. */
void pool_set_free_memory(struct pool *pool, const char *hypervisor, uint64_t free_kib);
uint64_t pool_free_memory(const struct pool *pool, const char *hypervisor);

/* Marks a machine as on its way up (or no longer), and what such machines of a hypervisor need together, in KiB. */
void pool_set_starting(struct pool *pool, struct machine *machine, bool is_starting);
uint64_t pool_starting_memory(const struct pool *pool, const char *hypervisor);

#endif
