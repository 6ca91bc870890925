/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading what an earlier daemon wrote. */
#ifndef UNDERSTUDY_DAEMON_STORE_LOAD_H
#define UNDERSTUDY_DAEMON_STORE_LOAD_H

#include <stddef.h>

#include "base/cleanup.h"
#include "store/fault.h"
#include "store/retention.h"

struct sqlite3;
struct stored;

/* The recoveries that are to be read, and all machines. Returns sqlite3's code. */
int load_from(struct sqlite3 *db, struct retention retention, struct stored **ret) _must_check_;

/*
 * The finished recoveries that come before the one of this id in time, the newest first, so many at most; most 0: that one
 * alone, finished or not. None where no recovery has the id. Returns sqlite3's code.
 */
int load_before(struct sqlite3 *db, const char *id, size_t most, struct stored **ret) _must_check_;

/*
 * As load_from, from a file that cannot be opened for writing: a full disk has no room for the index of the log that
 * readers share, and a read-only one may not make it. Writes nothing. 0 or the error of the last attempt.
 */
int load_without_writing(const char *path, struct retention retention, struct stored **ret) _must_check_;

#endif
