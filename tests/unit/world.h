/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A make-believe world around the coordinator: domains that run, crash and are started, a driver that
 * answers every action from them, and the promises checked at every start. Knows nothing of libvirt.
 */
#ifndef UNDERSTUDY_TESTS_WORLD_H
#define UNDERSTUDY_TESTS_WORLD_H

#include "coordinator/coordinator.h"

#define WORLD_DOMAINS     16
#define WORLD_HYPERVISORS 3 /* at most */
#define WORLD_HOLDS       (1 + WORLD_HYPERVISORS + WORLD_DOMAINS)
#define WORLD_PENDING     64
#define WORLD_STORED      64
#define WORLD_CROWD_BEGIN 1000 /* the number of the first of a crowd */

struct world_domain {
    bool exists;
    unsigned hypervisor;
    unsigned uuid_of; /* it has the UUID of this domain, and is on another host; 0: its own, for 1 is the first */
    const char *name;
    const char *features;            /* "kind/value kind/value" */
    const char *role;                /* metadata, or NULL */
    const char *metadata_faults;     /* what of the metadata cannot be read, or NULL */
    char service[SERVICE_NAME_SIZE]; /* metadata; empty: none */
    char mark[MARK_TEXT_SIZE];       /* metadata; empty: none */
    int metadata_error;              /* what writing its metadata answers; 0: it is written */
    int64_t metadata_us;             /* how long that takes */
    bool autostart;
    int autostart_error;  /* what setting it answers; 0: it is set */
    int64_t autostart_us; /* how long asking for it, or setting it, takes */
    int priority;
    enum on_crash on_crash;
    bool is_transient;
    bool is_unreadable; /* listed, but its definition cannot be had */
    enum machine_state state;
    enum machine_reason reason;
    const char *template;  /* from which it is made; NULL: it is not */
    const char *obstacle;  /* why that cannot be done; NULL: it can */
    const char *made_name; /* its name then; NULL: it keeps that of the template */
    bool names_service;    /* with template: it is made for one service */
    bool is_made_standby;  /* in advance */
    bool is_unfinished;    /* it was to be made as a standby, and was not made to the end */
    bool has_parts;        /* something was made of it, or it was itself */
    unsigned unmakes;      /* so often that was to be removed */
    int unmake_error;      /* what that answers; 0: it is removed */
    bool has_saved;        /* a managed save image */
    bool is_damaged;       /* that cannot be restored */
    int suspend_error;     /* what suspending and saving it answers */
    unsigned clocks_set;
    int start_error;   /* what the next starts answer; 0: it runs */
    int64_t start_us;  /* how long a start takes */
    int64_t booted_us; /* when it was started last: mono_us */
    int64_t boot_us;   /* for so long after that its guest boots, which keeps one CPU busy */
    bool is_unheard;   /* no event tells of its start */
    bool dies_at_once; /* comes up, and crashes again before it is looked at */
    bool has_agent;    /* the channel, and in the guest the agent at the end of it */
    bool is_mute;      /* the guest's agent does not answer */
    const char *tells; /* "language/php database/mysql", what it tells of its guest when it is asked; NULL: nothing */
    bool tells_part;   /* and something that it allows failed */
    bool still_starts; /* and its guest has not started completely */
    struct ports deaf; /* on these its guest does not listen, whatever is known of it */
    struct ports shut; /* at these no connection from outside succeeds */
    bool hides_ports;  /* its agent must not be asked for them */
    bool has_no_counters;   /* nor do its statistics say anything */
    bool is_stopped;        /* its QEMU does not execute */
    uint64_t activity;      /* of its disks */
    const char *disk, *mac; /* writable; NULL: none */
    bool disk_is_missing;   /* says its host */
    const char *below;      /* an image below its disk, told while it runs; NULL: none */
    const char *opens;      /* the disk that it has while it runs, as a saved image names it; NULL: `disk` */
    uint64_t memory_kib;    /* 0: 1 GiB */
    uint64_t resident_kib;  /* what it takes of that; 0: all */
    int hook_error;         /* what hooks that are asked about it say */
    const char *hook_event; /* at this event; NULL: at every one */
    char started_for[RECOVERY_ID_SIZE]; /* recovery that started it, while it runs */
    unsigned starts, destroys;
    int64_t shutdown_us;   /* how long its guest takes to shut down when it is asked to */
    int64_t asking_us;     /* and how long the call takes that asks it */
    bool ignores_shutdown; /* its guest does not */
    unsigned shutdowns;    /* so often it was asked to */
    int64_t powers_off_us; /* it does then; 0: not asked */
};

/* An action whose answer is not given yet, with what the world looked like when it was asked. */
struct world_pending {
    struct action action;
    int64_t due_us;  /* USEC_INFINITY: until the test answers it */
    int64_t late_us; /* then the daemon waits for it no longer */
    bool is_late;
    bool is_orphaned; /* the daemon that asked is dead: the action is done, and no answer is delivered */
    struct world_domain then[WORLD_DOMAINS];
};

/* What is on disk of one recovery. */
struct world_stored {
    struct recovery *recovery;
    unsigned writes;
};

/* What is on disk of one machine. */
struct world_remembered {
    bool is_known;
    struct machine_ref ref;
    struct machine_memory memory;
    char *document; /* with its description; NULL: without */
};

struct world {
    struct config config;
    struct coordinator *coordinator;
    struct moment now;
    const char *hosts[WORLD_HYPERVISORS]; /* as configured first: "local" and "other", and "third" if they are remote */
    unsigned n_hosts;
    bool is_connected[WORLD_HYPERVISORS];
    struct world_domain domains[WORLD_DOMAINS]; /* the number of a domain is its index */
    unsigned n_domains;

    unsigned crowd;     /* so many more domains are listed on the first host, to which nothing happens */
    bool lists_briefly; /* where it may */
    bool is_read_only[WORLD_HYPERVISORS];
    uint64_t free_memory_kib[WORLD_HYPERVISORS];
    int64_t uptime_us[WORLD_HYPERVISORS]; /* 0: they do not tell */
    int64_t booted_us[WORLD_HYPERVISORS]; /* mono_us: they tell the time since then; 0: uptime_us */
    int record_error;                     /* what writing an intent answers */
    int64_t record_us;                    /* and how long that takes */
    bool loses_writes;                    /* only intents reach the disk: what is handed out is lost on the way */
    struct world_stored stored[WORLD_STORED];
    size_t n_stored;
    struct world_remembered remembered[WORLD_DOMAINS];
    char *hold_documents[WORLD_HOLDS]; /* on disk */
    char *diversions[WORLD_DOMAINS];   /* on disk: documents, by the number of the original */

    int fence_error;                           /* what the fence agent answers */
    bool fence_test_fails;                     /* and when it is tested */
    const char *fence_test_says;               /* NULL: on */
    bool fence_lies;                           /* and does nothing when it says that it has */
    bool answers_first;                        /* that it is destroyed, and tells of it afterwards */
    struct host_track kept[WORLD_HYPERVISORS]; /* on disk: lost and fenced hosts */

    unsigned holds; /* of 1 << enum action_kind: these are not answered by themselves */
    struct world_pending pending[WORLD_PENDING];
    size_t n_pending;

    /* Sees everything that comes out; NULL: counted alone. */
    void (*see_action)(void *observer, const struct action *action);
    void (*see_notice)(void *observer, const struct notice *notice);
    void *observer;
    bool is_orphaned, is_late; /* while an action is done whose answer comes to nothing, or late */
    unsigned asked[ACTION_COUNT];
    unsigned told[NOTICE_COUNT];
    char last_text[NOTICE_COUNT][256];
};

/* ---- the fixture ---- */

typedef void world_test_function(struct world *world);

/*
 * A test of a world with two hypervisors on the daemon's own host; of one with three remote hosts that can be fenced,
 * each with 100 GiB to spare; of one that `set_up`, which begins with one of these, makes ready.
 */
#define world_test(f)                                                                                                  \
    {                                                                                                                  \
#f, world_run_test, world_set_up, world_tear_down, (void *)(f)                                                 \
    }
#define remote_test(f)                                                                                                 \
    {                                                                                                                  \
#f, world_run_test, world_set_up_remote, world_tear_down, (void *)(f)                                          \
    }
#define world_test_after(set_up, f)                                                                                    \
    {                                                                                                                  \
#f, world_run_test, set_up, world_tear_down, (void *)(f)                                                       \
    }

int world_set_up(void **state);
int world_set_up_remote(void **state);
int world_tear_down(void **state);
void world_run_test(void **state);
/* The one that set_up has made. */
struct world *world_of_test(void);

/* Long enough for a recovery to end. */
#define SETTLED (10 * USEC_PER_SEC)
#define GIB_KIB (UINT64_C(1024) * 1024)

enum { LOCAL, OTHER, THIRD };

/* ---- what there is ---- */

/* Defaults, case study weights, no hypervisor connected. */
void world_begin(struct world *world);
/* As above with this configuration, which is borrowed. */
void world_begin_with(struct world *world, const struct config *config);
/* As for remote_test. */
void world_begin_remote(struct world *world);
void world_end(struct world *world);

/* Returns its number. It stands by, or runs. */
unsigned world_add(struct world *world, const char *name, const char *features, enum machine_state state);
/* The same with WEB. */
unsigned world_add_on(struct world *world, unsigned hypervisor, const char *name, enum machine_state state);
/*
 * "a", which runs, and "b" and "c", which could take over, "b" before "c"; connected. Remote ones are on hosts of their
 * own. Returns the number of "a"; the others follow.
 */
unsigned world_add_three(struct world *world);
/* "a", "b" and so on: the first n_running run, the others stand by. Not connected. */
void world_add_many(struct world *world, unsigned n_running, unsigned n);
/* Takes effect with the next coordinator_configure, or at once where the world is not connected yet. */
void world_set_brake(struct world *world, unsigned minimum, uint32_t share);

/* ---- what happens ---- */

void world_connect(struct world *world, unsigned hypervisor);
void world_connect_all(struct world *world);
void world_disconnect(struct world *world, unsigned hypervisor);

/* The domain becomes what the event says, and its hypervisor tells of it where it is connected. */
void world_happen(struct world *world, unsigned number, enum domain_event_kind event);
/* The event alone; the domain is left as it is. */
void world_tell(struct world *world, unsigned number, enum domain_event_kind event);
/* State and events together. */
void world_kill(struct world *world, unsigned number);      /* QEMU dies */
void world_boot(struct world *world, unsigned number);      /* an operator starts it */
void world_shut_down(struct world *world, unsigned number); /* and has it power off */
/* It runs on as `to`, which has its UUID on another host: libvirt tells there first, and then here. */
void world_migrate(struct world *world, unsigned number, unsigned to);
/* The three of them on hosts of their own, which can be fenced. */
void world_make_remote(struct world *world);
/* An operator orders a drill, which is taken; the test causes the failure. */
void world_order_drill(struct world *world, unsigned number);
/* QEMU dies, and no event tells of it. */
void world_kill_silently(struct world *world, unsigned number);

/* Takes every action and notice there is and answers what is not held, until nothing moves. */
void world_drive(struct world *world);
/* Lets time pass, with a tick at every deadline on the way. */
void world_pass(struct world *world, int64_t duration_us);
/* Answers the pending action at this place: as the world is now, or as it was when it was asked. */
void world_answer(struct world *world, size_t place, bool as_then);
void world_answer_error(struct world *world, size_t place, int error);
/* The place of the first pending action of this kind; fails the test if there is none. */
size_t world_find_pending(const struct world *world, enum action_kind kind);
void world_release(struct world *world); /* holds nothing any more, and answers all */

/* ---- the disk and the daemon ---- */

void world_write_recovery(struct world *world, const struct recovery *recovery);
void world_write_hold(struct world *world, const struct hold *hold);
void world_write_diversion(struct world *world, const struct diversion *diversion);
void world_write_machine(struct world *world, const struct machine_ref *machine, const struct machine_memory *memory);
/* The recovery of this id as it is on disk, borrowed; NULL: it is not. */
const struct recovery *world_read_recovery(const struct world *world, const char *id);
/* Ends the daemon where it stands. What hypervisors are doing for it and has its time is done all the same. */
void world_stop_daemon(struct world *world);
/* Starts it with what is on disk. Not connected yet. */
void world_start_daemon(struct world *world);
void world_restart_daemon(struct world *world);
void world_free_store(struct world *world);
/* While the daemon is stopped: its state directory is lost. */
void world_lose_store(struct world *world);

/* ---- what came of it ---- */

unsigned world_count_running(const struct world *world);
unsigned world_count_starts(const struct world *world);
/* The number of the domain. */
unsigned world_number_of(const struct world *world, const struct machine_ref *ref);
void world_make_uuid(const struct world *world, unsigned number, char ret_uuid[UUID_TEXT_SIZE]);
const struct machine *world_machine(const struct world *world, unsigned number);
/* The recoveries of this domain; *ret_last: the last of them. */
size_t world_recoveries(const struct world *world, unsigned number, const struct recovery **ret_last);
/* Fails unless exactly one recovery of this domain exists and is in this state. */
const struct recovery *world_expect(const struct world *world, unsigned number, enum recovery_state state);
/* What its last decision says of a candidate; fails the test where it says nothing. */
const struct explained_candidate *world_explained(const struct recovery *recovery, const char *name);
void world_assert_host(const struct world *world, unsigned hypervisor, enum host_state state);

#endif
