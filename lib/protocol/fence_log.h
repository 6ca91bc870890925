/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What fence agents were asked, and what came of it. */
#ifndef UNDERSTUDY_PROTOCOL_FENCE_LOG_H
#define UNDERSTUDY_PROTOCOL_FENCE_LOG_H

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"
#include "base/moment.h"
#include "config/config.h"

/* So many reports of one host are kept. */
#define FENCE_LOG_MAX 100

enum fence_call {
    FENCE_CALL_OFF,
    FENCE_CALL_STATUS,
    FENCE_CALL_ON,
    FENCE_CALL_COUNT,
};

/* "off", "status", "on": the actions of an agent. */
const char *fence_call_name(enum fence_call call);

/* One agent and what became of it: switching a host off, with the status that was asked for; or on; or its status alone. */
struct fence_report {
    struct moment at; /* when it was begun */
    int64_t took_us;
    unsigned attempt; /* to fence the host, since it was lost, from 1; 0: the agent was tested */
    unsigned level;   /* from 1 */
    char agent[FENCE_AGENT_NAME_SIZE];
    enum fence_call call;
    bool has_succeeded;
    char answer[256]; /* one sentence without a full stop; of a test that succeeded: "on" or "off" */
};

/* The oldest first. A plain value: begin with {0}, end with fence_log_done. */
struct fence_log {
    struct fence_report *all;
    size_t count;
};

void fence_log_done(struct fence_log *log);
/* The oldest goes where there are FENCE_LOG_MAX. -ENOMEM. */
int fence_log_add(struct fence_log *log, const struct fence_report *report) _must_check_;
/* Only the last one of each agent is kept. -ENOMEM. */
int fence_log_put(struct fence_log *log, const struct fence_report *report) _must_check_;
/* Those of agents that the configuration has no longer go. */
void fence_log_keep_agents(struct fence_log *log, const struct config_fence *fence);

#endif
