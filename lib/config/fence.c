/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names were checked when the file was read: each agent of a level is there. */
#include "config/fence.h"

#include <errno.h>
#include <string.h>

#include "base/moment.h"

/* A program that hangs has to be ended. */
#define END_US (5 * USEC_PER_SEC)

size_t fence_agent_count(const struct config_fence *fence)
{
    return fence->n_agents > 0 ? fence->n_agents : fence->command != NULL;
}

struct fence_agent fence_agent_at(const struct config_fence *fence, size_t index)
{
    static const struct config_options none = {0};
    const struct config_fence_agent *agent;

    if (fence->n_agents == 0) {
        const char *slash = strrchr(fence->command, '/');

        return (struct fence_agent){slash != NULL ? slash + 1 : fence->command, fence->command, &none};
    }
    agent = &fence->agents[index];
    return (struct fence_agent){agent->name, agent->command != NULL ? agent->command : fence->command, &agent->options};
}

int fence_agent_find(const struct config_fence *fence, const char *name, size_t *ret)
{
    for (size_t i = 0; i < fence_agent_count(fence); i++)
        if (strcmp(fence_agent_at(fence, i).name, name) == 0) {
            *ret = i;
            return 0;
        }
    return -ENOENT;
}

size_t fence_turn_count(const struct config_fence *fence)
{
    return fence->n_agents > 0 ? fence->n_turns : fence->command != NULL;
}

struct fence_turn fence_turn_at(const struct config_fence *fence, size_t index)
{
    struct fence_turn turn = {0};

    if (fence->n_agents == 0)
        return turn;
    turn.level = fence->turns[index].level;
    if (fence_agent_find(fence, fence->turns[index].agent, &turn.agent) < 0)
        turn.agent = 0;
    return turn;
}

const struct config_options *fence_host_options(const struct config_hypervisor *hypervisor, const char *agent)
{
    for (size_t i = 0; i < hypervisor->n_fence_agents; i++)
        if (strcmp(hypervisor->fence_agents[i].name, agent) == 0)
            return &hypervisor->fence_agents[i].options;
    return NULL;
}

int64_t fence_time_us(const struct config_fence *fence)
{
    int64_t calls = fence->action == FENCE_REBOOT ? 3 : 2; /* off, status, on */

    return (int64_t)fence_turn_count(fence) * calls * (fence->timeout_us + END_US);
}
