/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Statements and their order. Knows nothing of threads, tickets or when to try again. */
#include "store/database.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

#include "base/text.h"
#include "service/clock.h"
#include "store/load.h"
#include "store/schema.h"

/* Long enough for a reader's backup of a small file; the main thread does not wait for it. */
#define BUSY_TIMEOUT_MS 5000

/* sqlite3's own default for automatic checkpoints, which do not tell when they fail. */
#define LOG_PAGES_MAX 1000

#define FILE_MODE 0600

enum statement {
    BEGIN,
    COMMIT,
    PUT_RECOVERY,
    PUT_MACHINE,
    FORGET_MACHINE,
    TRIM,
    STATEMENT_COUNT,
};

static const char trim_sql[] = "DELETE FROM recoveries WHERE is_open = 0 AND detected_us < ?";

static const char *const sql[STATEMENT_COUNT] = {
    [BEGIN] = "BEGIN IMMEDIATE",
    [COMMIT] = "COMMIT",
    [PUT_RECOVERY] = "INSERT OR REPLACE INTO recoveries (id, detected_us, is_open, document) VALUES (?, ?, ?, ?)",
    [PUT_MACHINE] = "INSERT OR REPLACE INTO machines (hypervisor, uuid, document) VALUES (?, ?, ?)",
    [FORGET_MACHINE] = "DELETE FROM machines WHERE hypervisor = ? AND uuid = ?",
    [TRIM] = trim_sql,
};

/* sqlite3 opens these three, by their names. */
static const char *const suffixes[] = {"", "-wal", "-shm"};

struct identity {
    dev_t device;
    ino_t inode;
};

struct database {
    sqlite3 *db;
    char *path;
    struct identity files[ELEMENTS_OF(suffixes)]; /* as they were opened */
    sqlite3_stmt *statements[STATEMENT_COUNT];
    bool is_new;
    int log_pages;
};

static int remember_log_pages(void *context, sqlite3 *db, const char *name, int pages)
{
    struct database *database = context;

    (void)db;
    (void)name;
    database->log_pages = pages;
    return SQLITE_OK;
}

/*
 * The database names machines and says what was done to them, which is for the daemon's user alone, whatever the umask
 * is. sqlite3 gives its log the mode of the database. What cannot be made or changed is left for sqlite3 to tell.
 */
static void make_private(const char *path)
{
    int fd = open(path, O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, FILE_MODE);

    if (fd >= 0) {
        close(fd);
        return;
    }
    for (size_t i = 0; i < ELEMENTS_OF(suffixes); i++) {
        _cleanup_(freep) char *name = NULL;
        struct stat status;

        if (asprintf(&name, "%s%s", path, suffixes[i]) < 0)
            name = NULL;
        else if (stat(name, &status) == 0 && (status.st_mode & S_IRWXO) != 0)
            (void)!chmod(name, status.st_mode & (S_IRWXU | S_IRWXG));
    }
}

/* What has the name of the file now; {0}: nothing has. Where that cannot be seen, it is the file that is open. */
static struct identity identify(const struct database *database, size_t which)
{
    _cleanup_(freep) char *name = text_print("%s%s", database->path, suffixes[which]);
    struct identity none = {0};
    struct stat status;

    if (name == NULL)
        return database->files[which];
    if (stat(name, &status) < 0)
        return errno == ENOENT || errno == ENOTDIR ? none : database->files[which];
    return (struct identity){.device = status.st_dev, .inode = status.st_ino};
}

static bool is_missing(const struct database *database, size_t which)
{
    const struct identity now = identify(database, which);

    return now.inode == 0 || now.inode != database->files[which].inode || now.device != database->files[which].device;
}

static int connect_to(struct database *database)
{
    make_private(database->path);
    int code = sqlite3_open_v2(database->path, &database->db,
                               SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);

    if (code != SQLITE_OK)
        return code;
    sqlite3_extended_result_codes(database->db, 1);
    sqlite3_busy_timeout(database->db, BUSY_TIMEOUT_MS);
    sqlite3_wal_hook(database->db, remember_log_pages, database);
    /* Closing must write nothing until the database is known to be in order. */
    return sqlite3_db_config(database->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
}

/* Runs a PRAGMA that answers with one word; *ret_is_expected where it is that word. */
static int ask(struct database *database, const char *question, const char *expected, bool *ret_is_expected)
{
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(database->db, question, -1, &statement, NULL);

    if (code != SQLITE_OK)
        return code;
    if (sqlite3_step(statement) == SQLITE_ROW) {
        const char *answer = (const char *)sqlite3_column_text(statement, 0);

        *ret_is_expected = answer != NULL && strcmp(answer, expected) == 0;
    }
    return sqlite3_finalize(statement);
}

static int look_for_damage(struct database *database, struct fault *ret_fault)
{
    bool is_ok = false;
    int code = ask(database, "PRAGMA quick_check(1)", "ok", &is_ok);

    if (code != SQLITE_OK)
        return fault_of_sqlite(ret_fault, database->db, code, "check", database->path);
    if (!is_ok) {
        fault_set(ret_fault, -EBADMSG, "%s is damaged", database->path);
        ret_fault->is_damaged = true;
        return -EBADMSG;
    }
    return 0;
}

/*
 * Brings the log into the file and empties it before anything is added to it: what an earlier, failed fsync left in the
 * log may be in the kernel's memory only, and must not stand before what is acknowledged later. A reader in the way
 * puts that off.
 */
static int begin_log(struct database *database)
{
    bool is_wal = false;
    int code = sqlite3_exec(database->db, "PRAGMA synchronous = FULL", NULL, NULL, NULL);

    if (code == SQLITE_OK)
        code = ask(database, "PRAGMA journal_mode = WAL", "wal", &is_wal);
    if (code != SQLITE_OK)
        return code;
    if (!is_wal)
        return SQLITE_CANTOPEN;
    code = sqlite3_wal_checkpoint_v2(database->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    return (code & 0xff) == SQLITE_BUSY ? SQLITE_OK : code;
}

static int prepare(struct database *database)
{
    int code = SQLITE_OK;

    for (size_t i = 0; i < STATEMENT_COUNT && code == SQLITE_OK; i++)
        code = sqlite3_prepare_v3(database->db, sql[i], -1, SQLITE_PREPARE_PERSISTENT, &database->statements[i], NULL);
    return code;
}

/*
 * sqlite3 tries to make the file, then to read it, and tells only why it cannot read. This tells why it could not make
 * it.
 */
static int tell_why_not_made(struct database *database, struct fault *ret_fault)
{
    _cleanup_(freep) char *copy = strdup(database->path);

    if (copy == NULL || access(dirname(copy), W_OK) == 0)
        return ret_fault->error;
    return fault_set(ret_fault, -errno, "cannot make %s: %s", database->path, strerrordesc_np(errno));
}

static int open_steps(struct database *database, bool check, struct fault *ret_fault)
{
    int version = 0, code, r;

    code = connect_to(database);
    if (code == SQLITE_OK)
        code = schema_read_version(database->db, &version);
    if (code != SQLITE_OK) {
        r = fault_of_sqlite(ret_fault, database->db, code, "open", database->path);
        return r == -ENOENT ? tell_why_not_made(database, ret_fault) : r;
    }
    if (version < 0 || version > schema_latest())
        return fault_set(ret_fault, -EPROTO, "%s was written by a newer version (schema %d, this one knows up to %d)",
                         database->path, version, schema_latest());
    database->is_new = version == 0;
    if (check) {
        r = look_for_damage(database, ret_fault);
        if (r < 0)
            return r;
    }
    code = begin_log(database);
    if (code == SQLITE_OK)
        code = schema_migrate(database->db, version);
    if (code == SQLITE_OK)
        code = prepare(database);
    if (code != SQLITE_OK)
        return fault_of_sqlite(ret_fault, database->db, code, "write", database->path);
    for (size_t i = 0; i < ELEMENTS_OF(suffixes); i++)
        database->files[i] = identify(database, i);
    return 0;
}

int database_open(const char *path, bool check, struct database **ret, struct fault *ret_fault)
{
    struct database *database = calloc(1, sizeof(*database));
    int r;

    if (database != NULL)
        database->path = strdup(path);
    if (database == NULL || database->path == NULL) {
        free(database);
        return fault_set(ret_fault, -ENOMEM, "cannot open %s: out of memory", path);
    }
    r = open_steps(database, check, ret_fault);
    if (r < 0) {
        database_close(database, false);
        return r;
    }
    *ret = database;
    return 0;
}

bool database_is_new(const struct database *database)
{
    return database->is_new;
}

int database_load(struct database *database, struct retention retention, struct stored **ret, struct fault *ret_fault)
{
    int code = load_from(database->db, retention, ret);

    return code == SQLITE_OK ? 0 : fault_of_sqlite(ret_fault, database->db, code, "read", database->path);
}

int database_read(struct database *database, const char *before, size_t most, struct stored **ret,
                  struct fault *ret_fault)
{
    int code = load_before(database->db, before, most, ret);

    return code == SQLITE_OK ? 0 : fault_of_sqlite(ret_fault, database->db, code, "read", database->path);
}

static int run(struct database *database, enum statement which)
{
    sqlite3_stmt *statement = database->statements[which];

    sqlite3_step(statement);
    return sqlite3_reset(statement);
}

/* The texts outlive the statement's run; NULL ends them. */
static int bind_texts(sqlite3_stmt *statement, const char *first, const char *second, const char *third)
{
    const char *const texts[] = {first, second, third};
    int code = SQLITE_OK;

    for (int i = 0; i < (int)ELEMENTS_OF(texts) && texts[i] != NULL && code == SQLITE_OK; i++)
        code = sqlite3_bind_text(statement, i + 1, texts[i], -1, SQLITE_STATIC);
    return code;
}

static int write_machine(struct database *database, const struct entry *entry)
{
    enum statement which = entry->document != NULL ? PUT_MACHINE : FORGET_MACHINE;
    int code = bind_texts(database->statements[which], entry->hypervisor, entry->id, entry->document);

    return code == SQLITE_OK ? run(database, which) : code;
}

static int write_recovery(struct database *database, const struct entry *entry)
{
    sqlite3_stmt *statement = database->statements[PUT_RECOVERY];
    int code = sqlite3_bind_text(statement, 1, entry->id, -1, SQLITE_STATIC);

    if (code == SQLITE_OK)
        code = sqlite3_bind_int64(statement, 2, entry->detected_us);
    if (code == SQLITE_OK)
        code = sqlite3_bind_int(statement, 3, entry->is_open);
    if (code == SQLITE_OK)
        code = sqlite3_bind_text(statement, 4, entry->document, -1, SQLITE_STATIC);
    return code == SQLITE_OK ? run(database, PUT_RECOVERY) : code;
}

bool database_is_gone(struct database *database)
{
    return is_missing(database, 0);
}

static int look_for_files(struct database *database, struct fault *ret_fault)
{
    for (size_t i = 0; i < ELEMENTS_OF(suffixes); i++)
        if (is_missing(database, i)) {
            fault_set(ret_fault, -ESTALE, "%s%s was deleted or replaced while in use", database->path, suffixes[i]);
            ret_fault->is_missing = true;
            return -ESTALE;
        }
    return 0;
}

int database_write(struct database *database, const struct entry *entries, struct fault *ret_fault)
{
    int code, r = look_for_files(database, ret_fault);

    if (r < 0)
        return r;
    code = run(database, BEGIN);
    for (const struct entry *entry = entries; entry != NULL && code == SQLITE_OK; entry = entry->hh.next)
        code = entry->hypervisor != NULL ? write_machine(database, entry) : write_recovery(database, entry);
    if (code == SQLITE_OK)
        code = run(database, COMMIT);
    if (code != SQLITE_OK)
        return fault_of_sqlite(ret_fault, database->db, code, "write", database->path);
    return look_for_files(database, ret_fault);
}

void database_disown(struct database *gone)
{
    for (size_t i = 1; i < ELEMENTS_OF(suffixes); i++) {
        _cleanup_(freep) char *name = text_print("%s%s", gone->path, suffixes[i]);

        if (name != NULL && !is_missing(gone, i))
            (void)unlink(name);
    }
}

int database_copy(struct database *gone, struct database *to, struct fault *ret_fault)
{
    sqlite3_backup *copy = sqlite3_backup_init(to->db, "main", gone->db, "main");
    int code = SQLITE_OK;

    if (copy != NULL) {
        sqlite3_backup_step(copy, -1);
        code = sqlite3_backup_finish(copy);
    }
    if (copy == NULL || code != SQLITE_OK)
        return fault_of_sqlite(ret_fault, to->db, sqlite3_errcode(to->db), "write", to->path);
    return 0;
}

int database_trim(struct database *database, int64_t age_us, struct fault *ret_fault)
{
    int code = sqlite3_bind_int64(database->statements[TRIM], 1, clock_now().real_us - age_us);

    if (code == SQLITE_OK)
        code = run(database, TRIM);
    return code == SQLITE_OK ? 0 : fault_of_sqlite(ret_fault, database->db, code, "write", database->path);
}

int database_tidy(struct database *database, struct fault *ret_fault)
{
    return database->log_pages < LOG_PAGES_MAX ? 0 : database_bring_in(database, ret_fault);
}

int database_bring_in(struct database *database, struct fault *ret_fault)
{
    int code = sqlite3_wal_checkpoint_v2(database->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);

    if (code == SQLITE_OK || (code & 0xff) == SQLITE_BUSY)
        return 0;
    return fault_of_sqlite(ret_fault, database->db, code, "write", database->path);
}

void database_close(struct database *database, bool is_sound)
{
    if (database == NULL)
        return;
    for (size_t i = 0; i < STATEMENT_COUNT; i++)
        sqlite3_finalize(database->statements[i]);
    if (is_sound)
        sqlite3_db_config(database->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
    sqlite3_close(database->db);
    free(database->path);
    free(database);
}
