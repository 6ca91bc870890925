/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The course of one host.
 *
 *   unknown, reachable ── disconnected ──▶ missing ── connected ──▶ reachable
 *                                           │ ▲
 *                       host_timeout is over│ │ most are there again: its time begins anew
 *                                           ▼ │
 *                                        doubted ── most are gone ──▶ isolated
 *                                           │ it alone is lost
 *                        ┌──────────────────┼─────────────────────────┐
 *          nothing needed│      agent there │                         │ no agent
 *                        ▼                  ▼        failed           ▼
 *                       lost             fencing ───────────────▶ unfenced
 *                        │                  │  ▲                      │ │
 *                        │                  │  └── (doubted) ── pause ┘ │
 *                        │          success │                          │
 *                        └─ by hand ──▶  fenced ◀────── by hand ───────┘
 *
 * Before each attempt of the agent, and when something on a lost host comes to be needed, it is doubted anew.
 * From everywhere: connected leads back to reachable, but out of fencing only when the agent has answered
 * (then what was seen meanwhile outdates its word), and out of fenced only when it has been listed: one that
 * was seen and is gone again before that is missing anew. A timer that fires late begins anew as well.
 * What cannot be reached and is not fenced is to be taken for running. While the host is held no time runs: it stays
 * missing, and when the hold ends its time begins anew.
 */
#include "detect/host.h"

#include <stdlib.h>
#include <string.h>

#define RETRY_MAX_US (3600 * USEC_PER_SEC)
/* A loop that comes so late was not there to hear: the time begins anew. */
#define LATE_US (2 * USEC_PER_SEC)
/* The pause is doubled at most so often. */
#define DOUBLINGS_MAX 12

struct step {
    struct host_track *host;
    const struct host_event *event;
    const struct config *config;
    struct host_step *out;
};

/* clang-format off */
static const struct {
    const char *name;
    bool is_lost; /* given up: what it has is not worth waiting for */
    bool is_gone; /* it cannot be reached, and is not known to be off */
} words[HOST_STATE_COUNT] = {
    [HOST_UNKNOWN]   = {"unknown",   false, false},
    [HOST_REACHABLE] = {"reachable", false, false},
    [HOST_MISSING]   = {"missing",   false, true},
    [HOST_DOUBTED]   = {"doubted",   false, true},
    [HOST_ISOLATED]      = {"isolated",  false, true},
    [HOST_LOST]      = {"lost",      true,  true},
    [HOST_FENCING]   = {"fencing",   true,  true},
    [HOST_UNFENCED]  = {"unfenced",  true,  true},
    [HOST_FENCED]    = {"fenced",    true,  false},
};
/* clang-format on */

static const char *const event_names[HOST_EVENT_COUNT] = {
    [HOST_CONNECTED] = "connected", [HOST_LISTED] = "listed", [HOST_DISCONNECTED] = "disconnected",
    [HOST_TICK] = "tick",           [HOST_ANSWER] = "answer", [HOST_WITNESSED] = "witnessed",
    [HOST_CONFIRMED] = "confirmed", [HOST_HOLD] = "hold",
};

const char *host_state_name(enum host_state state)
{
    return words[state].name;
}

const char *host_event_name(enum host_event_kind kind)
{
    return event_names[kind];
}

bool host_state_is_lost(enum host_state state)
{
    return words[state].is_lost;
}

bool host_state_is_gone(enum host_state state)
{
    return words[state].is_gone;
}

void host_done(struct host_track *host)
{
    free(host->trouble);
    host->trouble = NULL;
}

/* States that outlive the daemon, and the end of them. */
static bool is_kept(enum host_state state)
{
    return state == HOST_REACHABLE || host_state_is_lost(state);
}

static void enter(struct step *step, enum host_state state)
{
    step->host->is_changed |= is_kept(state) && step->host->state != state;
    step->host->state = state;
    step->host->deadline_us = USEC_INFINITY;
}

static void complain(struct host_track *host, const char *trouble)
{
    free(host->trouble);
    host->trouble = trouble != NULL ? strdup(trouble) : NULL;
}

static void be_missing(struct step *step)
{
    enter(step, HOST_MISSING);
    if (!step->event->is_here && !step->event->is_held)
        step->host->deadline_us = step->event->now.mono_us + step->config->host_timeout_us;
}

static void be_reachable(struct step *step)
{
    enter(step, HOST_REACHABLE);
    step->host->missing = (struct moment){0};
    step->host->tries = 0;
    step->host->is_given_up = false;
    if (step->event->kind == HOST_LISTED)
        step->host->was_lost = false;
    complain(step->host, NULL);
}

static void be_unfenced(struct step *step, const char *why)
{
    struct host_track *host = step->host;
    unsigned doublings = host->tries > DOUBLINGS_MAX ? DOUBLINGS_MAX : host->tries > 0 ? host->tries - 1 : 0;
    int64_t pause_us = step->config->fence.retry_us << doublings;

    enter(step, HOST_UNFENCED);
    complain(host, why);
    host->was_lost = true;
    step->out->has_failed = true;
    if (step->event->can_be_fenced)
        host->deadline_us = step->event->now.mono_us + (pause_us < RETRY_MAX_US ? pause_us : RETRY_MAX_US);
}

static void fence(struct step *step)
{
    enter(step, HOST_FENCING);
    step->host->was_lost = true;
    step->host->was_seen = false;
    step->host->tries++;
    step->out->fences = true;
}

static void be_fenced(struct step *step, bool by_hand)
{
    enter(step, HOST_FENCED);
    complain(step->host, NULL);
    step->host->fenced = step->event->now;
    step->host->was_by_hand = by_hand;
    step->host->was_seen = false;
    step->host->was_lost = false; /* what it had is written off: nothing is to be made out any more */
    step->out->is_fenced = true;
}

static void be_lost(struct step *step)
{
    step->out->is_lost = !step->host->is_given_up;
    step->host->is_given_up = true;
    step->host->was_lost = true;
    if (!step->event->is_needed)
        enter(step, HOST_LOST);
    else if (step->event->can_be_fenced)
        fence(step);
    else
        be_unfenced(step, "there is nothing to fence it with");
}

/* Is it that one, or us? */
static void doubt(struct step *step)
{
    enter(step, HOST_DOUBTED);
    step->host->deadline_us = step->event->now.mono_us + step->config->recovery.call_timeout_us;
    step->out->asks_others = true;
}

static bool is_due(const struct step *step)
{
    return step->event->kind == HOST_TICK && step->event->now.mono_us >= step->host->deadline_us;
}

static bool is_late(const struct step *step)
{
    return step->event->now.mono_us - step->host->deadline_us > LATE_US;
}

/* Each state takes one event; false: the event means nothing in it. */

static bool in_reachable(struct step *step)
{
    switch (step->event->kind) {
    case HOST_CONNECTED:
        enter(step, HOST_REACHABLE);
        return true;
    case HOST_LISTED:
        be_reachable(step);
        return true;
    case HOST_DISCONNECTED:
        step->host->missing = step->event->now;
        be_missing(step);
        return true;
    case HOST_TICK:
    case HOST_WITNESSED:
    case HOST_ANSWER:
    case HOST_CONFIRMED:
    case HOST_HOLD:
    case HOST_EVENT_COUNT:
    default:
        return false;
    }
}

static bool in_missing(struct step *step)
{
    if (step->event->kind == HOST_CONFIRMED) {
        be_fenced(step, true);
        return true;
    }
    if (step->event->kind != HOST_HOLD && !is_due(step))
        return false;
    if (step->event->kind == HOST_HOLD || step->event->is_held || is_late(step))
        be_missing(step);
    else
        doubt(step);
    return true;
}

static bool in_doubted(struct step *step)
{
    if (step->event->kind == HOST_CONFIRMED) {
        be_fenced(step, true);
        return true;
    }
    if (step->event->kind != HOST_WITNESSED && step->event->kind != HOST_HOLD)
        return false;
    if (step->event->kind == HOST_HOLD || step->event->is_held || is_late(step)) {
        be_missing(step);
    } else if (step->event->most_are_gone) {
        enter(step, HOST_ISOLATED);
        step->host->was_lost = true; /* or not: what it has when it is back will show it */
        step->out->is_isolated = true;
    } else {
        be_lost(step);
    }
    return true;
}

static bool in_isolated(struct step *step)
{
    if (step->event->kind == HOST_CONFIRMED) {
        be_fenced(step, true);
        return true;
    }
    if (step->event->kind != HOST_WITNESSED || step->event->most_are_gone)
        return false;
    be_missing(step);
    step->out->is_rejoined = true;
    return true;
}

static bool in_lost(struct step *step)
{
    if (step->event->kind == HOST_CONFIRMED) {
        be_fenced(step, true);
        return true;
    }
    if (step->event->kind == HOST_HOLD && !step->event->is_held) {
        be_missing(step);
        return true;
    }
    if (step->event->kind != HOST_TICK || !step->event->is_needed || step->event->is_held)
        return false;
    doubt(step);
    return true;
}

/* What was seen of it since the agent began outdates the agent's word: it is looked at again. */
static void look_again(struct step *step)
{
    if (step->host->is_connected) {
        enter(step, HOST_REACHABLE);
        step->out->wants_listing = true;
    } else {
        be_missing(step);
    }
}

static bool in_fencing(struct step *step)
{
    if (step->event->kind == HOST_CONFIRMED) {
        be_fenced(step, true);
        return true;
    }
    if (step->event->kind == HOST_CONNECTED || step->event->kind == HOST_LISTED) {
        step->host->was_seen = true;
        return true;
    }
    if (step->event->kind == HOST_HOLD && step->event->is_held && step->event->is_unbegun) {
        step->host->tries--;
        be_missing(step);
        return true;
    }
    if (step->event->kind != HOST_ANSWER)
        return false;
    if (step->host->was_seen)
        look_again(step);
    else if (step->event->error == 0)
        be_fenced(step, false);
    else
        be_unfenced(step, step->event->message);
    return true;
}

static bool in_unfenced(struct step *step)
{
    if (step->event->kind == HOST_CONFIRMED) {
        be_fenced(step, true);
        return true;
    }
    if (step->event->kind == HOST_HOLD)
        be_missing(step);
    /* Without an agent there is no deadline, and one may be configured any time. */
    else if (step->event->kind == HOST_TICK && !step->event->can_be_fenced)
        step->host->deadline_us = USEC_INFINITY;
    else if (step->event->kind == HOST_TICK && (step->host->deadline_us == USEC_INFINITY || is_due(step)))
        doubt(step);
    else
        return false;
    return true;
}

static bool in_fenced(struct step *step)
{
    if (step->event->kind == HOST_LISTED) {
        be_reachable(step);
        step->out->is_back = true;
    } else if (step->event->kind == HOST_CONNECTED) {
        step->host->was_seen = true;
    } else if (step->event->kind == HOST_DISCONNECTED && step->host->was_seen) {
        /* The host was on again, and what runs there now is not known. */
        step->host->missing = step->event->now;
        step->host->was_lost = true;
        be_missing(step);
        step->host->is_changed = true;
    } else {
        return false;
    }
    return true;
}

/* clang-format off */
static const struct {
    bool returns; /* a connection leads back to reachable */
    bool (*take)(struct step *step);
} states[HOST_STATE_COUNT] = {
    [HOST_UNKNOWN]   = {false, in_reachable},
    [HOST_REACHABLE] = {false, in_reachable},
    [HOST_MISSING]   = {true,  in_missing},
    [HOST_DOUBTED]   = {true,  in_doubted},
    [HOST_ISOLATED]      = {true,  in_isolated},
    [HOST_LOST]      = {true,  in_lost},
    [HOST_FENCING]   = {false, in_fencing},
    [HOST_UNFENCED]  = {true,  in_unfenced},
    [HOST_FENCED]    = {false, in_fenced},
};
/* clang-format on */

static bool is_return(const struct step *step)
{
    return states[step->host->state].returns &&
           (step->event->kind == HOST_CONNECTED || step->event->kind == HOST_LISTED);
}

struct host_step host_handle(struct host_track *host, const struct host_event *event, const struct config *config)
{
    struct host_step out = {0};
    struct step step = {host, event, config, &out};

    if (event->kind == HOST_CONNECTED || event->kind == HOST_LISTED)
        host->is_connected = true;
    else if (event->kind == HOST_DISCONNECTED)
        host->is_connected = false;
    if (is_return(&step)) {
        out.is_back = host->is_given_up;
        be_reachable(&step);
    } else if (!states[host->state].take(&step)) {
        host->ignored++;
    }
    return out;
}

void host_restore(struct host_track *host, enum host_state state, struct moment missing, struct moment fenced)
{
    if (!host_state_is_lost(state))
        return;
    host->missing = missing;
    if (state == HOST_FENCED) {
        host->state = HOST_FENCED;
        host->fenced = fenced;
    } else {
        host->was_lost = true;
    }
    host->deadline_us = USEC_INFINITY;
}
