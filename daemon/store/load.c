/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rows become `struct stored`. Knows what the columns are, not what the documents mean. */
#include "store/load.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <sqlite3.h>

#include "service/clock.h"
#include "store/schema.h"
#include "store/store.h"

static const char recoveries_sql[] =
    "SELECT id, document, detected_us, is_open FROM recoveries WHERE is_open = 1 OR detected_us >= ?2 OR id IN"
    " (SELECT id FROM recoveries ORDER BY detected_us DESC, id DESC LIMIT ?1) ORDER BY detected_us, id";
static const char before_sql[] =
    "SELECT id, document, detected_us, is_open FROM recoveries WHERE is_open = 0 AND (detected_us, id) <"
    " ((SELECT detected_us FROM recoveries WHERE id = ?1), ?1) ORDER BY detected_us DESC, id DESC LIMIT ?2";
static const char one_sql[] = "SELECT id, document, detected_us, is_open FROM recoveries WHERE id = ?1";
static const char machines_sql[] = "SELECT hypervisor, uuid, document FROM machines ORDER BY hypervisor, uuid";

void stored_free(struct stored *stored)
{
    if (stored == NULL)
        return;
    for (size_t i = 0; i < stored->n_recoveries; i++) {
        free(stored->recoveries[i].id);
        free(stored->recoveries[i].document);
    }
    for (size_t i = 0; i < stored->n_machines; i++) {
        free(stored->machines[i].hypervisor);
        free(stored->machines[i].uuid);
        free(stored->machines[i].document);
    }
    free(stored->recoveries);
    free(stored->machines);
    free(stored);
}

/* Room for one more, cleared. */
static void *grow(void *items, size_t count, size_t size)
{
    char *grown = items;

    if ((count & (count - 1)) == 0) {
        grown = reallocarray(items, count == 0 ? 1 : count * 2, size);
        if (grown == NULL)
            return NULL;
    }
    memset(grown + count * size, 0, size);
    return grown;
}

/* A copy of a text column; false: out of memory. NULL is read as "". */
static bool copy_text(sqlite3_stmt *row, int column, char **ret)
{
    const char *text = (const char *)sqlite3_column_text(row, column);

    *ret = strdup(text != NULL ? text : "");
    return *ret != NULL;
}

static int add_recovery(struct stored *stored, sqlite3_stmt *row)
{
    struct stored_recovery *items = grow(stored->recoveries, stored->n_recoveries, sizeof(*items)), *item;

    if (items == NULL)
        return SQLITE_NOMEM;
    stored->recoveries = items;
    item = &items[stored->n_recoveries++];
    item->detected_us = sqlite3_column_int64(row, 2);
    item->is_open = sqlite3_column_int(row, 3) != 0;
    return copy_text(row, 0, &item->id) && copy_text(row, 1, &item->document) ? SQLITE_OK : SQLITE_NOMEM;
}

static int add_machine(struct stored *stored, sqlite3_stmt *row)
{
    struct stored_machine *items = grow(stored->machines, stored->n_machines, sizeof(*items)), *item;

    if (items == NULL)
        return SQLITE_NOMEM;
    stored->machines = items;
    item = &items[stored->n_machines++];
    return copy_text(row, 0, &item->hypervisor) && copy_text(row, 1, &item->uuid) && copy_text(row, 2, &item->document)
               ? SQLITE_OK
               : SQLITE_NOMEM;
}

static int bind_retention(sqlite3_stmt *statement, struct retention retention)
{
    int code =
        sqlite3_bind_int64(statement, 1, retention.latest > INT64_MAX ? INT64_MAX : (sqlite3_int64)retention.latest);

    return code == SQLITE_OK ? sqlite3_bind_int64(statement, 2, clock_now().real_us - retention.counts_us) : code;
}

/* Takes the statement. code: of what was done with it before. */
static int take_rows(sqlite3_stmt *statement, int code, int (*add)(struct stored *, sqlite3_stmt *),
                     struct stored *stored)
{
    int closed;

    if (code == SQLITE_OK)
        while ((code = sqlite3_step(statement)) == SQLITE_ROW && (code = add(stored, statement)) == SQLITE_OK)
            ;
    closed = sqlite3_finalize(statement);
    if (code != SQLITE_DONE)
        return code;
    return closed;
}

/* retention is bound where the statement asks for it. */
static int read_rows(sqlite3 *db, const char *sql, struct retention retention,
                     int (*add)(struct stored *, sqlite3_stmt *), struct stored *stored)
{
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);

    if (code == SQLITE_OK && sqlite3_bind_parameter_count(statement) > 0)
        code = bind_retention(statement, retention);
    return take_rows(statement, code, add, stored);
}

int load_before(sqlite3 *db, const char *id, size_t most, struct stored **ret)
{
    _cleanup_(stored_freep) struct stored *stored = calloc(1, sizeof(*stored));
    sqlite3_stmt *statement = NULL;
    int code;

    if (stored == NULL)
        return SQLITE_NOMEM;
    code = sqlite3_prepare_v2(db, most > 0 ? before_sql : one_sql, -1, &statement, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_bind_text(statement, 1, id, -1, SQLITE_STATIC);
    if (code == SQLITE_OK && most > 0)
        code = sqlite3_bind_int64(statement, 2, (sqlite3_int64)most);
    code = take_rows(statement, code, add_recovery, stored);
    if (code == SQLITE_OK)
        *ret = steal_pointer(&stored);
    return code;
}

int load_from(sqlite3 *db, struct retention retention, struct stored **ret)
{
    _cleanup_(stored_freep) struct stored *stored = calloc(1, sizeof(*stored));
    int code;

    if (stored == NULL)
        return SQLITE_NOMEM;
    code = read_rows(db, recoveries_sql, retention, add_recovery, stored);
    if (code == SQLITE_OK)
        code = read_rows(db, machines_sql, retention, add_machine, stored);
    if (code == SQLITE_OK)
        *ret = steal_pointer(&stored);
    return code;
}

/* Ways to open a database without writing; each works where another does not. */
static const struct way {
    int flags;
    const char *pragma;
    bool is_immutable; /* would not see what is in the log only */
} ways[] = {
    /* A full disk: alone with the database, sqlite3 needs no shared index. */
    {SQLITE_OPEN_READWRITE, "PRAGMA locking_mode = EXCLUSIVE", false},
    /* A read-only one with an index from before. */
    {SQLITE_OPEN_READONLY, "", false},
    /* A read-only one that was left in order. */
    {SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, "", true},
};

static bool has_log(const char *path)
{
    _cleanup_(freep) char *log = NULL;
    struct stat status;

    if (asprintf(&log, "%s-wal", path) < 0) {
        log = NULL;
        return true;
    }
    return stat(log, &status) == 0 && status.st_size > 0;
}

/* A name that means something else in a URI is not worth quoting. */
static int open_in_one_way(const struct way *way, const char *path, sqlite3 **ret)
{
    _cleanup_(freep) char *uri = NULL;

    if (!way->is_immutable)
        return sqlite3_open_v2(path, ret, way->flags | SQLITE_OPEN_NOMUTEX, NULL);
    if (has_log(path) || strpbrk(path, "%?#") != NULL)
        return SQLITE_CANTOPEN;
    if (asprintf(&uri, "file:%s?immutable=1", path) < 0) {
        uri = NULL;
        return SQLITE_NOMEM;
    }
    return sqlite3_open_v2(uri, ret, way->flags | SQLITE_OPEN_NOMUTEX, NULL);
}

static int load_in_one_way(const struct way *way, const char *path, struct retention retention, struct stored **ret)
{
    sqlite3 *db = NULL;
    int code, version = 0;

    code = open_in_one_way(way, path, &db);
    if (code == SQLITE_OK)
        code = sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_exec(db, way->pragma, NULL, NULL, NULL);
    if (code == SQLITE_OK)
        code = schema_read_version(db, &version);
    if (code == SQLITE_OK && version != schema_latest())
        code = SQLITE_SCHEMA;
    if (code == SQLITE_OK)
        code = load_from(db, retention, ret);
    sqlite3_close(db);
    return code;
}

int load_without_writing(const char *path, struct retention retention, struct stored **ret)
{
    for (size_t i = 0; i < ELEMENTS_OF(ways); i++)
        if (load_in_one_way(&ways[i], path, retention, ret) == SQLITE_OK)
            return 0;
    return -EIO;
}
