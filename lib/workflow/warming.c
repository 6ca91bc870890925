/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A standby's warmth as data: its words, its life, and how it comes back after the daemon was started anew. */
#include "workflow/warming.h"

#include <stdlib.h>
#include <string.h>

/* clang-format off */
static const struct {
    const char *name;
    bool may_yield;   /* a recovery may take it */
    bool is_changing; /* but not now: a call that changes it is under way, or what became of one is not known */
} states[WARMING_STATE_COUNT] = {
    [WARMING_RECORDING]   = {"recording",   true,  false},
    [WARMING_STARTING]    = {"starting",    true,  true},
    [WARMING_RESOLVING]   = {"resolving",   true,  true},
    [WARMING_SETTLING]    = {"settling",    true,  false},
    [WARMING_VERIFYING]   = {"verifying",   true,  false},
    [WARMING_SUSPENDING]  = {"suspending",  true,  true},
    [WARMING_STANDING]    = {"standing",    true,  false},
    [WARMING_CHECKING]    = {"checking",    true,  false},
    [WARMING_STUCK]       = {"stuck",       false, false},
    [WARMING_STOPPING]    = {"stopping",    false, false},
    [WARMING_LOOKING]     = {"looking",     false, false},
    [WARMING_MAY_COME_UP] = {"may-come-up", false, false},
    [WARMING_OVER]        = {"over",        false, false},
};
/* clang-format on */

const char *warming_state_name(enum warming_state state)
{
    return states[state].name;
}

void warming_init(struct warming *warming, const char *id, const struct machine *machine, const struct config *config)
{
    *warming = (struct warming){
        .state = WARMING_RECORDING,
        .ref = machine_ref_of(machine),
        .level = question_verify_level(machine, config),
        .form = config->standby.warmth,
        .question = {.deadline_us = USEC_INFINITY},
    };
    strncpy(warming->id, id, sizeof(warming->id) - 1);
}

void warming_restore_standing(struct warming *warming, enum keep_warm form, enum warm_proof proof, struct moment since)
{
    warming->state = WARMING_STANDING;
    warming->form = form;
    warming->proof = proof;
    warming->standing = since;
    warming->was_warm = true;
}

void warming_restore_course(struct warming *warming, bool waits_for_connection)
{
    warming->state = WARMING_RESOLVING;
    warming->last = ACTION_START;
    warming->question.waits_for_connection = waits_for_connection;
}

void warming_restore_off(struct warming *warming)
{
    warming->state = WARMING_MAY_COME_UP;
    warming->is_failing = true;
    warming->question.deadline_us = warming->may_start_until_us;
}

void warming_done(struct warming *warming)
{
    free(warming->detail);
    warming->detail = NULL;
}

bool warming_may_yield(const struct warming *warming)
{
    return states[warming->state].may_yield && !warming->is_failing && !warming->is_releasing;
}

bool warming_can_yield(const struct warming *warming)
{
    return warming_may_yield(warming) && !states[warming->state].is_changing;
}
