/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Starts that take effect when no recovery counts on them any more: two machines must not serve for one
 * failure. No question to a hypervisor tells of a start that is still to come, as one is whose answer was
 * lost with the connection or with the daemon that asked. So every attempt keeps, on disk as well, what is
 * known of its start (enum start_fate), and a machine that comes up by one that was given up is ended.
 */
#ifndef UNDERSTUDY_COORDINATOR_LATE_STARTS_H
#define UNDERSTUDY_COORDINATOR_LATE_STARTS_H

#include "coordinator/component.h"
#include "coordinator/tasks.h"

struct late_starts {
    struct registry *registry;
    struct task *came_late; /* machines that came up late: to be stopped */
};

component_handle late_starts_handle;
component_answer late_starts_answer;
component_next late_starts_next;
void late_starts_done(struct late_starts *late_starts);

/* A start that was answered -ETIMEDOUT has ended after all. */
void late_starts_handle_late_result(struct late_starts *late_starts, const struct action *action,
                                    const struct action_result *result, struct moment now);

/* After it (mono_us) nothing comes of this start any more: what comes up was rather started by an operator. */
int64_t late_starts_end_us(const struct registry *registry, const struct recovery_attempt *attempt);

/* A start of this machine that was given up may still take effect. */
bool late_starts_may_bring_up(const struct late_starts *late_starts, const struct machine *machine, struct moment now);
bool late_starts_are_possible(const struct registry *registry, const struct recovery *recovery, struct moment now);

#endif
