/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which part waits for which answer: the one table for what the daemon has begun outside the hypervisors (writes,
 * hooks, fencing) and for drills. Knows no store, no program and no API. Main thread only.
 */
#ifndef UNDERSTUDY_DAEMON_ANSWERS_H
#define UNDERSTUDY_DAEMON_ANSWERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "protocol/action.h"

struct answers;
struct coordinator;

/* Takes an answer: error 0 or negative errno, and words for people, which may be "". */
typedef void (*answer_taker)(void *context, int error, const char *message);

int answers_new(struct coordinator *coordinator, struct answers **ret) _must_check_;
/* Nothing that is still open is answered any more. Takes NULL. */
void answers_free(struct answers *answers);

/* A number for what the coordinator has not asked for; it is the id of no action. */
uint64_t answers_new_number(struct answers *answers);

/*
 * Notes that an answer to `action` will come under action->id. taker NULL: the coordinator has asked and is told; else
 * taker is called, once. Copies the action. -ENOMEM.
 */
int answers_expect(struct answers *answers, const struct action *action, answer_taker taker,
                   void *context) _must_check_;

/* The action whose answer is open under this number, borrowed until the answer comes; NULL: none. */
const struct action *answers_find(const struct answers *answers, uint64_t number);

/* How many answers are open. */
size_t answers_count(const struct answers *answers);

/* Hands the answer on. message may be NULL. False: nothing is open under this number, and nothing has happened. */
bool answers_give(struct answers *answers, uint64_t number, int error, const char *message);

/* The action was not begun after all: no answer will come, and none is handed on. */
void answers_forget(struct answers *answers, uint64_t number);

/*
 * This hypervisor is not watched any more: every taker of an answer of its is told -ENOTCONN and why. What others perform for
 * it, as its fencing, is answered yet.
 */
void answers_disconnect(struct answers *answers, const char *hypervisor, const char *why);

/* The daemon ends: every taker is told -ECANCELED and why. What the coordinator has asked for stays open. */
void answers_cancel(struct answers *answers, const char *why);

#endif
