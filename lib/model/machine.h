/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A machine: one domain on one hypervisor with its specification, role and state, as plain data. */
#ifndef UNDERSTUDY_MODEL_MACHINE_H
#define UNDERSTUDY_MODEL_MACHINE_H

#include <stdbool.h>
#include <stdint.h>

#include "model/description.h"
#include "model/spec.h"

/* virDomainState, without the states no driver we support ever reports (NOSTATE and BLOCKED count as running). */
enum machine_state {
    MACHINE_UNKNOWN, /* the hypervisor has not said yet, or cannot be asked */
    MACHINE_RUNNING,
    MACHINE_PAUSED,
    MACHINE_STOPPING, /* the guest is shutting down, or QEMU is going away */
    MACHINE_SHUT_OFF,
    MACHINE_CRASHED,   /* crashed and preserved: its remains still hold its memory and disks */
    MACHINE_SUSPENDED, /* guest sleeps (S3): running as far as the hypervisor is concerned */
    MACHINE_GONE,      /* a transient domain that ended: no longer known to the hypervisor */
    MACHINE_STATE_COUNT,
};

/* Why it is in that state: the reasons of virDomainGetState that make a difference here. */
enum machine_reason {
    REASON_UNKNOWN,
    REASON_USER,            /* paused on request */
    REASON_STARTING_UP,     /* paused: QEMU is up, the guest never ran */
    REASON_IO_ERROR,        /* paused */
    REASON_WATCHDOG,        /* paused */
    REASON_BUSY,            /* paused for a migration, snapshot, save or dump that is under way */
    REASON_POSTCOPY_FAILED, /* paused: a migration broke and the machine lives nowhere whole */
    REASON_PANICKED,        /* crashed, or paused in the middle of it */
    REASON_CRASHED,         /* shut off */
    REASON_DAEMON,          /* shut off: libvirt gave it up while reconnecting to it */
    REASON_FAILED,          /* shut off: failed to start */
    REASON_SHUTDOWN,        /* shut off from inside, or by a signal to QEMU */
    REASON_DESTROYED,       /* shut off by an operator */
    REASON_SAVED,           /* shut off */
    REASON_MIGRATED,        /* shut off: it runs elsewhere */
    REASON_SNAPSHOT,        /* shut off by a snapshot revert */
    REASON_COUNT,
};

enum machine_role {
    ROLE_PROTECTED = 1u << 0, /* is recovered */
    ROLE_STANDBY = 1u << 1,   /* may be started as a replacement */
    ROLE_IGNORED = 1u << 2,   /* neither, and alone */
};

/* How ready a candidate is, the warmer the better. */
enum warmth {
    WARMTH_COLD,    /* shut off */
    WARMTH_SAVED,   /* has a managed save image */
    WARMTH_PAUSED,  /* booted and suspended */
    WARMTH_RUNNING, /* was being kept warm and ran just then */
    WARMTH_COUNT,
};

/* What the daemon itself does with a standby to have it warm. */
enum keeping {
    KEEPING_NONE,
    KEEPING_WARMING, /* on its way up, or back down: a recovery that wants it takes it over */
    KEEPING_WARM,    /* suspended or saved, by the daemon */
    KEEPING_ENDING,  /* being stopped: no recovery may take it until it is off */
    KEEPING_COUNT,
};

/* "running", "shut off", … as virsh words them; "crashed", "user", …; "cold", "saved", "paused",
 * "running". */
const char *machine_state_name(enum machine_state state);
const char *machine_reason_name(enum machine_reason reason);
const char *warmth_name(enum warmth warmth);
/* "no", "warming", "warm", "ending". */
const char *keeping_name(enum keeping keeping);

/* "protected", "standby", "protected, standby" or "ignored"; "none" for 0. */
const char *machine_roles_name(unsigned roles);
/* Words separated by commas or blanks. -EINVAL: an unknown word, or "ignored" with another one. */
int machine_roles_parse(const char *text, unsigned *ret_roles) _must_check_;

/* The machine has a QEMU process (or its like) that holds disks and memory. */
bool machine_state_is_active(enum machine_state state);
/* The machine did what it is there for; one that was suspended on purpose, or was stopping, did not. */
bool machine_state_is_in_service(enum machine_state state, enum machine_reason reason);

#define HYPERVISOR_NAME_SIZE 64 /* longest name of a hypervisor and its NUL */

/* A machine by its identity, as a plain value that outlives the machine. */
struct machine_ref {
    char hypervisor[HYPERVISOR_NAME_SIZE];
    char uuid[UUID_TEXT_SIZE];
};

/* What is kept of a machine while the daemon is away. */
struct machine_memory {
    enum machine_state state; /* MACHINE_UNKNOWN: nothing is known */
    enum machine_reason reason;
    bool failed_unrecovered;  /* as in struct machine */
    bool went_down_with_host; /* and may be started again in time */
    enum keeping keeping;
    int64_t kept_since_us; /* real_us */
};

/* Owned by the pool. Everybody else borrows, and only until the next change of the pool. */
struct machine {
    char *hypervisor; /* the name of its hypervisor in the configuration */
    char uuid[UUID_TEXT_SIZE];
    char *name;

    enum machine_state state;
    enum machine_reason reason;
    bool persistent; /* has a definition that outlives its process */
    bool has_managed_save;
    bool is_present;   /* false: the hypervisor no longer lists it, and a recovery or a standby still needs it */
    bool is_reachable; /* its hypervisor is connected */
    bool agent_connected;

    unsigned roles; /* of enum machine_role, resolved */
    int priority;

    struct domain_description *description; /* as last inspected; never NULL */
    struct knowledge knowledge[KNOWLEDGE_COUNT];
    struct spec spec; /* resolved from description and knowledge */

    enum keeping keeping;
    uint64_t resident_kib;          /* of host memory that a warm one takes; 0: not known, or none */
    struct machine_ref planned_for; /* the machine whose planned replacement it is; empty: of none */
    const char *not_warm;           /* why it is planned and not kept warm, borrowed; NULL */

    bool is_reserved;             /* for a recovery from before the daemon was started, which waits for a hypervisor */
    bool is_starting;             /* a recovery has chosen it and it is on its way up */
    int64_t quarantined_until_us; /* mono_us: it did not come up as a replacement; 0: never */
    bool failed_unrecovered;      /* its last failure was not recovered, and it has not run since */
    uint64_t event_sequence;      /* coordinator's count at the last news: tells a stale listing from a fresh one */
    const char *claimed_by;       /* id of the recovery that reserved it, borrowed; NULL: free */
};

struct machine_ref machine_ref_of(const struct machine *machine);
bool machine_ref_equal(const struct machine_ref *a, const struct machine_ref *b);

/* Meaningful only for a machine that does not run, or is being kept warm. */
enum warmth machine_warmth(const struct machine *machine);

#endif
