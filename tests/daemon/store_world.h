/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A store in a directory of its own, and what it told. Everything waits for an event, with a patience after
 * which the test fails. Included by the tests of the store only.
 */
#ifndef UNDERSTUDY_TESTS_STORE_WORLD_H
#define UNDERSTUDY_TESTS_STORE_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <event2/event.h>
#include <event2/thread.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

#include "base/moment.h"
#include "store/store.h"
#include "store/timing.h"

#define PATIENCE_SECONDS 20
#define ANSWERS_MAX      256
#define LONG_US          (PATIENCE_SECONDS * USEC_PER_SEC)

struct world {
    struct event_base *base;
    struct event *patience;
    bool has_lost_patience;
    char directory[64];
    char path[96];
    struct store_timing timing;
    struct store *store;
    struct stored *stored;
    char read[256]; /* the ids of what was read, with blanks */
    unsigned reads; /* how often an answer came */
    int read_error;
    unsigned opened; /* how often it was told */
    int open_error;
    char remade[512]; /* what was told of it last; empty: nothing */
    struct {
        unsigned times;
        int error;
        char message[512];
    } answers[ANSWERS_MAX]; /* by ticket */
    unsigned troubles;      /* how often it was told */
    char trouble[512];      /* the last one; empty: none */
};

static inline void on_written(void *context, uint64_t ticket, int error, const char *message)
{
    struct world *world = context;

    assert_true(ticket > 0 && ticket < ANSWERS_MAX);
    world->answers[ticket].times++;
    world->answers[ticket].error = error;
    snprintf(world->answers[ticket].message, sizeof(world->answers[ticket].message), "%s",
             message != NULL ? message : "");
}

static inline void on_trouble(void *context, const char *why)
{
    struct world *world = context;

    world->troubles++;
    snprintf(world->trouble, sizeof(world->trouble), "%s", why != NULL ? why : "");
}

static inline void on_opened(void *context, int error, struct stored *stored)
{
    struct world *world = context;

    world->opened++;
    world->open_error = error;
    world->stored = stored;
}

static inline void on_remade(void *context, const char *words)
{
    struct world *world = context;

    snprintf(world->remade, sizeof(world->remade), "%s", words);
}

static inline void on_read(void *context, int error, struct stored *stored, const char *message)
{
    struct world *world = context;

    (void)message;
    world->reads++;
    world->read_error = error;
    world->read[0] = '\0';
    for (size_t i = 0; stored != NULL && i < stored->n_recoveries; i++)
        snprintf(world->read + strlen(world->read), sizeof(world->read) - strlen(world->read), "%s%s", i > 0 ? " " : "",
                 stored->recoveries[i].id);
    stored_free(stored);
}

static const struct store_callbacks world_callbacks = {
    .opened = on_opened, .written = on_written, .trouble = on_trouble, .was_read = on_read, .remade = on_remade};

static inline void on_patience_lost(evutil_socket_t fd, short what, void *argument)
{
    struct world *world = argument;

    (void)fd;
    (void)what;
    world->has_lost_patience = true;
}

/* One turn of the event loop, which waits for an event. */
static inline void turn(struct world *world)
{
    assert_int_equal(event_base_loop(world->base, EVLOOP_ONCE), 0);
    if (world->has_lost_patience)
        fail_msg("what the test waits for does not happen");
}

static inline void wait_for_answer(struct world *world, uint64_t ticket)
{
    while (world->answers[ticket].times == 0)
        turn(world);
}

static inline void wait_for_trouble(struct world *world, bool is_wanted)
{
    while ((world->trouble[0] != '\0') != is_wanted)
        turn(world);
}

static inline int setup_world(void **state)
{
    const struct timeval patience = {.tv_sec = PATIENCE_SECONDS};
    struct world *world = calloc(1, sizeof(*world));
    const char *place = getenv("TMPDIR");

    if (world == NULL)
        return -1;
    snprintf(world->directory, sizeof(world->directory), "%s/understudy-store-XXXXXX", place != NULL ? place : "/tmp");
    if (mkdtemp(world->directory) == NULL)
        return -1;
    snprintf(world->path, sizeof(world->path), "%s/understudy.db", world->directory);
    world->timing = (struct store_timing){.slow_us = LONG_US, .open_us = LONG_US, .retry_us = 20 * USEC_PER_MSEC};
    if (evthread_use_pthreads() < 0)
        return -1;
    world->base = event_base_new();
    world->patience = event_new(world->base, -1, EV_PERSIST, on_patience_lost, world);
    event_add(world->patience, &patience);
    *state = world;
    return 0;
}

static inline int remove_one(const char *path, const struct stat *status, int type, struct FTW *where)
{
    (void)status;
    (void)type;
    (void)where;
    return remove(path);
}

static inline void shut(struct world *world)
{
    store_close(world->store, LONG_US);
    stored_free(world->stored);
    world->store = NULL;
    world->stored = NULL;
    world->opened = 0;
    world->remade[0] = '\0';
}

static inline int teardown_world(void **state)
{
    struct world *world = *state;

    shut(world);
    event_free(world->patience);
    event_base_free(world->base);
    nftw(world->directory, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    free(world);
    return 0;
}

static inline void open_with_retention(struct world *world, struct retention retention)
{
    assert_int_equal(store_open_timed(world->base, world->directory, retention, &world->timing, &world_callbacks, world,
                                      &world->store),
                     0);
    while (world->opened == 0)
        turn(world);
}

static inline void open_with(struct world *world, size_t latest)
{
    open_with_retention(world, (struct retention){.latest = latest, .age_us = INT64_MAX});
}

/* As after a restart: what was told before is forgotten. */
static inline void reopen(struct world *world)
{
    shut(world);
    memset(world->answers, 0, sizeof(world->answers));
    world->troubles = 0;
    world->trouble[0] = '\0';
    open_with(world, 100);
}

/* The recovery "r<ticket>", detected at second `ticket`. */
static inline void put(struct world *world, uint64_t ticket, bool is_open, const char *document)
{
    char id[32];

    snprintf(id, sizeof(id), "r%03u", (unsigned)ticket);
    store_put_recovery(world->store, ticket, LONG_US, id, (int64_t)ticket * USEC_PER_SEC, is_open, document);
}

static inline void put_and_wait(struct world *world, uint64_t ticket, bool is_open, const char *document)
{
    world->answers[ticket].times = 0;
    put(world, ticket, is_open, document);
    wait_for_answer(world, ticket);
}

static inline void assert_written(struct world *world, uint64_t ticket)
{
    assert_string_equal(world->answers[ticket].message, "");
    assert_int_equal(world->answers[ticket].error, 0);
    assert_int_equal(world->answers[ticket].times, 1);
}

/* The words name the file. */
static inline void assert_refused(struct world *world, uint64_t ticket, int error)
{
    assert_int_equal(world->answers[ticket].error, error);
    assert_int_equal(world->answers[ticket].times, 1);
    assert_non_null(strstr(world->answers[ticket].message, world->path));
}

/* NULL where there is none. */
static inline const struct stored_recovery *find_stored(const struct world *world, uint64_t ticket)
{
    char id[32];

    snprintf(id, sizeof(id), "r%03u", (unsigned)ticket);
    for (size_t i = 0; i < world->stored->n_recoveries; i++)
        if (strcmp(world->stored->recoveries[i].id, id) == 0)
            return &world->stored->recoveries[i];
    return NULL;
}

static inline void assert_stored(const struct world *world, uint64_t ticket, bool is_open, const char *document)
{
    const struct stored_recovery *found = find_stored(world, ticket);

    assert_non_null(found);
    assert_int_equal(found->detected_us, (int64_t)ticket * USEC_PER_SEC);
    assert_int_equal(found->is_open, is_open);
    assert_string_equal(found->document, document);
}

/* Runs SQL on the file as another process would. */
static inline void run_sql(const struct world *world, const char *sql)
{
    sqlite3 *db = NULL;

    assert_int_equal(sqlite3_open(world->path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

static inline int ask_number(const struct world *world, const char *sql)
{
    sqlite3_stmt *statement = NULL;
    sqlite3 *db = NULL;
    int number;

    assert_int_equal(sqlite3_open_v2(world->path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    number = sqlite3_column_int(statement, 0);
    sqlite3_finalize(statement);
    sqlite3_close(db);
    return number;
}

#endif
