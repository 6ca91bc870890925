/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The verdict table of README.md. One row for each event says in which state it leaves a
 * machine and how the stop is read; a few effects need what came before. Knows no pool and no action.
 */
#include "detect/failure.h"

#include <string.h>

/* A panic that on_crash is to end must be followed by its STOPPED; measured 0.2 s, allowed 5 s. */
#define PANIC_STOP_WAIT_US (5 * USEC_PER_SEC)
/* The reset that a watchdog asks for follows at once. */
#define WATCHDOG_RESET_US (5 * USEC_PER_SEC)
/* SeaBIOS answers a reset by one or two more, a second later at most: measured with QEMU 7.2 and 10.0. */
#define SAME_RESET_US (3 * USEC_PER_SEC)
/* How long after a watchdog began to power a guest off its stop still counts as the watchdog's doing. */
#define WATCHDOG_OFF_US (120 * USEC_PER_SEC)

/* An exit that comes later than this after the shutdown was told may be what libvirt was asked for meanwhile. */
#define EXIT_WAIT_US USEC_PER_SEC

/* The grace period of one that may run on another host goes on until that is known. */
#define LOOK_AGAIN_US USEC_PER_SEC

enum effect {
    EFFECT_NOTHING,
    EFFECT_UP,       /* it runs (again): what was remembered of its stop is void */
    EFFECT_INCOMING, /* it does not run here yet: if it does not arrive, nothing has stopped */
    EFFECT_SHUTDOWN, /* a shutdown begins: how it began decides later */
    EFFECT_PLANNED,
    EFFECT_PAUSED, /* planned, unless it belongs to a panic */
    EFFECT_NOTED,
    EFFECT_GRACE, /* a failure unless it runs again in time */
    EFFECT_PANIC, /* by the domain's on_crash */
    EFFECT_RESET, /* noted, and a failure when it repeats by a panic or the watchdog, or too often */
    EFFECT_WATCHDOG,
    EFFECT_STOPPED_OFF, /* stopped/shutdown: by how it began */
    EFFECT_STOPPED_CRASHED,
    EFFECT_STOPPED_FAILED,
    EFFECT_STOPPED_DESTROYED, /* planned, unless for a drill */
    EFFECT_WATCHDOG_OFF,
    EFFECT_ENDED_KILLED,
    EFFECT_ENDED_EXITED,
};

struct rule {
    bool has_state;
    enum machine_state state;
    enum machine_reason reason;
    enum effect effect;
    enum failure_cause cause; /* of EFFECT_GRACE */
    const char *why;
};

#define LEAVES(s, r) .has_state = true, .state = MACHINE_##s, .reason = REASON_##r

static const struct rule rules[EVENT_COUNT] = {
    [EVENT_STARTED_BOOTED] = {LEAVES(RUNNING, UNKNOWN), EFFECT_UP},
    [EVENT_STARTED_MIGRATED] = {LEAVES(PAUSED, INCOMING), EFFECT_INCOMING}, /* told when a migration begins */
    [EVENT_STARTED_RESTORED] = {LEAVES(RUNNING, UNKNOWN), EFFECT_UP},
    [EVENT_STARTED_FROM_SNAPSHOT] = {LEAVES(RUNNING, UNKNOWN), EFFECT_UP},
    [EVENT_STARTED_WAKEUP] = {LEAVES(RUNNING, UNKNOWN), EFFECT_UP},
    [EVENT_RESUMED] = {LEAVES(RUNNING, UNKNOWN), EFFECT_UP},
    [EVENT_REBOOT] = {.effect = EFFECT_RESET},

    [EVENT_SUSPENDED_PAUSED] = {LEAVES(PAUSED, USER), EFFECT_PAUSED,
                                .why = "paused on request, or while it is saved or its guest panics"},
    [EVENT_SUSPENDED_MIGRATED] = {LEAVES(PAUSED, BUSY), EFFECT_NOTHING},
    [EVENT_SUSPENDED_RESTORED] = {LEAVES(PAUSED, USER), EFFECT_NOTHING},
    [EVENT_SUSPENDED_FROM_SNAPSHOT] = {LEAVES(PAUSED, USER), EFFECT_NOTHING},
    [EVENT_SUSPENDED_POSTCOPY] = {LEAVES(PAUSED, BUSY), EFFECT_NOTHING},
    [EVENT_SUSPENDED_API_ERROR] = {LEAVES(PAUSED, UNKNOWN), EFFECT_NOTED,
                                   .why = "left paused because an operation on it failed; resume it by hand"},
    [EVENT_SUSPENDED_POSTCOPY_FAILED] = {LEAVES(PAUSED, POSTCOPY_FAILED), EFFECT_NOTED,
                                         .why = "its post-copy migration broke; the migration can be resumed by hand"},
    [EVENT_SUSPENDED_IO_ERROR] = {LEAVES(PAUSED, IO_ERROR), EFFECT_GRACE, CAUSE_IO_ERROR, "paused by an I/O error"},
    [EVENT_SUSPENDED_WATCHDOG] = {LEAVES(PAUSED, WATCHDOG), EFFECT_GRACE, CAUSE_WATCHDOG, "paused by its watchdog"},
    [EVENT_PM_SUSPENDED] = {LEAVES(SUSPENDED, UNKNOWN), EFFECT_NOTHING},

    [EVENT_SHUTDOWN_FINISHED] = {LEAVES(STOPPING, UNKNOWN), EFFECT_SHUTDOWN},
    [EVENT_SHUTDOWN_GUEST] = {LEAVES(STOPPING, UNKNOWN), EFFECT_SHUTDOWN},
    [EVENT_SHUTDOWN_HOST] = {LEAVES(STOPPING, UNKNOWN), EFFECT_SHUTDOWN},

    [EVENT_STOPPED_SHUTDOWN] = {LEAVES(SHUT_OFF, SHUTDOWN), EFFECT_STOPPED_OFF},
    [EVENT_STOPPED_DESTROYED] = {LEAVES(SHUT_OFF, DESTROYED), EFFECT_STOPPED_DESTROYED},
    [EVENT_STOPPED_CRASHED] = {LEAVES(SHUT_OFF, CRASHED), EFFECT_STOPPED_CRASHED},
    [EVENT_STOPPED_MIGRATED] = {LEAVES(SHUT_OFF, MIGRATED), EFFECT_PLANNED, .why = "migrated away"},
    [EVENT_STOPPED_SAVED] = {LEAVES(SHUT_OFF, SAVED), EFFECT_PLANNED, .why = "saved on request"},
    [EVENT_STOPPED_FAILED] = {LEAVES(SHUT_OFF, CRASHED), EFFECT_STOPPED_FAILED},
    [EVENT_STOPPED_FROM_SNAPSHOT] = {LEAVES(SHUT_OFF, SNAPSHOT), EFFECT_PLANNED,
                                     .why = "reverted to a snapshot in which it was off"},

    [EVENT_CRASHED_PANICKED] = {LEAVES(CRASHED, PANICKED), EFFECT_PANIC},
    [EVENT_CRASHED_CRASHLOADED] = {.effect = EFFECT_NOTED,
                                   .why = "the guest crashed and is writing its own dump (kdump); it goes on running"},
    [EVENT_WATCHDOG] = {.effect = EFFECT_WATCHDOG, .why = "its watchdog fired"},
    [EVENT_WATCHDOG_OFF] = {.effect = EFFECT_WATCHDOG_OFF, .why = "its watchdog fired and is powering it off"},
    [EVENT_ENDED_KILLED] = {.effect = EFFECT_ENDED_KILLED},
    [EVENT_ENDED_EXITED] = {.effect = EFFECT_ENDED_EXITED},
    [EVENT_UNLISTED] = {.effect = EFFECT_NOTED, .why = "an event that this version does not know"},
};

bool domain_event_state(enum domain_event_kind event, enum machine_state *ret_state, enum machine_reason *ret_reason)
{
    const struct rule *rule = &rules[event];

    if (!rule->has_state)
        return false;
    *ret_state = rule->state;
    *ret_reason = rule->reason;
    return true;
}

static const struct failure_verdict nothing = {FAILURE_NONE, CAUSE_NONE, "", false};

static struct failure_verdict planned(const char *why)
{
    return (struct failure_verdict){FAILURE_PLANNED, CAUSE_NONE, why, false};
}

static struct failure_verdict noted(const char *why)
{
    return (struct failure_verdict){FAILURE_NOTED, CAUSE_NONE, why, false};
}

/* The stop under way is over, however it ended; the history of panics stays. */
static void settle_stop(struct failure_track *track)
{
    track->last_shutdown = EVENT_DEFINED;
    track->panicked = false;
    track->has_exited = false;
    track->watchdog_off_us = 0;
    track->pending = CAUSE_NONE;
    track->pending_since = (struct moment){0};
    track->is_incoming = false;
    track->may_be_incoming = false;
}

/* Right after a recovery ended it, what is told is old. */
static bool is_old_news(const struct failure_track *track, const struct failure_context *context)
{
    return track->written_off_us != 0 && context->now.mono_us - track->written_off_us <= OLD_NEWS_US;
}

/* One failure is detected once, however many events tell of it. */
static struct failure_verdict detected(struct failure_track *track, enum failure_cause cause, const char *why,
                                       const struct failure_context *context)
{
    struct moment since = track->pending_since;

    settle_stop(track);
    if (track->reported || is_old_news(track, context))
        return nothing;
    track->reported = true;
    track->pending_since = since;
    return (struct failure_verdict){FAILURE_DETECTED, cause, why, false};
}

static struct failure_verdict judge_up(struct failure_track *track)
{
    settle_stop(track);
    track->reported = false;
    return nothing;
}

static bool is_known_off(const struct failure_context *context)
{
    return context->known == MACHINE_SHUT_OFF || context->known == MACHINE_GONE;
}

/* It counts as a failure unless it runs again in time. */
static void await(struct failure_track *track, enum failure_cause cause, int64_t grace_us, struct moment now)
{
    if (!moment_has_come(track->pending_since))
        track->pending_since = now;
    track->pending = cause;
    track->pending_until_us = now.mono_us + grace_us;
}

static int64_t grace_of(enum failure_cause cause, const struct config_failure *config)
{
    if (cause == CAUSE_WATCHDOG)
        return config->watchdog_grace_us;
    return cause == CAUSE_HOST_LOST ? config->reboot_grace_us : config->io_error_grace_us;
}

static struct failure_verdict judge_grace(struct failure_track *track, enum failure_cause cause, const char *why,
                                          const struct failure_context *context)
{
    if (track->reported || track->pending == cause)
        return nothing;
    await(track, cause, grace_of(cause, context->config), context->now);
    return (struct failure_verdict){FAILURE_PENDING, cause, why, false};
}

static void note(struct failure_ring *ring, struct moment now)
{
    ring->at_us[ring->count++ % CONFIG_PANIC_LIMIT_MAX] = now.mono_us;
}

/* By the firmware, which resets the machine once more while it boots. */
static bool is_same_reset(const struct failure_ring *resets, struct moment now)
{
    return resets->count > 0 &&
           now.mono_us - resets->at_us[(resets->count - 1) % CONFIG_PANIC_LIMIT_MAX] < SAME_RESET_US;
}

/* As many as the limit, the earliest of them within the window. */
static bool is_often(const struct failure_ring *ring, unsigned limit, const struct config_failure *config,
                     struct moment now)
{
    return limit > 0 && ring->count >= limit &&
           now.mono_us - ring->at_us[(ring->count - limit) % CONFIG_PANIC_LIMIT_MAX] <= config->panic_window_us;
}

static bool panics_too_often(const struct failure_context *context)
{
    note(&context->panics->panics, context->now);
    return is_often(&context->panics->panics, context->config->panic_limit, context->config, context->now);
}

bool failure_resets_repeat(const struct failure_panics *panics, const struct config_failure *config, struct moment now)
{
    return is_often(&panics->resets, config->panic_limit, config, now);
}

/*
 * By libvirt after a panic, by its watchdog, by an operator, or by itself: a reset has no cause in its event. One alone is no news:
 * that they repeat is a problem.
 */
static struct failure_verdict judge_reset(struct failure_track *track, const struct failure_context *context)
{
    bool by_watchdog =
        track->watchdog_us != 0 && context->now.mono_us - track->watchdog_us <= WATCHDOG_RESET_US && !track->panicked;

    track->watchdog_us = 0;
    if (!by_watchdog && is_same_reset(&context->panics->resets, context->now))
        return nothing;
    note(&context->panics->resets, context->now);
    if (by_watchdog && panics_too_often(context))
        return detected(track, CAUSE_RESET_LOOP, "its watchdog resets the guest again and again", context);
    if (is_often(&context->panics->resets, context->config->reboot_limit, context->config, context->now))
        return detected(track, CAUSE_RESET_LOOP, "the guest is reset again and again (failure.reboot_limit)", context);
    return nothing;
}

static struct failure_verdict judge_panic(struct failure_track *track, const struct failure_context *context)
{
    /* Told twice, or told again before it ran again: one panic. */
    if (track->panicked)
        return nothing;
    switch (context->on_crash) {
    case ON_CRASH_PRESERVE:
        return detected(track, CAUSE_PANIC_PRESERVED, "the guest panicked; libvirt preserves what is left of it",
                        context);
    case ON_CRASH_RESTART:
        if (panics_too_often(context))
            return detected(track, CAUSE_PANIC_LOOP, "the guest panics again and again although libvirt restarts it",
                            context);
        track->panicked = true;
        return noted("the guest panicked and libvirt restarts it");
    case ON_CRASH_DESTROY:
    case ON_CRASH_COUNT:
    default:
        if (track->reported)
            return nothing;
        track->panicked = true;
        await(track, CAUSE_PANICKED, PANIC_STOP_WAIT_US, context->now);
        return noted("the guest panicked; libvirt is ending it");
    }
}

static struct failure_verdict judge_host_kill(struct failure_track *track, const struct failure_context *context)
{
    settle_stop(track);
    if (context->host_is_shutting_down)
        return planned("terminated because its host is shutting down");
    if (context->is_held)
        return planned("terminated on its host, while it is held");
    if (!context->config->host_kill_is_failure)
        return planned("terminated on its host, which failure.host_kill calls planned");
    return detected(track, CAUSE_HOST_KILL, "its process was terminated on the host without asking libvirt", context);
}

static bool is_off_by_watchdog(const struct failure_track *track, const struct failure_context *context)
{
    return track->watchdog_off_us != 0 && context->now.mono_us - track->watchdog_off_us <= WATCHDOG_OFF_US;
}

static struct failure_verdict judge_stopped_off(struct failure_track *track, const struct failure_context *context)
{
    if (track->panicked)
        return detected(track, CAUSE_PANICKED, "the guest panicked and was powered off", context);
    if (is_off_by_watchdog(track, context))
        return detected(track, CAUSE_WATCHDOG, "the guest's watchdog fired and powered it off", context);
    if (track->last_shutdown == EVENT_SHUTDOWN_HOST)
        return judge_host_kill(track, context);
    settle_stop(track);
    return (struct failure_verdict){FAILURE_PLANNED, CAUSE_NONE, "shut down from inside or on request", true};
}

static struct failure_verdict judge_stopped_crashed(struct failure_track *track, const struct failure_context *context)
{
    if (track->panicked)
        return detected(track, CAUSE_PANICKED, "the guest panicked and libvirt ended it", context);
    return detected(track, CAUSE_CRASHED, "libvirt says that it crashed", context);
}

/* Its host does not have it any more: a failure, unless it is still looked for on the others. */
static struct failure_verdict judge_missed(struct failure_track *track, enum failure_cause cause, const char *why,
                                           const struct failure_context *context)
{
    struct failure_verdict verdict;

    if (!context->may_run_elsewhere)
        return detected(track, cause, why, context);
    settle_stop(track);
    verdict = judge_grace(track, CAUSE_HOST_LOST, why, context);
    if (verdict.kind == FAILURE_PENDING)
        track->pending_until_us = context->now.mono_us + LOOK_AGAIN_US;
    return verdict;
}

static struct failure_verdict judge_stopped_failed(struct failure_track *track, const struct failure_context *context)
{
    if (track->panicked)
        return detected(track, CAUSE_PANICKED, "the guest panicked and its process ended", context);
    if (track->last_shutdown == EVENT_SHUTDOWN_HOST)
        return judge_host_kill(track, context);
    if (track->last_shutdown != EVENT_DEFINED) {
        settle_stop(track);
        return planned("its process died while the guest was shutting down");
    }
    if (is_known_off(context) || track->is_incoming) {
        settle_stop(track);
        return noted("an attempt to start it or to migrate it here failed");
    }
    if (track->may_be_incoming)
        return judge_missed(track, CAUSE_PROCESS_DIED, "its process ended in the middle of a migration", context);
    /* But for its watchdog, no guest can make its QEMU exit: libvirt has it wait to be ended. */
    if (is_off_by_watchdog(track, context))
        return detected(track, CAUSE_WATCHDOG, "the guest's watchdog fired, and its QEMU has ended", context);
    if (track->has_exited)
        return judge_host_kill(track, context);
    return detected(track, CAUSE_PROCESS_DIED, "its process ended without a shutdown", context);
}

static struct failure_verdict judge_stopped_destroyed(struct failure_track *track,
                                                      const struct failure_context *context)
{
    if (context->is_drilled)
        return detected(track, CAUSE_DRILL, "it was destroyed for a drill, as an operator ordered", context);
    settle_stop(track);
    return planned("destroyed on request");
}

/* What libvirt will say of it can be nothing but a failure; a planned stop is never told of here. */
static bool awaits_libvirt(const struct failure_track *track, const struct failure_context *context)
{
    return context->host_is_shutting_down || context->is_drilled || track->is_incoming || track->may_be_incoming;
}

/* libvirt ends a machine that panicked, as its on_crash says: whatever ended its QEMU, it is a failure. */
static bool is_ended_by_its_panic(const struct failure_track *track, const struct failure_context *context)
{
    return track->panicked && context->on_crash == ON_CRASH_DESTROY;
}

/* One that is paused may run on elsewhere: a migration pauses what it takes away. And one that shuts down is to end. */
static struct failure_verdict judge_ended_killed(struct failure_track *track, const struct failure_context *context)
{
    if (awaits_libvirt(track, context))
        return nothing;
    if (is_ended_by_its_panic(track, context))
        return detected(track, CAUSE_PANICKED,
                        "the guest panicked and its QEMU was killed; libvirt has not said so yet", context);
    if (context->known != MACHINE_RUNNING)
        return nothing;
    return detected(track, CAUSE_PROCESS_DIED,
                    "its QEMU was killed (signal 9), and not by libvirt, which has not said so yet", context);
}

/* The shutdown was told while it still ran: when libvirt itself ends a QEMU, it tells that only afterwards. */
static struct failure_verdict judge_ended_exited(struct failure_track *track, const struct failure_context *context)
{
    track->has_exited = true;
    if (awaits_libvirt(track, context))
        return nothing;
    if (is_ended_by_its_panic(track, context))
        return detected(track, CAUSE_PANICKED, "the guest panicked and its QEMU has ended; libvirt has not said so yet",
                        context);
    if (track->last_shutdown != EVENT_SHUTDOWN_HOST || context->is_held || !context->config->host_kill_is_failure ||
        context->now.mono_us - track->shutdown_us > EXIT_WAIT_US)
        return nothing;
    return detected(track, CAUSE_HOST_KILL,
                    "its process was terminated on the host without asking libvirt, which has not said so yet",
                    context);
}

struct failure_verdict failure_handle_event(struct failure_track *track, enum domain_event_kind event,
                                            const struct failure_context *context)
{
    const struct rule *rule = &rules[event];

    switch (rule->effect) {
    case EFFECT_UP:
        return judge_up(track);
    case EFFECT_INCOMING:
        track->is_incoming = true;
        return nothing;
    case EFFECT_SHUTDOWN:
        track->last_shutdown = event;
        track->shutdown_us = context->now.mono_us;
        return nothing;
    case EFFECT_PLANNED:
        settle_stop(track);
        return planned(rule->why);
    case EFFECT_PAUSED:
        return track->panicked || track->reported ? nothing : planned(rule->why);
    case EFFECT_NOTED:
        return noted(rule->why);
    case EFFECT_RESET:
        return judge_reset(track, context);
    case EFFECT_WATCHDOG:
        track->watchdog_us = context->now.mono_us;
        return noted(rule->why);
    case EFFECT_GRACE:
        /* News of a start was lost: it was started since it was last seen off, and what was reported then is over. */
        if (is_known_off(context))
            judge_up(track);
        return judge_grace(track, rule->cause, rule->why, context);
    case EFFECT_PANIC:
        return judge_panic(track, context);
    case EFFECT_STOPPED_OFF:
        return judge_stopped_off(track, context);
    case EFFECT_STOPPED_CRASHED:
        return judge_stopped_crashed(track, context);
    case EFFECT_STOPPED_FAILED:
        return judge_stopped_failed(track, context);
    case EFFECT_STOPPED_DESTROYED:
        return judge_stopped_destroyed(track, context);
    case EFFECT_WATCHDOG_OFF:
        track->watchdog_off_us = context->now.mono_us;
        return noted(rule->why);
    case EFFECT_ENDED_KILLED:
        return judge_ended_killed(track, context);
    case EFFECT_ENDED_EXITED:
        return judge_ended_exited(track, context);
    case EFFECT_NOTHING:
    default:
        return nothing;
    }
}

/* Off, and libvirt does not know how that came, for it was started anew. */
static struct failure_verdict judge_found_unexplained(struct failure_track *track,
                                                      const struct failure_context *context)
{
    if (!machine_state_is_active(context->known))
        return nothing;
    if (context->runs_elsewhere) {
        settle_stop(track);
        return planned("found on another host, as after a migration");
    }
    /* A managed save image goes when the machine starts: this one was made since. */
    if (context->has_managed_save) {
        settle_stop(track);
        return planned("found saved");
    }
    if (context->is_held) {
        settle_stop(track);
        return planned("found off, while it is held");
    }
    if (context->host_was_lost)
        return judge_missed(track, CAUSE_HOST_LOST, "its host was lost, and came back without it", context);
    settle_stop(track);
    if (context->host_has_rebooted && machine_state_is_in_service(context->known, context->known_reason))
        return judge_grace(track, CAUSE_HOST_LOST, "its host was booted anew, and came back without it", context);
    return noted("found off, and libvirt cannot say how it stopped; not taken for a failure");
}

/* One that lives only as long as it runs. */
static struct failure_verdict judge_found_gone(struct failure_track *track, const struct failure_context *context)
{
    if (!machine_state_is_active(context->known))
        return nothing;
    if (context->runs_elsewhere) {
        settle_stop(track);
        return planned("found on another host, as after a migration");
    }
    if (context->is_drilled)
        return judge_stopped_destroyed(track, context);
    if (context->is_held) {
        settle_stop(track);
        return planned("found gone, while it is held");
    }
    if (context->host_has_rebooted && machine_state_is_in_service(context->known, context->known_reason))
        return judge_missed(track, CAUSE_HOST_LOST, "its host was booted anew, and came back without it", context);
    settle_stop(track);
    return noted("it is gone, and libvirt no longer knows how it ended; not taken for a failure");
}

/* Found shut off although it was up when last seen, or off for another reason. */
static struct failure_verdict judge_found_off(struct failure_track *track, enum machine_reason reason,
                                              const struct failure_context *context)
{
    bool was_active = machine_state_is_active(context->known);

    switch (reason) {
    case REASON_CRASHED:
        if (track->panicked)
            return judge_stopped_crashed(track, context);
        if (context->known == MACHINE_UNKNOWN || context->known == MACHINE_CRASHED ||
            (!was_active && context->known_reason == REASON_CRASHED))
            return nothing;
        /* What was told of its pause is not that its process is gone. */
        if (context->known == MACHINE_PAUSED &&
            (context->known_reason == REASON_IO_ERROR || context->known_reason == REASON_WATCHDOG))
            track->reported = false;
        return detected(track, CAUSE_FOUND_CRASHED, "found crashed; understudyd was not connected when it happened",
                        context);
    case REASON_DAEMON:
        if (!was_active)
            return nothing;
        return detected(track, CAUSE_FOUND_CRASHED, "found given up by libvirt, which could not reach its process",
                        context);
    case REASON_SHUTDOWN:
        return was_active ? judge_stopped_off(track, context) : nothing;
    case REASON_UNKNOWN:
    case REASON_FAILED:
        return judge_found_unexplained(track, context);
    case REASON_DESTROYED:
        if (was_active && context->is_drilled)
            return judge_stopped_destroyed(track, context);
        settle_stop(track);
        return was_active ? planned("found stopped, and not by a crash") : nothing;
    case REASON_USER:
    case REASON_STARTING_UP:
    case REASON_IO_ERROR:
    case REASON_WATCHDOG:
    case REASON_BUSY:
    case REASON_INCOMING:
    case REASON_POSTCOPY_FAILED:
    case REASON_PANICKED:
    case REASON_SAVED:
    case REASON_MIGRATED:
    case REASON_SNAPSHOT:
    case REASON_COUNT:
    default:
        settle_stop(track);
        return was_active ? planned("found stopped, and not by a crash") : nothing;
    }
}

static struct failure_verdict judge_found_paused(struct failure_track *track, enum machine_reason reason,
                                                 const struct failure_context *context)
{
    if (reason == REASON_IO_ERROR)
        return judge_grace(track, CAUSE_IO_ERROR, "found paused by an I/O error", context);
    if (reason == REASON_WATCHDOG)
        return judge_grace(track, CAUSE_WATCHDOG, "found paused by its watchdog", context);
    if (reason == REASON_USER && context->known == MACHINE_RUNNING)
        return planned("found suspended on request");
    /* It is about to leave; or had left unseen, and is on its way back. */
    if (reason == REASON_BUSY && machine_state_is_active(context->known) && context->known_reason != REASON_BUSY)
        track->may_be_incoming = true;
    return nothing;
}

static struct failure_verdict judge_found_crashed(struct failure_track *track, const struct failure_context *context)
{
    if (context->known == MACHINE_CRASHED)
        return nothing;
    if (context->known == MACHINE_UNKNOWN)
        return noted("found crashed and preserved at the first look; since when is not known, so nothing is done");
    return detected(track, CAUSE_PANIC_PRESERVED, "found crashed and preserved", context);
}

struct failure_verdict failure_handle_listing(struct failure_track *track, enum machine_state state,
                                              enum machine_reason reason, const struct failure_context *context)
{
    /* Whatever it is now: it was started since it was last seen off, and what was reported then is over. */
    if (machine_state_is_active(state) && is_known_off(context))
        judge_up(track);
    if (machine_state_is_active(state))
        track->has_exited = false; /* it was started since */
    switch (state) {
    case MACHINE_RUNNING:
    case MACHINE_SUSPENDED:
        /* Nothing new, and perhaps a shutdown under way whose beginning must not be forgotten. */
        if (context->known == MACHINE_RUNNING || context->known == MACHINE_SUSPENDED)
            return nothing;
        return judge_up(track);
    case MACHINE_PAUSED:
        return judge_found_paused(track, reason, context);
    case MACHINE_SHUT_OFF:
        return judge_found_off(track, reason, context);
    case MACHINE_CRASHED:
        return judge_found_crashed(track, context);
    case MACHINE_GONE:
        return judge_found_gone(track, context);
    case MACHINE_STOPPING:
    case MACHINE_TEMPLATE:
    case MACHINE_UNKNOWN:
    case MACHINE_STATE_COUNT:
    default:
        return nothing;
    }
}

void failure_await_restart(struct failure_track *track, const struct config_failure *config, struct moment now)
{
    await(track, CAUSE_HOST_LOST, grace_of(CAUSE_HOST_LOST, config), now);
}

int64_t failure_deadline(const struct failure_track *track)
{
    return track->pending == CAUSE_NONE ? USEC_INFINITY : track->pending_until_us;
}

struct failure_verdict failure_tick(struct failure_track *track, const struct failure_context *context)
{
    enum failure_cause cause = track->pending;

    if (cause == CAUSE_NONE || context->now.mono_us < track->pending_until_us)
        return nothing;
    if (cause == CAUSE_HOST_LOST && context->is_held) {
        settle_stop(track);
        return planned("found off after its host was booted, while it is held");
    }
    if (cause == CAUSE_HOST_LOST && context->may_run_elsewhere) {
        track->pending_until_us = context->now.mono_us + LOOK_AGAIN_US;
        return nothing;
    }
    if (cause == CAUSE_PANICKED)
        return detected(track, cause, "the guest panicked and libvirt has not ended it", context);
    return detected(track, cause, "it did not run again within the grace period", context);
}
