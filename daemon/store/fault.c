/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From sqlite3's codes to errno and to words. Knows nothing of what was to be written. */
#include "store/fault.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <sqlite3.h>

/* Codes of sqlite3 that say more than errno. The first row that fits counts, so extended codes stand first. */
static const struct meaning {
    int code;
    int error;
} meanings[] = {
    {SQLITE_IOERR_SHMSIZE, -ENOSPC}, {SQLITE_IOERR_NOMEM, -ENOMEM}, {SQLITE_FULL, -ENOSPC},  {SQLITE_READONLY, -EROFS},
    {SQLITE_BUSY, -EBUSY},           {SQLITE_LOCKED, -EBUSY},       {SQLITE_NOMEM, -ENOMEM}, {SQLITE_CORRUPT, -EBADMSG},
    {SQLITE_NOTADB, -EBADMSG},       {SQLITE_PERM, -EACCES},        {SQLITE_AUTH, -EACCES},
};

static int error_of(sqlite3 *db, int code)
{
    int system = db != NULL ? sqlite3_system_errno(db) : 0;

    for (size_t i = 0; i < ELEMENTS_OF(meanings); i++)
        if (meanings[i].code == code || meanings[i].code == (code & 0xff))
            return meanings[i].error;
    return system > 0 ? -system : -EIO;
}

/* sqlite3's own words say less than the system's where it only passes an error on. */
static const char *cause_of(sqlite3 *db, int code, int error)
{
    const char *cause = NULL;

    if ((code & 0xff) == SQLITE_IOERR || (code & 0xff) == SQLITE_CANTOPEN || (code & 0xff) == SQLITE_FULL)
        cause = strerrordesc_np(-error);
    if (cause == NULL)
        cause = db != NULL ? sqlite3_errmsg(db) : sqlite3_errstr(code);
    return cause;
}

int fault_of_sqlite(struct fault *ret_fault, sqlite3 *db, int code, const char *doing, const char *path)
{
    int error = error_of(db, code);

    fault_set(ret_fault, error, "cannot %s %s: %s", doing, path, cause_of(db, code, error));
    ret_fault->is_damaged = error == -EBADMSG;
    return error;
}

int fault_set(struct fault *ret_fault, int error, const char *format, ...)
{
    va_list arguments;

    *ret_fault = (struct fault){.error = error};
    va_start(arguments, format);
    vsnprintf(ret_fault->words, sizeof(ret_fault->words), format, arguments);
    va_end(arguments);
    return error;
}
