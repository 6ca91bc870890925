/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The version stands in the file as PRAGMA user_version. A row of the table, once released, never
 * changes: a new version is a new row.
 */
#include "store/schema.h"

#include <stdio.h>

#include <sqlite3.h>

/* steps[i] leads from version i to i + 1. */
static const char *const steps[] = {
    "CREATE TABLE recoveries (id TEXT PRIMARY KEY, detected_us INTEGER NOT NULL, is_open INTEGER NOT NULL,"
    " document TEXT NOT NULL);"
    "CREATE INDEX recoveries_by_time ON recoveries (is_open, detected_us, id);"
    "CREATE TABLE machines (hypervisor TEXT NOT NULL, uuid TEXT NOT NULL, document TEXT NOT NULL,"
    " PRIMARY KEY (hypervisor, uuid));",
};

int schema_latest(void)
{
    return (int)ELEMENTS_OF(steps);
}

int schema_read_version(sqlite3 *db, int *ret)
{
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(db, "PRAGMA user_version", -1, &statement, NULL);

    if (code != SQLITE_OK)
        return code;
    if (sqlite3_step(statement) == SQLITE_ROW)
        *ret = sqlite3_column_int(statement, 0);
    return sqlite3_finalize(statement);
}

static int take_step(sqlite3 *db, int from)
{
    char set_version[64];
    int code;

    snprintf(set_version, sizeof(set_version), "PRAGMA user_version = %d; COMMIT", from + 1);
    code = sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_exec(db, steps[from], NULL, NULL, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_exec(db, set_version, NULL, NULL, NULL);
    return code;
}

int schema_migrate(sqlite3 *db, int version)
{
    int code = SQLITE_OK;

    for (int from = version; from < schema_latest() && code == SQLITE_OK; from++)
        code = take_step(db, from);
    return code;
}
