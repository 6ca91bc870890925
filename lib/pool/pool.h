/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which machines there are: every domain of every configured hypervisor as a machine, with its role, state and
 * claim, found by identity, by name, by specification, and by what it uses. Kept current by what the hypervisors
 * tell; decides nothing and asks no hypervisor.
 */
#ifndef UNDERSTUDY_POOL_POOL_H
#define UNDERSTUDY_POOL_POOL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"
#include "base/number_set.h"
#include "config/config.h"
#include "discovery/catalog.h"
#include "model/feature.h"
#include "model/machine.h"
#include "pool/policies.h"
#include "pool/shelf.h"
#include "pool/usage.h"

/* Owns its machines. Not thread-safe: lives on the main thread. Borrows the feature table. */
struct pool;
struct pool_host;

int pool_new(struct feature_table *table, struct pool **ret) _must_check_;
void pool_free(struct pool *pool);
DEFINE_CLEANUP(struct pool, pool_free);

/*
 * How values are spelled that people declare, in force with the next pool_configure; adds a reference. NULL: as they were
 * written, as in a new pool.
 */
void pool_set_catalog(struct pool *pool, struct catalog *catalog);

/* Borrowed; NULL: none. */
const struct catalog *pool_catalog(const struct pool *pool);

/*
 * Takes roles, facts, weights and limits from config, now and for every later change, until the next call; machines of
 * hypervisors that are no longer configured are removed. Copies nothing: config must stay until the
 * next pool_configure. -EINVAL, -ERANGE as similarity_rules_new: nothing changed. -ENOMEM: roles and facts may be
 * partly new; call again with the old one.
 */
int pool_configure(struct pool *pool, const struct config *config) _must_check_;

/* The weights and limits of the configuration in force; NULL: none yet. Borrowed until the next pool_configure. */
const struct similarity_rules *pool_rules(const struct pool *pool);

/*
 * What holds for the service that the machine serves, as of the last pool_settle, and by number. Borrowed until the next
 * pool_configure; after the first one.
 */
const struct policy *pool_policy(const struct pool *pool, const struct machine *machine);
uint16_t pool_policy_number(const struct machine *machine);
/* Of a service by its name, and the hypervisor of its original. NULL: no memory. */
const struct policy *pool_find_policy(struct pool *pool, const char *hypervisor, const char *name);
/* A number that there is none of: the general one. */
const struct policy *pool_policy_at(const struct pool *pool, uint16_t number);

/*
 * Inserts or updates a machine from what its hypervisor says, and takes the description: the machine has a copy, or its
 * old one where the new one says the same. What the
 * guest agent told earlier stays, unless a disk that it had was exchanged while it was off. State, claim and sequence are left alone; a new machine starts UNKNOWN.
 * *ret_machine is borrowed; may be NULL. -ENOMEM: nothing changed, description is freed.
 */
int pool_apply(struct pool *pool, const char *hypervisor, struct domain_description *description,
               const struct machine **ret_machine) _must_check_;

/* The machine, to be changed at once: what the pool derives from it follows in pool_settle. The pointer is not to be kept. */
struct machine *pool_edit(struct pool *pool, const struct machine *machine);

/* When its guest's agent told what it offers (real_us), and what it did not tell. Without memory that is not known. */
void pool_set_learned(struct pool *pool, const struct machine *machine, int64_t learned_us, enum guest_lack lack);
/* When it was asked for that last, whether it told it or not: real_us. */
void pool_set_asked(struct pool *pool, const struct machine *machine, int64_t asked_us);
/* When it is to be removed: real_us; 0: it is not. */
void pool_set_removal(struct pool *pool, const struct machine *machine, int64_t removal_us);
/* Its guest is reset again and again, and that is a problem up to then: mono_us. */
void pool_set_resets_until(struct pool *pool, const struct machine *machine, int64_t until_us);
/* What its guest agent told in an earlier life, as "kind/value": knowledge until it tells something else. -ENOMEM. */
int pool_remember_learned(struct pool *pool, const struct machine *machine,
                          const struct string_list *features) _must_check_;

/* Frees the machine; where a claim or a hold still needs it, it stays as not present and GONE until the last of them
 * ends. */
void pool_remove(struct pool *pool, const struct machine *machine);

/* A held machine survives its domain. Every hold is let go of once, and the pointer is not used after that. */
void pool_hold(struct pool *pool, const struct machine *machine);
void pool_let_go(struct pool *pool, const struct machine *machine);

/* Borrowed; NULL if there is none. */
const struct machine *pool_find(const struct pool *pool, const char *hypervisor, const char *uuid);

/* The machine of the same UUID on another hypervisor; NULL if there is none. */
const struct machine *pool_find_twin(const struct pool *pool, const char *hypervisor, const struct machine *machine);

/*
 * By "NAME", "HYPERVISOR/NAME" or UUID, as people write it. Of a domain that was migrated, the one that runs is meant.
 * -ENOENT: no such machine. -ENOTUNIQ: the name or UUID stands for machines on several hypervisors.
 */
int pool_find_by_name(const struct pool *pool, const char *text, const struct machine **ret) _must_check_;

/* How people can refer to this machine: its name, or "hypervisor/name" where the name alone is ambiguous. Borrowed
 * until the pool changes. */
const char *pool_display_name(const struct pool *pool, const struct machine *machine);

/* Iteration by number: start with NULL; NULL ends it. Take the next one before you remove one. */
const struct machine *pool_next(const struct pool *pool, const struct machine *machine);
size_t pool_count(const struct pool *pool);
/* Those of one hypervisor. */
size_t pool_count_on(const struct pool *pool, const char *hypervisor);
/* The machine of this number; NULL: there is none. */
const struct machine *pool_at(const struct pool *pool, uint32_t number);
/* Every number of a machine is below it. */
size_t pool_number_end(const struct pool *pool);

/*
 * Numbers stand for machines that are not known yet, or no longer, as well. The number of this one is, or will be, no
 * other's until pool_drop_number, which is called once. NUMBER_NONE: no memory, or uuid is none.
 */
uint32_t pool_keep_number(struct pool *pool, const char *hypervisor, const char *uuid);
void pool_drop_number(struct pool *pool, uint32_t number);
/* NUMBER_NONE: it has none. */
uint32_t pool_number_of(const struct pool *pool, const char *hypervisor, const char *uuid);
/* Of a number that is kept, or of a machine; the name is borrowed from the pool. */
struct machine_ref pool_ref(const struct pool *pool, uint32_t number);
const char *pool_hypervisor(const struct pool *pool, uint32_t number);

/* Reserves a machine for one recovery. -EBUSY: another recovery has it. Claiming twice for the same recovery is no
 * error. -ENOMEM. */
int pool_claim(struct pool *pool, const struct machine *machine, const char *recovery_id) _must_check_;
/* Does nothing unless this recovery has the claim. May free a machine that is not present any more. */
void pool_release(struct pool *pool, const struct machine *machine, const char *recovery_id);

/* What each source says of it: KNOWLEDGE_COUNT of them, borrowed until it is described anew. */
const struct knowledge *pool_knowledge(const struct machine *machine);

/* Why it is planned and not kept warm, copied; NULL: nothing stands against it. Without memory nothing is kept. */
void pool_set_not_warm(struct pool *pool, const struct machine *machine, const char *why);
/* It did not come up, and is no candidate until then (mono_us; 0: it is one again). why is copied; NULL or "": not known. */
void pool_set_quarantine(struct pool *pool, const struct machine *machine, int64_t until_us, const char *why);
/* An operator stopped it then (mono_us). Without memory that is not known. */
void pool_set_stopped(struct pool *pool, const struct machine *machine, int64_t stopped_us);
/* So much of its host's memory a warm one takes; 0: not known, or none. Without memory it is not known. */
void pool_set_resident(struct pool *pool, const struct machine *machine, uint64_t resident_kib);

/*
 * Resolves the specification anew after the description changed in place (a disk's capacity became known). -ENOMEM: it is as
 * before.
 */
int pool_refresh_environment(struct pool *pool, const struct machine *machine) _must_check_;

/* The hypervisor of the machine lists it, or no longer does, as far as is known. */
void pool_set_present(struct pool *pool, const struct machine *machine, bool is_present);

/* Free memory of the hypervisor's host in KiB as its last listing says; 0: not known. */
void pool_set_free_memory(struct pool *pool, const char *hypervisor, uint64_t free_kib);
uint64_t pool_free_memory(const struct pool *pool, const char *hypervisor);

/* ---- what is derived from the machines ---- */

/*
 * Brings everything below up to date with the machines. now_us: mono_us, for quarantines. Costs some microseconds for
 * each machine that was edited since, nothing for the others. -ENOMEM: some machines are out of place; call it again
 * before anything is chosen.
 */
int pool_settle(struct pool *pool, int64_t now_us) _must_check_;

/* When a quarantine ends next: mono_us; INT64_MAX: there is none. */
int64_t pool_deadline(const struct pool *pool);

enum pool_change {
    POOL_CHANGED,           /* in something else */
    POOL_CHANGED_CANDIDATE, /* whether it is a candidate, or its place among them, may be different */
    POOL_CHANGED_LEAVES,    /* it is about to be freed */
};

/* Told of changes while the pool settles, and when a machine is freed or described anew. It must change and settle nothing. */
typedef void pool_observer(void *context, const struct machine *machine, enum pool_change change);
void pool_observe(struct pool *pool, pool_observer *observer, void *context);

/* So many machines there serve a service of the group, or are being started for one (config_policy.apart). */
uint32_t pool_siblings_on(const struct pool *pool, uint16_t group, const struct pool_host *host);
/* The machine is one of them. */
bool pool_is_sibling(const struct machine *machine, uint16_t group);
/* Rises whenever a host may have come to have a sibling for someone, or has none any more. */
uint64_t pool_sibling_changes(const struct pool *pool);

/* Borrowed until the pool settles again. */
const struct columns *pool_columns(const struct pool *pool, enum pool_set set);
/* The cohorts of an entry of these columns. */
const struct cohort *pool_cohorts(const struct pool *pool, enum pool_set set, uint32_t entry);
/* So many machines of the two sets stand like that. */
size_t pool_standing_count(const struct pool *pool, enum standing standing);
/* When it became another one as a candidate, or may have: mono_us, as of the last settling. */
int64_t pool_changed_us(const struct machine *machine);
/* As of the last settling. */
enum standing pool_standing(const struct machine *machine);
bool pool_is_standing_by(const struct machine *machine);

const struct pool_host *pool_host_of(const struct machine *machine);
const char *pool_host_name(const struct pool_host *host);
/* What a host has to spare in KiB, less what is on its way up there already; 0 with *ret_is_known false: not known. */
uint64_t pool_host_spare_kib(const struct pool_host *host, bool *ret_is_known);
/* Its free memory as of its last listing, in powers of two: the more, the more; 0: not known. */
unsigned pool_host_memory_class(const struct pool_host *host);
/* As pool_host_spare_kib, by name. */
uint64_t pool_spare_memory(struct pool *pool, const char *hypervisor, bool *ret_is_known);

/* The uses that others have of the same, be the machines up or not: start with {0}; false ends it. */
bool pool_sharer_next(const struct pool *pool, const struct use *use, enum users users, struct use *sharer);

#endif
