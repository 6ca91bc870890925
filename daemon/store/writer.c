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

#include "base/text.h"
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
    struct database *gone;         /* its file was deleted, and it is still open: to be copied to the next; or NULL */
    struct entry *open_recoveries; /* on disk; would be written again to a new database */
    bool is_damaged;               /* found while writing */
    bool is_copying;               /* to the next, which is not complete yet */
    bool is_missing; /* likewise: the open recoveries may be missing from what has the name of the file now */

    pthread_t thread;
    pthread_mutex_t lock; /* guards all below */
    pthread_cond_t to_thread;
    pthread_cond_t to_main;
    struct entry *waiting;
    size_t being_written; /* entries taken from there */
    uint64_t put_count;   /* of all writes asked for */
    uint64_t taken_count; /* of these, what the thread has taken */
    int64_t kept_us;      /* of the finished ones: those detected no longer ago */
    struct read *to_read; /* the oldest first, and so are those that were read */
    struct read *were_read;
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
    reads_free(&writer->to_read);
    reads_free(&writer->were_read);
    entries_free(&writer->waiting);
    entries_free(&writer->open_recoveries);
    stored_free(writer->start.stored);
    free(writer->news.warning);
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

/* Takes the words; NULL: there is no memory for them. Those that are not told yet stand before them. */
static void warn(struct writer *writer, char *words)
{
    pthread_mutex_lock(&writer->lock);
    if (writer->news.warning == NULL) {
        writer->news.warning = words;
    } else if (words != NULL) {
        char *both = text_print("%s; %s", writer->news.warning, words);

        free(words);
        if (both != NULL) {
            free(writer->news.warning);
            writer->news.warning = both;
        }
    }
    notify_main(writer);
    pthread_mutex_unlock(&writer->lock);
}

static int replace_damaged(struct writer *writer, struct fault *ret_fault)
{
    const struct fault damage = *ret_fault;
    _cleanup_(freep) char *name = NULL;
    int r = database_set_aside(writer->path, clock_now().real_us, &name);

    if (r < 0)
        return fault_set(ret_fault, r, "%.300s; cannot rename it: %s", damage.words, strerrordesc_np(-r));
    r = database_open(writer->path, false, &writer->database, ret_fault);
    if (r == 0)
        warn(writer, text_print("%s; it was set aside as %s and a new one was made", damage.words, name));
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
            return replace_damaged(writer, ret_fault);
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
    int r;

    if (writer->claim >= 0 && !claim_holds(writer->path, writer->claim))
        let_go(writer);
    r = writer->claim < 0 ? claim_take(writer->path, &writer->claim) : 0;
    return r < 0 ? fault_set(ret_fault, r, "%s: %s", writer->path,
                             r == -EBUSY ? "another understudyd writes to this directory" : strerrordesc_np(-r))
                 : 0;
}

/* What is now at the place of a file that was deleted or replaced while it was in use. */
static int take_over_from_gone(struct writer *writer, struct fault *ret_fault)
{
    int r = 0;

    writer->is_copying |= writer->gone != NULL && database_is_new(writer->database);
    if (writer->is_copying)
        r = database_copy(writer->gone, writer->database, ret_fault);
    if (r < 0)
        return r;
    if (writer->gone == NULL)
        warn(writer,
             text_print("the log (-wal) or the index (-shm) of %s was deleted while in use; both were made again",
                        writer->path));
    else if (writer->is_copying)
        warn(writer, text_print("%s was deleted while in use; it was made again with all that it held", writer->path));
    else
        warn(writer, text_print("%s was replaced while in use; what the other file holds is read when understudyd is "
                                "restarted",
                                writer->path));
    database_close(steal_pointer(&writer->gone), false);
    writer->is_copying = false;
    writer->is_missing = false;
    return 0;
}

/* A database that had to be made anew is given the open recoveries that the old one held. */
static int reopen(struct writer *writer, struct entry **entries, struct fault *ret_fault)
{
    int r = claim(writer, ret_fault);

    if (r < 0 || writer->database != NULL)
        return r;
    if (writer->is_damaged)
        r = replace_damaged(writer, ret_fault);
    else
        r = database_open(writer->path, false, &writer->database, ret_fault);
    if (r == 0 && (database_is_new(writer->database) || writer->is_missing))
        entries_merge(entries, &writer->open_recoveries);
    if (r == 0 && writer->is_missing)
        r = take_over_from_gone(writer, ret_fault);
    if (r == 0)
        writer->is_damaged = false;
    return r;
}

/*
 * While the file is there, and only its log was deleted, what the open log holds goes into it. A file that is gone stays
 * open, so that what it holds can be copied. The lock file may be gone as well.
 */
static void close_as_unsound(struct writer *writer, const struct fault *fault)
{
    struct fault lost;

    writer->is_damaged |= fault->is_damaged;
    if (fault->is_missing && writer->database != NULL) {
        writer->is_missing = true;
        if (!database_is_gone(writer->database)) {
            if (database_bring_in(writer->database, &lost) < 0)
                warn(writer, text_print("what the log of %s held is lost: %s", writer->path, lost.words));
        } else if (writer->gone == NULL) {
            writer->gone = steal_pointer(&writer->database);
            database_disown(writer->gone);
        }
    }
    database_close(steal_pointer(&writer->database), false);
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
    writer->being_written = HASH_COUNT(entries);
    pthread_mutex_unlock(&writer->lock);
    r = write_entries(writer, &entries, &fault);
    if (r == 0)
        has_finished = take_written(writer, &entries);
    pthread_mutex_lock(&writer->lock);

    entries_merge(&writer->waiting, &entries);
    writer->being_written = 0;
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

/* Called and left with the lock held. */
static void read_first(struct writer *writer)
{
    struct read *read = reads_take_first(&writer->to_read);
    int r = -EIO;

    pthread_mutex_unlock(&writer->lock);
    if (writer->database != NULL)
        r = database_read(writer->database, read->before, read->most, &read->stored, &read->fault);
    else
        fault_set(&read->fault, r, "%s cannot be read now", writer->path);
    pthread_mutex_lock(&writer->lock);
    reads_append(&writer->were_read, read);
    notify_main(writer);
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
        if (writer->to_read != NULL) {
            read_first(writer);
            continue;
        }
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

/* A file that was deleted since the last write is made again now. */
static void end(struct writer *writer)
{
    struct entry *none = NULL;
    struct fault fault;

    if (writer->database != NULL)
        (void)write_entries(writer, &none, &fault);
    entries_free(&none);
    database_close(steal_pointer(&writer->database), true);
    database_close(steal_pointer(&writer->gone), false);
    let_go(writer);
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
    end(writer);

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

bool writer_take_start(struct writer *writer, struct writer_start *ret)
{
    bool has_started;

    pthread_mutex_lock(&writer->lock);
    has_started = writer->has_started;
    *ret = writer->start;
    writer->start = (struct writer_start){0};
    pthread_mutex_unlock(&writer->lock);
    return has_started;
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

void writer_read(struct writer *writer, struct read *read)
{
    pthread_mutex_lock(&writer->lock);
    reads_append(&writer->to_read, read);
    pthread_cond_signal(&writer->to_thread);
    pthread_mutex_unlock(&writer->lock);
}

struct read *writer_take_read(struct writer *writer)
{
    struct read *read;

    pthread_mutex_lock(&writer->lock);
    read = reads_take_first(&writer->were_read);
    pthread_mutex_unlock(&writer->lock);
    return read;
}

size_t writer_count(struct writer *writer)
{
    size_t count;

    pthread_mutex_lock(&writer->lock);
    count = HASH_COUNT(writer->waiting) + writer->being_written;
    pthread_mutex_unlock(&writer->lock);
    return count;
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
    writer->news.warning = NULL;
    pthread_cond_signal(&writer->to_thread);
    pthread_mutex_unlock(&writer->lock);
    return news;
}

bool writer_free(struct writer *writer, int64_t grace_us)
{
    const struct timespec until = timespec_of(clock_now().mono_us + grace_us);
    pthread_t thread;
    bool is_over;

    if (writer == NULL)
        return true;
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
    return is_over;
}
