/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What tables there are, by version, and the way from each version to the next. */
#ifndef UNDERSTUDY_DAEMON_STORE_SCHEMA_H
#define UNDERSTUDY_DAEMON_STORE_SCHEMA_H

#include "base/cleanup.h"

struct sqlite3;

/* The version that this program writes. */
int schema_latest(void);

/* What the file says; 0 for a new one. Returns sqlite3's code. */
int schema_read_version(struct sqlite3 *db, int *ret) _must_check_;

/* Takes each step from `version` to the latest in a transaction of its own. Returns sqlite3's code. */
int schema_migrate(struct sqlite3 *db, int version) _must_check_;

#endif
