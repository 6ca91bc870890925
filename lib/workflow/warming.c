/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A standby's warmth as data: its words, its life, and how it comes back after the daemon was started anew. */
#include "workflow/warming.h"

#include <stdlib.h>
#include <string.h>

static const char *const state_names[WARMING_STATE_COUNT] = {
    [WARMING_RECORDING] = "recording", [WARMING_STARTING] = "starting",   [WARMING_RESOLVING] = "resolving",
    [WARMING_SETTLING] = "settling",   [WARMING_VERIFYING] = "verifying", [WARMING_LAYING] = "laying",
    [WARMING_STANDING] = "standing",   [WARMING_CHECKING] = "checking",   [WARMING_STUCK] = "stuck",
    [WARMING_STOPPING] = "stopping",   [WARMING_LOOKING] = "looking",     [WARMING_LURKING] = "lurking",
    [WARMING_OVER] = "over",
};

static const char *const event_names[WARMING_EVENT_COUNT] = {
    [WARMING_BEGIN] = "begin",
    [WARMING_ANSWER] = "answer",
    [WARMING_CAME_BACK] = "came-back",
    [WARMING_OFF] = "off",
    [WARMING_UP] = "up",
    [WARMING_FAILED] = "failed",
    [WARMING_RECONNECTED] = "reconnected",
    [WARMING_HOST_OFF] = "host-off",
    [WARMING_BLOCKED] = "blocked",
    [WARMING_RELEASE] = "release",
    [WARMING_TICK] = "tick",
};

const char *warming_state_name(enum warming_state state)
{
    return state_names[state];
}

const char *warming_event_name(enum warming_event_kind kind)
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
        .state = WARMING_RECORDING,
        .ref = machine_ref_of(machine),
        .level = level_for(config, machine),
        .form = config->standby.warmth,
        .deadline_us = USEC_INFINITY,
    };
    strncpy(warming->id, id, sizeof(warming->id) - 1);
}

void warming_restore_standing(struct warming *warming, enum keep_warm form, struct moment since)
{
    warming->state = WARMING_STANDING;
    warming->form = form;
    warming->standing = since;
    warming->was_warm = true;
}

void warming_restore_course(struct warming *warming, bool waits_for_connection)
{
    warming->state = WARMING_RESOLVING;
    warming->last = ACTION_START;
    warming->waits_for_connection = waits_for_connection;
}

void warming_restore_lurking(struct warming *warming)
{
    warming->state = WARMING_LURKING;
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
    return warming->state <= WARMING_CHECKING && !warming->is_failing && !warming->is_releasing;
}

bool warming_can_yield(const struct warming *warming)
{
    /* A call that changes it must have ended, and what became of one that was cut off must be known. */
    return warming_may_yield(warming) && warming->state != WARMING_STARTING && warming->state != WARMING_LAYING &&
           warming->state != WARMING_RESOLVING;
}
