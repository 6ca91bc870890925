/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * All that waits is written in one transaction, so a crowd of writes costs one fsync. What could not be written
 * goes back to what waits, in its latest form, and is tried again with the next write or after a while.
 */
#include "store/writer.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "service/clock.h"
#include "store/claim.h"
#include "store/database.h"
#include "store/load.h"
#include "store/store.h"

struct writer {
    /* Set once. */
    char *path;
    struct retention retention;
    int64_t retry_us;
    struct event *wake;

    /* The thread's own. */
    int claim; /* on the directory; -1: none */
    struct database *database;
    struct entry *open_recoveries; /* on disk; would be written again to a new database */
    bool is_damaged;               /* found while writing */

    pthread_t thread;
    pthread_mutex_t lock; /* guards all below */
    pthread_cond_t to_thread;
    pthread_cond_t to_main;
    struct entry *waiting;
    uint64_t put_count;   /* of all writes asked for */
    uint64_t taken_count; /* of these, what the thread has taken */
    int64_t kept_us;      /* of the finished ones: those detected no longer ago */
    bool is_trim_due;
    bool is_held; /* more writes are coming that belong together */
    bool is_closing;
    bool is_abandoned; /* the main thread has gone */
    bool is_over;
    bool has_started;
    struct writer_start start;
    struct writer_news news;
    int64_t retry_at_us; /* while there is trouble */
};

static void destroy(struct writer *writer)
{
    entries_free(&writer->waiting);
    entries_free(&writer->open_recoveries);
    stored_free(writer->start.stored);
    free(writer->start.warning);
    pthread_cond_destroy(&writer->to_thread);
    pthread_cond_destroy(&writer->to_main);
    pthread_mutex_destroy(&writer->lock);
    free(writer->path);
    free(writer);
}

static struct timespec timespec_of(int64_t us)
{
    return (struct timespec){.tv_sec = us / USEC_PER_SEC, .tv_nsec = us % USEC_PER_SEC * 1000};
}

static void notify_main(struct writer *writer)
{
    writer->news.steps++;
    if (!writer->is_abandoned)
        event_active(writer->wake, 0, 0);
    pthread_cond_signal(&writer->to_main);
}

static int replace_damaged(struct writer *writer, struct fault *ret_fault, char **ret_warning)
{
    const struct fault damage = *ret_fault;
    _cleanup_(freep) char *name = NULL;
    int r = database_set_aside(writer->path, clock_now().real_us, &name);

    if (r < 0)
        return fault_set(ret_fault, r, "%.300s; cannot rename it: %s", damage.words, strerrordesc_np(-r));
    r = database_open(writer->path, false, &writer->database, ret_fault);
    if (r == 0 && asprintf(ret_warning, "%s; it was set aside as %s and a new one was made", damage.words, name) < 0)
        *ret_warning = NULL;
    return r;
}

/* Where memory runs out, only what is kept for a database made anew is lost. */
static void remember_open(struct writer *writer, const struct stored *stored)
{
    for (size_t i = 0; i < stored->n_recoveries; i++) {
        const struct stored_recovery *recovery = &stored->recoveries[i];
        struct entry *entry;

        if (!recovery->is_open)
            continue;
        entry = entry_new(NULL, recovery->id, recovery->document, recovery->detected_us, true);
        if (entry != NULL && entries_put(&writer->open_recoveries, entry) < 0)
            entry_free(entry);
    }
}

/* The whole file is looked through at the start only. */
static int open_at_start(struct writer *writer, struct writer_start *start, struct fault *ret_fault)
{
    int r = database_open(writer->path, true, &writer->database, ret_fault);

    if (r == 0)
        r = database_load(writer->database, writer->retention, &start->stored, ret_fault);
    if (r < 0) {
        database_close(steal_pointer(&writer->database), false);
        if (ret_fault->is_damaged)
            return replace_damaged(writer, ret_fault, &start->warning);
        /* The recoveries that were open matter most when the disk is in trouble. */
        if (load_without_writing(writer->path, writer->retention, &start->stored) < 0)
            start->stored = NULL;
    }
    if (start->stored != NULL)
        remember_open(writer, start->stored);
    return r;
}

static void let_go(struct writer *writer)
{
    if (writer->claim >= 0)
        close(writer->claim);
    writer->claim = -1;
}

/* A directory that could not be claimed before may be another's by now. */
static int claim(struct writer *writer, struct fault *ret_fault)
{
    int r = writer->claim < 0 ? claim_take(writer->path, &writer->claim) : 0;

    return r < 0 ? fault_set(ret_fault, r, "%s: %s", writer->path,
                             r == -EBUSY ? "another understudyd writes to this directory" : strerrordesc_np(-r))
                 : 0;
}

/* A database that had to be made anew is given the open recoveries that the old one held. */
static int reopen(struct writer *writer, struct entry **entries, struct fault *ret_fault)
{
    _cleanup_(freep) char *warning = NULL;
    int r;

    if (writer->database != NULL)
        return 0;
    r = claim(writer, ret_fault);
    if (r < 0)
        return r;
    if (writer->is_damaged)
        r = replace_damaged(writer, ret_fault, &warning);
    else
        r = database_open(writer->path, false, &writer->database, ret_fault);
    if (r < 0)
        return r;
    writer->is_damaged = false;
    if (database_is_new(writer->database))
        entries_merge(entries, &writer->open_recoveries);
    return 0;
}

static void close_as_unsound(struct writer *writer, const struct fault *fault)
{
    database_close(steal_pointer(&writer->database), false);
    writer->is_damaged |= fault->is_damaged;
    if (fault->is_missing)
        let_go(writer); /* what was claimed may be gone as well */
}

/*
 * A file that was damaged or removed while it was open is replaced at once; any other fault is answered, and the write
 * is tried again later.
 */
static int write_entries(struct writer *writer, struct entry **entries, struct fault *ret_fault)
{
    int r = 0;

    for (int attempt = 0; attempt < 2; attempt++) {
        r = reopen(writer, entries, ret_fault);
        if (r == 0)
            r = database_write(writer->database, *entries, ret_fault);
        if (r == 0) {
            *ret_fault = (struct fault){0};
            return 0;
        }
        close_as_unsound(writer, ret_fault);
        if (!ret_fault->is_damaged && !ret_fault->is_missing)
            return r;
    }
    return r;
}

/* What is on disk need not be kept, but the open recoveries. True if one has been finished. */
static bool take_written(struct writer *writer, struct entry **entries)
{
    struct entry *entry, *next;
    bool has_finished = false;

    HASH_ITER(hh, *entries, entry, next)
    {
        HASH_DEL(*entries, entry);
        if (entry->hypervisor == NULL && entry->is_open && entries_put(&writer->open_recoveries, entry) == 0)
            continue;
        has_finished |= entry->hypervisor == NULL;
        entries_forget(&writer->open_recoveries, entry);
        entry_free(entry);
    }
    return has_finished;
}

/* The lock is held. */
static void set_trouble(struct writer *writer, const struct fault *fault)
{
    writer->news.trouble = *fault;
    if (fault->error < 0)
        writer->retry_at_us = clock_now().mono_us + writer->retry_us;
}

static void tidy(struct writer *writer)
{
    struct fault fault = {0};
    int64_t kept_us;
    bool is_trim_due;
    int r = 0;

    pthread_mutex_lock(&writer->lock);
    is_trim_due = writer->is_trim_due;
    kept_us = writer->kept_us;
    writer->is_trim_due = false;
    pthread_mutex_unlock(&writer->lock);

    if (is_trim_due)
        r = database_trim(writer->database, kept_us, &fault);
    if (r == 0)
        r = database_tidy(writer->database, &fault);
    if (r == 0)
        return;
    close_as_unsound(writer, &fault);
    pthread_mutex_lock(&writer->lock);
    writer->is_trim_due |= is_trim_due;
    set_trouble(writer, &fault);
    notify_main(writer);
    pthread_mutex_unlock(&writer->lock);
}

/* Called and left with the lock held. */
static void work(struct writer *writer)
{
    struct entry *entries = steal_pointer(&writer->waiting);
    uint64_t up_to = writer->put_count > writer->taken_count ? writer->put_count : 0;
    struct fault fault = {0};
    bool has_finished = false;
    int r;

    writer->taken_count = writer->put_count;
    pthread_mutex_unlock(&writer->lock);
    r = write_entries(writer, &entries, &fault);
    if (r == 0)
        has_finished = take_written(writer, &entries);
    pthread_mutex_lock(&writer->lock);

    entries_merge(&writer->waiting, &entries);
    writer->is_trim_due |= has_finished;
    writer->news.answered_up_to = up_to;
    writer->news.answer = fault;
    set_trouble(writer, &fault);
    notify_main(writer);
    if (r < 0 || writer->is_abandoned)
        return;
    pthread_mutex_unlock(&writer->lock);
    tidy(writer);
    pthread_mutex_lock(&writer->lock);
}

static bool has_work(const struct writer *writer)
{
    if (writer->put_count > writer->taken_count)
        return true;
    if (writer->news.trouble.error < 0)
        return clock_now().mono_us >= writer->retry_at_us;
    return writer->is_trim_due;
}

/* The lock is held. False: it is time to end. */
static bool wait_for_work(struct writer *writer)
{
    for (;;) {
        bool may_answer = (writer->news.answered_up_to == 0 && !writer->is_held) || writer->is_closing;

        if (writer->is_abandoned)
            return false;
        if (may_answer && has_work(writer))
            return true;
        if (writer->is_closing)
            return false;
        if (may_answer && writer->news.trouble.error < 0) {
            const struct timespec until = timespec_of(writer->retry_at_us);

            pthread_cond_timedwait(&writer->to_thread, &writer->lock, &until);
        } else {
            pthread_cond_wait(&writer->to_thread, &writer->lock);
        }
    }
}

static void start(struct writer *writer)
{
    struct writer_start start = {0};
    struct fault fault = {0};

    start.is_busy = claim(writer, &fault) == -EBUSY;
    if (!start.is_busy && open_at_start(writer, &start, &fault) == 0)
        fault = (struct fault){0};
    pthread_mutex_lock(&writer->lock);
    writer->start = start;
    writer->has_started = true;
    set_trouble(writer, &fault);
    notify_main(writer);
    pthread_mutex_unlock(&writer->lock);
}

static void *thread_main(void *argument)
{
    struct writer *writer = argument;
    bool is_abandoned;

    start(writer);
    pthread_mutex_lock(&writer->lock);
    while (wait_for_work(writer))
        work(writer);
    pthread_mutex_unlock(&writer->lock);
    database_close(steal_pointer(&writer->database), true);
    let_go(writer);

    pthread_mutex_lock(&writer->lock);
    writer->is_over = true;
    is_abandoned = writer->is_abandoned;
    pthread_cond_signal(&writer->to_main);
    pthread_mutex_unlock(&writer->lock);
    if (is_abandoned)
        destroy(writer);
    return NULL;
}

/* Without signals, which the main thread handles. */
static int start_thread(struct writer *writer)
{
    pthread_attr_t attributes;
    sigset_t all;
    int r;

    if (pthread_attr_init(&attributes) != 0)
        return -EAGAIN;
    sigfillset(&all);
    r = pthread_attr_setsigmask_np(&attributes, &all);
    if (r == 0)
        r = pthread_create(&writer->thread, &attributes, thread_main, writer);
    pthread_attr_destroy(&attributes);
    return r == 0 ? 0 : -EAGAIN;
}

static void init_condition(pthread_cond_t *condition)
{
    pthread_condattr_t attributes;

    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(condition, &attributes);
    pthread_condattr_destroy(&attributes);
}

int writer_new(const char *path, struct retention retention, int64_t retry_us, struct event *wake, struct writer **ret)
{
    struct writer *writer = calloc(1, sizeof(*writer));
    int r = -ENOMEM;

    if (writer == NULL)
        return -ENOMEM;
    pthread_mutex_init(&writer->lock, NULL);
    init_condition(&writer->to_thread);
    init_condition(&writer->to_main);
    writer->claim = -1;
    writer->retention = retention;
    writer->kept_us = INT64_MAX;
    writer->retry_us = retry_us;
    writer->wake = wake;
    writer->path = strdup(path);
    if (writer->path != NULL)
        r = start_thread(writer);
    if (r < 0) {
        destroy(writer);
        return r;
    }
    *ret = writer;
    return 0;
}

int writer_wait_for_start(struct writer *writer, int64_t timeout_us, struct writer_start *ret)
{
    const struct timespec until = timespec_of(clock_now().mono_us + timeout_us);
    int r = 0;

    pthread_mutex_lock(&writer->lock);
    while (!writer->has_started && r == 0)
        r = pthread_cond_timedwait(&writer->to_main, &writer->lock, &until);
    if (writer->has_started) {
        *ret = writer->start;
        writer->start = (struct writer_start){0};
        r = 0;
    }
    pthread_mutex_unlock(&writer->lock);
    return r == 0 ? 0 : -ETIMEDOUT;
}

int writer_put(struct writer *writer, struct entry *entry, uint64_t *ret_count)
{
    int r;

    pthread_mutex_lock(&writer->lock);
    r = entries_put(&writer->waiting, entry);
    if (r == 0) {
        *ret_count = ++writer->put_count;
        pthread_cond_signal(&writer->to_thread);
    }
    pthread_mutex_unlock(&writer->lock);
    return r;
}

void writer_hold(struct writer *writer, bool is_held)
{
    pthread_mutex_lock(&writer->lock);
    writer->is_held = is_held;
    pthread_cond_signal(&writer->to_thread);
    pthread_mutex_unlock(&writer->lock);
}

void writer_set_age(struct writer *writer, int64_t age_us)
{
    pthread_mutex_lock(&writer->lock);
    writer->kept_us = age_us;
    writer->is_trim_due = true;
    pthread_cond_signal(&writer->to_thread);
    pthread_mutex_unlock(&writer->lock);
}

struct writer_news writer_take_news(struct writer *writer)
{
    struct writer_news news;

    pthread_mutex_lock(&writer->lock);
    news = writer->news;
    writer->news.answered_up_to = 0;
    pthread_cond_signal(&writer->to_thread);
    pthread_mutex_unlock(&writer->lock);
    return news;
}

void writer_free(struct writer *writer, int64_t grace_us)
{
    const struct timespec until = timespec_of(clock_now().mono_us + grace_us);
    pthread_t thread;
    bool is_over;

    if (writer == NULL)
        return;
    pthread_mutex_lock(&writer->lock);
    thread = writer->thread;
    writer->is_closing = true;
    writer->retry_at_us = 0; /* one last time */
    pthread_cond_signal(&writer->to_thread);
    while (!writer->is_over && pthread_cond_timedwait(&writer->to_main, &writer->lock, &until) == 0)
        ;
    is_over = writer->is_over;
    writer->is_abandoned = !is_over;
    pthread_mutex_unlock(&writer->lock);
    if (is_over) {
        pthread_join(thread, NULL);
        destroy(writer);
    } else {
        pthread_detach(thread);
    }
}
