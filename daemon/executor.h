/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Begins what the coordinator asks for, each action where it is performed. The only place from which effects start. */
#ifndef UNDERSTUDY_DAEMON_EXECUTOR_H
#define UNDERSTUDY_DAEMON_EXECUTOR_H

#include "protocol/action.h"

struct answers;
struct coordinator;
struct nodes;
struct persistence;
struct programs;

/* A plain value, borrowing all. */
struct executor {
    struct coordinator *coordinator;
    struct answers *answers;
    struct nodes *nodes;
    struct persistence *persistence;
    struct programs *programs;
};

/* The coordinator is told the answer: from the event loop, or at once where the action could not be begun. */
void executor_begin(const struct executor *executor, const struct action *action);

#endif
