/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading what an earlier daemon wrote. */
#ifndef UNDERSTUDY_DAEMON_STORE_LOAD_H
#define UNDERSTUDY_DAEMON_STORE_LOAD_H

#include "base/cleanup.h"
#include "store/fault.h"
#include "store/retention.h"

struct sqlite3;
struct stored;

/* The recoveries that are to be read, and all machines. Returns sqlite3's code. */
int load_from(struct sqlite3 *db, struct retention retention, struct stored **ret) _must_check_;

/*
 * The same from a file that cannot be opened for writing: a full disk has no room for the index of the log that
 * readers share, and a read-only one may not make it. Writes nothing. 0 or the error of the last attempt.
 */
int load_without_writing(const char *path, struct retention retention, struct stored **ret) _must_check_;

#endif
