/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the store keeps, and what it makes of a file it did not leave behind itself. */
#include "service/clock.h"
#include "store/claim.h"
#include "store_world.h"

#include <fcntl.h>
#include <glob.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

extern char **environ;

static void test_a_new_database_is_empty_and_of_this_version(void **state)
{
    struct world *world = *state;

    open_with(world, 10);
    assert_int_equal(world->stored->n_recoveries, 0);
    assert_int_equal(world->stored->n_machines, 0);
    assert_string_equal(world->remade, "");
    put_and_wait(world, 1, true, "{}");
    assert_written(world, 1);
    assert_int_equal(world->troubles, 0);
    assert_int_equal(ask_number(world, "PRAGMA user_version"), 1);
    assert_int_equal(ask_number(world, "SELECT journal_mode = 'wal' FROM pragma_journal_mode"), 1);
}

static void test_what_is_written_is_read_back_oldest_first(void **state)
{
    struct world *world = *state;

    open_with(world, 10);
    put(world, 3, false, "{\"c\": \"가상 머신\"}");
    put(world, 1, true, "{\"a\": 1}");
    put(world, 2, false, "");
    store_put_machine(world->store, 0, 0, "local", "uuid-2", "{\"m\": 2}");
    store_put_machine(world->store, 0, 0, "local", "uuid-1", "{\"m\": 1}");
    store_put_machine(world->store, 0, 0, "far", "uuid-1", "{\"m\": 3}");
    for (uint64_t ticket = 1; ticket <= 3; ticket++) {
        wait_for_answer(world, ticket);
        assert_written(world, ticket);
    }
    reopen(world);
    assert_int_equal(world->stored->n_recoveries, 3);
    assert_string_equal(world->stored->recoveries[0].id, "r001");
    assert_string_equal(world->stored->recoveries[2].id, "r003");
    assert_stored(world, 1, true, "{\"a\": 1}");
    assert_stored(world, 2, false, "");
    assert_stored(world, 3, false, "{\"c\": \"가상 머신\"}");
    assert_int_equal(world->stored->n_machines, 3);
    assert_string_equal(world->stored->machines[0].hypervisor, "far");
    assert_string_equal(world->stored->machines[0].document, "{\"m\": 3}");
    assert_string_equal(world->stored->machines[2].uuid, "uuid-2");
}

static void check_modes(struct world *world, mode_t expected)
{
    static const char *const suffixes[] = {"", "-wal", "-shm"};

    for (size_t i = 0; i < ELEMENTS_OF(suffixes); i++) {
        char name[PATH_MAX];
        struct stat status;

        snprintf(name, sizeof(name), "%s%s", world->path, suffixes[i]);
        assert_int_equal(stat(name, &status), 0);
        assert_int_equal(status.st_mode & 07777, expected);
    }
}

/* With umask 022, as by hand, it was. So was one that an earlier version made. */
static void test_database_is_not_readable_by_all(void **state)
{
    struct world *world = *state;
    mode_t before = umask(022);

    open_with(world, 10);
    put(world, 1, false, "{}");
    wait_for_answer(world, 1);
    check_modes(world, 0600);
    shut(world);
    assert_int_equal(chmod(world->path, 0644), 0);
    reopen(world);
    put(world, 2, false, "{}");
    wait_for_answer(world, 2);
    check_modes(world, 0640);
    umask(before);
}

static void test_the_latest_form_replaces_what_stood_there(void **state)
{
    struct world *world = *state;

    open_with(world, 10);
    put_and_wait(world, 1, true, "first");
    put(world, 1, true, "second");
    put_and_wait(world, 1, false, "third");
    store_put_machine(world->store, 0, 0, "local", "kept", "old");
    store_put_machine(world->store, 0, 0, "local", "kept", "new");
    store_put_machine(world->store, 0, 0, "local", "gone", "x");
    reopen(world);
    store_put_machine(world->store, 0, 0, "local", "gone", NULL);
    store_put_machine(world->store, 0, 0, "local", "never-was", NULL);
    assert_int_equal(world->stored->n_machines, 2);
    reopen(world);
    assert_int_equal(world->stored->n_recoveries, 1);
    assert_stored(world, 1, false, "third");
    assert_int_equal(world->stored->n_machines, 1);
    assert_string_equal(world->stored->machines[0].uuid, "kept");
    assert_string_equal(world->stored->machines[0].document, "new");
}

static void test_every_ticket_is_answered_once_where_one_form_overtakes_another(void **state)
{
    struct world *world = *state;

    open_with(world, 10);
    for (uint64_t ticket = 1; ticket < ANSWERS_MAX; ticket++)
        store_put_recovery(world->store, ticket, LONG_US, "one", 1, ticket % 2 == 0, ticket == 255 ? "last" : "x");
    for (uint64_t ticket = 1; ticket < ANSWERS_MAX; ticket++) {
        wait_for_answer(world, ticket);
        assert_written(world, ticket);
    }
    reopen(world);
    assert_int_equal(world->stored->n_recoveries, 1);
    assert_string_equal(world->stored->recoveries[0].document, "last");
}

static void test_open_recoveries_are_loaded_however_old(void **state)
{
    struct world *world = *state;

    open_with(world, 10);
    for (uint64_t ticket = 1; ticket <= 6; ticket++)
        put(world, ticket, ticket <= 2, "x");
    shut(world);
    open_with(world, 2);
    assert_int_equal(world->stored->n_recoveries, 4);
    assert_non_null(find_stored(world, 1));
    assert_non_null(find_stored(world, 2));
    assert_null(find_stored(world, 4));
    assert_non_null(find_stored(world, 5));
    assert_non_null(find_stored(world, 6));
}

static void test_retention_deletes_the_oldest_finished_ones_only(void **state)
{
    struct world *world = *state;

    open_with(world, 10);
    for (uint64_t ticket = 1; ticket <= 6; ticket++)
        put(world, ticket, ticket == 1, "x");
    store_set_age(world->store, clock_now().real_us - 4500 * USEC_PER_MSEC);
    put_and_wait(world, 7, false, "x");
    reopen(world);
    assert_int_equal(world->stored->n_recoveries, 4);
    assert_non_null(find_stored(world, 1));
    for (uint64_t ticket = 5; ticket <= 7; ticket++)
        assert_non_null(find_stored(world, ticket));
}

/* Else a busy night would lift recovery.limit at a restart. */
static void assert_read(struct world *world, const char *before, size_t most, const char *expected)
{
    world->reads = 0;
    assert_int_equal(store_read(world->store, before, most, world), 0);
    while (world->reads == 0)
        turn(world);
    assert_int_equal(world->read_error, 0);
    assert_string_equal(world->read, expected);
}

/* What is no longer held in memory. */
static void test_older_recoveries_are_read_page_by_page(void **state)
{
    struct world *world = *state;

    open_with(world, 2);
    for (uint64_t ticket = 1; ticket <= 6; ticket++)
        put_and_wait(world, ticket, ticket == 3, "x");
    assert_read(world, "r006", 2, "r005 r004");
    assert_read(world, "r004", 2, "r002 r001"); /* the open one is known */
    assert_read(world, "r002", 2, "r001");
    assert_read(world, "r001", 2, "");
    assert_read(world, "nosuch", 2, "");
    assert_read(world, "r003", 0, "r003");
    assert_read(world, "nosuch", 0, "");
}

static void test_those_that_count_against_a_limit_still_are_read(void **state)
{
    struct world *world = *state;
    int64_t age_us = clock_now().real_us - 3500 * USEC_PER_MSEC;

    open_with(world, 10);
    for (uint64_t ticket = 1; ticket <= 6; ticket++)
        put(world, ticket, false, "x");
    put_and_wait(world, 7, false, "x");
    shut(world);
    open_with_retention(world, (struct retention){.latest = 1, .counts_us = age_us});
    assert_int_equal(world->stored->n_recoveries, 4);
    assert_null(find_stored(world, 3));
    assert_non_null(find_stored(world, 4));
    reopen(world);
    assert_int_equal(world->stored->n_recoveries, 7); /* the others were not read, and are there */
}

static void test_closing_writes_what_is_queued_and_answers_nothing(void **state)
{
    struct world *world = *state;

    open_with(world, 10);
    for (uint64_t ticket = 1; ticket <= 100; ticket++)
        put(world, ticket, true, "x");
    shut(world);
    open_with(world, 1);
    assert_int_equal(world->stored->n_recoveries, 100);
    for (uint64_t ticket = 1; ticket <= 100; ticket++)
        assert_int_equal(world->answers[ticket].times, 0);
}

static void test_another_process_may_read_meanwhile(void **state)
{
    struct world *world = *state;
    sqlite3 *db = NULL;

    open_with(world, 10);
    put_and_wait(world, 1, true, "x");
    assert_int_equal(sqlite3_open_v2(world->path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "BEGIN; SELECT * FROM recoveries", NULL, NULL, NULL), SQLITE_OK);
    put_and_wait(world, 2, true, "x");
    assert_written(world, 2);
    assert_int_equal(sqlite3_exec(db, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    assert_int_equal(ask_number(world, "SELECT count(*) FROM recoveries"), 2);
}

/* Returns what stands in the file; the caller frees it. */
static char *slurp(const char *path, size_t *ret_size)
{
    FILE *file = fopen(path, "re");
    struct stat status;
    char *content;

    assert_non_null(file);
    assert_int_equal(fstat(fileno(file), &status), 0);
    content = malloc((size_t)status.st_size + 1);
    assert_non_null(content);
    assert_int_equal(fread(content, 1, (size_t)status.st_size, file), status.st_size);
    fclose(file);
    *ret_size = (size_t)status.st_size;
    return content;
}

static void spill(const char *path, long offset, const void *content, size_t size)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, content, size, offset), size);
    close(fd);
}

/* The file is kept as it is, a new one works, and a person is told. */
static void assert_set_aside(struct world *world)
{
    _cleanup_(freep) char *before = NULL, *after = NULL;
    size_t before_size, after_size;
    char pattern[128];
    glob_t found;

    before = slurp(world->path, &before_size);
    open_with(world, 10);
    assert_int_equal(world->stored->n_recoveries, 0);
    assert_non_null(strstr(world->remade, world->path));

    snprintf(pattern, sizeof(pattern), "%s.damaged-[0-9]*-[0-9]*[0-9]", world->path);
    assert_int_equal(glob(pattern, 0, NULL, &found), 0);
    assert_int_equal(found.gl_pathc, 1);
    assert_non_null(strstr(world->remade, found.gl_pathv[0]));
    after = slurp(found.gl_pathv[0], &after_size);
    assert_int_equal(after_size, before_size);
    assert_memory_equal(after, before, before_size);
    globfree(&found);

    put_and_wait(world, 9, true, "x");
    assert_written(world, 9);
    assert_int_equal(world->troubles, 0);
    reopen(world);
    assert_string_equal(world->remade, "");
    assert_stored(world, 9, true, "x");
}

static void fill_and_shut(struct world *world, bool is_open)
{
    char document[2000];

    memset(document, 'x', sizeof(document) - 1);
    document[sizeof(document) - 1] = '\0';
    open_with(world, 10);
    for (uint64_t ticket = 1; ticket <= 60; ticket++)
        put(world, ticket, is_open, document);
    shut(world);
}

static void test_random_bytes_are_set_aside(void **state)
{
    unsigned char bytes[20000];
    uint32_t seed = 7;

    for (size_t i = 0; i < sizeof(bytes); i++) {
        seed = seed * 1664525 + 1013904223;
        bytes[i] = (unsigned char)(seed >> 24);
    }
    spill(((struct world *)*state)->path, 0, bytes, sizeof(bytes));
    assert_set_aside(*state);
}

static void test_a_truncated_file_is_set_aside(void **state)
{
    struct world *world = *state;

    fill_and_shut(world, true);
    assert_int_equal(truncate(world->path, 5 * 4096 + 100), 0);
    assert_set_aside(world);
}

/* The header is whole and what is loaded stands elsewhere, so only a look through the file finds it. */
static void test_a_file_scribbled_into_is_set_aside(void **state)
{
    struct world *world = *state;
    char garbage[4096];

    fill_and_shut(world, false);
    memset(garbage, 0x5a, sizeof(garbage));
    spill(world->path, 10 * 4096, garbage, sizeof(garbage));
    assert_set_aside(world);
}

static void test_an_empty_file_becomes_a_database(void **state)
{
    struct world *world = *state;

    spill(world->path, 0, "", 0);
    open_with(world, 10);
    assert_string_equal(world->remade, "");
    put_and_wait(world, 1, true, "x");
    assert_written(world, 1);
    assert_int_equal(ask_number(world, "PRAGMA user_version"), 1);
    reopen(world);
    assert_stored(world, 1, true, "x");
}

/* Version 0 with the header of a database, as a crash between making and migrating leaves it. */
static void test_a_database_without_tables_is_migrated(void **state)
{
    struct world *world = *state;

    run_sql(world, "PRAGMA journal_mode = WAL; CREATE TABLE t (a); DROP TABLE t");
    assert_int_equal(ask_number(world, "PRAGMA user_version"), 0);
    open_with(world, 10);
    put_and_wait(world, 1, true, "x");
    assert_written(world, 1);
    assert_int_equal(ask_number(world, "PRAGMA user_version"), 1);
}

static void test_a_log_of_garbage_is_no_damage(void **state)
{
    struct world *world = *state;
    char log[128];

    fill_and_shut(world, true);
    snprintf(log, sizeof(log), "%s-wal", world->path);
    spill(log, 0, "this is no log, and long enough to have a header of one", 55);
    open_with(world, 100);
    assert_string_equal(world->remade, "");
    assert_int_equal(world->stored->n_recoveries, 60);
    put_and_wait(world, 61, true, "x");
    assert_written(world, 61);
}

static void test_a_newer_schema_is_left_untouched(void **state)
{
    _cleanup_(freep) char *before = NULL, *after = NULL;
    struct world *world = *state;
    size_t before_size, after_size;

    fill_and_shut(world, true);
    run_sql(world, "PRAGMA user_version = 2");
    before = slurp(world->path, &before_size);
    open_with(world, 10);
    assert_string_equal(world->remade, "");
    assert_int_equal(world->stored->n_recoveries, 0);
    put_and_wait(world, 1, true, "mine");
    assert_refused(world, 1, -EPROTO);
    wait_for_trouble(world, true);
    assert_non_null(strstr(world->trouble, "newer version"));
    shut(world);
    after = slurp(world->path, &after_size);
    assert_int_equal(after_size, before_size);
    assert_memory_equal(after, before, before_size);
}

static void test_a_missing_directory_is_trouble_until_it_is_there(void **state)
{
    struct world *world = *state;

    assert_int_equal(rmdir(world->directory), 0);
    open_with(world, 10);
    assert_int_equal(world->stored->n_recoveries, 0);
    assert_string_equal(world->remade, "");
    wait_for_trouble(world, true);
    put(world, 1, true, "first");
    put_and_wait(world, 2, true, "x");
    assert_refused(world, 1, -ENOENT);
    put_and_wait(world, 1, false, "last");
    assert_refused(world, 1, -ENOENT);
    store_put_machine(world->store, 0, 0, "local", "uuid", "m");

    assert_int_equal(mkdir(world->directory, 0700), 0);
    wait_for_trouble(world, false);
    put_and_wait(world, 3, true, "x");
    assert_written(world, 3);
    reopen(world);
    assert_int_equal(world->stored->n_recoveries, 3);
    assert_stored(world, 1, false, "last");
    assert_int_equal(world->stored->n_machines, 1);
}

/* The same directory again, as another process would. */
static int open_again(struct world *world)
{
    struct world other = {.base = world->base, .timing = world->timing};
    int error;

    snprintf(other.directory, sizeof(other.directory), "%s", world->directory);
    open_with(&other, 10);
    error = other.open_error;
    assert_true((other.stored != NULL) == (error == 0));
    shut(&other);
    return error;
}

/* Each would write down what it knows, and read at its next start what the other knew. */
static void test_two_daemons_on_one_directory(void **state)
{
    struct world *world = *state;

    assert_int_equal(claim_look(world->directory), 0);
    open_with(world, 10);
    put_and_wait(world, 1, true, "x");
    assert_int_equal(claim_look(world->directory), 1);
    assert_int_equal(open_again(world), -EBUSY);
    put_and_wait(world, 2, true, "x");
    assert_written(world, 2);
    shut(world);
    assert_int_equal(claim_look(world->directory), 0);
    assert_int_equal(open_again(world), 0);
    open_with(world, 10);
    assert_int_equal(world->stored->n_recoveries, 2);
}

/* It was not there when this one was started. */
static void test_a_directory_that_another_daemon_has_by_now(void **state)
{
    struct world *world = *state;
    int claim;

    assert_int_equal(rmdir(world->directory), 0);
    open_with(world, 10);
    wait_for_trouble(world, true);
    assert_int_equal(mkdir(world->directory, 0700), 0);
    assert_int_equal(claim_take(world->path, &claim), 0);
    assert_true(claim >= 0);
    put_and_wait(world, 1, true, "x");
    assert_refused(world, 1, -EBUSY);
    assert_non_null(strstr(world->trouble, "another understudyd writes to this directory"));
    assert_int_equal(close(claim), 0);
    wait_for_trouble(world, false);
    put_and_wait(world, 2, true, "x");
    assert_written(world, 2);
}

static void test_a_file_in_place_of_the_directory_is_trouble(void **state)
{
    struct world *world = *state;

    assert_int_equal(rmdir(world->directory), 0);
    spill(world->directory, 0, "x", 1);
    open_with(world, 10);
    put_and_wait(world, 1, true, "x");
    assert_refused(world, 1, -ENOTDIR);
    assert_int_not_equal(world->trouble[0], '\0');
}

/* Two that are finished and three that are open, one of them read at the start, and what is known of a machine. */
static void fill_with_five(struct world *world)
{
    open_with(world, 10);
    put_and_wait(world, 1, true, "loaded");
    put_and_wait(world, 2, false, "finished");
    store_put_machine(world->store, 0, 0, "local", "uuid", "m");
    reopen(world);
    put_and_wait(world, 3, true, "written");
    put_and_wait(world, 4, true, "x");
    put_and_wait(world, 4, false, "finished");
}

static void assert_five_and_after(struct world *world)
{
    assert_int_equal(world->stored->n_recoveries, 5);
    assert_stored(world, 1, true, "loaded");
    assert_stored(world, 2, false, "finished");
    assert_stored(world, 3, true, "written");
    assert_stored(world, 4, false, "finished");
    assert_stored(world, 5, true, "after");
    assert_int_equal(world->stored->n_machines, 1);
}

static void delete_file(const struct world *world, const char *suffix)
{
    char path[128];

    snprintf(path, sizeof(path), "%s%s", world->path, suffix);
    assert_int_equal(unlink(path), 0);
}

static void test_a_file_deleted_under_us_is_made_again_with_all_that_it_held(void **state)
{
    struct world *world = *state;

    fill_with_five(world);
    delete_file(world, "");
    put_and_wait(world, 5, true, "after");
    assert_written(world, 5);
    assert_non_null(strstr(world->remade, "was deleted while in use"));
    reopen(world);
    assert_string_equal(world->remade, "");
    assert_five_and_after(world);
}

/* What is in it would be lost at the next start, and every write after it. */
static void test_a_log_or_index_deleted_under_us_loses_nothing(void **state)
{
    static const char *const suffixes[] = {"-wal", "-shm"};
    struct world *world = *state;

    for (size_t i = 0; i < ELEMENTS_OF(suffixes); i++) {
        fill_with_five(world);
        delete_file(world, suffixes[i]);
        put_and_wait(world, 5, true, "after");
        assert_written(world, 5);
        assert_non_null(strstr(world->remade, "was deleted while in use"));
        reopen(world);
        assert_five_and_after(world);
        shut(world);
        delete_file(world, "");
        memset(world->answers, 0, sizeof(world->answers));
    }
}

static void test_all_files_deleted_just_before_the_end_are_made_again(void **state)
{
    struct world *world = *state;

    fill_with_five(world);
    put_and_wait(world, 5, true, "after");
    delete_file(world, "");
    delete_file(world, "-wal");
    delete_file(world, "-shm");
    reopen(world);
    assert_five_and_after(world);
}

/* Until there is a directory again, it is trouble; then nothing is lost. */
static void test_a_directory_deleted_under_us(void **state)
{
    struct world *world = *state;

    fill_with_five(world);
    nftw(world->directory, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    put_and_wait(world, 5, true, "after");
    assert_refused(world, 5, -ENOENT);
    wait_for_trouble(world, true);
    assert_int_equal(mkdir(world->directory, 0700), 0);
    wait_for_trouble(world, false);
    reopen(world);
    assert_five_and_after(world);
}

/* As by an operator who puts back a backup: it is not overwritten, and the log of the other is not applied to it. */
static void test_a_file_replaced_under_us_is_not_overwritten(void **state)
{
    struct world *world = *state;
    char backup[128];

    open_with(world, 10);
    put_and_wait(world, 2, false, "of the backup");
    shut(world);
    snprintf(backup, sizeof(backup), "%s/backup", world->directory);
    assert_int_equal(rename(world->path, backup), 0);
    memset(world->answers, 0, sizeof(world->answers));
    fill_with_five(world);
    assert_int_equal(rename(backup, world->path), 0);
    put_and_wait(world, 5, true, "after");
    assert_written(world, 5);
    assert_non_null(strstr(world->remade, "was replaced while in use"));
    reopen(world);
    assert_int_equal(world->stored->n_recoveries, 4);
    assert_stored(world, 1, true, "loaded");
    assert_stored(world, 2, false, "of the backup");
    assert_stored(world, 3, true, "written");
    assert_stored(world, 5, true, "after");
}

/* A second daemon could take the directory, and both would write. */
static void test_a_lock_deleted_under_us_is_taken_again(void **state)
{
    struct world *world = *state;
    char lock[128];

    open_with(world, 10);
    snprintf(lock, sizeof(lock), "%s/understudy.lock", world->directory);
    assert_int_equal(unlink(lock), 0);
    assert_int_equal(claim_look(world->directory), 0);
    put_and_wait(world, 1, true, "x");
    assert_written(world, 1);
    assert_int_equal(claim_look(world->directory), 1);
    assert_int_equal(open_again(world), -EBUSY);
}

/* The child: writes and tells each ticket that was acknowledged, until it is killed. */
static int write_until_killed(const char *directory)
{
    struct world world = {.timing = {.slow_us = LONG_US, .open_us = LONG_US, .retry_us = USEC_PER_SEC}};

    evthread_use_pthreads();
    world.base = event_base_new();
    snprintf(world.directory, sizeof(world.directory), "%s", directory);
    open_with(&world, 10);
    for (uint64_t ticket = 1; ticket < ANSWERS_MAX; ticket++) {
        put_and_wait(&world, ticket, ticket % 3 == 0, "acknowledged");
        if (world.answers[ticket].error != 0 || write(STDOUT_FILENO, "+", 1) != 1)
            return 1;
    }
    for (;;)
        pause();
}

static pid_t start_child(const char *directory, int *ret_output)
{
    char *arguments[] = {(char *)"test_store", (char *)"write-until-killed", (char *)directory, NULL};
    posix_spawn_file_actions_t actions;
    int ends[2];
    pid_t pid;

    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    assert_int_equal(posix_spawn(&pid, "/proc/self/exe", &actions, NULL, arguments, environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    *ret_output = ends[0];
    return pid;
}

/* Nothing is ever added behind what an earlier process left in the log, synced or not. */
static void assert_log_is_empty(const struct world *world)
{
    struct stat status;
    char log[128];

    snprintf(log, sizeof(log), "%s-wal", world->path);
    assert_int_equal(stat(log, &status), 0);
    assert_int_equal(status.st_size, 0);
}

static void test_everything_acknowledged_survives_a_kill(void **state)
{
    static const unsigned kill_after[] = {1, 7, 60, ANSWERS_MAX - 1};
    struct world *world = *state;

    for (size_t i = 0; i < ELEMENTS_OF(kill_after); i++) {
        unsigned acknowledged = 0;
        int output, status;
        pid_t pid = start_child(world->directory, &output);
        char byte;

        while (acknowledged < kill_after[i] && read(output, &byte, 1) == 1)
            acknowledged++;
        assert_int_equal(acknowledged, kill_after[i]);
        assert_int_equal(kill(pid, SIGKILL), 0);
        while (read(output, &byte, 1) == 1)
            acknowledged++;
        close(output);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFSIGNALED(status));

        open_with(world, ANSWERS_MAX);
        assert_string_equal(world->remade, "");
        assert_log_is_empty(world);
        for (unsigned ticket = 1; ticket <= acknowledged; ticket++)
            assert_stored(world, ticket, ticket % 3 == 0, "acknowledged");
        shut(world);
        assert_int_equal(unlink(world->path), 0);
    }
}

static void test_closing_nothing_is_no_error(void **state)
{
    (void)state;
    store_close(NULL, 0);
    stored_free(NULL);
}

#define WITH_WORLD(test) cmocka_unit_test_setup_teardown(test, setup_world, teardown_world)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        WITH_WORLD(test_a_new_database_is_empty_and_of_this_version),
        WITH_WORLD(test_what_is_written_is_read_back_oldest_first),
        WITH_WORLD(test_database_is_not_readable_by_all),
        WITH_WORLD(test_the_latest_form_replaces_what_stood_there),
        WITH_WORLD(test_every_ticket_is_answered_once_where_one_form_overtakes_another),
        WITH_WORLD(test_open_recoveries_are_loaded_however_old),
        WITH_WORLD(test_retention_deletes_the_oldest_finished_ones_only),
        WITH_WORLD(test_older_recoveries_are_read_page_by_page),
        WITH_WORLD(test_those_that_count_against_a_limit_still_are_read),
        WITH_WORLD(test_closing_writes_what_is_queued_and_answers_nothing),
        WITH_WORLD(test_another_process_may_read_meanwhile),
        WITH_WORLD(test_random_bytes_are_set_aside),
        WITH_WORLD(test_a_truncated_file_is_set_aside),
        WITH_WORLD(test_a_file_scribbled_into_is_set_aside),
        WITH_WORLD(test_an_empty_file_becomes_a_database),
        WITH_WORLD(test_a_database_without_tables_is_migrated),
        WITH_WORLD(test_a_log_of_garbage_is_no_damage),
        WITH_WORLD(test_a_newer_schema_is_left_untouched),
        WITH_WORLD(test_a_missing_directory_is_trouble_until_it_is_there),
        WITH_WORLD(test_two_daemons_on_one_directory),
        WITH_WORLD(test_a_directory_that_another_daemon_has_by_now),
        WITH_WORLD(test_a_file_in_place_of_the_directory_is_trouble),
        WITH_WORLD(test_a_file_deleted_under_us_is_made_again_with_all_that_it_held),
        WITH_WORLD(test_a_log_or_index_deleted_under_us_loses_nothing),
        WITH_WORLD(test_all_files_deleted_just_before_the_end_are_made_again),
        WITH_WORLD(test_a_directory_deleted_under_us),
        WITH_WORLD(test_a_file_replaced_under_us_is_not_overwritten),
        WITH_WORLD(test_a_lock_deleted_under_us_is_taken_again),
        WITH_WORLD(test_everything_acknowledged_survives_a_kill),
        cmocka_unit_test(test_closing_nothing_is_no_error),
    };

    if (argc == 3 && strcmp(argv[1], "write-until-killed") == 0)
        return write_until_killed(argv[2]);
    return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
