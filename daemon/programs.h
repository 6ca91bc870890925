/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* External programs: which hooks an event calls for, what they are told, and which fence agent a host has. */
#ifndef UNDERSTUDY_DAEMON_PROGRAMS_H
#define UNDERSTUDY_DAEMON_PROGRAMS_H

#include <stddef.h>

#include "base/cleanup.h"
#include "protocol/action.h"
#include "protocol/notice.h"

struct answers;
struct config;
struct coordinator;
struct diags;
struct event;
struct event_base;
struct fencer;
struct hooks;
struct problem;
struct settings;

#define PROGRAMS_UNRUN_MAX 16

/* The event of `understudyctl notify-test`: the only one that does not happen by itself. */
#define PROGRAMS_TEST_EVENT "test"

/* A plain value: initialise what is borrowed, the rest is 0. */
struct programs {
    struct coordinator *coordinator;
    struct answers *answers;
    const struct settings *settings;
    struct event *pump; /* activated after the coordinator has been told something */
    struct hooks *hooks;
    struct fencer *fencer;
    char unrun[PROGRAMS_UNRUN_MAX]
              [UUID_TEXT_SIZE]; /* recoveries, or machines being warmed, whose check cannot be run, as told */
    size_t n_unrun;             /* told in all; the latest of them are kept */
};

/* Warns of hooks and other programs of the configuration that could not be run now. */
void programs_check(const struct config *config, struct diags *diags);

int programs_open(struct programs *programs, struct event_base *base) _must_check_;

/* Runs the pre-start hooks, or the command that verifies; answered under action->id. Negative errno: not begun. */
int programs_run(struct programs *programs, const struct action *action) _must_check_;

/*
 * Fences the host of the action's target, or tests its agents; answered under action->id, and the coordinator is told of
 * each agent. Negative errno: not begun.
 */
int programs_fence(struct programs *programs, const struct action *action) _must_check_;
/* Asks the agent, or with NULL each one, for the status of the action's target; likewise. -ENOENT: there is none. */
int programs_test_fencing(struct programs *programs, const struct action *action, const char *agent) _must_check_;

/* Runs the hooks that a notice calls for, if any. Nothing waits for them. */
void programs_tell(struct programs *programs, const struct notice *notice);
/* The same for one of a problem that has begun or ended. */
void programs_tell_problem(struct programs *programs, const struct notice *notice, const struct problem *problem);

/* Runs of hooks and of fence agents that have not ended. */
size_t programs_count(const struct programs *programs);

/* Kills the programs that still run. */
void programs_close(struct programs *programs);

#endif
