/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A question to the world, as every workflow asks it. */
#include "workflow/question.h"

#include <errno.h>
#include <string.h>

#define PAUSE_MAX_US (10 * USEC_PER_SEC)

void question_clear(struct question *question)
{
    *question = (struct question){.deadline_us = USEC_INFINITY};
}

int64_t question_time_us(enum action_kind kind, enum verify_level level, const struct config *config)
{
    int64_t call_us = config->recovery.call_timeout_us;

    switch (kind) {
    case ACTION_START:
    case ACTION_SAVE:
    case ACTION_UNMAKE:
        return config->recovery.start_timeout_us;
    case ACTION_RECORD:
    case ACTION_REMEMBER:
        return config->recovery.intent_timeout_us;
    case ACTION_HOOK:
        return config->hooks.timeout_us;
    case ACTION_VERIFY:
        return level == VERIFY_COMMAND ? config->hooks.timeout_us : call_us;
    case ACTION_DESTROY:
        return call_us > QUESTION_STOP_US ? call_us : QUESTION_STOP_US;
    case ACTION_LIST:
    case ACTION_DESCRIBE:
    case ACTION_DISCOVER:
    case ACTION_READ:
    case ACTION_GET_STATE:
    case ACTION_CHECK_ALIVE:
    case ACTION_SHUTDOWN:
    case ACTION_SUSPEND:
    case ACTION_SET_CLOCK:
    case ACTION_SET_METADATA:
    case ACTION_GET_AUTOSTART:
    case ACTION_SET_AUTOSTART:
    case ACTION_MEASURE_MEMORY:
    case ACTION_FENCE:
    case ACTION_TEST_FENCING:
    case ACTION_COUNT:
    default:
        return call_us;
    }
}

enum verify_level question_verify_level(const struct machine *machine, const struct config *config)
{
    if (config->recovery.verify.level != VERIFY_AUTO)
        return config->recovery.verify.level;
    return machine->description->has_agent_channel ? VERIFY_AGENT : VERIFY_RUNNING;
}

struct wanted_ports question_verify_ports(const struct machine *machine, const struct spec *need,
                                          const struct feature_table *features, const struct config *config)
{
    if (config->recovery.verify.level != VERIFY_AUTO || question_verify_level(machine, config) != VERIFY_AGENT)
        return (struct wanted_ports){0};
    return ports_wanted(features, need, machine->spec);
}

struct action question_ask(struct question *question, enum action_kind kind, const struct machine_ref *target,
                           enum verify_level level, const char *workflow_id, const struct config *config)
{
    struct action action = {
        .kind = kind,
        .target = *target,
        .timeout_us = question_time_us(kind, level, config),
        .level = level,
        .port = config->recovery.verify.port,
        .software = config->discovery.software,
    };

    strncpy(action.recovery_id, workflow_id, sizeof(action.recovery_id) - 1);
    question->deadline_us = USEC_INFINITY;
    question->waits_for_connection = false;
    question->is_handed_out = false;
    return action;
}

void question_ask_later(struct question *question, const struct action_result *result, int64_t pause_us,
                        struct moment now)
{
    question->action_id = 0;
    if (result->error == -ENOTCONN) {
        question->waits_for_connection = true;
        return;
    }
    if (result->error != -EINPROGRESS)
        pause_us *= ++question->asked;
    question->deadline_us = now.mono_us + (pause_us < PAUSE_MAX_US ? pause_us : PAUSE_MAX_US);
}

bool question_verify_later(struct question *question, const struct action_result *result, struct moment started,
                           const struct config *config, struct moment now)
{
    const struct config_verify *verify = &config->recovery.verify;

    question->action_id = 0;
    if (result->error == -ENOTCONN)
        question->waits_for_connection = true;
    else if (now.mono_us - started.mono_us < verify->timeout_us)
        question->deadline_us = now.mono_us + verify->interval_us;
    else
        return false;
    return true;
}

bool question_is_to_be_repeated(const struct question *question, bool is_tick, bool is_reconnection, struct moment now)
{
    return (is_tick && now.mono_us >= question->deadline_us) || (is_reconnection && question->waits_for_connection);
}

void question_settle(struct question *question, const struct config *config, struct moment now)
{
    question->deadline_us = now.mono_us + config->recovery.settle_us;
}

bool answer_is_up(const struct action_result *result)
{
    return result->error == 0 && (result->state == MACHINE_RUNNING || result->state == MACHINE_SUSPENDED);
}

bool answer_is_off(const struct action_result *result)
{
    return result->error == -ENOENT ||
           (result->error == 0 && (result->state == MACHINE_SHUT_OFF || result->state == MACHINE_GONE));
}
