/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The definition of a machine is read again. */
#include "workflow/reading.h"

#include <errno.h>
#include <stdio.h>

void reading_begin(struct reading *reading)
{
    *reading = (struct reading){.is_due = true, .is_pending = true};
    question_clear(&reading->question);
}

void reading_drop(struct reading *reading)
{
    *reading = (struct reading){0};
    question_clear(&reading->question);
}

struct action reading_ask(struct reading *reading, const struct machine_ref *target, const char *workflow_id,
                          const struct config *config)
{
    reading->is_due = false;
    return question_ask(&reading->question, ACTION_READ, target, VERIFY_RUNNING, workflow_id, config);
}

void reading_answer(struct reading *reading, const struct action_result *result, unsigned tries, struct moment now)
{
    struct question *question = &reading->question;

    question->action_id = 0;
    reading->is_pending = false;
    if (result->error == 0)
        return;
    if (result->error == -ENOTCONN) {
        reading->is_pending = true;
        question->deadline_us = now.mono_us + QUESTION_PAUSE_US; /* and when its host is listed */
    } else if (question->asked + 1 < tries) {
        reading->is_pending = true;
        question_ask_later(question, result, QUESTION_PAUSE_US, now);
    } else {
        reading->has_failed = true;
        snprintf(reading->why, sizeof(reading->why), "%s", result->message);
    }
}

int64_t reading_deadline(const struct reading *reading)
{
    return reading->is_pending && !reading->is_due ? reading->question.deadline_us : USEC_INFINITY;
}

bool reading_tick(struct reading *reading, struct moment now)
{
    if (reading_deadline(reading) > now.mono_us)
        return false;
    reading->question.deadline_us = USEC_INFINITY;
    reading->is_due = true;
    return true;
}
