/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Standbys that are kept warm by a plan. Holds and claims what their courses need, turns the steps of a
 * course into actions and notices, and leaves standbys to recoveries. How one course goes is
 * workflow/warming.
 *
 * A claim is this component's or a recovery's, never both: one that stands warm is claimed by neither, and
 * one on its way is handed over between two calls, with everything that is held of it here.
 */
#ifndef UNDERSTUDY_COORDINATOR_STANDBY_STANDBY_H
#define UNDERSTUDY_COORDINATOR_STANDBY_STANDBY_H

#include "coordinator/brake.h"
#include "coordinator/component.h"
#include "coordinator/guest_clock.h"
#include "coordinator/late_starts.h"
#include "coordinator/registry.h"
#include "workflow/reading.h"
#include "workflow/warming.h"

/* A standby that is kept warm, or on its way there or back, and what is held of it. */
struct warm_standby {
    struct warming warming;
    const struct machine *machine; /* held */
    char *service;                 /* for which it is begun, and made where it is a template; NULL: it was found warm */
    struct machine_ref served;     /* the machine in whose place it would serve by the plan; empty: not known */
    bool is_let_go;                /* taken by a recovery: nothing of it is held here any more but the machine */
    bool was_cut;                  /* its hypervisor was disconnected since it was listed last */
    bool is_untouched;             /* no start of it was asked for yet */
    bool is_unfit;                 /* it was started and has opened what is in use */
    bool needs_memory;             /* its start takes memory of its host */
    bool was_switched_off;         /* it is given back because none is to be warm, and not by the plan */
    bool is_wanted;                /* by the plan, within the limits */
    size_t rank;                   /* in the plan: the less, the more valuable; SIZE_MAX: not in it */
    int64_t unwanted_us;           /* since when it is not wanted: mono_us; USEC_INFINITY: it is */
    bool has_action;
    struct action action;
    struct reading reading; /* before it is started, and after */
    bool wants_measuring;   /* of the memory that it takes */
    uint64_t measure_id;    /* the action whose answer is awaited; 0: none */
    struct moment begun;    /* the course under way */
    int64_t kept_since_us;  /* since when it is kept as it is now: real_us */
};

struct standby {
    struct registry *registry;
    struct brake *brake;
    struct late_starts *late_starts;
    struct guest_clock *guest_clock;
    int64_t choose_us; /* not before: mono_us */
    int64_t wake_us;   /* mono_us; USEC_INFINITY */
    struct warm_standby **all;
    size_t count;
    uint64_t last_id;
};

void standby_done(struct standby *standby);
/* After a new configuration. */
void standby_configure(struct standby *standby);

component_handle standby_handle;
component_answer standby_answer;
component_tick standby_tick;
component_deadline standby_deadline;
component_next standby_next;

/* A call that had outlived its deadline has ended. True: it was one of this component. */
bool standby_handle_late_result(struct standby *standby, const struct action *action, struct moment now);

/* ---- for recoveries ---- */

/* A recovery wants this machine: false: a call is under way that must end first. */
bool standby_can_yield(const struct standby *standby, const struct machine *machine);
/* Leaves it to a recovery, claim and all. False: there was nothing of it that could be handed back. */
bool standby_yield(struct standby *standby, const struct machine *machine, struct moment now);
/* Warming of the machine is not begun before that: mono_us. */
void standby_put_off(struct watch *watch, int64_t until_us);

#endif
