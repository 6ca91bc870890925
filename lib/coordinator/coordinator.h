/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * All recoveries at once, and the way into them: takes what hypervisors tell, keeps the pool current,
 * judges stops, opens recoveries, and has candidates chosen and claimed for them. Pure: events in,
 * actions and notices out; the daemon, the simulator and the tests are its drivers.
 *
 * Every function that can run out of memory handles it by a NOTICE_OUT_OF_MEMORY and a new listing of
 * the hypervisor concerned, so that nothing stays lost.
 */
#ifndef UNDERSTUDY_COORDINATOR_COORDINATOR_H
#define UNDERSTUDY_COORDINATOR_COORDINATOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/moment.h"
#include "config/config.h"
#include "config/window.h"
#include "detect/host.h"
#include "model/hold.h"
#include "pool/pool.h"
#include "protocol/action.h"
#include "protocol/event.h"
#include "protocol/fence_log.h"
#include "protocol/explanation.h"
#include "protocol/notice.h"
#include "protocol/order.h"
#include "protocol/rehearsal.h"
#include "workflow/diversion.h"
#include "workflow/recovery.h"

struct coordinator;

/*
 * Takes config's values until the next coordinator_configure; borrows it. catalog: as of coordinator_set_catalog. -ENOMEM,
 * -EINVAL as similarity_rules_new.
 */
int coordinator_new(const struct config *config, struct catalog *catalog, struct coordinator **ret) _must_check_;
void coordinator_free(struct coordinator *coordinator);
DEFINE_CLEANUP(struct coordinator, coordinator_free);

/* As pool_set_catalog: in force with the next coordinator_configure. */
void coordinator_set_catalog(struct coordinator *coordinator, struct catalog *catalog);

/* Swaps the configuration; on error the old one stays in force. The old one may be freed afterwards. */
int coordinator_configure(struct coordinator *coordinator, const struct config *config) _must_check_;

/* ---- what the world tells ---- */

/* A connection is up: everything it has must be listed (an ACTION_LIST follows). Or it is gone. */
void coordinator_handle_connected(struct coordinator *coordinator, const char *hypervisor, struct moment now);
void coordinator_handle_disconnected(struct coordinator *coordinator, const char *hypervisor, const char *why,
                                     struct moment now);

/*
 * An attempt to connect failed for a reason that says nothing of the host: its kernel refused, or the fault is the
 * daemon's. The time after which it counts as lost begins anew.
 */
void coordinator_handle_refused(struct coordinator *coordinator, const char *hypervisor, struct moment now);

void coordinator_handle_event(struct coordinator *coordinator, const char *hypervisor,
                              const struct domain_event *event);

/* Answers ACTION_LIST; takes the inventory. */
void coordinator_handle_inventory(struct coordinator *coordinator, const struct action *action,
                                  struct inventory *inventory, struct moment now);
/* Answers ACTION_DESCRIBE and ACTION_READ; takes report->description. report NULL: no such domain any more. */
void coordinator_handle_description(struct coordinator *coordinator, const struct action *action,
                                    struct domain_report *report, struct moment now);
/* Answers every other action, and LIST, DESCRIBE and READ when they failed. */
void coordinator_handle_result(struct coordinator *coordinator, const struct action *action,
                               const struct action_result *result, struct moment now);

/*
 * An action that was answered -ETIMEDOUT has come back after all. A machine whose start succeeds when
 * no recovery waits for it any more is stopped again (an ACTION_DESTROY follows): it would run beside the
 * replacement that was started in its stead.
 */
void coordinator_handle_late_result(struct coordinator *coordinator, const struct action *action,
                                    const struct action_result *result, struct moment now);

/* Something the driver noticed that belongs into the journal with the rest. machine may be NULL. */
void coordinator_note(struct coordinator *coordinator, enum notice_kind kind, const struct machine_ref *machine,
                      const char *text, struct moment now);

/* What became of a fence agent, of ACTION_FENCE or ACTION_TEST_FENCING, or of a test that was ordered; before the answer. */
void coordinator_handle_fence_report(struct coordinator *coordinator, const char *hypervisor,
                                     const struct fence_report *report, struct moment now);

/* A disk's capacity became known. */
void coordinator_handle_capacity(struct coordinator *coordinator, const struct machine_ref *machine, const char *source,
                                 uint64_t capacity_bytes);

/* More is known there of which images disks are, and what stands below them: that hypervisor is listed again. */
void coordinator_handle_recognised(struct coordinator *coordinator, const char *hypervisor, struct moment now);

/*
 * Measures how long it takes to decide, which is part of what is told of a recovery. Without it, deciding takes no time:
 * what is decided depends on the moments that are handed in alone.
 */
void coordinator_set_clock(struct coordinator *coordinator, struct moment (*clock)(void));

/* How the clock on the wall is read, for times of the week in the configuration. Without it, they are in UTC. */
void coordinator_set_wall_clock(struct coordinator *coordinator, wall_clock *clock);

/* So many severe problems are known (lib/report/problems.h): while there are any, nothing is rehearsed. */
void coordinator_set_severe_problems(struct coordinator *coordinator, size_t n);

/* The host of this hypervisor is shutting down: stops by signal are planned from now on. */
void coordinator_set_host_shutdown(struct coordinator *coordinator, bool is_shutting_down);

/*
 * An operator orders something. Fills in *ret, also when the order is refused. -EBUSY: refused as things are. -EPERM: it
 * needs to be confirmed. -ENOENT: there is no such machine. -ENOMEM.
 */
int coordinator_order(struct coordinator *coordinator, const struct order *order, struct moment now,
                      struct order_answer *ret) _must_check_;

/* The failure that a drill was to cause does not come, and why: what happens to the machine from now on is no drill. */
void coordinator_call_off_drill(struct coordinator *coordinator, const struct machine_ref *machine, const char *why,
                                struct moment now);

/*
 * The host slept, or the clock jumped: what is known is old. Watching goes on; acting waits until every
 * hypervisor has been listed anew.
 */
void coordinator_handle_clock_jump(struct coordinator *coordinator, struct moment now);

/* Lets go of the brake. False: it was not on. */
bool coordinator_release_brake(struct coordinator *coordinator, struct moment now);

/*
 * An operator orders that nothing is done, for everything, a host or a machine; or ends exactly that order. As in
 * hold_new; one that is there already gets the new reason and time. coordinator_release: -ENOENT: it is not held.
 */
int coordinator_hold(struct coordinator *coordinator, enum hold_scope scope, const struct machine_ref *target,
                     const char *name, const char *reason, const char *by, int64_t time_us,
                     struct moment now) _must_check_;
int coordinator_release(struct coordinator *coordinator, enum hold_scope scope, const struct machine_ref *target,
                        struct moment now) _must_check_;

/*
 * An operator has made sure that a host that cannot be reached is off: its machines are recovered elsewhere. -ENOENT:
 * no such hypervisor. -EBUSY: it can be reached. -EALREADY: it is known to be off. -ECANCELED: it is held.
 */
int coordinator_confirm_fenced(struct coordinator *coordinator, const char *hypervisor, struct moment now) _must_check_;

/*
 * A recovery as it was written down before the daemon was started; takes it. One that was under way goes on, or is
 * closed, when its hypervisors have been listed. Before the first connection. -ENOMEM: freed.
 */
int coordinator_restore(struct coordinator *coordinator, struct recovery *recovery) _must_check_;
/* A machine as it was last known, before the daemon was started. -ENOMEM. */
int coordinator_remember(struct coordinator *coordinator, const struct machine_ref *machine,
                         const struct machine_memory *memory) _must_check_;

/*
 * What it was: it stands in the pool in that state, out of reach, until its hypervisor has been listed. After
 * coordinator_remember; takes the description. -ENOMEM.
 */
int coordinator_remember_description(struct coordinator *coordinator, const struct machine_ref *machine,
                                     struct domain_description *description) _must_check_;
/* What was known of a host then; lost and fenced ones are written down. -ENOENT: not configured any more. */
int coordinator_remember_host(struct coordinator *coordinator, const char *hypervisor, enum host_state state,
                              struct moment missing, struct moment fenced) _must_check_;

/* What fence agents did to it; takes the log, also on error. -ENOENT: there is no such host. */
int coordinator_remember_fence_log(struct coordinator *coordinator, const char *hypervisor,
                                   struct fence_log *log) _must_check_;

/* What its guest agent told then, as "kind/value". After coordinator_remember_description. -ENOMEM. */
int coordinator_remember_learned(struct coordinator *coordinator, const struct machine_ref *machine,
                                 const struct string_list *features) _must_check_;

/* Time has passed: call at coordinator_deadline() (mono_us, USEC_INFINITY: never) or earlier. */
void coordinator_tick(struct coordinator *coordinator, struct moment now);
int64_t coordinator_deadline(const struct coordinator *coordinator);

/* ---- what it asks for, and tells ---- */

/* The driver takes them until false after a call above, or after several that come in at the same time. outbox.h has the
 * contract. */
bool coordinator_next_action(struct coordinator *coordinator, struct action *ret);
/* A drill that is to be carried out as if an operator had ordered it: an ORDER_DRILL, borrowed until the next call. */
bool coordinator_next_drill(struct coordinator *coordinator, struct moment now, struct order *ret);
/* A recovery that has changed and should be written down; borrowed until the next call. */
const struct recovery *coordinator_next_changed_recovery(struct coordinator *coordinator);
/*
 * A machine of which something is to be written down, MACHINE_GONE: nothing any more; false: none. In one transaction
 * with the recoveries: neither may reach the disk without the other.
 */
bool coordinator_next_changed_machine(struct coordinator *coordinator, struct machine_ref *ret_machine,
                                      struct machine_memory *ret);
/* What is to be written down of this machine now; MACHINE_GONE: there is none. */
struct machine_memory coordinator_memory(const struct coordinator *coordinator, const struct machine_ref *machine);
/* A host whose state should be written down before that of any machine; borrowed; NULL: none. */
const struct host_track *coordinator_next_changed_host(struct coordinator *coordinator, const char **ret_hypervisor);
/* What fence agents did to a host, to be written down; borrowed; NULL: none has changed. */
const struct fence_log *coordinator_next_changed_fence_log(struct coordinator *coordinator,
                                                           const char **ret_hypervisor);
/* What the guest agent of a machine has told, to be written down with it: added to *learned. -ENOMEM. */
int coordinator_learned(const struct coordinator *coordinator, const struct machine_ref *machine,
                        struct string_list *learned) _must_check_;
/* The notice is handed over: notice_done. */
bool coordinator_next_notice(struct coordinator *coordinator, struct notice *ret);

/* A diversion that was read back; takes it. Before the first input. -ENOMEM: it is freed. */
int coordinator_restore_diversion(struct coordinator *coordinator, struct diversion *diversion) _must_check_;
/* One that has changed and is to be written down, or with is_over forgotten; borrowed until the next call. NULL: none. */
const struct diversion *coordinator_next_changed_diversion(struct coordinator *coordinator);

/* A hold that was read back; takes it. Before the first input. -ENOMEM: it is freed. */
int coordinator_restore_hold(struct coordinator *coordinator, struct hold *hold) _must_check_;
/* One that has changed and is to be written down, or with is_over forgotten; borrowed until the next call. NULL: none. */
const struct hold *coordinator_next_changed_hold(struct coordinator *coordinator);

/* ---- what it knows ---- */

/* Those that are over included, until they are written down. */
size_t coordinator_hold_count(const struct coordinator *coordinator);
const struct hold *coordinator_hold_at(const struct coordinator *coordinator, size_t index);

/* A standby is warm, or being warmed or laid down. */
bool coordinator_keeps_warm(const struct coordinator *coordinator);

size_t coordinator_diversion_count(const struct coordinator *coordinator);
const struct diversion *coordinator_diversion(const struct coordinator *coordinator, size_t index);

struct pool *coordinator_pool(const struct coordinator *coordinator);
/* Who would take over from each protected machine, complete and current; borrowed until the next input. NULL without
 * memory. */
struct plan *coordinator_plan(const struct coordinator *coordinator, struct moment now);
/* The same where it is complete by itself, as it is unless much has changed just now; else NULL, at no cost. */
struct plan *coordinator_plan_so_far(const struct coordinator *coordinator, struct moment now);
struct feature_table *coordinator_features(const struct coordinator *coordinator);

/* The configuration in force, as of coordinator_configure. */
const struct config *coordinator_config(const struct coordinator *coordinator);

/* The brake is on: nothing is started until coordinator_release_brake. */
bool coordinator_is_braked(const struct coordinator *coordinator);

/* After so many inputs the components did not come to an end, which is a fault of this program. */
unsigned long coordinator_overruns(const struct coordinator *coordinator);

/* Every configured hypervisor has been listed at least once since the start. */
bool coordinator_is_ready(const struct coordinator *coordinator);

struct hypervisor_status {
    const char *name; /* borrowed */
    const char *uri;
    bool is_connected;
    bool is_listed;
    size_t machines;
    uint64_t free_memory_kib;
    bool is_read_only;   /* nothing can be done there, said its last listing */
    const char *trouble; /* borrowed: why it is not connected; NULL */
    const char *same_as; /* borrowed: another one that is a connection to the same host, and takes part; NULL */
    const struct host_track *host;
    const struct hold *hold;             /* the nearest that covers it, borrowed; NULL */
    const struct fence_log *fence_tests; /* borrowed: the last test of each agent */
    const struct fence_log *fence_log;   /* borrowed: what agents were asked to switch it off or on */
    bool is_local;                       /* the daemon's own host, which is never fenced */
    bool can_be_fenced;                  /* it is not, and there is an agent */
};

size_t coordinator_hypervisor_count(const struct coordinator *coordinator);
struct hypervisor_status coordinator_hypervisor(const struct coordinator *coordinator, size_t index);

/* Recoveries, the oldest first, with the finished ones of recovery.history_days, and no more than CONFIG_HISTORY_MAX
 * but for those that still count for a limit. Borrowed until the next call that
 * takes `now`. */
size_t coordinator_recovery_count(const struct coordinator *coordinator);
const struct recovery *coordinator_recovery(const struct coordinator *coordinator, size_t index);
/* NULL: none of that id. */
const struct recovery *coordinator_find_recovery(const struct coordinator *coordinator, const char *id);

/* When the service of this original is rehearsed, and what stands against it; rehearsal_done. Changes nothing. -ENOMEM. */
int coordinator_rehearsal(const struct coordinator *coordinator, const struct machine_ref *service, struct moment now,
                          struct rehearsal *ret) _must_check_;

/* What this one has left behind, if it is a rehearsal. */
enum rehearsal_trouble coordinator_rehearsal_trouble(const struct coordinator *coordinator,
                                                     const struct recovery *recovery);

/*
 * Which machine would take over if this one failed now? Lists so many of the eligible candidates, and of the others.
 * Changes nothing. -ENOMEM.
 */
int coordinator_explain(const struct coordinator *coordinator, const struct machine *machine, size_t limit,
                        struct moment now, struct explanation **ret) _must_check_;

#endif
