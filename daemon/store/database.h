/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One SQLite file in write-ahead mode, every transaction on disk when it is answered. Each call may block
 * for as long as a disk may hang; one thread at a time. After a fault other than of opening, the database is
 * to be closed as unsound and opened again: an fsync that failed once must never be asked again on the same
 * descriptor, since the kernel has dropped what it could not write ("fsyncgate", PostgreSQL 2018).
 */
#ifndef UNDERSTUDY_DAEMON_STORE_DATABASE_H
#define UNDERSTUDY_DAEMON_STORE_DATABASE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"
#include "store/entry.h"
#include "store/fault.h"
#include "store/retention.h"

struct database;
struct stored;

/*
 * Opens or makes the file and brings it to the latest schema. A file of a newer schema is left untouched.
 * check: look through the whole file for damage. Negative errno; *ret_fault says the rest.
 */
int database_open(const char *path, bool check, struct database **ret, struct fault *ret_fault) _must_check_;

/* It was made, not found. */
bool database_is_new(const struct database *database);

int database_load(struct database *database, struct retention retention, struct stored **ret,
                  struct fault *ret_fault) _must_check_;

/* As load_before. */
int database_read(struct database *database, const char *before, size_t most, struct stored **ret,
                  struct fault *ret_fault) _must_check_;

/*
 * All entries or none. 0: they are on disk. -ESTALE with is_missing: the file, its log or its index was deleted or replaced,
 * before or meanwhile; what was written to the open ones would be lost.
 */
int database_write(struct database *database, const struct entry *entries, struct fault *ret_fault) _must_check_;

/* The file itself, not only its log or its index, no longer has its name. */
bool database_is_gone(struct database *database);

/*
 * Of a database whose file is gone: takes its log and its index, where they are still there, from the names that belong to
 * what comes in its place. sqlite3 would apply that log to a file that was put there. They stay open.
 */
void database_disown(struct database *gone);

/* Of a database whose file is gone: copies all that it held, as it is still open, to one that was made anew. */
int database_copy(struct database *gone, struct database *to, struct fault *ret_fault) _must_check_;

/* Deletes the finished recoveries that were detected longer ago. */
int database_trim(struct database *database, int64_t age_us, struct fault *ret_fault) _must_check_;

/* Brings the log into the file where it has grown long. */
int database_tidy(struct database *database, struct fault *ret_fault) _must_check_;

/* Brings the log into the file, however short it is. */
int database_bring_in(struct database *database, struct fault *ret_fault) _must_check_;

/* is_sound: nothing failed, so the log is brought into the file. Takes NULL. */
void database_close(struct database *database, bool is_sound);

/*
 * Renames the file and what belongs to it to PATH.damaged-YYYYMMDD-HHMMSS (UTC), with -2, -3 … where that name is taken.
 * real_us: now. Caller frees *ret_name. Negative errno.
 */
int database_set_aside(const char *path, int64_t real_us, char **ret_name) _must_check_;

#endif
