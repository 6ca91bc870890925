/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the decision asks of the world, and what the world answers. The executor performs actions in
 * any order and answers each exactly once; an answer that comes after its deadline is an answer too.
 */
#ifndef UNDERSTUDY_PROTOCOL_ACTION_H
#define UNDERSTUDY_PROTOCOL_ACTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/config.h"
#include "model/machine.h"
#include "model/mark.h"
#include "model/metadata.h"
#include "model/ports.h"

#define RECOVERY_ID_SIZE MARK_RECOVERY_SIZE /* "20261122-145400-1" and its NUL */

/* What is done to keep a standby warm stands under an id of its own in the place of a recovery's: "warm-17". */
#define WARM_ID_PREFIX "warm-"

enum action_kind {
    ACTION_LIST,     /* everything on `target.hypervisor`; answered by coordinator_handle_inventory */
    ACTION_DESCRIBE, /* one machine; answered by coordinator_handle_description */
    ACTION_READ,     /* as it is defined now, before and after a start; answered as ACTION_DESCRIBE */
    ACTION_DISCOVER, /* the same, with what its guest's agent tells, which takes its time; answered as ACTION_DESCRIBE */
    ACTION_GET_STATE,    /* is it dead? answer: state and reason, and the CPU time of one that runs */
    ACTION_DESTROY,      /* end what is left of it. A machine that is off already counts as success */
    ACTION_SHUTDOWN,     /* ask its guest to power off, through the agent or ACPI. See below */
    ACTION_START,        /* resume, restore or boot it, by what it is, or make it first from its template, for
                            `metadata.service` and with `metadata.roles`. A machine that runs already is -EALREADY */
    ACTION_UNMAKE,       /* remove what was made of a machine that never ran, or with `removes_data` has run and is not
                            needed any more. -EBUSY: it has run, is needed, or is not ours */
    ACTION_CHECK_ALIVE,  /* does its guest agent answer, and what have its disks and network done? answer: probe */
    ACTION_VERIFY,       /* does it do its work, by `level`? -ENOEXEC: the command cannot be run; else: not (yet) */
    ACTION_RECORD,       /* the recovery as it stands now is to be on disk before the answer */
    ACTION_HOOK,         /* the hooks of `hook`, for target; -ECANCELED: vetoed */
    ACTION_REMEMBER,     /* the target's own record as it stands now is to be on disk before the answer */
    ACTION_SUSPEND,      /* one that is suspended already counts as success */
    ACTION_SAVE,         /* its memory to disk, to be restored running. One that is off is -EIO */
    ACTION_SET_CLOCK,    /* of a guest that slept, through its agent */
    ACTION_SET_METADATA, /* `metadata` of its definition, and of its process if it has one. Doing it again is harmless */
    ACTION_GET_AUTOSTART,  /* does its host start it when it boots? answer: autostart; a transient machine: not */
    ACTION_SET_AUTOSTART,  /* to `autostart`. Doing it again is harmless */
    ACTION_MEASURE_MEMORY, /* how much of its host's memory does it take? answer: resident_kib */
    ACTION_FENCE,          /* make sure that `target.hypervisor` is off */
    ACTION_TEST_FENCING,   /* ask each fence agent for the status of `target.hypervisor`, which changes nothing */
    ACTION_COUNT,
};

/*
 * An answer without error to ACTION_SHUTDOWN says that the guest was asked, or that the machine is off already: `state`
 * is the state before the call. It does not say that the guest obeys. That the machine is off is told by an event, a
 * listing or GET_STATE, as after any shutdown on request, and is no failure. A guest may ignore it, and one that is
 * booting may miss it: the asking part sets a deadline (recovery.shutdown_timeout), asks again until then (every
 * QUESTION_SHUTDOWN_AGAIN_US), tells the watch (watch_expect_stop), and decides what follows. -EIO: the hypervisor
 * cannot ask this guest; -ETIMEDOUT: the guest may have been asked.
 */

/* What hooks are asked before it is done, and may veto. */
enum hook {
    HOOK_PRE_START,    /* the target is to be started */
    HOOK_PRE_FAILOVER, /* another machine is to take over from the target, which still serves */
    HOOK_PRE_STOP,     /* the target, a replacement, is to be stopped, and the original to serve again */
    HOOK_COUNT,
};

/* "pre-start" and so on, the event that hooks are told. */
const char *hook_name(enum hook hook);

/* "list", "describe" … */
const char *action_kind_name(enum action_kind kind);

struct action {
    uint64_t id; /* unique in this run of the program, never 0 */
    enum action_kind kind;
    struct machine_ref target;          /* uuid empty for ACTION_LIST */
    char recovery_id[RECOVERY_ID_SIZE]; /* empty: for no recovery */
    uint64_t as_of;                     /* coordinator's event count when it was asked, for LIST, DESCRIBE and READ */
    int64_t timeout_us;
    enum verify_level level;         /* of ACTION_VERIFY: VERIFY_AGENT, VERIFY_TCP or VERIFY_COMMAND */
    unsigned port;                   /* with VERIFY_TCP */
    struct wanted_ports ports;       /* with VERIFY_AGENT: on these it must serve, too */
    enum software_mode software;     /* with ports: by which means it may be asked */
    enum hook hook;                  /* of ACTION_HOOK */
    struct metadata_change metadata; /* of ACTION_SET_METADATA */
    bool autostart;                  /* of ACTION_SET_AUTOSTART */
    bool may_be_brief;               /* of ACTION_LIST: see inventory.is_brief */
    bool tries_ports;    /* of ACTION_DISCOVER: each port on which the guest listens is connected to, once */
    bool removes_data;   /* of ACTION_UNMAKE */
    bool may_drop_image; /* of ACTION_START: a saved image that cannot be restored is removed */
};

/* A sign of life. Counters only grow while the machine runs; has_counters is false where they cannot be had. */
struct probe {
    bool agent_answered;
    bool has_counters;
    bool lacks_disks; /* disk_requests could not be had */
    bool is_stopped;  /* QEMU does not execute: whatever disks it has, they are silent, and it cannot tell */
    uint64_t disk_requests;
    uint64_t network_packets;
};

/* What libvirt says is at most 1024 bytes behind some words of what kind of error it is. */
#define ACTION_MESSAGE_SIZE 1280

struct action_result {
    uint64_t id;
    int error; /* 0, or negative errno: -ETIMEDOUT overdue and still under way, -ENOTCONN, -ENOENT no such domain,
                  -EALREADY, -EIO what the hypervisor refused */
    enum machine_state state; /* of ACTION_GET_STATE and ACTION_SHUTDOWN */
    enum machine_reason reason;
    uint64_t free_memory_kib; /* of ACTION_GET_STATE: what its host has to spare; 0: not known */
    bool has_managed_save;    /* of ACTION_GET_STATE */
    uint64_t
        cpu_time_us; /* of ACTION_GET_STATE: what a machine that runs has used since it was started; 0: not known */
    uint64_t resident_kib; /* of ACTION_MEASURE_MEMORY */
    bool autostart;        /* of ACTION_GET_AUTOSTART */
    struct probe probe;    /* of ACTION_CHECK_ALIVE */
    bool dropped_image;    /* of ACTION_START: see may_drop_image; message says why it could not be restored */
    /* The hypervisor's words; empty on success, but with dropped_image, and where `ports` could not be asked for: why. */
    char message[ACTION_MESSAGE_SIZE];
};

/* What a listing or an inspection says about one domain. description is handed over with it. */
struct domain_report {
    struct domain_description *description; /* NULL in a brief inventory: it is off, and its definition was not read */
    uint8_t uuid[UUID_SIZE];                /* without a description: whose report this is */
    enum machine_state state;
    enum machine_reason reason;
    bool persistent;
    bool has_managed_save;
    bool agent_connected;
    int id; /* of its life; 0: it does not run, or has none */
};

/* UUID_SIZE bytes, borrowed from it. */
const uint8_t *domain_report_uuid(const struct domain_report *report);

/* Everything one hypervisor has. Free with inventory_free. */
struct inventory {
    struct domain_report *reports;
    size_t n_reports;
    char (*unread)[UUID_TEXT_SIZE]; /* domains that are there, and cannot be described */
    size_t n_unread;
    char host_uuid[UUID_TEXT_SIZE]; /* empty: not known */
    bool is_read_only;              /* the connection may look, and change nothing */
    bool is_brief;                  /* definitions of machines that are off were left out */
    uint64_t free_memory_kib;       /* of the host; 0: not known */
    int64_t uptime_us; /* of the host, as its CPUs have counted it, which may be a little less; 0: not known */
};

/* Nothing is listed any more. */
void inventory_empty(struct inventory *inventory);
void inventory_free(struct inventory *inventory);
DEFINE_CLEANUP(struct inventory, inventory_free);

#endif
