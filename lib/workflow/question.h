/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A question to the world, or a call that changes it, as every workflow asks it: asked, handed out, asked
 * again after a pause or when the connection is back, and what its answer says. Knows no workflow.
 */
#ifndef UNDERSTUDY_WORKFLOW_QUESTION_H
#define UNDERSTUDY_WORKFLOW_QUESTION_H

#include "base/moment.h"
#include "config/config.h"
#include "model/ports.h"
#include "protocol/action.h"

/* libvirt gives a process that does not end 10 s after SIGTERM a SIGKILL, and waits for it up to 5 s more. */
#define QUESTION_STOP_US (20 * USEC_PER_SEC)
/* A question without a clear answer is asked this often, with growing pauses, before it is given up. */
#define QUESTION_ASK_LIMIT 10
/* A guest that was asked to shut down, and has not, is asked again after this: it may have been booting. */
#define QUESTION_SHUTDOWN_AGAIN_US (10 * USEC_PER_SEC)
/* Between two questions without a clear answer; it grows with each. */
#define QUESTION_PAUSE_US (500 * USEC_PER_MSEC)

/* The question under way. A plain value: begin with question_clear. */
struct question {
    uint64_t action_id;        /* the action whose answer is awaited; 0: none */
    bool is_handed_out;        /* that action has been handed out */
    bool waits_for_connection; /* it is asked again when the hypervisor is back */
    unsigned asked;            /* how often it got no clear answer */
    int64_t deadline_us;       /* mono_us of the next tick; USEC_INFINITY */
};

/* No question is under way, and no time runs. */
void question_clear(struct question *question);

/*
 * Asks, for the first time or once more. The caller gives the action its id and writes that into action_id. The
 * action carries the id of the workflow.
 */
struct action question_ask(struct question *question, enum action_kind kind, const struct machine_ref *target,
                           enum verify_level level, const char *workflow_id, const struct config *config);

/* There was no clear answer: asked again after a pause, or when the connection is back if that is what is missing. */
void question_ask_later(struct question *question, const struct action_result *result, int64_t pause_us,
                        struct moment now);
/* The same for a machine that runs since `started` and was not verified. False: it is too late for that. */
bool question_verify_later(struct question *question, const struct action_result *result, struct moment started,
                           const struct config *config, struct moment now);
/* The question is to be asked again: it is due, or the connection is back. */
bool question_is_to_be_repeated(const struct question *question, bool is_tick, bool is_reconnection, struct moment now);

/* A machine that runs must stay up for a while before it is asked whether it did. */
void question_settle(struct question *question, const struct config *config, struct moment now);

/* How long a call may take. */
int64_t question_time_us(enum action_kind kind, enum verify_level level, const struct config *config);
/* At which level this machine is verified. */
enum verify_level question_verify_level(const struct machine *machine, const struct config *config);
/* On which ports it must serve then to take the place of a machine with this need. */
struct wanted_ports question_verify_ports(const struct machine *machine, const struct spec *need,
                                          const struct feature_table *features, const struct config *config);

/* What an answer to GET_STATE says. */
bool answer_is_up(const struct action_result *result);
bool answer_is_off(const struct action_result *result);

#endif
