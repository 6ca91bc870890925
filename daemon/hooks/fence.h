/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Fence agents: programs that switch a host off, called by the convention of the fence-agents package
 * (https://github.com/ClusterLabs/fence-agents/blob/main/doc/FenceAgentAPI.md): no arguments, NAME=VALUE lines on
 * standard input, exit status 0 for success; action=status ends with 0 for on and 2 for off. Options may be
 * secrets: they go to standard input, a file in memory, and nowhere else; should the agent print one of them,
 * the log has *** for it. Knows no machine. Main thread only; never blocks.
 */
#ifndef UNDERSTUDY_DAEMON_FENCE_H
#define UNDERSTUDY_DAEMON_FENCE_H

#include <stdint.h>

#include "base/cleanup.h"
#include "config/config.h"
#include "protocol/fence_log.h"

struct event_base;
struct fencer;

/* A callback may call fencer_run and fencer_test, but not fencer_free. */
struct fencer_callbacks {
    /* A line that the agent printed, as for hooks_callbacks.line. */
    void (*line)(void *context, const char *host, const char *agent, const char *text);
    /* What became of one agent; `attempt` is not filled in. Borrowed. */
    void (*report)(void *context, const char *host, const struct fence_report *report);
    /*
     * Exactly once for each run. error 0: all agents of one level have switched the host off, and where that is to be
     * confirmed, the status of each is off; or, the test has asked each agent. Else negative errno of the last agent that
     * failed: -ECANCELED, -ETIMEDOUT it was killed, -EIO its answer and the status do not agree, -EPERM it is not to be
     * trusted (see hooks.h), or it could not be run; message says it of all of them, for people.
     */
    void (*done)(void *context, uint64_t run, int error, const char *message);
};

int fencer_new(struct event_base *base, const struct fencer_callbacks *callbacks, void *context,
               struct fencer **ret) _must_check_;

/* Fences one host; there is an agent. Copies everything. -ENOMEM. */
int fencer_run(struct fencer *fencer, uint64_t run, const struct config_hypervisor *host,
               const struct config_fence *config) _must_check_;

/* Asks the agent of this name, or with NULL each one, for the status of the host. -ENOENT: there is none. -ENOMEM. */
int fencer_test(struct fencer *fencer, uint64_t run, const struct config_hypervisor *host,
                const struct config_fence *config, const char *agent) _must_check_;

/* Runs that have not ended. */
size_t fencer_count(const struct fencer *fencer);

/* Kills what still runs; no callback comes after this. Takes NULL. */
void fencer_free(struct fencer *fencer);

#endif
