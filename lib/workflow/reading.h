/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The definition of a machine is read again, before it is started and after: a question that goes out beside those of a
 * workflow. No event tells of each change of a definition. What waits for the answer, and what follows from it, is the
 * business of the component that starts the machine.
 */
#ifndef UNDERSTUDY_WORKFLOW_READING_H
#define UNDERSTUDY_WORKFLOW_READING_H

#include "workflow/question.h"

/* So often the definition of a machine that was started is asked for. */
#define READ_TRIES 3

/* A plain value: {0} is one that is over. */
struct reading {
    struct question question;
    bool is_due;     /* it is to be asked for */
    bool is_pending; /* due, asked, or to be asked again: what it is read for waits */
    bool has_failed; /* `why` */
    char why[ACTION_MESSAGE_SIZE];
};

/* The machine is to be read; what was read before means nothing any more. */
void reading_begin(struct reading *reading);
void reading_drop(struct reading *reading);

/* Hands out the question. The caller gives the action its id and writes that into question.action_id. */
struct action reading_ask(struct reading *reading, const struct machine_ref *target, const char *workflow_id,
                          const struct config *config);
/* The answer: it was read, has failed, or is asked again. `tries`: so often an error is put up with, but for a missing connection. */
void reading_answer(struct reading *reading, const struct action_result *result, unsigned tries, struct moment now);
/* True: it is due again. */
bool reading_tick(struct reading *reading, struct moment now);
/* mono_us of the next tick; USEC_INFINITY. */
int64_t reading_deadline(const struct reading *reading);

#endif
