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
    MACHINE_TEMPLATE,  /* there is no such domain yet: a start makes it from its template */
    MACHINE_STATE_COUNT,
};

/* Why it is in that state: the reasons of virDomainGetState that make a difference here. */
enum machine_reason {
    REASON_UNKNOWN,
    REASON_USER,        /* paused on request */
    REASON_STARTING_UP, /* paused: QEMU is up, the guest never ran */
    REASON_IO_ERROR,    /* paused */
    REASON_WATCHDOG,    /* paused */
    REASON_BUSY,        /* paused for a migration, snapshot, save or dump that is under way */
    REASON_INCOMING, /* paused: a migration brings it here, which may fail; it runs where it was until it runs here */
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
    ROLE_PROTECTED = 1u << 0,  /* is recovered */
    ROLE_STANDBY = 1u << 1,    /* may be started as a replacement */
    ROLE_IGNORED = 1u << 2,    /* neither, and alone */
    ROLE_UNREADABLE = 1u << 3, /* likewise: its metadata gives a role that cannot be read */
};

/* How ready a candidate is, the warmer the better. */
enum warmth {
    WARMTH_TEMPLATE, /* has to be made */
    WARMTH_COLD,     /* shut off */
    WARMTH_SAVED,    /* has a managed save image */
    WARMTH_PAUSED,   /* booted and suspended */
    WARMTH_RUNNING,  /* was being kept warm and ran just then */
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

/* What showed that the guest of a warm standby was up before it was suspended or saved. */
enum warm_proof {
    PROOF_NONE,  /* nothing did: it only had standby.boot_timeout to boot, or could not be looked at, or is warm by its
                      mark alone */
    PROOF_AGENT, /* its guest agent answered */
    PROOF_PORTS, /* it served on the ports that were asked for */
    PROOF_COMMAND, /* recovery.verify.command said so */
    PROOF_QUIET,   /* its CPU time became quiet */
    PROOF_COUNT,
};

/* May the machine be started as a replacement now, as far as its own state goes: the first obstacle. */
enum standing {
    STANDING_BY,
    STANDING_NOT_STANDBY,  /* its role does not allow it */
    STANDING_HELD,         /* by the operator, or its host is, or everything; or its host is being evacuated */
    STANDING_UNREACHABLE,  /* its hypervisor is not connected */
    STANDING_ELSEWISE,     /* it runs, is on its way up or down, or is preserved remains */
    STANDING_FAILED,       /* it failed itself and was not recovered */
    STANDING_CLAIMED,      /* for a recovery, as its candidate or as the machine that failed; or it is being stopped */
    STANDING_OPERATORS,    /* paused or saved, and not by the daemon: a recovery leaves it so */
    STANDING_NOT_MAKEABLE, /* it would be made from a template, and something is in the way: its obstacle */
    STANDING_QUARANTINED,  /* it did not come up lately */
    STANDING_COUNT,
};

/* "running", "shut off", … as virsh words them; "crashed", "user", …; "template", "cold", "saved",
 * "paused", "running". */
const char *machine_state_name(enum machine_state state);
const char *machine_reason_name(enum machine_reason reason);
const char *warmth_name(enum warmth warmth);
/* "no", "warming", "warm", "ending". */
const char *keeping_name(enum keeping keeping);
/* "none", "agent", "ports", "command", "cpu-quiet". */
const char *warm_proof_name(enum warm_proof proof);

/* "protected", "standby", "protected, standby" or "ignored"; "none" for 0. */
const char *machine_roles_name(unsigned roles);
/* Words separated by commas or blanks. -EINVAL: an unknown word, or "ignored" with another one. */
int machine_roles_parse(const char *text, unsigned *ret_roles) _must_check_;

/* The machine has a QEMU process (or its like) that holds disks and memory. */
bool machine_state_is_active(enum machine_state state);
/* It is off, and a start brings it up: as it is defined, or made from its template. */
bool machine_state_is_startable(enum machine_state state);
/* The machine did what it is there for; one that was suspended on purpose, or was stopping, did not. */
bool machine_state_is_in_service(enum machine_state state, enum machine_reason reason);

#define HYPERVISOR_NAME_SIZE 64 /* longest name of a hypervisor and its NUL */

/* A machine by its identity, as a plain value that outlives the machine. */
struct machine_ref {
    char hypervisor[HYPERVISOR_NAME_SIZE];
    char uuid[UUID_TEXT_SIZE];
};

/* The service of a machine that is served by another one at the moment. */
struct diverted_service {
    struct machine_ref original, replacement;
    char *name, *replacement_name; /* the service has the name of its original */
    struct spec need;              /* the original's specification, as last known */
    int priority;
    bool is_protected; /* by the role of the original, as last known */
};

#define QUARANTINE_WHY_SIZE 256

/* Of a machine that did not come up as a replacement; {0}: it did, or was never one. */
struct quarantine_memory {
    int64_t begun_us;              /* real_us */
    int64_t time_us;               /* how long it lasts */
    unsigned times;                /* in a row */
    char why[QUARANTINE_WHY_SIZE]; /* what went wrong; "": not known */
};

/* Who gave an order, as far as it is known, for people; "": not known. */
#define OPERATOR_NAME_SIZE 96

/* A drill that an operator ordered and whose failure has not come yet; {0}: none. */
struct drill_memory {
    char by[OPERATOR_NAME_SIZE];
    int64_t announced_us; /* real_us */
    bool is_rehearsal;
    bool is_destroy; /* the machine is destroyed, as an operator may destroy it; else libvirt says that it crashed */
};

/* What is kept of a machine while the daemon is away. */
struct machine_memory {
    enum machine_state state; /* MACHINE_UNKNOWN: nothing is known */
    enum machine_reason reason;
    bool failed_unrecovered;  /* as in struct machine */
    bool failure_is_known;    /* it failed, has not run since, and nothing more comes of that failure */
    bool went_down_with_host; /* and may be started again in time */
    enum keeping keeping;
    int64_t kept_since_us; /* real_us */
    enum warm_proof warm_proof;
    struct quarantine_memory quarantine;
    bool has_own_image; /* its saved image was made by the daemon */
    struct drill_memory drill;
    bool autostart_is_off; /* the daemon switched its autostart off, and switches it on again */
    int64_t stopped_us;    /* real_us: an operator stopped it; 0: not that is known */
    int64_t
        asked_off_us; /* real_us: a call that came too late asked it to shut down; 0: none did since it stopped last */
    int64_t learned_us; /* as in struct machine_rare */
    enum guest_lack lack;
    int64_t idle_since_us; /* real_us: it was made, and is off and serves nothing since then; 0: not that is known */
    bool has_left;         /* it was migrated once, or is known on another host: it is not removed with its disks */
    int64_t removal_us;    /* real_us: announced for then; 0: it is not to be removed */
    bool has_unread_mark;  /* in its metadata, which is to be read when the original of which it speaks is listed */
    bool is_warm_by_mark;  /* kept: not by what is on record, so that it is not ended */
};

struct hold;

/* What few machines have. The texts are borrowed. */
struct machine_rare {
    char *claimed_by;             /* id of the recovery that reserved it; NULL: free */
    char *not_warm;               /* why it is planned and not kept warm; NULL */
    char *quarantine_why;         /* what went wrong when it did not come up; NULL: not known */
    char *qualified;              /* "hypervisor/name", of the pool alone; NULL: nothing asked for it */
    uint64_t resident_kib;        /* of host memory that a warm one takes; 0: not known, or none */
    int64_t quarantined_until_us; /* mono_us: it did not come up as a replacement; 0: never */
    int64_t stopped_us;           /* mono_us: an operator stopped it; 0: not that is known */
    int64_t learned_us;           /* real_us: its guest's agent told what it offers; 0: never */
    int64_t asked_us;             /* real_us: it was asked for that last; 0: not in this life of the daemon */
    uint64_t lack;                /* of enum guest_lack: what was not told then */
    int64_t removal_us;           /* real_us: it was made, and is to be removed after that; 0: it is not */
    int64_t
        resets_until_us; /* mono_us: its guest is reset again and again, unless it is not reset once more up to then */
};

/* Owned by the pool. Everybody else borrows, and only until the next change of the pool. */
struct machine {
    const char *hypervisor; /* the name of its hypervisor in the configuration; borrowed from the pool */
    const char *name;       /* borrowed from the description, as is the UUID, which stands there alone */
    struct domain_description *description; /* as last inspected; never NULL */
    const struct spec *spec;                /* resolved from what is known of it; borrowed from the pool */
    struct machine_rare *rare;              /* NULL: all of it is 0; see machine_rare */

    const struct diverted_service *serves;   /* what it serves as a replacement, borrowed; NULL: its own service */
    const struct hold *hold;                 /* the nearest that covers it, borrowed; NULL: it is not held */
    const struct diverted_service *diverted; /* its own service, while a replacement serves that, borrowed; NULL */

    uint64_t event_sequence; /* coordinator's count at the last news: tells a stale listing from a fresh one */
    uint32_t number;         /* of no other machine in the pool at the same time; small */
    int priority;

    enum machine_state state : 8;
    enum machine_reason reason : 8;
    enum keeping keeping : 8;
    enum warm_proof warm_proof : 8; /* of its last course, with KEEPING_WARM */
    uint8_t roles;                  /* of enum machine_role, resolved */
    uint16_t apart;                 /* a recovery has chosen it for a service of this group (pool/siblings); 0: none */

    bool persistent : 1; /* has a definition that outlives its process */
    bool has_managed_save : 1;
    bool has_foreign_image : 1; /* with has_managed_save: the daemon did not make that image */
    bool is_present : 1;   /* false: the hypervisor no longer lists it, and a recovery or a standby still needs it */
    bool is_closed : 1;    /* its host is being evacuated, and takes no starts */
    bool is_reachable : 1; /* its hypervisor is connected */
    bool agent_connected : 1;
    bool is_reserved : 1;        /* for a recovery from before the daemon was started, which waits for a hypervisor */
    bool is_starting : 1;        /* a recovery has chosen it and it is on its way up */
    bool has_come_up : 1;        /* the answer to its start says so, whether news of it has come or not */
    bool failed_unrecovered : 1; /* its last failure was not recovered, and it has not run since */
};

extern const struct machine_rare machine_nothing_rare;
/* To be read; all of it is 0 where the machine has none. */
static inline const struct machine_rare *machine_rare(const struct machine *machine)
{
    return machine->rare != NULL ? machine->rare : &machine_nothing_rare;
}

struct machine_ref machine_ref_of(const struct machine *machine);
bool machine_ref_equal(const struct machine_ref *a, const struct machine_ref *b);
bool machine_is_ref(const struct machine *machine, const struct machine_ref *ref);

/* A migration is bringing it to its host, and it runs where it was until then. */
bool machine_is_incoming(const struct machine *machine);
/*
 * The two are one domain that is known on two hosts, and it runs on the first: the other one is what a migration left
 * there, or is bringing there.
 */
bool machine_stands_for(const struct machine *machine, const struct machine *other);
/* A failure of it is recovered: by its role, or for the service that it serves. */
bool machine_is_protected(const struct machine *machine);
/* The name of the service that it serves, which is its own name where its metadata names none; borrowed. */
const char *machine_service_name(const struct machine *machine);
/* Of the service that it is the original of, whatever it serves; borrowed. */
const char *machine_own_service_name(const struct machine *machine);
/* What a replacement of it is compared with, and how important that is. */
const struct spec *machine_need(const struct machine *machine);
int machine_priority(const struct machine *machine);

/* It would be made from the template of the other one, which may have been made already, on the same host. */
bool machine_is_from_template_of(const struct machine *machine, const struct machine *other);

/* Its saved image is the daemon's own: nothing is lost with it but time. */
bool machine_has_own_image(const struct machine *machine);
/* now_us: mono_us, for quarantines. */
enum standing machine_standing(const struct machine *machine, int64_t now_us);
/* It uses its disks and addresses, or is about to. */
bool machine_is_up(const struct machine *machine);

/* Meaningful only for a machine that does not run, or is being kept warm. */
enum warmth machine_warmth(const struct machine *machine);

#endif
