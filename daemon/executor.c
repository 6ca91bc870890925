/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A table from the performer of an action to the function that begins it. hypervisor/kinds.c says which performer a
 * kind has.
 */
#include "executor.h"

#include <stdio.h>
#include <string.h>

#include "answers.h"
#include "coordinator/coordinator.h"
#include "hypervisor/kinds.h"
#include "nodes.h"
#include "persistence.h"
#include "programs.h"
#include "service/clock.h"

static int ask_hypervisor(const struct executor *executor, const struct action *action)
{
    return nodes_submit(executor->nodes, action);
}

static int ask_store(const struct executor *executor, const struct action *action)
{
    return persistence_perform(executor->persistence, action);
}

static int run_program(const struct executor *executor, const struct action *action)
{
    return programs_run(executor->programs, action);
}

static int run_fence_agent(const struct executor *executor, const struct action *action)
{
    return programs_fence(executor->programs, action);
}

static int (*const begin[PERFORMER_COUNT])(const struct executor *executor, const struct action *action) = {
    [PERFORMER_HYPERVISOR] = ask_hypervisor,
    [PERFORMER_STORE] = ask_store,
    [PERFORMER_PROGRAM] = run_program,
    [PERFORMER_FENCE_AGENT] = run_fence_agent,
};

/* A hypervisor answers with the action itself; all others answer with its number. */
void executor_begin(const struct executor *executor, const struct action *action)
{
    enum performer performer = kind_performer(action);
    int r = performer != PERFORMER_HYPERVISOR ? answers_expect(executor->answers, action, NULL, NULL) : 0;

    if (r == 0)
        r = begin[performer](executor, action);
    if (r < 0 && !answers_give(executor->answers, action->id, r, strerror(-r))) {
        struct action_result result = {.id = action->id, .error = r};

        snprintf(result.message, sizeof(result.message), "%s", strerror(-r));
        coordinator_handle_result(executor->coordinator, action, &result, clock_now());
    }
}
