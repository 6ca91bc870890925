/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Actions that a component has to have carried out and that are tried again until they succeed: a list of
 * them, each due, asked for, or waiting to be tried again. Knows no component.
 */
#ifndef UNDERSTUDY_COORDINATOR_TASKS_H
#define UNDERSTUDY_COORDINATOR_TASKS_H

#include "coordinator/registry.h"

struct task {
    struct action action;        /* with the id of the last one that was asked for; 0: none yet */
    struct machine_ref survivor; /* of two machines, the one that stays; for those who need it */
    struct moment deadline;      /* for those who need it */
    bool serves;                 /* without the survivor it serves its service alone; for those who need it */
    unsigned tries;
    bool is_due;
    int64_t retry_us; /* mono_us; USEC_INFINITY: due, or asked */
    struct task *next;
};

/* A new one, due at once; NULL without memory. recovery_id may be empty. */
struct task *tasks_add(struct task **tasks, enum action_kind kind, const struct machine_ref *target,
                       const char *recovery_id);
/* The first task that is due, and about no machine that is held; at the end: a NULL. */
struct task **tasks_find_due(struct task **tasks, const struct registry *registry);
/* The first that waits for this answer, or that is about this machine; at the end: a NULL. */
struct task **tasks_find_action(struct task **tasks, uint64_t action_id);
struct task **tasks_find_target(struct task **tasks, const struct machine_ref *target);
/* It is asked for now. */
struct action task_ask(struct task *task, struct registry *registry, enum part owner, int64_t timeout_us);
/* It waits no longer to be tried again. task may be NULL. */
void task_hurry(struct task *task);
void tasks_drop(struct task **at);

void tasks_tick(struct task *tasks, int64_t now_us);
int64_t tasks_deadline(const struct task *tasks);
void tasks_drop_all(struct task **tasks);

#endif
