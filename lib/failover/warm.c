/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A standby's warmth as data: its words, its life, and how it comes back after the daemon was started anew. */
#include "failover/warm.h"

#include <stdlib.h>
#include <string.h>

static const char *const state_names[WARM_STATE_COUNT] = {
    [WARM_RECORDING] = "recording", [WARM_STARTING] = "starting",   [WARM_RESOLVING] = "resolving",
    [WARM_SETTLING] = "settling",   [WARM_VERIFYING] = "verifying", [WARM_LAYING] = "laying",
    [WARM_STANDING] = "standing",   [WARM_CHECKING] = "checking",   [WARM_STUCK] = "stuck",
    [WARM_STOPPING] = "stopping",   [WARM_LOOKING] = "looking",     [WARM_LURKING] = "lurking",
    [WARM_OVER] = "over",
};

static const char *const event_names[WARM_EVENT_COUNT] = {
    [WARM_BEGIN] = "begin",
    [WARM_ANSWER] = "answer",
    [WARM_CAME_BACK] = "came-back",
    [WARM_OFF] = "off",
    [WARM_UP] = "up",
    [WARM_FAILED] = "failed",
    [WARM_RECONNECTED] = "reconnected",
    [WARM_HOST_OFF] = "host-off",
    [WARM_BLOCKED] = "blocked",
    [WARM_RELEASE] = "release",
    [WARM_TICK] = "tick",
};

const char *warm_state_name(enum warm_state state)
{
    return state_names[state];
}

const char *warm_event_name(enum warm_event_kind kind)
{
    return event_names[kind];
}

static enum verify_level level_for(const struct config *config, const struct machine *machine)
{
    if (config->recovery.verify.level != VERIFY_AUTO)
        return config->recovery.verify.level;
    return machine->description->has_agent_channel ? VERIFY_AGENT : VERIFY_RUNNING;
}

void warming_init(struct warming *warming, const char *id, const struct machine *machine, const struct config *config)
{
    *warming = (struct warming){
        .state = WARM_RECORDING,
        .ref = machine_ref_of(machine),
        .level = level_for(config, machine),
        .form = config->standby.warmth,
        .deadline_us = USEC_INFINITY,
    };
    strncpy(warming->id, id, sizeof(warming->id) - 1);
}

void warming_restore_standing(struct warming *warming, enum keep_warm form, struct moment since)
{
    warming->state = WARM_STANDING;
    warming->form = form;
    warming->standing = since;
    warming->was_warm = true;
}

void warming_restore_course(struct warming *warming, bool waits_for_connection)
{
    warming->state = WARM_RESOLVING;
    warming->last = ACTION_START;
    warming->waits_for_connection = waits_for_connection;
}

void warming_restore_lurking(struct warming *warming)
{
    warming->state = WARM_LURKING;
    warming->is_failing = true;
    warming->deadline_us = warming->loose_until_us;
}

void warming_done(struct warming *warming)
{
    free(warming->detail);
    warming->detail = NULL;
}

bool warming_may_yield(const struct warming *warming)
{
    return warming->state <= WARM_CHECKING && !warming->is_failing && !warming->is_releasing;
}

bool warming_can_yield(const struct warming *warming)
{
    /* A call that changes it must have ended, and what became of one that was cut off must be known. */
    return warming_may_yield(warming) && warming->state != WARM_STARTING && warming->state != WARM_LAYING &&
           warming->state != WARM_RESOLVING;
}
