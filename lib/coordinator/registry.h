/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the coordinator knows: hosts, machines under watch and recoveries, and the facts that are left for
 * its components. A fact is a mark on a machine, on a host, or on the whole; machines with a mark
 * stand in an intrusive queue, so that leaving a fact never needs memory. A component reads its facts in
 * its handle function, and a fact that was read is gone. Decides nothing.
 */
#ifndef UNDERSTUDY_COORDINATOR_REGISTRY_H
#define UNDERSTUDY_COORDINATOR_REGISTRY_H

#include "base/number_set.h"
#include "choose/plan.h"
#include "coordinator/diversions.h"
#include "coordinator/hold_marks.h"
#include "coordinator/outbox.h"
#include "coordinator/records.h"
#include "detect/failure.h"
#include "detect/hang.h"
#include "detect/host.h"
#include "protocol/fence_log.h"

/* What could not be done for want of memory is tried again after this. */
#define RETRY_US USEC_PER_SEC
/* Where a listing, or a description of a machine, has failed, its host is listed after this. */
#define LIST_RETRY_US (2 * USEC_PER_SEC)

struct open_recovery;
struct warm_standby;

/* Facts about the whole, each with the one component that reads it. */
enum fact {
    FACT_INPUT,           /* assignment: something came in */
    FACT_POOL_CHANGED,    /* standby: what the plan or the choice looks at is different */
    FACT_SERVING_CHANGED, /* services: which machines run for a service may be different */
    FACT_FAILURES,        /* brake: recoveries were opened */
    FACT_HOLDS_CHANGED,   /* recoveries: what is held is different */
    FACT_BRAKE_TURNED,    /* recoveries: decisions that are not carried out yet are old */
    FACT_USES_CHANGED,    /* recoveries: a machine came up, or uses something else */
    FACT_ADOPTABLE,       /* recoveries: what restored recoveries wait for may be there */
    FACT_HELP,            /* retries: something came in, which may help a service that is down */
    FACT_LEFTOVERS, /* leftovers: what was made of a machine, or was not made to the end, may have to be removed */
    FACT_REHEARSED, /* rehearsals: a part of one has ended */
    FACT_COUNT,
};

/* The components that read facts about hosts. */
enum host_reader {
    HOST_READER_HOSTS,
    HOST_READER_STANDBY,
    HOST_READER_RECOVERIES,
    HOST_READER_MARKS,
    HOST_READER_COUNT,
};

enum host_fact {
    HOST_FACT_CONNECTED = 1u << 0,
    HOST_FACT_DISCONNECTED = 1u << 1,
    HOST_FACT_LISTED = 1u << 2,
    HOST_FACT_CONFIRMED = 1u << 3, /* an operator says that it is off */
    HOST_FACT_LOST = 1u << 4,      /* it is given up, and may still be on */
    HOST_FACT_OFF = 1u << 5,       /* it is surely off */
    HOST_FACT_HOLD = 1u << 6,      /* it is held, or held no longer */
};

/* What runs on a host, in any order. */
struct host_print {
    uint64_t sum, mixed;
    size_t running;
};

/* One hypervisor and the host behind it. */
struct host {
    char name[HYPERVISOR_NAME_SIZE];
    bool is_local;        /* the daemon's own host */
    bool is_listed;       /* since it was connected */
    bool was_listed;      /* ever */
    bool has_record;      /* machines of it are on record, so that marks in their metadata say nothing new */
    int64_t connected_us; /* mono_us */
    char *trouble;        /* why it is not connected; NULL */

    bool wants_list;     /* a listing is to be asked for */
    bool is_discovering; /* one of its guests is being asked what it offers */
    bool is_listing;     /* one is under way */
    bool was_brief;      /* the last one on this connection left definitions out, and the next one does not */
    int64_t list_at_us;  /* when the next one is due by itself: mono_us */
    uint64_t list_id;

    const struct hold *hold;   /* the nearest that covers it, borrowed; NULL: it is not held */
    char uuid[UUID_TEXT_SIZE]; /* of the host, as its last listing said; empty: it did not */
    struct host_print print;
    char same_as[HYPERVISOR_NAME_SIZE]; /* another connection to this host, which takes part; empty: this one does */
    const char *alike_to;               /* the other host that its last listing was like, borrowed; NULL: none */
    bool was_warned;                    /* of another host with its UUID */
    bool is_read_only;                  /* as its last listing said */
    struct host_track track;
    int64_t uptime_us;   /* as its last listing said; 0: not known */
    bool was_off;        /* a fact: fenced when the daemon last ran, and what it had is not looked at yet */
    size_t n_listed;     /* machines, by its last listing */
    uint64_t gone_as_of; /* a machine of it was found gone as of that event: an older report does not bring it back */
    bool has_rebooted;   /* as the listing under way shows */
    size_t went_down;    /* machines that the reboot took down */
    bool is_unproven;    /* its URI is new, and it was never reached by it */
    bool wants_fence;    /* fencing is to be asked for */
    uint64_t fence_id;   /* of the last one */
    int64_t fence_test_at_us;     /* when its agents are to be tested next: mono_us */
    bool wants_fence_test;        /* a test is to be asked for */
    uint64_t fence_test_id;       /* of the one under way; 0: none is */
    struct fence_log fence_tests; /* the last one of each agent */
    struct fence_log fence_log;   /* agents that were to switch it off or on */
    bool is_fence_log_changed;    /* since it was last handed out to be written down */
    unsigned n_starts;            /* of recoveries, under way there */
    int64_t heard_us;             /* its last listing: mono_us */
    int64_t given_up_us;          /* when it was taken for lost last: mono_us */
    int64_t asked_us;             /* when the other hosts were asked about it: mono_us */
    unsigned facts[HOST_READER_COUNT];
};

/* Queues of machines, each with the one reader that empties it. Machines come by their numbers, which is how they were met. */
enum machine_queue {
    QUEUE_LATE_STARTS, /* its state was learned */
    QUEUE_STANDBY,
    QUEUE_RECOVERIES,
    QUEUE_WAITING,     /* machines: it has a deadline */
    QUEUE_DESCRIBE,    /* machines: it is to be described */
    QUEUE_CHECK_ALIVE, /* heartbeat: its guest is to be asked */
    QUEUE_DISCOVERY, /* discovery: its guest is to be asked what it offers; FAILED: it did not tell, and is so later */
    QUEUE_WRITE,     /* the driver: it is to be written down */
    QUEUE_AUTOSTART, /* autostart: it was switched off by the daemon, and is to be on again. Also on disk */
    QUEUE_MARKS,     /* marks: what its metadata says of it may have to be another; REPORTED: it is still to be read */
    QUEUE_UNFINISHED, /* leftovers: it was to be made as a standby, and is not finished. It stays there while that is so */
    QUEUE_MIGRATED, /* relocation: it is, or was, off since it was migrated. It stays there */
    QUEUE_COUNT,
};

/* What a queued machine is queued for. */
enum machine_fact {
    MACHINE_FACT_DUE = 1u << 0,      /* the queue says it all */
    MACHINE_FACT_CAME_UP = 1u << 1,  /* its state was learned, and it came up */
    MACHINE_FACT_STATE = 1u << 2,    /* see told_state */
    MACHINE_FACT_FAILED = 1u << 3,   /* see failure */
    MACHINE_FACT_REPORTED = 1u << 4, /* its hypervisor described it */
};
#define MACHINE_FACT_BITS 5

/* What the standby component remembers of a machine between its courses. */
struct warm_past {
    unsigned failures;          /* in a row */
    int64_t not_before_us;      /* not tried again before: mono_us */
    int64_t may_start_until_us; /* as in struct warming, when it was last let go of */
};

/* What was known of a machine before the daemon was started, until it is seen. */
struct watch_memory {
    struct machine_memory state;
    int64_t up_us; /* of one in quarantine: since when it runs by other hands: mono_us; 0: it does not */
};

/* What a watch has only while, or after, something goes on with its machine. */
struct watch_rare {
    struct open_recovery *recovers; /* the open recovery whose failed machine this is, or NULL */
    struct open_recovery *serves;   /* the open recovery whose candidate this is, or NULL */
    struct warm_standby *warms;     /* what is done to have it warm, or NULL */
    struct warm_past warm;
    struct failure_track track;
    const char *failed_why;        /* of MACHINE_FACT_FAILED, static; see watch_failed_why */
    int64_t deferred_retry_us;     /* of deferred_cause, mono_us; USEC_INFINITY: when the machine is known */
    struct failure_panics *panics; /* NULL: none yet */
    struct hang_track *hang;       /* NULL: its guest shows life */
    struct watch_memory *memory;   /* NULL: nothing is left of it */
    int64_t absent_since_us;       /* it runs, and is not listed any more: mono_us; 0: it is */
    int64_t missed_us;         /* it is looked for on other hosts since then: mono_us; 0: it is not; see whereabouts */
    int64_t stopping_until_us; /* its guest was asked to shut down, and may be silent up to then */
    int64_t mended_us;         /* an operator defined it anew, or cleared it: mono_us; 0: not that is known */
    bool came_up_elsewhere;    /* one of its UUID did on another host, since its own was last heard of it */
};

/* One machine, seen from the coordinator. There is a watch for each machine, so it is small. */
struct watch {
    struct watch_rare *rare;  /* NULL: all of it is 0; see watch_rare */
    uint32_t number;          /* of its machine in the pool, whether that is known or not */
    bool is_listed : 1;       /* mark of the listing under way: it is there */
    bool is_unread : 1;       /* and of that: it is as it was last known */
    bool has_asked_agent : 1; /* since it connected last */
    bool is_describing : 1;
    bool describe_again : 1; /* something changed while it was being described */
    bool is_checking_alive : 1;
    bool has_agent_answered : 1; /* a heartbeat, since its guest booted last */
    bool is_redefined : 1;       /* its definition has changed since it was chosen */
    bool has_run : 1;            /* or was heard of, since the daemon was started */
    bool was_lost_warming : 1;   /* its host was lost while it was being warmed; neither seen off nor running since */
    bool is_forgotten : 1;       /* there is no such machine, and its watch ends when that is written down */
    bool may_go_off : 1;         /* a call that switches its autostart off was given up, and may take effect yet */
    enum machine_state told_state : 6;     /* of MACHINE_FACT_STATE */
    enum failure_cause failed_cause : 6;   /* of MACHINE_FACT_FAILED */
    enum failure_cause deferred_cause : 6; /* a failure that could not be dealt with yet; CAUSE_NONE: none */
    uint64_t facts;                        /* MACHINE_FACT_BITS for each queue; see watch_facts */
};
_Static_assert(QUEUE_COUNT *MACHINE_FACT_BITS <= 64, "facts of all queues");

struct registry {
    const struct config *config; /* borrowed; NULL: not configured yet */
    struct feature_table *features;
    struct pool *pool;
    struct plan *plan;
    struct chooser *chooser;
    struct outbox outbox;
    struct records records;
    struct diversions diversions;
    struct hold_marks holds;
    struct host *hosts; /* in the order of the configuration */
    size_t n_hosts;
    struct watch **watches; /* by number */
    size_t watch_room;
    struct number_set queues[QUEUE_COUNT]; /* of watches, by number */
    unsigned facts;                        /* of enum fact, as bits */
    struct number_set migrated;            /* see registry_knows_migration */
    struct number_set interviewed;         /* watches whose guests were asked since discovery's last pause */
    uint64_t events;                       /* lifecycle events so far */
    bool host_is_shutting_down;            /* the daemon's own host, as logind says */
    struct number_set unnoticed;           /* watches: see watch_is_unnoticed */
};

/* -ENOMEM: end with registry_done all the same. */
int registry_init(struct registry *registry) _must_check_;
void registry_done(struct registry *registry);

/* Swaps the configuration; what is known of hosts that stay is kept. -ENOMEM, -EINVAL as similarity_rules_new. */
int registry_configure(struct registry *registry, const struct config *config) _must_check_;

/* The configuration as it holds for the service that the machine serves. Borrowed until the next reload. */
const struct config *registry_config_of(const struct registry *registry, const struct machine *machine);
/* What holds for the service of a recovery of this machine, by the name that it had then. As above. */
const struct policy *registry_policy_of(const struct registry *registry, const struct recovery *recovery,
                                        const struct machine *failed);

/* What is chosen by when this machine has failed, or if it failed now; the pool is settled. Borrowed. */
struct choice_request registry_request_by(const struct registry *registry, const struct machine *failed,
                                          const struct policy *policy, struct moment now);
/* By the policy of the service that the machine serves. */
struct choice_request registry_request(const struct registry *registry, const struct machine *failed,
                                       struct moment now);

void registry_tell(struct registry *registry, enum fact fact);
/* True: it was left. */
bool registry_take(struct registry *registry, enum fact fact);

/* Borrowed; NULL: not configured. */
struct host *host_find(const struct registry *registry, const char *hypervisor);
void host_tell(struct host *host, enum host_reader reader, enum host_fact fact);
/* The facts that were left, as bits. */
unsigned host_take(struct host *host, enum host_reader reader);
void host_set_reachable(struct registry *registry, const struct host *host, bool is_reachable);
/* As pool_apply; a machine that was not there before shows the diversions that it is part of. */
int registry_apply(struct registry *registry, const char *hypervisor, struct domain_description *description,
                   const struct machine **ret_machine) _must_check_;
/* What it shows of the diversions, after one came, changed or ended; what its metadata says of them is looked at. */
void registry_show_diversions(struct registry *registry, const struct machine_ref *ref);
/* Only its hypervisor's own word says so: out of reach it may run on, and a fence agent may be wrong. */
bool machine_is_surely_off(const struct registry *registry, const struct machine_ref *ref);
/* So few starts of recoveries are under way there that one more may be. */
bool host_can_start_one(const struct registry *registry, const char *hypervisor);
/* The host is listed then at the latest (mono_us), if it is connected. */
void host_list_at(struct host *host, int64_t at_us);
/* What it holds is off for sure, as far as is known. */
bool host_is_fenced(const struct registry *registry, const char *hypervisor);

/* The nearest hold that covers the host; NULL: it is not held. Borrowed. */
const struct hold *registry_hold_on_host(const struct registry *registry, const char *hypervisor);
/* The machine, its host or everything is held. The machine need not be known. */
bool machine_is_held(const struct registry *registry, const struct machine_ref *ref);

/* The machine is off since it was migrated, or its host does not have it any more. */
void watch_note_migration(struct registry *registry, struct watch *watch);
/* False: that is so of none of this UUID, as most never are, which is known at once. NULL: of any UUID. */
bool registry_knows_migration(const struct registry *registry, const char *uuid);

/* The watch over a machine, made if need be; NULL without memory, or where uuid is none. */
struct watch *watch_get(struct registry *registry, const char *hypervisor, const char *uuid);
struct watch *watch_get_of(struct registry *registry, const struct machine *machine);
/* NULL: there is none. */
struct watch *watch_find(const struct registry *registry, const struct machine_ref *ref);
struct watch *watch_of(const struct registry *registry, const struct machine *machine);
/* It failed as its QEMU ended, and libvirt has not said yet that it has stopped. */
bool watch_is_unnoticed(const struct registry *registry, const struct watch *watch);
void watch_set_unnoticed(struct registry *registry, const struct watch *watch, bool is_unnoticed);
/* What the machine would use is not free: libvirt has not noticed yet that one has ended which uses it, or is it. */
bool machine_awaits_end(const struct registry *registry, const struct machine *machine);
/* By number; NULL: there is none. */
static inline struct watch *watch_at(const struct registry *registry, uint32_t number)
{
    return number < registry->watch_room ? registry->watches[number] : NULL;
}
/* Iteration by number: start with NULL; NULL ends it. */
struct watch *watch_next(const struct registry *registry, const struct watch *watch);
struct machine_ref watch_ref(const struct registry *registry, const struct watch *watch);
const char *watch_hypervisor(const struct registry *registry, const struct watch *watch);
const struct machine *watch_machine(const struct registry *registry, const struct watch *watch);
void watch_discard(struct registry *registry, struct watch *watch);
extern const struct watch_rare watch_nothing_rare;
/* To be read; all of it is 0 where the watch has none. */
static inline const struct watch_rare *watch_rare(const struct watch *watch)
{
    return watch->rare != NULL ? watch->rare : &watch_nothing_rare;
}
/* To be written; NULL: no memory. Until the next call of watch_tidy. */
struct watch_rare *watch_get_rare(struct watch *watch);
/* Frees what is rare where all of it is 0. */
void watch_tidy(struct watch *watch);
/* What is remembered of its failures from now on. -ENOMEM changes nothing; a track that remembers nothing needs no memory. */
int watch_keep_track(struct watch *watch, const struct failure_track *track) _must_check_;
/* The same, and panics are forgotten with the rest. Without memory nothing is remembered. */
void watch_set_track(struct watch *watch, struct failure_track track);
/* Its end was answered so recently that news from before it may still be on its way: that it runs means nothing. */
bool watch_was_just_written_off(const struct watch *watch, struct moment now);
/* Why it failed, of MACHINE_FACT_FAILED; static. */
const char *watch_failed_why(const struct watch *watch);
/* NULL: no memory. */
struct failure_panics *watch_get_panics(struct watch *watch);
struct hang_track *watch_get_hang(struct watch *watch);
void watch_clear_hang(struct watch *watch);
/* Its guest boots, or may have: what was known of its agent is over. */
void watch_note_boot(struct watch *watch);
/* NULL: no memory. */
struct watch_memory *watch_get_memory(struct watch *watch);
/* Frees it where nothing is left of it. */
void watch_tidy_memory(struct watch *watch);
/* MACHINE_UNKNOWN, KEEPING_NONE: nothing, or no longer. */
const struct machine_memory *watch_remembered(const struct watch *watch);
void watch_forget_state(struct watch *watch);
void watch_forget_keeping(struct watch *watch);
void watch_forget_quarantine(struct watch *watch);
void watch_forget_drill(struct watch *watch);
void watch_forget_mark(struct watch *watch);
/* What it is kept warm by is on record from now on: the daemon has started it itself. */
void watch_own_warmth(struct watch *watch);
/* An operator defined the machine anew, or cleared it, after this moment. */
bool watch_was_mended_since(const struct registry *registry, const struct machine_ref *ref, struct moment moment);
/* An operator stopped the machine. Without memory a daemon that is started soon does not know. */
void watch_remember_stop(struct registry *registry, struct watch *watch, const struct machine *machine,
                         struct moment now);
void watch_forget_stop(struct watch *watch);
/* It runs: if it was made, the time for which it is kept begins anew. */
void watch_forget_idle(struct watch *watch);
/* It has stopped, as a call that came too late asked, or otherwise. */
void watch_forget_asked_off(struct watch *watch);
/* Its guest is asked to shut down, and has time until then (mono_us): that it is silent meanwhile is no hang. */
void watch_expect_stop(struct watch *watch, int64_t until_us);
/* A recovery or a standby's course has this machine. */
bool watch_is_taken(const struct watch *watch);
/* An earlier daemon kept it warm, or had begun to, and it was not looked at since: it served no service. */
bool watch_was_kept(const struct registry *registry, const struct watch *watch);
/* By this daemon, or as watch_was_kept says. */
bool machine_is_kept(const struct registry *registry, const struct machine *machine);

/* What it is queued for, as bits; 0: it is not in that queue. */
unsigned watch_facts(const struct watch *watch, enum machine_queue queue);
void watch_tell(struct registry *registry, struct watch *watch, enum machine_queue queue, enum machine_fact fact);
/* The next machine of a queue, which leaves it, and its facts as bits; NULL: the queue is empty. */
struct watch *watch_take(struct registry *registry, enum machine_queue queue, unsigned *ret_facts);
bool watch_is_any(const struct registry *registry, enum machine_queue queue);
/* The first of a queue whose number is not below `from`; NULL: there is none. It stays there. */
struct watch *watch_queued(const struct registry *registry, enum machine_queue queue, uint32_t from);
void watch_leave(struct registry *registry, struct watch *watch, enum machine_queue queue);
/* The state of a machine has changed: it is to be written down. */
void watch_mark_changed(struct registry *registry, struct watch *watch);

/* An action with an id of its own, as of now. */
struct action registry_new_action(struct registry *registry, enum part owner, enum action_kind kind,
                                  const struct machine_ref *target, int64_t timeout_us);
/*
 * The same machine is up on another host, or came up there since its own host was last heard of it: it has moved, and perhaps
 * no event told of that.
 */
bool machine_runs_elsewhere(const struct registry *registry, const struct machine *machine);

#endif
