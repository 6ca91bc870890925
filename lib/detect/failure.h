/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Is this stop a failure? The table of README.md: what libvirt tells about one machine →
 * verdict. Remembers per machine only what the order of events makes necessary. Knows nothing of
 * pools, candidates or actions.
 */
#ifndef UNDERSTUDY_DETECT_FAILURE_H
#define UNDERSTUDY_DETECT_FAILURE_H

#include <stdbool.h>

#include "base/moment.h"
#include "config/config.h"
#include "model/machine.h"
#include "protocol/cause.h"
#include "protocol/event.h"

enum failure_kind {
    FAILURE_NONE,    /* nothing to do: a start, a planned stop, or not a stop at all */
    FAILURE_PLANNED, /* a stop, and a planned one */
    FAILURE_NOTED,   /* worth telling (kdump, a panic that libvirt answers by a restart), no failure (yet) */
    FAILURE_PENDING, /* may become a failure: ask failure_deadline / failure_tick */
    FAILURE_DETECTED,
};

struct failure_verdict {
    enum failure_kind kind;
    enum failure_cause cause;
    const char *why; /* static text: what was seen and how it is read */
    bool by_guest;   /* FAILURE_PLANNED: the guest powered off, by itself or as it was asked to */
};

/* Events come at most so late, against answers and listings. */
#define OLD_NEWS_US USEC_PER_SEC

/* The latest of what happens to a machine again and again. */
struct failure_ring {
    int64_t at_us[CONFIG_PANIC_LIMIT_MAX]; /* mono_us */
    unsigned count;                        /* ever told; the next one goes to at_us[count % …] */
};

/* The latest panics and resets of one guest, which few have. A plain value: initialise with {0}. */
struct failure_panics {
    struct failure_ring panics; /* and resets by its watchdog */
    struct failure_ring resets; /* of any kind */
};

/* What is remembered of one machine. A plain value: initialise with {0}; owns nothing. */
struct failure_track {
    int64_t written_off_us;  /* a recovery ended it then: mono_us; 0: never */
    int64_t watchdog_off_us; /* when the watchdog last began to take it down; 0: never */
    int64_t watchdog_us;     /* when it last fired and did not do that, until the guest is reset; 0: never */
    int64_t pending_until_us;
    int64_t shutdown_us;            /* when the shutdown under way was told: mono_us */
    struct moment pending_since;    /* of what is pending, or was when the failure was detected; {0}: nothing */
    enum failure_cause pending : 8; /* CAUSE_NONE: nothing is pending */
    enum domain_event_kind last_shutdown : 8; /* how the shutdown under way began; EVENT_DEFINED (0): none is */
    bool is_incoming;                         /* a migration was bringing it here, and it did not run yet */
    bool may_be_incoming;                     /* found in the middle of one, which may be that or the other way */
    bool panicked;                            /* a panic was told and its STOPPED has not come yet */
    bool has_exited;                          /* its QEMU, with status 0, and its STOPPED has not come yet */
    bool reported;                            /* this stop was already given a verdict of FAILURE_DETECTED */
};

/* What the caller knows beside the event. */
struct failure_context {
    const struct config_failure *config;
    struct failure_panics *panics; /* with EVENT_CRASHED_PANICKED and EVENT_REBOOT: of this machine */
    enum on_crash on_crash;
    enum machine_state known; /* before the event or listing; MACHINE_UNKNOWN: never seen before */
    enum machine_reason known_reason;
    bool host_was_lost;         /* and this is the first listing since */
    bool host_has_rebooted;     /* since the listing before this one, and nothing is done about this machine already */
    bool has_managed_save;      /* with a listing */
    bool runs_elsewhere;        /* with a listing that finds it off: the same machine is up on another host */
    bool may_run_elsewhere;     /* and that is not known yet; also with EVENT_STOPPED_FAILED and may_be_incoming */
    bool is_drilled;            /* it is being destroyed for a drill */
    bool is_held;               /* by the operator: that it is stopped is planned; that it crashes is not */
    bool host_is_shutting_down; /* the daemon's own host, wherever the machine is: SIGTERM is planned then */
    struct moment now;
};

/* One event of one machine. EVENT_DEFINED, EVENT_UNDEFINED, EVENT_CHANGED and agent events are FAILURE_NONE. */
struct failure_verdict failure_handle_event(struct failure_track *track, enum domain_event_kind event,
                                            const struct failure_context *context);

/* Its guest is reset again and again: failure.panic_limit times within failure.panic_window up to now, whatever resets it. */
bool failure_resets_repeat(const struct failure_panics *panics, const struct config_failure *config, struct moment now);

/* A listing says `state`/`reason` where context->known was the state before: what was missed? */
struct failure_verdict failure_handle_listing(struct failure_track *track, enum machine_state state,
                                              enum machine_reason reason, const struct failure_context *context);

/* As after a listing that found it off since its host was booted: the grace period begins anew. */
void failure_await_restart(struct failure_track *track, const struct config_failure *config, struct moment now);

/* When failure_tick must be called for this machine: mono_us, or USEC_INFINITY. */
int64_t failure_deadline(const struct failure_track *track);

/* The grace period may have ended. FAILURE_NONE: not yet, or nothing was pending. */
struct failure_verdict failure_tick(struct failure_track *track, const struct failure_context *context);

/* The state and reason in which an event leaves a machine. False: the event says nothing about its state. */
bool domain_event_state(enum domain_event_kind event, enum machine_state *ret_state, enum machine_reason *ret_reason);

#endif
