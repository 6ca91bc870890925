/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The thread that owns the database, and what it shares with the main thread. The main thread never waits for
 * it but at the end, and that is bounded; a thread that hangs in the disk is left behind.
 * Knows no ticket: writes are counted, and the thread tells up to which count it has got.
 */
#ifndef UNDERSTUDY_DAEMON_STORE_WRITER_H
#define UNDERSTUDY_DAEMON_STORE_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "store/entry.h"
#include "store/fault.h"
#include "store/read.h"
#include "store/retention.h"

struct event;
struct stored;
struct writer;

/* What the thread found at the start. The receiver frees it. */
struct writer_start {
    struct stored *stored; /* NULL: nothing could be read */
    bool is_busy;          /* another process writes to the directory: nothing was read, and nothing may be written */
};

struct writer_news {
    uint64_t answered_up_to; /* 0: no writes were answered since the last news */
    struct fault answer;     /* of those; error 0: they are on disk */
    struct fault trouble;    /* error 0: none */
    uint64_t steps;          /* grows with all that the thread gets done */
    char *warning; /* NULL, or what a person must know of a database that was made anew; the receiver frees it */
};

/* Starts the thread; it opens the database and activates `wake` whenever there is news. -ENOMEM, -EAGAIN: no thread. */
int writer_new(const char *path, struct retention retention, int64_t retry_us, struct event *wake,
               struct writer **ret) _must_check_;

/* True: the opening is over, and *ret is what was found; {0} where that was taken before. Waits for nothing. */
bool writer_take_start(struct writer *writer, struct writer_start *ret) _must_check_;

/* Takes the entry. *ret_count: it is written when answered_up_to reaches this. -ENOMEM: the entry stays. */
int writer_put(struct writer *writer, struct entry *entry, uint64_t *ret_count) _must_check_;

/* Takes the order. Writes come first. */
void writer_read(struct writer *writer, struct read *read);
/* One that is done, and the caller's; NULL: none is. */
struct read *writer_take_read(struct writer *writer);

/* Rows that are not on disk yet: those that wait, and those that are being written. */
size_t writer_count(struct writer *writer);

/* While held, nothing is taken from what waits, but at the end. */
void writer_hold(struct writer *writer, bool is_held);
void writer_set_age(struct writer *writer, int64_t age_us);

/* What happened since it was asked last. The thread answers no further writes until this one's answer was taken. */
struct writer_news writer_take_news(struct writer *writer);

/*
 * Writes what is left, waiting at most grace_us, and ends; `wake` is not used any more. False: the disk did not let it end in
 * time, and the thread is left behind. Takes NULL.
 */
bool writer_free(struct writer *writer, int64_t grace_us);

#endif
