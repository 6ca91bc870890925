/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Between the coordinator and the store: recoveries, machines and hosts as documents, out and back in. */
#ifndef UNDERSTUDY_DAEMON_PERSISTENCE_H
#define UNDERSTUDY_DAEMON_PERSISTENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "config/config.h"
#include "protocol/action.h"

struct answers;
struct coordinator;
struct event;
struct event_base;
struct recovery;
struct store;

/* A plain value: initialise what is borrowed, the store is NULL. */
struct persistence {
    struct coordinator *coordinator;
    struct answers *answers;
    struct event *pump; /* activated after the coordinator has been told something */
    struct store *store;
    const char *directory; /* of it: state_dir at the start */
    /* The disk is slow to answer, or there is other trouble: `opened` comes later. */
    void (*slow)(void *context);
    /* What the store holds is with the coordinator (0), or the daemon cannot go on; negative errno, which was told. */
    void (*opened)(void *context, int error);
    void *context;     /* of it */
    bool is_open;      /* the opening is over */
    bool is_unread;    /* it was given up: what the store holds is not known */
    char *trouble;     /* why it cannot write; NULL: it can */
    uint64_t n_failed; /* writes that failed, or were not answered in time */
    size_t n_awaited;  /* writes that are to be answered: machines that have changed wait for these */
};

/* Begins to open the store; `opened` is called once, from the event loop, when the coordinator has what it holds. */
int persistence_open(struct persistence *persistence, struct event_base *base,
                     const struct config *config) _must_check_;

/* How long recoveries are kept, from now on. */
void persistence_configure(struct persistence *persistence, const struct config *config);

/* Writes down what has changed since the last call; nothing before the opening is over. */
void persistence_write(struct persistence *persistence);

/*
 * Writes the recovery of a RECORD, or what is known of the target of a REMEMBER; answered under action->id when it is
 * on disk. Negative errno: no answer will come.
 */
int persistence_perform(struct persistence *persistence, const struct action *action) _must_check_;

/* The array and what it holds go afterwards. error: negative errno, and why. */
typedef void (*persistence_read_done)(void *context, int error, const char *message, struct recovery **recoveries,
                                      size_t n);

/*
 * Reads recoveries that the coordinator holds no more, as of store_read; `done` is called once, from the event loop, or when
 * the daemon ends. Negative errno: it is not called.
 */
int persistence_read(struct persistence *persistence, const char *before, size_t most, persistence_read_done done,
                     void *context) _must_check_;

/* Writes something, so that a store that does not write any more is in trouble before it is needed. */
void persistence_prove(struct persistence *persistence);

/* Rows that are not on disk yet. */
size_t persistence_count(const struct persistence *persistence);

/* Queued writes still have a moment to reach the disk. */
void persistence_close(struct persistence *persistence);

#endif
