/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What must survive the daemon: recoveries as documents, and what was last known of each machine, in
 * SQLite on a thread of its own. Knows no recovery: it keeps texts under keys. The only room that
 * knows sqlite3. Everything here is called on the main thread; callbacks come from the event loop.
 */
#ifndef UNDERSTUDY_DAEMON_STORE_H
#define UNDERSTUDY_DAEMON_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "store/retention.h"

struct event_base;
struct store;

struct stored;

struct store_callbacks {
    /*
     * The opening is over; once, but that -EBUSY can still come after -ETIMEDOUT. 0: *stored is what was read, empty where nothing can be; the receiver frees it.
     * Otherwise it is NULL, and the error -EBUSY: another process has the directory; -ETIMEDOUT: the disk has not answered
     * in time, and what it holds is not read any more; -ENOMEM.
     */
    void (*opened)(void *context, int error, struct stored *stored);
    /*
     * A write with a ticket other than 0 is on disk (error 0), or will never be (negative errno and the
     * reason in words). Exactly once for each ticket; -ETIMEDOUT when the disk has not answered in time,
     * whatever becomes of the write later.
     */
    void (*written)(void *context, uint64_t ticket, int error, const char *message);
    /* The state of the store changed: why it cannot write now, or NULL: it can again. */
    void (*trouble)(void *context, const char *why);
    /* The answer to store_read, with its context; also when the store is closed, with -ECANCELED. */
    void (*was_read)(void *context, int error, struct stored *stored, const char *message);
    /* The database was damaged or deleted, and made anew: in words for a person. */
    void (*remade)(void *context, const char *words);
};

struct stored_recovery {
    char *id;
    int64_t detected_us; /* CLOCK_REALTIME */
    bool is_open;        /* was not finished when it was written last */
    char *document;      /* JSON */
};

struct stored_machine {
    char *hypervisor;
    char *uuid;
    char *document; /* JSON */
};

/* What was read at the start, the oldest recovery first. */
struct stored {
    struct stored_recovery *recoveries;
    size_t n_recoveries;
    struct stored_machine *machines;
    size_t n_machines;
};

void stored_free(struct stored *stored);
DEFINE_CLEANUP(struct stored, stored_free);

/*
 * Begins to open DIRECTORY/understudy.db, making or migrating it, and to read the recoveries that are kept (every open one
 * besides) and all machines; `opened` tells the end, after 20 s at most, and is given what was read. A damaged file is set
 * aside under another name and a new one is made. A directory that cannot be used at all is no error: the store then works
 * in trouble and tries again from time to time; a full or read-only one is still read. -ENOMEM, -EAGAIN: no thread.
 */
int store_open(struct event_base *base, const char *directory, struct retention retention,
               const struct store_callbacks *callbacks, void *context, struct store **ret) _must_check_;

/*
 * Writes one recovery, durably (WAL, synchronous=FULL), replacing what stood under its id. Copies its arguments. ticket
 * 0: no answer is wanted. A recovery whose write failed is written again, in its latest form, when the disk works
 * again.
 */
void store_put_recovery(struct store *store, uint64_t ticket, int64_t timeout_us, const char *id, int64_t detected_us,
                        bool is_open, const char *document);

/* Writes what is known of a machine; document NULL forgets it. ticket: as above. */
void store_put_machine(struct store *store, uint64_t ticket, int64_t timeout_us, const char *hypervisor,
                       const char *uuid, const char *document);

/* Opens and ends a group of writes that becomes one transaction. */
void store_hold(struct store *store);
void store_let_go(struct store *store);

/*
 * Reads the finished recoveries that were detected before the one of this id, the newest first, so many at most; most 0: that
 * one alone. The answer comes by `was_read`, with this context, once: 0 and what was read, which the receiver frees; or a
 * negative errno, with why. -ETIMEDOUT: the disk hangs; -ENOMEM: no answer comes then.
 */
int store_read(struct store *store, const char *before, size_t most, void *context) _must_check_;

/* Rows that are not on disk yet. */
size_t store_count(const struct store *store);

/* Finished recoveries that were detected longer ago are deleted, now and then. */
void store_set_age(struct store *store, int64_t age_us);

/*
 * Writes what is queued, waiting at most grace_us, and closes. False: the disk hangs, and what was queued may be lost. Takes
 * NULL. No callback comes after this. Not from inside a callback.
 */
bool store_close(struct store *store, int64_t grace_us);

#endif
