/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Fence agents and their levels, whichever way they are written: fence.command alone is one level of one agent. */
#ifndef UNDERSTUDY_CONFIG_FENCE_H
#define UNDERSTUDY_CONFIG_FENCE_H

#include "config/config.h"

/* Borrowed from the configuration. */
struct fence_agent {
    const char *name;                     /* that of fence.command alone is called as its file */
    const char *command;                  /* absolute path */
    const struct config_options *options; /* beside fence.options, which they override */
};

/* 0: nothing can be fenced. */
size_t fence_agent_count(const struct config_fence *fence);
struct fence_agent fence_agent_at(const struct config_fence *fence, size_t index);
/* -ENOENT: no agent has this name. */
int fence_agent_find(const struct config_fence *fence, const char *name, size_t *ret) _must_check_;

/* Who is asked, in this order: level by level, from 0, and within it agent by agent. */
struct fence_turn {
    size_t level;
    size_t agent; /* index */
};

size_t fence_turn_count(const struct config_fence *fence);
struct fence_turn fence_turn_at(const struct config_fence *fence, size_t index);

/* The options of the agent for this host alone, which override all others, but for those of no agent; NULL: none. */
const struct config_options *fence_host_options(const struct config_hypervisor *hypervisor, const char *agent);

/* The longest that all of it takes, where every agent hangs in everything that it is asked. */
int64_t fence_time_us(const struct config_fence *fence);

#endif
