/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A recovery as data: its words, its life, and how it comes back after the daemon was started anew. */
#include "workflow/recovery.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* clang-format off */
static const struct {
    const char *name;
    bool is_final;
    bool is_unconfirmed;
    bool has_candidate;
    bool is_coming_up;
    bool is_relieving;
    bool asks_of_failed;
} states[RECOVERY_STATE_COUNT] = {
    /*                       name          final  unconfirmed candidate coming up relieving asks of failed */
    [RECOVERY_DETECTED]   = {"detected",   false, true,       false,    false,    false,    false},
    [RECOVERY_CONFIRMING] = {"confirming", false, true,       false,    false,    false,    true},
    [RECOVERY_DESTROYING] = {"destroying", false, true,       false,    false,    false,    true},
    [RECOVERY_SELECTING]  = {"selecting",  false, false,      false,    false,    false,    false},
    [RECOVERY_RECORDING]  = {"recording",  false, false,      true,     true,     false,    false},
    [RECOVERY_PREPARING]  = {"preparing",  false, false,      true,     true,     false,    false},
    [RECOVERY_STARTING]   = {"starting",   false, false,      true,     true,     false,    false},
    [RECOVERY_RESOLVING]  = {"resolving",  false, false,      true,     true,     false,    false},
    [RECOVERY_STOPPING]   = {"stopping",   false, false,      true,     true,     false,    false},
    [RECOVERY_SETTLING]   = {"settling",   false, false,      true,     false,    false,    false},
    [RECOVERY_VERIFYING]  = {"verifying",  false, false,      true,     false,    false,    false},
    [RECOVERY_WAITING]    = {"waiting",    false, false,      false,    false,    false,    false},
    [RECOVERY_ANNOUNCING] = {"announcing", false, false,      true,     false,    true,     false},
    [RECOVERY_RELIEVING]  = {"relieving",  false, false,      true,     false,    true,     true},
    [RECOVERY_LEAVING]    = {"leaving",    false, false,      true,     false,    true,     true},
    [RECOVERY_ENDING]     = {"ending",     false, false,      true,     false,    true,     true},
    [RECOVERY_RECOVERED]  = {"recovered",  true,  false,      false,    false,    false,    false},
    [RECOVERY_EXHAUSTED]  = {"exhausted",  true,  false,      false,    false,    false,    false},
    [RECOVERY_DISMISSED]  = {"dismissed",  true,  false,      false,    false,    false,    false},
    [RECOVERY_OBSERVED]   = {"observed",   true,  false,      false,    false,    false,    false},
    [RECOVERY_CALLED_OFF] = {"called-off", true,  false,      false,    false,    false,    false},
    [RECOVERY_HELD]       = {"failed-while-held", true, false,  false,    false,    false,    false},
};
/* clang-format on */

static const char *const event_names[RECOVERY_EVENT_COUNT] = {
    [RECOVERY_BEGIN] = "begin",
    [RECOVERY_ANSWER] = "answer",
    [RECOVERY_CHOSEN] = "chosen",
    [RECOVERY_NO_CANDIDATE] = "no-candidate",
    [RECOVERY_NO_ORIGINAL] = "no-original",
    [RECOVERY_ORIGINAL_RUNS] = "original-runs",
    [RECOVERY_ORIGINAL_STOPPED] = "original-stopped",
    [RECOVERY_ORIGINAL_FAILED] = "original-failed",
    [RECOVERY_REPLACEMENT_STOPPED] = "replacement-stopped",
    [RECOVERY_RECONNECTED] = "reconnected",
    [RECOVERY_ORIGINAL_FENCED] = "original-fenced",
    [RECOVERY_CANDIDATE_LOST] = "candidate-lost",
    [RECOVERY_CANDIDATE_FENCED] = "candidate-fenced",
    [RECOVERY_SERVED] = "served",
    [RECOVERY_CANDIDATE_UNFIT] = "candidate-unfit",
    [RECOVERY_HOLD] = "hold",
    [RECOVERY_RECONSIDER] = "reconsider",
    [RECOVERY_TICK] = "tick",
    [RECOVERY_ABANDON] = "abandon",
};

static const char *const fate_names[START_FATE_COUNT] = {
    [START_SETTLED] = "settled",
    [START_UNANSWERED] = "unanswered",
    [START_CAME_LATE] = "came-late",
};

const char *relief_name(enum relief relief)
{
    static const char *const names[RELIEF_COUNT] = {
        [RELIEF_NONE] = "none",
        [RELIEF_FIRST] = "first",
        [RELIEF_LAST] = "last",
    };

    return names[relief];
}

const char *start_fate_name(enum start_fate fate)
{
    return fate_names[fate];
}

const char *recovery_state_name(enum recovery_state state)
{
    return states[state].name;
}

const char *recovery_event_name(enum recovery_event_kind kind)
{
    return event_names[kind];
}

bool recovery_state_is_final(enum recovery_state state)
{
    return states[state].is_final;
}

bool recovery_state_is_unconfirmed(enum recovery_state state)
{
    return states[state].is_unconfirmed;
}

bool recovery_state_has_candidate(enum recovery_state state)
{
    return states[state].has_candidate;
}

bool recovery_state_is_coming_up(enum recovery_state state)
{
    return states[state].is_coming_up;
}

bool recovery_cause_is_unreliable(enum failure_cause cause)
{
    return cause == CAUSE_PANIC_LOOP || cause == CAUSE_RESET_LOOP || cause == CAUSE_HUNG;
}

bool recovery_state_is_relieving(enum recovery_state state)
{
    return states[state].is_relieving;
}

bool recovery_state_asks_of_failed(enum recovery_state state)
{
    return states[state].asks_of_failed;
}

int recovery_new(const char *id, const struct machine *failed, enum failure_cause cause, struct moment detected,
                 struct recovery **ret)
{
    _cleanup_(recovery_freep) struct recovery *recovery = calloc(1, sizeof(*recovery));

    if (recovery == NULL)
        return -ENOMEM;
    recovery->failed_name = strdup(failed->name);
    recovery->service_name = strdup(machine_service_name(failed));
    if (recovery->failed_name == NULL || recovery->service_name == NULL)
        return -ENOMEM;
    strncpy(recovery->id, id, sizeof(recovery->id) - 1);
    recovery->failed = machine_ref_of(failed);
    recovery->service = recovery->failed;
    recovery->is_changed = true;
    recovery->cause = cause;
    recovery->priority = machine_priority(failed);
    recovery->state_is_unreliable = recovery_cause_is_unreliable(cause);
    recovery->failed_at = detected;
    recovery->detected = detected;
    question_clear(&recovery->question);
    *ret = steal_pointer(&recovery);
    return 0;
}

void recovery_free(struct recovery *recovery)
{
    if (recovery == NULL)
        return;
    for (size_t i = 0; i < recovery->n_attempts; i++) {
        free(recovery->attempts[i].name);
        free(recovery->attempts[i].error);
    }
    free(recovery->attempts);
    free(recovery->failed_name);
    free(recovery->service_name);
    free(recovery->replacement_name);
    free(recovery->to_name);
    free(recovery->detail);
    free(recovery->ports_unasked);
    explanation_free(recovery->explanation);
    free(recovery);
}

static void rename_to(char **text, const char *name)
{
    char *copy = strdup(name);

    if (copy == NULL)
        return;
    free(*text);
    *text = copy;
}

void recovery_name_replacement(struct recovery *recovery, const char *name)
{
    rename_to(&recovery->replacement_name, name);
    if (recovery->n_attempts > 0)
        rename_to(&recovery->attempts[recovery->n_attempts - 1].name, name);
    recovery->is_changed = true;
}

void recovery_close(struct recovery *recovery, const char *detail, struct moment now)
{
    free(recovery->detail);
    recovery->detail = strdup(detail);
    recovery->state = RECOVERY_EXHAUSTED;
    recovery->ended = now;
    recovery->question.waits_for_connection = false;
    recovery->is_changed = true;
}

struct moment recovery_down_since(const struct recovery *recovery)
{
    return moment_has_come(recovery->down_since) ? recovery->down_since : recovery->ended;
}

bool recovery_is_between_namesakes(const struct recovery *recovery)
{
    return recovery->replacement_name != NULL && strcmp(recovery->replacement_name, recovery->failed_name) == 0 &&
           strcmp(recovery->replacement.hypervisor, recovery->failed.hypervisor) != 0;
}

size_t recovery_attempt_count(const struct recovery *recovery)
{
    size_t count = 0;

    for (size_t i = 0; i < recovery->n_attempts; i++)
        if (!recovery->attempts[i].is_void && !recovery->attempts[i].is_vetoed)
            count++;
    return count;
}

bool recovery_is_failed_rehearsal(const struct recovery *recovery)
{
    return recovery->is_rehearsal && !recovery->is_cleared &&
           (recovery->state == RECOVERY_CALLED_OFF || recovery->state == RECOVERY_EXHAUSTED);
}

bool recovery_started_another(const struct recovery *recovery)
{
    if (!moment_has_come(recovery->started))
        return false;
    for (size_t i = 0; i < recovery->n_attempts; i++)
        if (!machine_ref_equal(&recovery->attempts[i].candidate, &recovery->failed))
            return true;
    return false;
}

/* Where a recovery goes on that was cut off in a state. */
static enum recovery_state resumption_of(const struct recovery *recovery)
{
    switch (recovery->state) {
    case RECOVERY_RECORDING:
    case RECOVERY_PREPARING:
    case RECOVERY_STARTING:
    case RECOVERY_RESOLVING:
    case RECOVERY_STOPPING:
    case RECOVERY_SETTLING:
    case RECOVERY_VERIFYING:
    case RECOVERY_ANNOUNCING:
    case RECOVERY_RELIEVING:
    case RECOVERY_LEAVING:
    case RECOVERY_ENDING:
        /* A candidate was chosen, and perhaps started: only the hypervisor knows. */
        return recovery->n_attempts > 0 && recovery->replacement_name != NULL ? RECOVERY_RESOLVING
                                                                              : RECOVERY_CONFIRMING;
    case RECOVERY_DETECTED:
    case RECOVERY_CONFIRMING:
    case RECOVERY_DESTROYING:
    case RECOVERY_SELECTING:
    case RECOVERY_WAITING:
        return RECOVERY_CONFIRMING;
    case RECOVERY_RECOVERED:
    case RECOVERY_EXHAUSTED:
    case RECOVERY_DISMISSED:
    case RECOVERY_OBSERVED:
    case RECOVERY_CALLED_OFF:
    case RECOVERY_HELD:
    case RECOVERY_STATE_COUNT:
    default:
        return recovery->state;
    }
}

/* The start of its candidate may take effect after this was written: it was not answered yet. */
static bool may_be_starting(const struct recovery *recovery)
{
    if (recovery_state_is_relieving(recovery->state))
        return recovery->relief == RELIEF_FIRST;
    return recovery->state != RECOVERY_STOPPING && recovery->state != RECOVERY_SETTLING &&
           recovery->state != RECOVERY_VERIFYING;
}

void recovery_resume(struct recovery *recovery)
{
    enum recovery_state state = resumption_of(recovery);

    if (recovery_state_is_final(state))
        return;
    if (state == RECOVERY_RESOLVING) {
        struct recovery_attempt *attempt = &recovery->attempts[recovery->n_attempts - 1];

        /* The record may be older than that it was asked. */
        if (recovery->relief != RELIEF_NONE && !moment_has_come(recovery->relieved))
            recovery->relieved = recovery->decided;
        attempt->is_void |= attempt->error == NULL;
        if (may_be_starting(recovery))
            attempt->fate = START_UNANSWERED;
    } else {
        free(recovery->replacement_name);
        recovery->replacement_name = NULL;
        recovery->replacement = (struct machine_ref){0};
        recovery->is_restarting = false;
    }
    recovery->state = state;
    recovery->was_seen_dead &= recovery->relief != RELIEF_NONE;
    question_clear(&recovery->question);
    recovery->question.waits_for_connection = true;
    recovery->is_changed = true;
}

const char *recovery_waits_for(const struct recovery *recovery)
{
    if (!recovery->question.waits_for_connection)
        return NULL;
    return recovery->replacement_name != NULL && !recovery_state_asks_of_failed(recovery->state)
               ? recovery->replacement.hypervisor
               : recovery->failed.hypervisor;
}

int64_t recovery_duration_us(const struct recovery *recovery, struct moment now)
{
    int64_t end_us = recovery_state_is_final(recovery->state) ? recovery->ended.mono_us : now.mono_us;

    return end_us - recovery->detected.mono_us;
}

/* By order, the service is down from when the machine that served is off: unless the other one served already. */
static struct moment outage_begin(const struct recovery *recovery)
{
    if (recovery->relief == RELIEF_NONE)
        return recovery->failed_at;
    return recovery->relief == RELIEF_FIRST ? recovery->confirmed : (struct moment){0};
}

int64_t recovery_outage_us(const struct recovery *recovery, struct moment now)
{
    struct moment begin = outage_begin(recovery);
    bool is_final = recovery_state_is_final(recovery->state);

    if (!moment_has_come(begin) || (is_final && recovery->state != RECOVERY_RECOVERED))
        return -1;
    return (is_final ? recovery->ended : now).mono_us - begin.mono_us;
}
