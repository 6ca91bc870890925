/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the files of the coordinator share, and nobody else includes: links to hypervisors, watches
 * over machines, runs of recoveries. What is to be done stands as flags in them, so that asking for
 * an action never needs memory.
 */
#ifndef UNDERSTUDY_COORDINATOR_COORDINATOR_INTERNAL_H
#define UNDERSTUDY_COORDINATOR_COORDINATOR_INTERNAL_H

#include <uthash.h>

#include <stdarg.h>

#include "coordinator/coordinator.h"
#include "detect/failure.h"
#include "detect/host.h"
#include "choose/plan.h"
#include "choose/explain.h"
#include "choose/select.h"
#include "workflow/warming.h"

/* What could not be done for want of memory is tried again after this. */
#define RETRY_US USEC_PER_SEC

struct ranking;

/* One hypervisor. */
struct link {
    char name[HYPERVISOR_NAME_SIZE];
    bool is_connected;
    bool is_listed;       /* since it was connected */
    bool was_listed;      /* ever */
    int64_t connected_us; /* mono_us */
    bool wants_list;      /* an ACTION_LIST is to be asked for */
    bool is_listing;      /* one is under way */
    int64_t list_at_us;   /* the next one by itself: mono_us */
    uint64_t list_id;
    char *trouble;

    struct host_track host;
    int64_t uptime_us; /* as its last listing said; 0: not known */
    bool has_rebooted; /* as the listing under way shows */
    size_t went_down;  /* machines, with it */
    bool is_unproven;  /* its URI is new, and nobody was ever reached by it */
    bool is_here;      /* on the daemon's own host */
    bool wants_fence;  /* an ACTION_FENCE is to be asked for */
    uint64_t fence_id; /* of the last one */
    int64_t heard_us;  /* its last listing: mono_us */
    int64_t asked_us;  /* when the others were asked about it */
};

/* One machine, seen from the coordinator. */
struct watch {
    struct machine_ref ref;
    struct failure_track track;
    bool lost;             /* uthash had no memory to add it */
    bool is_listed;        /* mark of the listing under way */
    bool has_asked_agent;  /* since it connected last */
    bool wants_inspection; /* is in coordinator.to_inspect */
    bool is_inspecting;
    bool inspect_again;      /* something changed while an inspection was under way */
    enum failure_cause owed; /* detected, but no recovery could be opened yet */
    int64_t owed_until_us;   /* when to try again */
    int64_t absent_since_us; /* it runs, and is not listed any more: mono_us; 0: it is */
    int64_t drill_until_us;  /* a failure up to then is a rehearsal */
    struct run *recovers;    /* the run whose failed machine this is, or NULL */
    struct run *serves;      /* the run whose candidate this is, or NULL */
    struct kept *warms;      /* what is done to have it warm, or NULL */
    unsigned warm_failures;  /* in a row */
    int64_t warm_after_us;   /* not tried again before: mono_us */
    int64_t loose_until_us;  /* as in struct warming, when it was last let go of */
    bool wants_clock;        /* is in coordinator.to_set_clock */
    bool clock_is_due;
    unsigned clock_tries;
    uint64_t clock_action; /* whose answer is awaited; 0: none */
    int64_t clock_at_us;   /* when it is due: mono_us */
    struct watch *next_to_set_clock;
    uint64_t brake_round; /* in which it was counted last */
    bool wants_probe;     /* is in coordinator.to_probe */
    bool is_probing;
    bool has_run;                     /* or was heard of, since the daemon was started */
    bool is_hung;                     /* and that was told: not again until it shows life */
    unsigned misses;                  /* in a row */
    struct probe last_probe;          /* counters at the first of them */
    struct machine_memory remembered; /* from before the daemon was started */
    struct string_list remembered_learned;
    bool is_changed;   /* its state is to be written down: is in coordinator.changed */
    bool is_forgotten; /* and it ends with that, unless it is known again by then */
    struct watch *next_to_inspect;
    struct watch *next_changed;
    struct watch *next_to_probe;
    UT_hash_handle hh;
};

/* A recovery under way, and what the coordinator holds for it. */
struct run {
    struct recovery *recovery;
    struct machine *failed;    /* held and claimed */
    struct machine *candidate; /* held and claimed; NULL */
    bool wants_candidate;
    bool is_assignable; /* of the round under way */
    bool was_kept;      /* warm, or on its way, when it was taken */
    bool takes_over;    /* it was on its way */
    bool was_asked;     /* its start was */
    bool is_postponed;  /* until a listing or a connection changes who there is */
    bool has_action;
    struct action action;
    int64_t retry_us;
    struct ranking *ranking; /* of those who could take its place; NULL: none was made yet. See ranking_is_current */
    bool is_doubted;         /* the last one turned out to be wrong */
};

/* A machine that came up when nobody waited for it any more: to be stopped. */
struct late {
    struct action action;
    bool is_due;
    int64_t retry_us; /* mono_us; USEC_INFINITY: asked, or due */
    struct late *next;
};

/* A standby that is kept warm, or on its way there or back, and what the coordinator holds for it. */
struct kept {
    struct warming warming;
    struct machine *machine; /* held */
    bool is_let_go;          /* taken by a recovery: nothing of it is the keeper's any more */
    bool was_cut;            /* its hypervisor was disconnected since it was listed last */
    bool is_untouched;       /* no start of it was asked for yet */
    bool spends;             /* its start takes memory of its host */
    bool is_wanted;          /* by the plan, within the limits */
    size_t rank;             /* in the plan: the less, the more valuable; SIZE_MAX: not in it */
    int64_t unwanted_us;     /* since when it is not wanted: mono_us; USEC_INFINITY: it is */
    bool has_action;
    struct action action;
    bool wants_weighing;
    uint64_t weigh_action;
    struct moment begun; /* of the course under way */
};

/* Keeps the plan, and standbys warm by it. */
struct keeper {
    struct plan *plan;
    bool is_stale; /* the pool has changed since the last pass began */
    bool is_planning;
    bool has_plan;
    int64_t plan_us; /* no new pass before: mono_us */
    int64_t wake_us; /* mono_us; USEC_INFINITY */
    struct kept **kept;
    size_t n_kept;
    uint64_t last_id;
};

/* One of two that run for the same: to be stopped while the other one runs. */
struct surplus {
    struct action action;
    struct machine_ref survivor;
    bool is_due;
    int64_t retry_us; /* mono_us; USEC_INFINITY: asked, or due */
    struct surplus *next;
};

struct coordinator {
    const struct config *config;
    struct feature_table *features;
    struct pool *pool;
    struct similarity_rules *rules;
    bool host_is_shutting_down;

    struct link *links;
    size_t n_links;
    struct watch *watches;
    struct watch *to_inspect; /* singly linked */

    struct run **runs; /* under way */
    size_t n_runs;
    struct recovery **records; /* all, the oldest first; owns them */
    size_t n_records;
    struct late *late;
    struct surplus *surplus;
    bool is_both_due;           /* a machine's state has changed: does anything run twice? */
    struct recovery **restored; /* read back, and waiting for their hypervisors; records own them */
    size_t n_restored;
    struct watch *to_probe;
    struct watch *to_set_clock;
    struct keeper keeper;
    struct watch *changed; /* machines whose state is to be written down */

    bool has_caught_up;  /* with hosts that were fenced when the daemon last ran */
    bool has_loose;      /* some attempt may have a start that is not settled */
    bool is_held;        /* by the brake */
    bool was_held;       /* when the daemon last ran, and nobody was told yet */
    int64_t released_us; /* failures before this do not brake */
    bool has_failures;   /* new ones, which the brake has not judged */
    uint64_t brake_round;
    int64_t began_us;     /* mono_us of the first thing that came in; 0: nothing did */
    int64_t heartbeat_us; /* the next one; USEC_INFINITY: none */
    int64_t assign_us;    /* an assignment waits for recoveries that are nearly there, or goes on */
    int64_t put_off_us;   /* since when assignments go on later: mono_us; 0: none does */

    struct notice *notices; /* a queue: first_notice … n_notices - 1 */
    size_t first_notice, n_notices;

    uint64_t events;      /* lifecycle events so far */
    uint64_t last_action; /* id */
    bool has_graces;      /* some watch may have a deadline */
    int64_t id_second;    /* of the last recovery id */
    unsigned id_count;
};

/* ---- notices.c ---- */

/* Appends a notice about `machine` (may be NULL) with formatted text. Without memory it is dropped. */
void notices_add(struct coordinator *coordinator, enum notice_kind kind, struct moment at,
                 const struct machine *machine, const char *format, ...) _printf_(5, 6);
/* As above about a run's recovery: with its id, cause, replacement and numbers. */
void notices_add_run(struct coordinator *coordinator, enum notice_kind kind, struct moment at, const struct run *run,
                     const char *format, ...) _printf_(5, 6);

/* As above about a host. */
void notices_add_host(struct coordinator *coordinator, enum notice_kind kind, struct moment at, const char *hypervisor,
                      const char *format, va_list arguments) _printf_(5, 0);

/* ---- hosts.c ---- */

/* It was connected, listed or lost; what the others wait for is looked at again. */
void hosts_handle(struct coordinator *coordinator, struct link *link, enum host_event_kind kind, struct moment now);
/* What a listing says of its uptime shows whether the host was booted since the one before; and what that did. */
void hosts_compare_uptime(struct link *link, int64_t uptime_us, struct moment now);
void hosts_tell_reboot(struct coordinator *coordinator, struct link *link, struct moment now);
/* The same machine is up on another host: it has moved, and perhaps nobody heard of that. */
bool hosts_see_elsewhere(const struct coordinator *coordinator, const struct machine *machine);
/* Each of them was connected to since the start, or that failed. */
bool hosts_are_heard(const struct coordinator *coordinator);
void hosts_tick(struct coordinator *coordinator, struct moment now);
int64_t hosts_deadline(const struct coordinator *coordinator);
/* After a new configuration, which may have mended what kept a host from being fenced: it is tried at once. */
void hosts_configure(struct coordinator *coordinator);
/* Time has passed that nobody saw. */
void hosts_restart_timers(struct coordinator *coordinator, struct moment now);
bool hosts_next(struct coordinator *coordinator, struct action *ret);
void hosts_answer(struct coordinator *coordinator, const struct action *action, const struct action_result *result,
                  struct moment now);
/* It waits for an answer that only this hypervisor can give, or has its candidate there. */
bool recovery_is_on(const struct recovery *recovery, const char *hypervisor);

/* ---- watch.c ---- */

/* Its host was fenced: it is off. has_failed: it was in service, and is recovered where that is wished. */
void watch_lose(struct coordinator *coordinator, struct machine *machine, bool has_failed, struct moment now);

struct link *link_find(const struct coordinator *coordinator, const char *hypervisor);

/* The watch over a machine, made if need be; NULL without memory. */
struct watch *watch_get(struct coordinator *coordinator, const char *hypervisor, const char *uuid);
struct watch *watch_find(const struct coordinator *coordinator, const struct machine_ref *ref);
void watch_inspect(struct coordinator *coordinator, struct watch *watch);
void watch_free_all(struct coordinator *coordinator);
void watch_discard(struct coordinator *coordinator, struct watch *watch);
/* There is no such machine: its watch goes, unless a failure of it is still to be dealt with. */
void watch_forget_unknown(struct coordinator *coordinator, const struct machine_ref *ref);
/* Removes the machine unless a run needs it; the watch goes when that is to be written down. */
void watch_forget(struct coordinator *coordinator, struct machine *machine);

/* What a report says, unless something newer is known (as_of). */
void watch_apply_report(struct coordinator *coordinator, const char *hypervisor, struct domain_report *report,
                        uint64_t as_of, struct moment now);
/* The hypervisor does not list this machine any more. */
void watch_apply_absence(struct coordinator *coordinator, struct machine *machine, uint64_t as_of, struct moment now);

/* Grace periods and recoveries that are owed. */
void watch_tick(struct coordinator *coordinator, struct watch *watch, struct moment now);
int64_t watch_deadline(const struct watch *watch);

/* The state of a machine has changed: it is to be written down. */
void watch_mark_changed(struct coordinator *coordinator, struct watch *watch);
/* A recovery of this machine is under way since before the start: that it does not run is no news. */
void watch_resume_recovery(struct watch *watch, const struct machine *machine);
/* A recovery has surely ended it; what is still told of that is old. */
void watch_write_off(struct coordinator *coordinator, struct watch *watch, struct machine *machine, struct moment now);
/* A recovery of this machine ended; it runs after all, and may fail anew even if nobody told of that. */
void watch_end_recovery(struct coordinator *coordinator, struct watch *watch, struct machine *machine,
                        bool runs_after_all);
/* A failure of a known machine; `why` for people. */
void watch_handle_failure(struct coordinator *coordinator, struct watch *watch, struct machine *machine,
                          enum failure_cause cause, const char *why, struct moment now);

/* ---- heartbeat.c ---- */

/* After a new configuration. */
void heartbeat_configure(struct coordinator *coordinator);
void heartbeat_tick(struct coordinator *coordinator, struct moment now);
/* The next machine to be asked; NULL. */
struct watch *heartbeat_next(struct coordinator *coordinator);
void heartbeat_handle_result(struct coordinator *coordinator, const struct action *action,
                             const struct action_result *result, struct moment now);

/* ---- guest_clock.c ---- */

/* The guest slept, and runs again: its clock is to be set, if it has an agent. */
void guest_clock_want(struct coordinator *coordinator, const struct machine *machine, struct moment now);
bool guest_clock_next(struct coordinator *coordinator, struct action *ret);
void guest_clock_tick(struct coordinator *coordinator, struct moment now);
void guest_clock_handle_result(struct coordinator *coordinator, const struct action *action,
                               const struct action_result *result, struct moment now);
int64_t guest_clock_deadline(const struct coordinator *coordinator);

/* ---- keeper.c ---- */

int keeper_init(struct coordinator *coordinator) _must_check_;
void keeper_free(struct coordinator *coordinator);
/* Something that the plan or the choice looks at has changed. */
void keeper_touch(struct coordinator *coordinator, struct moment now);
void keeper_tick(struct coordinator *coordinator, struct moment now);
int64_t keeper_deadline(const struct coordinator *coordinator);
bool keeper_next(struct coordinator *coordinator, struct action *ret);
/* True: the answer was the keeper's. */
bool keeper_handle_result(struct coordinator *coordinator, const struct action *action,
                          const struct action_result *result, struct moment now);
bool keeper_handle_late_result(struct coordinator *coordinator, const struct action *action, struct moment now);
/* A machine that is kept changed its state, or failed. */
void keeper_tell_state(struct coordinator *coordinator, struct kept *kept, enum machine_state state, struct moment now);
/* A host is off for sure: nothing there is warm any more, whatever an earlier daemon had begun. */
void keeper_lose_host(struct coordinator *coordinator, const char *hypervisor, struct moment now);
void keeper_tell_failure(struct coordinator *coordinator, struct kept *kept, const char *why, struct moment now);
/* Lets go of those whose course is over. */
void keeper_sweep(struct coordinator *coordinator, struct moment now);
/* A recovery wants this machine: false: a call is under way that must end first. */
bool keeper_can_yield(const struct coordinator *coordinator, const struct machine *machine);
/* Leaves it to a recovery, claim and all. False: there was nothing of it that could be handed back. */
bool keeper_yield(struct coordinator *coordinator, struct machine *machine, struct moment now);
/* A step of one that is kept. detail may be NULL. */
void kept_handle(struct coordinator *coordinator, struct kept *kept, enum warming_event_kind kind,
                 const struct action_result *result, const char *detail, struct moment now);
/* What others see of it follows from the state of its course. */
void kept_show(struct coordinator *coordinator, struct kept *kept);
/* Room, hold and watch; not begun yet. -ENOMEM. */
int kept_add(struct coordinator *coordinator, struct machine *machine, struct kept **ret) _must_check_;
/* Begins to keep this one. -ENOMEM, -EBUSY. */
int kept_begin(struct coordinator *coordinator, struct machine *machine, struct moment now) _must_check_;
/* Its QEMU is there, or will be: it counts against the limit. */
bool kept_has_memory(const struct kept *kept);

/* ---- keeper_restore.c ---- */

/* A machine that was kept when the daemon last ran is here: what of it is still ours? */
void keeper_adopt(struct coordinator *coordinator, struct watch *watch, struct machine *machine, struct moment now);
/* A recovery that had it did not start it. may_run: it was taken in the middle of a course. */
void keeper_hand_back(struct coordinator *coordinator, struct machine *machine, bool may_run, struct moment now);
void keeper_disconnected(struct coordinator *coordinator, const char *hypervisor);
void keeper_listed(struct coordinator *coordinator, const char *hypervisor, struct moment now);

/* ---- keeper_choose.c ---- */

/* Which of the plan are worth it now: begins, refreshes and gives back, and says when to look again. */
int64_t keeper_choose(struct coordinator *coordinator, struct moment now);
/* All that are kept, those that are being begun included, have no more memory than they may. */
bool keeper_is_within_limit(const struct coordinator *coordinator);
/* A recovery needs so much on this host: true: it is being given back. */
bool keeper_make_room(struct coordinator *coordinator, const char *hypervisor, uint64_t needed_kib, struct moment now);

/* ---- late.c ---- */

/* A machine's state was learnt. If it came up, a start that was given up may have taken effect; it is ended then. */
void late_observe(struct coordinator *coordinator, const struct machine *machine, bool came_up, struct moment now);
/* A start of it that was given up may still take effect. */
bool late_may_come_up(const struct coordinator *coordinator, const struct machine *machine, struct moment now);
/* The recovery has a start that is not settled, and that is not so long ago that nothing will come of it. */
bool late_is_possible(const struct coordinator *coordinator, const struct recovery *recovery, struct moment now);
/* The next one to be stopped; false: none is due. */
bool late_next(struct coordinator *coordinator, struct action *ret);
/* True: the answer belonged to one of them. One that could not be stopped is tried again. */
bool late_answer(struct coordinator *coordinator, const struct action_result *result, struct moment now);
void late_tick(struct coordinator *coordinator, struct moment now);
int64_t late_deadline(const struct coordinator *coordinator);

/* ---- both.c ---- */

/* As late.c's. */
void both_review(struct coordinator *coordinator, struct moment now);
bool both_next(struct coordinator *coordinator, struct action *ret);
bool both_answer(struct coordinator *coordinator, const struct action_result *result, struct moment now);
void both_tick(struct coordinator *coordinator, struct moment now);
int64_t both_deadline(const struct coordinator *coordinator);
void both_free_all(struct coordinator *coordinator);

/* ---- brake.c ---- */

/* If failures were detected since: are they too many? */
void brake_check(struct coordinator *coordinator, struct moment now);
/* How many recoveries count on the budget of `root` within the window. */
unsigned budget_spent(const struct coordinator *coordinator, const struct machine_ref *root, struct moment now);
/* The machine at the head of the chain of replacements that this one stands in. */
struct machine_ref budget_root(const struct coordinator *coordinator, const struct machine *machine, struct moment now);

/* ---- restore.c ---- */

/* A recovery that was read back concerns this machine, as the failed one or as the candidate. */
bool restore_concerns(const struct coordinator *coordinator, const struct machine_ref *ref);
/* And is its failed machine, or the candidate that it has now. */
bool restore_needs(const struct coordinator *coordinator, const struct machine_ref *ref);
/*
 * A machine is seen for the first time: it is in the state in which it was last known. If a recovery left it there
 * without success and the report says the same, that is no new failure.
 */
void restore_recall(struct coordinator *coordinator, struct watch *watch, struct machine *machine,
                    const struct domain_report *report, struct moment now);
/* The hypervisor was listed: recoveries that waited for it go on. */
void restore_adopt(struct coordinator *coordinator, struct moment now);

/* ---- select_set.c ---- */

/*
 * Frees the runs that have ended, then lets runs that want one have a candidate, as a set. Last in every input.
 */
void runs_assign(struct coordinator *coordinator, struct moment now);

/* ---- run.c ---- */

/* Takes over a recovery that was read back; its machines are there. -ENOMEM. */
int run_adopt(struct coordinator *coordinator, struct recovery *recovery, struct machine *failed,
              struct machine *candidate, struct moment now) _must_check_;
/* It is up: what it needs is spent, whatever its host said last. */
void run_count_memory(struct coordinator *coordinator, struct machine *machine);
/* Claims the candidate and goes on with it. -ENOMEM. */
int run_take(struct coordinator *coordinator, struct run *run, struct machine *candidate,
             struct moment now) _must_check_;
void runs_sweep(struct coordinator *coordinator, struct moment now);

/* Opens a recovery. -ENOMEM: nothing was opened. */
int run_open(struct coordinator *coordinator, struct watch *watch, struct machine *machine, enum failure_cause cause,
             const char *why, struct moment at) _must_check_;
void run_handle(struct coordinator *coordinator, struct run *run, const struct recovery_event *event);
void runs_free_all(struct coordinator *coordinator);

/* ---- runs.c ---- */

/* The run that waits for this answer; NULL. */
struct run *run_find(const struct coordinator *coordinator, uint64_t action_id);
/* Decisions of runs that wait to be carried out are old by now: all of them, or those on one hypervisor. */
void runs_reconsider(struct coordinator *coordinator, const char *hypervisor, struct moment now);
/* Who there is has changed: runs that waited for that choose again. */
void runs_resume(struct coordinator *coordinator, const char *hypervisor, struct moment now);
void runs_tick(struct coordinator *coordinator, struct moment now);
int64_t runs_deadline(const struct coordinator *coordinator);
/* Ends runs whose hypervisors are not configured any more. */
void runs_abandon_unconfigured(struct coordinator *coordinator, const struct config *config, struct moment now);

#endif
