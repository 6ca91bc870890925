/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The problems that stand now, each with since when; what begins and what ends is told. Finds none itself. */
#ifndef UNDERSTUDY_DAEMON_BOARD_H
#define UNDERSTUDY_DAEMON_BOARD_H

#include <stdbool.h>

#include "base/diag.h"
#include "base/moment.h"
#include "protocol/notice.h"
#include "report/problems.h"

struct coordinator;
struct nodes;
struct persistence;
struct settings;
struct textfile;

/* A plain value: initialise what is borrowed, the rest is 0. End with board_done. */
struct board {
    const struct coordinator *coordinator;
    struct persistence *persistence;
    const struct nodes *nodes;
    const struct settings *settings;
    const struct textfile *textfile;
    /* Takes the notice; problem: borrowed, NULL: it is about several. */
    void (*tell)(void *context, struct notice *notice, const struct problem *problem);
    void *context;
    char *listen_error;       /* why api.listen is not served; owned, NULL: it is, or there is none */
    struct problems problems; /* as of the last look */
    struct diags programs;    /* that cannot be run, as of the last look at them */
    const void *proved_for;   /* the configuration in force then; NULL: never */
    int64_t prove_us;         /* when these are looked at again, and the store has to prove that it writes: mono_us */
    int64_t looked_us;        /* when they were looked for last: mono_us */
    int64_t due_us;           /* when they may be looked for again: mono_us */
    bool is_waiting;          /* something happened before that */
    bool lacks_plan;          /* there was none at the last look: the coordinator is to go on with it */
};

void board_done(struct board *board);

/* Looks for problems, unless that was done a moment ago. Without memory the old ones stand. */
void board_look(struct board *board);
/* Looks for them in any case. */
void board_look_now(struct board *board);

/* When it is to be called again, though nothing happens: mono_us. */
int64_t board_deadline(const struct board *board);

#endif
