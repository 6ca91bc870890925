/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the parts of the simulator share: a make-believe set of hypervisors with the truth about every
 * domain, a disk, the daemon's shell around the real coordinator, and the promises held against all of
 * it after every step. One seed is one course of the world, the same everywhere.
 */
#ifndef UNDERSTUDY_TESTS_SIMULATION_H
#define UNDERSTUDY_TESTS_SIMULATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "base/moment.h"
#include "coordinator/coordinator.h"

#define HOSTS_MAX      6 /* of large rooms; and of the others */
#define HOSTS_FEW      3
#define DOMAINS_MAX    40
#define DOMAINS_FEW    36
#define HOLDS_MAX      (1 + HOSTS_MAX + DOMAINS_MAX) /* on everything, on hosts, on domains */
#define PLAN_MAX       160
#define CRASHES_MAX    512
#define BOOKS_MAX      512
#define FEATURES       10
#define PLACES         4 /* kinds of places where a fault can be */
#define OVERLOOKED_MAX 8
#define NEWS_DELAY_US  (USEC_PER_SEC) /* an event is at most so late, against answers */
#define DISK_KEY_SIZE  (RECOVERY_ID_SIZE + UUID_TEXT_SIZE)
#define CONFIGS        2 /* configurations that a reload changes between */
#define POLICY_ENTRIES 2

/* Everything that goes wrong, or happens, by class: each can be switched off, and is counted. */
enum fault {
    FAULT_CRASH, /* what understudy is for */
    FAULT_PAUSE, /* I/O error, watchdog */
    FAULT_PANIC_LOOP,
    FAULT_HANG,
    FAULT_BUSY_GUEST,
    FAULT_PLANNED_STOP,
    FAULT_OPERATOR_START,
    FAULT_HOST_SHUTDOWN,
    FAULT_CALL_FAILS,
    FAULT_CALL_HANGS,       /* and then succeeds, after it was given up */
    FAULT_CALL_HANGS_FAILS, /* and then fails */
    FAULT_CALL_LIES,        /* takes effect and says that it did not */
    FAULT_ANSWER_LATE,      /* older than events that overtake it */
    FAULT_EVENT_LATE,
    FAULT_EVENT_TWICE,
    FAULT_EVENT_LOST,
    FAULT_DISCONNECT,
    FAULT_LIBVIRTD_RESTART,
    FAULT_DISK_FULL,
    FAULT_DISK_HANGS,
    FAULT_VETO,
    FAULT_MUTE_GUEST, /* comes up and is never verified */
    FAULT_BOOT_AND_DIE,
    FAULT_START_REFUSED,
    FAULT_CLOCK_JUMP,
    FAULT_DAEMON_CRASH,
    FAULT_RELOAD,
    FAULT_WARMTH,      /* no fault: standbys are kept warm */
    FAULT_POWER_LOSS,  /* of one host */
    FAULT_LINK_CUT,    /* to one host, which runs on */
    FAULT_OWN_NETWORK, /* to all of them */
    FAULT_FENCE_FAILS,
    FAULT_FENCE_LATE, /* and takes effect, when it is given up */
    FAULT_FENCE_LIES,
    FAULT_ACPI_IGNORED, /* guests that do not shut down when they are asked to */
    FAULT_REDEFINED,    /* no fault: an operator changes a definition, and mostly no event tells of it */
    FAULT_ORDER,        /* no fault: an operator orders failovers, failbacks, recoveries */
    FAULT_HELD,         /* no fault: operators hold and release */
    FAULT_MIGRATION,    /* no fault: operators migrate domains */
    FAULT_ENDING_KNOWN, /* no fault: the kernel tells that a QEMU has ended, and libvirt notices later */
    FAULT_TAGGED,       /* no fault: operators rename and tag domains */
    FAULT_TEMPLATE,     /* no fault: some domains are made when they are started */
    FAULT_BATCH,        /* no fault: inputs that come together are handed on together */
    FAULT_COUNT,
};

extern const char *const fault_names[FAULT_COUNT];

#define FAULTS_ALL ((UINT64_C(1) << FAULT_COUNT) - 1)

enum temper {
    TEMPER_GOOD,
    TEMPER_DIES,    /* boots and dies */
    TEMPER_MUTE,    /* its agent never answers */
    TEMPER_REFUSES, /* libvirt cannot start it */
    TEMPER_VETOED,  /* a hook does not want it */
    TEMPER_COUNT,
};

struct domain {
    unsigned number, host;
    char name[16];
    char uuid[UUID_TEXT_SIZE];
    unsigned features; /* a bit each */
    uint32_t vcpus;
    uint64_t memory_kib;
    unsigned roles;
    char service[16]; /* by its metadata; empty: none */
    char mark[128];   /* by its metadata; empty: none */
    enum on_crash on_crash;
    int priority;
    bool has_agent, is_persistent;
    bool wants_autostart; /* its operators do */
    unsigned disk, mac;   /* shared by number */
    bool ignores_acpi;
    unsigned moved_life, left_host, left_boots; /* it was last migrated in that life, from there */
    bool is_left_behind;                        /* it is still defined there */
    bool is_incoming;                           /* a migration is bringing it to another host … */
    unsigned to_host, to_boots, incoming_life;  /* … to this one, in that life */
    unsigned live_disk;                         /* of its process, or of its saved image */
    enum temper temper;
    bool is_from_template;

    /* the truth */
    unsigned made_epoch;       /* the daemon that lived then had that made: another one has other slots */
    bool is_blocked;           /* it cannot be made, and is listed so */
    bool is_made_standby;      /* in advance */
    bool is_unfinished;        /* it was to be a standby, and was not made to the end */
    int64_t off_us;            /* when it went off last */
    bool has_parts;            /* something was made of it, or it was itself */
    bool has_unrecorded_parts; /* by a start without an intent on disk */
    unsigned made_life;        /* in which it was defined: with another one, it has run */
    bool autostart;
    bool autostart_is_doubtful; /* it was set by a call that was given up */
    bool exists, has_saved, is_hung, is_busy;
    enum machine_state state;
    enum machine_reason reason;
    unsigned life;    /* one more at every start */
    unsigned wakings; /* one more at every start, and whenever it is resumed */
    unsigned answered_wakings, answered_epoch, answered_host,
        answered_link;       /* its agent answered a heartbeat last then */
    unsigned condemned_life; /* understudy asked for its end in that one */
    int64_t condemned_us;    /* and then */
    char condemned_for[RECOVERY_ID_SIZE];
    int64_t up_us; /* since when */
    uint64_t counters;
    char started_for[RECOVERY_ID_SIZE]; /* the recovery that started this life */
    bool was_up_since;                  /* that start was asked for; or it was asked for two daemons ago */
    bool start_was_lost;                /* that start had been given up when it took effect */
    unsigned unrecorded_epoch;          /* of the daemon that started it without an intent on disk; 0 */
    unsigned panics_left;
    int64_t mended_us;           /* an operator defined it anew, or cleared it, at that time last; 0 */
    unsigned lied_life;          /* in which its host was said to be off, and was not */
    unsigned requested_off_life; /* in which its guest may have been asked to shut down, whether it listens or not */
    int64_t late_request_us;     /* a call that asked it to shut down was answered too late */
    unsigned asked_off_life;     /* in which its guest was asked to shut down, and does */
    unsigned unheard_off_life;   /* and that by a call of which no daemon hears any more */
    unsigned twice_life;         /* in which it was told to run beside another */
    bool came_up_late;           /* its late start was handed in, and no pump has followed */
    int64_t chosen_us, read_us;  /* the daemon that lives has begun to start it, and has asked how it is defined */
    unsigned chosen_disk, read_life, failed_reads;
    bool must_end;                     /* it was read, has what another one uses, and no pump has followed */
    int64_t told_us;                   /* its latest event arrives then: the next one not before */
    enum domain_event_kind told_event; /* the last of which a daemon heard */
    int64_t shutdown_told_us;          /* when it heard last that it shuts down */
    int64_t noticed_us; /* libvirt notices then that its QEMU has ended, and says until then how it was: */
    enum machine_state former_state;
    enum machine_reason former_reason;
};

struct site {
    char name[16];
    bool is_up;        /* libvirtd */
    bool is_connected; /* as the daemon knows */
    unsigned link;     /* which connection */
    unsigned boots;    /* of libvirtd: what one was doing, the next one knows nothing of */
    uint64_t memory_kib;
    int64_t booted_us; /* the host itself */
    char uri[48];
    bool has_power, is_cut; /* the link is */
    bool has_told;          /* the daemon, that it cannot connect */
    bool was_seen;          /* connected since it was last fenced */
    bool is_fenced;         /* the daemon was told that it is off, and has not listed it since */
    int64_t fenced_us;      /* when it was told so last */
    bool has_lied;          /* the agent, and it has been on since */
    bool expects_alert;     /* its fencing has failed */
    int64_t lost_us;        /* when the daemon was cut off */
};

/* The world's own book of failures: what understudy must find, and what it may. */
struct crash {
    unsigned domain, life, epoch;
    int64_t at_us;
    const char *what;
    bool is_required;       /* libvirt can tell, and understudy was in a position to hear */
    bool needs_this_daemon; /* another one cannot tell */
    bool needs_events;      /* cannot be found by a listing */
    bool is_pause;          /* required while the domain still stands so */
    bool is_hang;
    bool was_kept;                      /* warm, or on its way */
    char recovery_id[RECOVERY_ID_SIZE]; /* that was opened for it; empty: none */
    char served_id[RECOVERY_ID_SIZE];   /* the recovery under way whose machine this was then; empty: none */
    char started_for[RECOVERY_ID_SIZE]; /* the recovery that started that life; empty: an operator */
};

/* The world's own book of recoveries. */
struct book {
    char id[RECOVERY_ID_SIZE];
    unsigned domain;
    int64_t opened_us;
    enum recovery_state state;
    unsigned opened_epoch, ended_epoch; /* the daemon's life in which it was opened, and ended */
    unsigned restarts;                  /* of the failed machine itself, asked for */
    unsigned starts;                    /* that were answered or awaited by the daemon that asked */
    bool has_started;                   /* the replacement, by the daemon that lives */
    bool is_restarting;
    bool is_retry;
    bool intent_failed; /* and it was said */
    int replacement;    /* the domain it tries; -1 */
    unsigned good_life; /* of the replacement at the latest good answer */
    int64_t good_up_us;
    bool was_good, was_settled, was_verified;
    bool is_just_decided; /* and no pump has followed */
    char root[UUID_TEXT_SIZE];
    char service_name[16];
    unsigned failed_life;
    bool is_host_lost;
    bool is_over_budget;
    bool is_ordered;    /* by an operator */
    enum relief relief; /* as it was opened */
};

struct simulation;

struct thing {
    int64_t at_us;
    uint64_t order; /* equal times happen in the order of asking */
    void (*happen)(struct simulation *simulation, const struct thing *thing);
    unsigned epoch; /* the daemon's life it belongs to; 0: the world's */
    unsigned host, domain, life;
    uint64_t number;
    enum domain_event_kind event;
};

struct call {
    uint64_t number;
    struct action action;
    unsigned epoch, host, link, boots;
    unsigned life; /* of the domain when it was asked for */
    unsigned wakings;
    int64_t asked_us;
    enum machine_state seen_state; /* of a definition that was read */
    unsigned seen_life;
    bool is_overdue, is_lost, lies, has_taken_effect;
    bool is_unrecorded; /* a start without an intent on disk */
    bool is_stuck;      /* in a cable that leads nowhere */
    int forced_error;
    struct inventory *inventory;
    struct domain_report report;
    bool has_report;
    struct action_result result;
    struct call *next;
};

/* Something to be written, or on disk: a recovery's document, or a machine's state. */
struct page {
    char key[DISK_KEY_SIZE];
    char *document; /* NULL: to be forgotten */
    bool is_machine;
    bool is_host;
    bool is_diversion;
    bool is_hold;
    unsigned domain, host;         /* or host alone */
    uint64_t ticket, other_ticket; /* of those who wait for it; 0: none */
    int64_t detected_us, put_us;
    struct machine_ref intent; /* the replacement that the document names */
    bool is_recording, is_open;
    struct page *next;
};

struct disk_model {
    bool is_full, hangs;
    struct page *waiting, *batch, *durable;
    bool is_busy, is_held;
    int64_t retry_us;
    bool said_trouble;
};

enum incident_kind {
    INCIDENT_KILL,
    INCIDENT_DUMP_CRASH,
    INCIDENT_PANIC,
    INCIDENT_HOST_KILL,
    INCIDENT_IO_ERROR,
    INCIDENT_WATCHDOG,
    INCIDENT_KDUMP,
    INCIDENT_PANIC_LOOP,
    INCIDENT_HANG,
    INCIDENT_BUSY,
    INCIDENT_MASS_KILL,
    INCIDENT_GUEST_OFF,
    INCIDENT_DESTROY,
    INCIDENT_SAVE,
    INCIDENT_SUSPEND,
    INCIDENT_START,
    INCIDENT_RESUME,
    INCIDENT_HOST_SHUTDOWN,
    INCIDENT_DISCONNECT,
    INCIDENT_LIBVIRTD_RESTART,
    INCIDENT_DISK_FULL,
    INCIDENT_DISK_HANGS,
    INCIDENT_CLOCK_JUMP,
    INCIDENT_DAEMON_CRASH,
    INCIDENT_RELOAD,
    INCIDENT_RELEASE,
    INCIDENT_KILL_STANDBY,
    INCIDENT_POWER_LOSS,
    INCIDENT_LINK_CUT,
    INCIDENT_OWN_NETWORK,
    INCIDENT_FAILOVER,
    INCIDENT_FAILBACK,
    INCIDENT_KEEP,
    INCIDENT_RECOVER,
    INCIDENT_CLEAR,
    INCIDENT_REDEFINE,
    INCIDENT_HOLD,
    INCIDENT_RELEASE_HOLD,
    INCIDENT_BLOCK,
    INCIDENT_MIGRATE,
    INCIDENT_RENAME,
    INCIDENT_TAG,
    INCIDENT_TAG_OFF,
    INCIDENT_COUNT,
};

struct incident {
    int64_t at_us;
    enum incident_kind kind;
    unsigned domain, host;
    int64_t for_us;
};

/* One fault at one place, for the exhaustive course. */
enum spot_kind {
    SPOT_CALL_FAILS,
    SPOT_CALL_HANGS,
    SPOT_CALL_HANGS_FAILS,
    SPOT_CALL_LIES,
    SPOT_EVENT_LOST,
    SPOT_EVENT_TWICE,
    SPOT_EVENT_LATE,
    SPOT_WRITE_FAILS,
    SPOT_CRASH_BEFORE_WRITE,
    SPOT_CRASH_AFTER_WRITE,
    SPOT_CRASH_AT_CALL,
    SPOT_DISCONNECT_AT_CALL,
    SPOT_FENCE_FAILS,
    SPOT_FENCE_LATE,
    SPOT_FENCE_LIES,
    SPOT_CRASH_AT_FENCE,
    SPOT_COUNT,
};

struct spot {
    enum spot_kind kind;
    unsigned place; /* the how-manieth call, event, write or fencing */
};

struct simulation_options {
    uint64_t seed;
    uint64_t faults;        /* a bit for each enum fault */
    bool dropped[PLAN_MAX]; /* incidents that do not happen */
    bool is_short;          /* the fixed course of the exhaustive search */
    bool is_warm;           /* with a standby that is being warmed when the failure comes */
    bool has_short_hosts;   /* the one in which a host is lost */
    bool foretells;         /* the loss of a host, and nothing else happens */
    struct spot spots[3];
    size_t n_spots;
    const char *overlooked[OVERLOOKED_MAX]; /* violations with these words are known, and do not count */
    FILE *trace;                            /* NULL: only hashed and its tail kept */
};

/* What became of standbys that were kept warm. */
enum warm_count {
    WARMING_WARMED,
    WARMING_REFRESHED,
    WARMING_DID_NOT,
    WARMING_GIVEN_BACK,
    WARMING_TAKEN,         /* by a recovery, in any form */
    WARMING_TAKEN_RUNNING, /* of these, on their way */
    WARMING_COUNT_COUNT,
};

struct simulation_result {
    uint64_t hash;
    bool is_violated;
    const char *promise; /* which check it was */
    char violation[512];
    char *tail; /* the end of the trace when violated; free() */
    size_t n_incidents;
    struct incident plan[PLAN_MAX]; /* n_incidents of them */
    unsigned places[PLACES];        /* calls, events, writes and fencings that there were */
    unsigned long crashes, recoveries, steps;
    unsigned long faults[FAULT_COUNT];
    unsigned long outcomes[RECOVERY_STATE_COUNT];
    unsigned long warm[WARMING_COUNT_COUNT];
};

#define TAIL_LINES 160
#define LINE_SIZE  240

struct held {
    bool is_on;
    bool is_evacuating; /* a host, and not held yet */
    int64_t closed_us;  /* since then: mono_us */
    int64_t until_us;   /* real_us; INT64_MAX: until it is released */
};

struct simulation {
    const struct simulation_options *options;
    struct simulation_result *result;
    struct moment now;
    int64_t offset_us; /* of the clocks, as the daemon last saw it */
    uint64_t random_world, random_calls, random_events, random_plan, random_warm, random_batches;

    struct config configs[CONFIGS];
    struct config_service services[CONFIGS][POLICY_ENTRIES]; /* of each configuration that has some */
    struct config_hypervisor hypervisors[HOSTS_MAX];
    struct config *config; /* in force */

    struct coordinator *coordinator; /* NULL: the daemon is down */
    unsigned epoch;
    bool host_is_shutting_down;
    bool is_quiet; /* no fault is injected any more */
    bool is_pumping;
    bool is_batching;  /* the pump waits a little for more inputs, as in the daemon for all of one turn */
    int64_t pump_us;   /* it is due then; USEC_INFINITY: nothing came in since the last one */
    int64_t timer_us;  /* the next tick, as the last pump has set it; USEC_INFINITY: none */
    bool is_ordering;  /* an operator orders something just now */
    bool crash_is_due; /* at the next chance: a coordinator is not freed under itself */
    bool has_jumped, has_reloaded;

    struct site hosts[HOSTS_MAX];
    unsigned n_hosts;
    struct domain domains[DOMAINS_MAX];
    unsigned n_domains;

    struct thing *things; /* a heap */
    size_t n_things, things_size;
    uint64_t order;
    struct call *calls;
    uint64_t last_call;
    struct disk_model disk;

    struct crash crashes[CRASHES_MAX];
    size_t n_crashes;
    struct book books[BOOKS_MAX];
    size_t n_books;
    int64_t released_us;
    struct held holds[HOLDS_MAX]; /* as the operators know them */
    bool is_braked;
    int64_t braked_us;       /* since when */
    unsigned places[PLACES]; /* calls, events, writes and fencings so far, of those that are counted */

    char tail[TAIL_LINES][LINE_SIZE];
    size_t n_lines;
};

/* ---- agenda.c ---- */

uint64_t random_next(uint64_t *state);
/* The n-th of the states that come of one draw. */
uint64_t random_state(uint64_t base, unsigned n);
/* For initializers, in which draws have no order: each throws a die of its own. */
#define DIE(base, n) (&(uint64_t){random_state(base, n)})
uint64_t random_below(uint64_t *state, uint64_t limit);
/* True in so many of a hundred. */
bool random_hits(uint64_t *state, unsigned percent);
int64_t random_between(uint64_t *state, int64_t low, int64_t high);

void say(struct simulation *simulation, const char *format, ...) _printf_(2, 3);
/* The first one stands. */
void violate(struct simulation *simulation, const char *format, ...) _printf_(2, 3);

void agenda_add(struct simulation *simulation, int64_t delay_us, struct thing thing);
/* NULL: nothing. */
const struct thing *agenda_first(const struct simulation *simulation);
struct thing agenda_take(struct simulation *simulation);

/* The fault happens here, if its class is on and luck has it; it is counted. */
bool strikes(struct simulation *simulation, uint64_t *state, enum fault fault, unsigned percent);
bool spot_is(struct simulation *simulation, enum spot_kind kind, unsigned place);

/* ---- policies.c ---- */

/* Some configurations have entries of services. base: of their own dice. */
void policies_configure(struct simulation *simulation, struct config *config, uint64_t base);
/* The limits of its service, by the configuration in force. */
struct config_similarity policies_similarity(const struct simulation *simulation, const char *service);
/* Its replacements may run there. */
bool policies_allow_host(const struct simulation *simulation, const char *service, const char *host);
/* The replacement is where the service may run. */
void policies_check_host(struct simulation *simulation, const struct recovery *recovery);
/* Of a decision that is just made. */
void policies_check_order(struct simulation *simulation, const struct recovery *recovery);

/* ---- world.c ---- */

void world_make(struct simulation *simulation);
/* How long its guest keeps a CPU busy after a start. */
int64_t world_boot_us(const struct domain *domain);
/* Of one that runs; 0: it does not. */
uint64_t world_cpu_time_us(const struct simulation *simulation, const struct domain *domain);
void world_boot(struct simulation *simulation, struct domain *domain, const char *recovery_id, bool is_lost);
/* By a call that was given up before the one that was answered, which may look as if it had run on. */
bool world_came_up_unheard(const struct domain *domain);
void world_stop(struct simulation *simulation, struct domain *domain, enum machine_reason reason);

/* ---- endings ---- */

/* world_stop; and it may be that the kernel tells it by this event, and that libvirt notices it so many microseconds later. */
int64_t endings_begin(struct simulation *simulation, struct domain *domain, enum machine_reason reason,
                      enum domain_event_kind how);
bool endings_are_unnoticed(const struct simulation *simulation, const struct domain *domain);
/* libvirt is asked to end it, and notices that it has ended. */
void endings_notice(const struct simulation *simulation, struct domain *domain);
/* What libvirt says of it. */
void endings_show(const struct simulation *simulation, const struct domain *domain, enum machine_state *state,
                  enum machine_reason *reason);
/* A violation, where that was asked when libvirt had not given back yet what it uses. */
void endings_check_start(struct simulation *simulation, const struct domain *domain, int64_t asked_us);
void world_tell(struct simulation *simulation, const struct domain *domain, enum domain_event_kind event,
                int64_t delay_us);
/* On whichever host it is by now: no two have the same UUID. */
struct domain *world_find(struct simulation *simulation, const struct machine_ref *ref);
/* As world_tell, of another host than its own. */
void world_tell_from(struct simulation *simulation, const struct domain *domain, unsigned host,
                     enum domain_event_kind event, int64_t delay_us);
struct site *world_host(struct simulation *simulation, const char *name);
struct domain_report world_report(const struct domain *domain);
uint64_t world_free_memory(const struct simulation *simulation, unsigned host);
/* The daemon that lives has heard an answer of its agent on this connection, since it booted or was resumed. */
bool world_has_answered(const struct simulation *simulation, const struct domain *domain);
bool world_agent_answers(const struct simulation *simulation, const struct domain *domain);
void world_schedule_guest(struct simulation *simulation, struct domain *domain, int64_t delay_us,
                          void (*happen)(struct simulation *, const struct thing *));
void world_kill(struct simulation *simulation, struct domain *domain, const char *what);

/* ---- features.c ---- */

extern const struct config_weight feature_weights[];
extern const size_t n_feature_weights;
void features_describe(const struct domain *domain, struct domain_description *description);
/* Ports that a verification asks for: those that the original and its replacement both serve. */
void features_before(struct simulation *simulation, const struct action *action);
/* The other way round. */
unsigned features_described(const struct domain_description *description);
/* Eq. 1 and coverage anew, from the definitions alone: are both, and that of resources, at least the limits? */
bool features_are_enough(const struct config_similarity *config, const struct domain *failed,
                         const struct domain *candidate);

/* ---- incidents.c ---- */

void incidents_plan(struct simulation *simulation);

/* ---- calls.c ---- */

void calls_perform(struct simulation *simulation, const struct action *action);
void calls_disconnect(struct simulation *simulation, unsigned host);
void calls_forget_daemon(struct simulation *simulation);
void calls_free(struct simulation *simulation);

/* ---- disk.c ---- */

void disk_put(struct simulation *simulation, struct page *page);
/* What is put between the two is one transaction. */
void disk_hold(struct simulation *simulation);
void disk_let_go(struct simulation *simulation);
void disk_forget_daemon(struct simulation *simulation);
void disk_trouble(struct simulation *simulation, bool is_full, bool hangs);
const struct page *disk_find(const struct simulation *simulation, const char *key);
/* Of a machine, and of the one that is where the domain is by now. */
void disk_make_key(const struct machine_ref *ref, char *ret_key);
const struct page *disk_find_machine(const struct simulation *simulation, const struct domain *domain);
void disk_free(struct simulation *simulation);

/* ---- shell.c ---- */

void shell_start(struct simulation *simulation);
void shell_crash(struct simulation *simulation, int64_t down_us);
/* After everything that came in: the pump is due. */
void shell_pump(struct simulation *simulation);
/* It is time for it. */
void shell_pump_now(struct simulation *simulation);
void shell_tick(struct simulation *simulation);
/* An operator orders something. */
void shell_order(struct simulation *simulation, struct order *order, const struct domain *domain);
/* The operator releases the brake. False: it was not on. */
bool shell_release(struct simulation *simulation);
void shell_connect_later(struct simulation *simulation, unsigned host, int64_t delay_us);
void shell_disconnect(struct simulation *simulation, unsigned host, const char *why);
void shell_answer(struct simulation *simulation, const struct action *action, int error, const char *message);
bool shell_is_up(const struct simulation *simulation, unsigned epoch);

/* ---- promises.c ---- */

/* The known limit: a start without an intent on disk, as configured and told, by a daemon that died. */
bool promises_is_beyond_knowing(const struct simulation *simulation, const struct domain *domain);
bool promises_has_intent(const struct simulation *simulation, const struct action *action);
void promises_crash(struct simulation *simulation, const struct domain *domain, const char *what, bool needs_events,
                    bool is_pause);
void promises_event_lost(struct simulation *simulation, const struct domain *domain, enum domain_event_kind event);
void promises_reasons_lost(struct simulation *simulation, unsigned host);
void promises_started_anew(struct simulation *simulation, const struct domain *domain);
void promises_daemon_starts(struct simulation *simulation);
void promises_before(struct simulation *simulation, const struct action *action);
void promises_good_answer(struct simulation *simulation, const struct action *action, const struct domain *domain);
void promises_notice(struct simulation *simulation, const struct notice *notice);
void promises_daemon_dies(struct simulation *simulation);
void promises_step(struct simulation *simulation);
void promises_end(struct simulation *simulation);
void promises_pumped(struct simulation *simulation);

/* ---- decisions.c ---- */

/* A candidate was chosen: seen after the input that led to it. */
void decisions_made(struct simulation *simulation, const struct recovery *recovery);
/* Its intent is to be written. */
void decisions_carried_out(struct simulation *simulation, const struct action *action);
/* Its disk and its address are, as far as the coordinator knows: of news, or because its start has succeeded. */
bool decisions_is_in_use(const struct simulation *simulation, const struct domain *domain);
/* No other domain that is up, as far as the coordinator knows, has what the candidate needs. */
void decisions_check_conflicts(struct simulation *simulation, const struct domain *failed,
                               const struct domain *candidate);

/* ---- storage.c ---- */

/* By its report; and when it runs next. */
unsigned storage_disk_of(const struct domain *domain);
unsigned storage_next_disk_of(const struct domain *domain);
void storage_redefine(struct simulation *simulation, struct domain *domain, const struct incident *incident);
/* Their disks as far as the daemon knows, and their addresses. */
bool storage_is_shared(const struct simulation *simulation, const struct domain *a, const struct domain *b);
void storage_daemon_starts(struct simulation *simulation);
void storage_before(struct simulation *simulation, const struct action *action);
/* It has what another machine uses, as far as the daemon knows. */
bool storage_is_in_use(const struct simulation *simulation, const struct domain *domain);
/* The daemon was told. */
void storage_was_read(struct simulation *simulation, const struct call *call);
void storage_pumped(struct simulation *simulation);
/* What an operator started meanwhile is the operator's. */
void storage_check_recovered(struct simulation *simulation, const struct domain *replacement, const char *recovery_id);

/* ---- crashes.c ---- */

/* A recovery was opened: the failure it is for; NULL: there is none. */
struct crash *crashes_match(struct simulation *simulation, unsigned domain, const char *recovery_id);
/* A recovery was opened by order: what its machine failed of before is dealt with. */
void crashes_order(struct simulation *simulation, unsigned domain, const char *recovery_id);
/*
 * It is going down, and was asked to: where that was for another machine to take over, its service must be up again.
 * is_obedience: that is why; else it may be taken for that.
 */
void crashes_relieved(struct simulation *simulation, const struct domain *domain, bool is_obedience);
void crashes_waived(struct simulation *simulation, const struct domain *domain);
void crashes_end(struct simulation *simulation);
/* A machine of a service runs, or failed as well and must be recovered, or its recovery was just tried. */
bool crashes_is_at_work(struct simulation *simulation, unsigned number);
/* That a failure needs no recovery is taken from the daemon only where the world agrees. */
void crashes_notice(struct simulation *simulation, const struct notice *notice);
struct book *promises_book(struct simulation *simulation, const char *id);

/* ---- warm.c ---- */

/* What is done for it, and not for a recovery, has such an id. */
bool warm_is_id(const char *id);
void warm_configure(struct simulation *simulation, struct config *config);
void warm_make_hosts_scarce(struct simulation *simulation);
/* As the coordinator sees it; without one, as it was. */
bool warm_is_kept(const struct simulation *simulation, const struct domain *domain);
void warm_before(struct simulation *simulation, const struct action *action);
void warm_take_over(struct simulation *simulation, struct domain *domain, const char *recovery_id);
void warm_laid_down(struct simulation *simulation, const struct call *call, const struct domain *domain);
void warm_notice(struct simulation *simulation, const struct notice *notice);
void warm_check_no_candidate(struct simulation *simulation, const struct recovery *recovery);
bool warm_is_at_rest(const struct simulation *simulation);
void warm_end(struct simulation *simulation);
/* A host was fenced, the daemon is told: what it knows to have been in service there must be recovered. */
void crashes_fenced(struct simulation *simulation, unsigned host);
void promises_power_lost(struct simulation *simulation, const struct domain *domain);

/* ---- losses.c ---- */

void losses_fence_asked(struct simulation *simulation, unsigned host);
void losses_answered(struct simulation *simulation, unsigned host, bool is_off);
/* After the pump that follows answers of the agents. */
void losses_told(struct simulation *simulation);
void losses_notice(struct simulation *simulation, const struct notice *notice);
void losses_destroy(struct simulation *simulation, const struct action *action);
void losses_check_start(struct simulation *simulation, const struct recovery *recovery, const struct book *book);
/* The domain whose service the recovery is about. */
const struct domain *losses_original(const struct simulation *simulation, const struct book *book);
void losses_end(struct simulation *simulation);

/* ---- power.c ---- */

bool power_is_out_of_reach(const struct site *site);
void power_off(struct simulation *simulation, unsigned host, const char *how);
void power_restore(struct simulation *simulation, unsigned host);
void power_cut(struct simulation *simulation, unsigned host, int64_t for_us);
void power_mend(struct simulation *simulation, unsigned host);
void power_fence(struct simulation *simulation, const struct action *action);

/* ---- autostart.c ---- */

/* The call has taken effect. */
void autostart_set(struct simulation *simulation, const struct call *call, struct domain *domain);
void autostart_before(struct simulation *simulation, const struct action *action);
void autostart_end(struct simulation *simulation);

/* ---- run.c ---- */

void simulation_run(const struct simulation_options *options, struct simulation_result *result);

/* ---- exhaustive.c, shrink.c ---- */

/* All courses of a short scenario with up to `depth` faults; every `parts`-th from `part`. False: one was violated.
 */
bool exhaustive_run(const struct simulation_options *common, unsigned depth, unsigned part, unsigned parts);
/* Makes the options of a failing run smaller as long as it fails. */
void shrink(struct simulation_options *options, struct simulation_result *result);

/* ---- foretell ---- */

/* Lets time pass until then: mono_us. */
typedef void foretell_passer(struct simulation *simulation, int64_t end_us);
/* Foretells the loss of a host, loses it, and compares. */
void foretell_run(struct simulation *simulation, foretell_passer *pass);

/* ---- holds ---- */

void holds_hold(struct simulation *simulation, struct domain *domain, const struct incident *incident);
void holds_release_one(struct simulation *simulation, struct domain *domain, const struct incident *incident);
void holds_release_all(struct simulation *simulation);
bool holds_cover(const struct simulation *simulation, const struct domain *domain);
/* By a hold of its own. */
bool holds_cover_itself(const struct simulation *simulation, const struct domain *domain);
bool holds_cover_host(const struct simulation *simulation, unsigned host);
void holds_before(struct simulation *simulation, const struct action *action);
void holds_step(struct simulation *simulation);
void holds_daemon_starts(struct simulation *simulation);
/* Of its page, by its number. */
void holds_make_key(unsigned number, char key[RECOVERY_ID_SIZE]);
unsigned holds_number(const struct simulation *simulation, const struct hold *hold);

/* ---- migration ---- */

void migration_migrate(struct simulation *simulation, struct domain *domain, const struct incident *incident);
/* This host, on which it does not run, lists it: a definition of it was left there, or it is coming in. */
bool migration_is_listed(const struct simulation *simulation, const struct domain *domain, unsigned host);
struct domain_report migration_report(const struct simulation *simulation, const struct domain *domain, unsigned host);
/* Its process ends where it runs: so does what is coming in elsewhere. */
void migration_source_ends(struct simulation *simulation, const struct domain *domain);
/* It is destroyed there. */
void migration_destroy(struct simulation *simulation, struct domain *domain, unsigned host);
/* The daemon that lives knows where it is, as far as it serves a service. */
bool migration_is_followed(struct simulation *simulation, const struct domain *domain);
void migration_end(struct simulation *simulation);

/* ---- tags.c ---- */

void tags_rename(struct simulation *simulation, struct domain *domain, const struct incident *incident);
void tags_tag(struct simulation *simulation, struct domain *domain, const struct incident *incident);
/* The domain with what the daemon knows of its features, its priority and its part. */
struct domain tags_known(const struct simulation *simulation, const struct domain *domain);
void tags_end(struct simulation *simulation);

/* ---- templates ---- */

/* By chance, the domain is one that is made when it is started. */
void templates_make_one(struct simulation *simulation, struct domain *domain, uint64_t *dice);
/* Borrowed; NULL: it is no such domain. */
const char *templates_name(const struct domain *domain);
/* It is in listings: as a domain, or as a slot of the daemon that lives. */
bool templates_are_listed(const struct simulation *simulation, const struct domain *domain);
/* In this course there are many, and things get in their way. */
bool templates_are_many(const struct simulation *simulation);
/* For a while it cannot be made: its base image is away, or a storage pool is full. */
void templates_block(struct simulation *simulation, struct domain *domain, const struct incident *incident);
/* Why it cannot be made, as it is listed; NULL: it can. Borrowed. */
const char *templates_obstacle(const struct domain *domain);
/* It is there from now on, off. */
void templates_define(struct simulation *simulation, struct domain *domain, unsigned roles, bool is_unfinished);
/* Standbys that are made in advance, and how long what was made is kept. */
void templates_configure(const struct simulation *simulation, struct config *config, uint64_t seed);
/* A start of one that is to be made fails: nothing of it is there, or parts, or it is, and was not started. */
void templates_fail_half_way(struct simulation *simulation, const struct call *call, struct domain *domain);
void templates_unmake(struct simulation *simulation, struct call *call, struct domain *domain);
bool templates_are_at_rest(const struct simulation *simulation);
void templates_end(struct simulation *simulation);

#endif
