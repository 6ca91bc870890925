/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The side of the main thread: which ticket waits for which write, and for how long. A deadline is kept here, by the
 * clock of the event loop, so that it holds however long the writer hangs. Knows no SQL.
 */
#include "store/store.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "service/clock.h"
#include "store/timing.h"
#include "store/writer.h"

/* Tickets that could not be remembered for want of memory, in one turn of the event loop. */
#define REFUSED_MAX 64

struct ticket {
    struct ticket *next;
    uint64_t ticket;
    uint64_t count; /* the writer's */
    int64_t timeout_us;
    int64_t deadline_us; /* CLOCK_MONOTONIC */
};

/* What was asked for is not read yet: its context. */
struct reading {
    struct reading *next;
    void *context;
};

struct store {
    struct writer *writer;
    struct reading *readings; /* the oldest first, which is read first */
    struct event *wake;
    struct event *deadline; /* of the ticket that has to be answered first */
    struct event *opening;  /* when an opening that is not over is slow, then when it is given up */
    struct store_timing timing;
    bool has_opened;
    bool is_slow; /* in opening, and that was told */
    struct store_callbacks callbacks;
    void *context;
    char *path;
    struct ticket *tickets; /* the oldest first */
    uint64_t refused[REFUSED_MAX];
    size_t n_refused;
    uint64_t steps; /* of the writer, as seen last */
    struct fault writer_trouble;
    bool is_hanging;
    int64_t hanging_us;
    char reported[FAULT_WORDS_SIZE]; /* the trouble told last; empty: none */
};

static const struct store_timing default_timing = {
    .slow_us = 5 * USEC_PER_SEC,
    .open_us = 20 * USEC_PER_SEC,
    .retry_us = 10 * USEC_PER_SEC,
};

static struct timeval timeval_of(int64_t us)
{
    return (struct timeval){.tv_sec = us / USEC_PER_SEC, .tv_usec = us % USEC_PER_SEC};
}

static void describe_hanging(const struct store *store, int64_t us, char ret_words[FAULT_WORDS_SIZE])
{
    snprintf(ret_words, FAULT_WORDS_SIZE, "%.400s: the disk has not answered for %.3g s%s", store->path,
             (double)us / (double)USEC_PER_SEC,
             store->has_opened ? "" : "; no machine is watched until what it holds is read, or given up");
}

static void report_trouble(struct store *store)
{
    char words[FAULT_WORDS_SIZE] = "";

    if (store->is_hanging)
        describe_hanging(store, store->hanging_us, words);
    else if (store->writer_trouble.error < 0)
        memcpy(words, store->writer_trouble.words, sizeof(words));
    if (strcmp(words, store->reported) == 0)
        return;
    memcpy(store->reported, words, sizeof(words));
    store->callbacks.trouble(store->context, words[0] != '\0' ? words : NULL);
}

static void answer_refused(struct store *store)
{
    uint64_t refused[REFUSED_MAX];
    size_t count = store->n_refused;

    memcpy(refused, store->refused, count * sizeof(refused[0]));
    store->n_refused = 0;
    for (size_t i = 0; i < count; i++)
        store->callbacks.written(store->context, refused[i], -ENOMEM, "out of memory");
}

/* Takes the ticket out of the list before it is answered: the callback may write again. */
static void answer(struct store *store, struct ticket **place, int error, const char *words)
{
    struct ticket *ticket = *place;
    uint64_t number = ticket->ticket;

    *place = ticket->next;
    free(ticket);
    store->callbacks.written(store->context, number, error, words);
}

/* New tickets come at the end and count higher, so the first one is always the next one to be answered. */
static void take_news(struct store *store)
{
    const struct writer_news news = writer_take_news(store->writer);
    const char *words = news.answer.error < 0 ? news.answer.words : NULL;

    if (news.steps != store->steps)
        store->is_hanging = false;
    store->steps = news.steps;
    if (news.warning != NULL)
        store->callbacks.remade(store->context, news.warning);
    free(news.warning);
    store->writer_trouble = news.trouble;
    while (store->tickets != NULL && store->tickets->count <= news.answered_up_to)
        answer(store, &store->tickets, news.answer.error, words);
}

static void end_opening(struct store *store, int error, struct stored *stored)
{
    store->has_opened = true;
    event_del(store->opening);
    if (error == 0 && stored == NULL) {
        stored = calloc(1, sizeof(*stored));
        error = stored == NULL ? -ENOMEM : 0;
    }
    store->callbacks.opened(store->context, error, stored);
}

/* What was read after the opening was given up is of no use any more; that the directory is another's is told all the same. */
static void take_start(struct store *store)
{
    struct writer_start start;

    if (!writer_take_start(store->writer, &start))
        return;
    if (!store->has_opened) {
        end_opening(store, start.is_busy ? -EBUSY : 0, start.stored);
        return;
    }
    stored_free(start.stored);
    if (start.is_busy)
        store->callbacks.opened(store->context, -EBUSY, NULL);
}

static void answer_reading(struct store *store, int error, struct stored *stored, const char *words)
{
    struct reading *reading = store->readings;
    void *context = reading->context;

    store->readings = reading->next;
    free(reading);
    store->callbacks.was_read(context, error, stored, words);
}

static void take_reads(struct store *store)
{
    struct read *read;

    while ((read = writer_take_read(store->writer)) != NULL) {
        answer_reading(store, read->stored != NULL ? 0 : read->fault.error, steal_pointer(&read->stored),
                       read->fault.words);
        read_free(read);
    }
}

static void arm_deadline(struct store *store)
{
    int64_t first_us = USEC_INFINITY, left_us;
    struct timeval left;

    for (const struct ticket *ticket = store->tickets; ticket != NULL; ticket = ticket->next)
        if (ticket->deadline_us < first_us)
            first_us = ticket->deadline_us;
    if (first_us == USEC_INFINITY) {
        event_del(store->deadline);
        return;
    }
    left_us = first_us - clock_now().mono_us;
    left = timeval_of(left_us > 0 ? left_us : 0);
    event_add(store->deadline, &left);
}

static struct ticket **find_overdue(struct store *store, int64_t now_us)
{
    for (struct ticket **place = &store->tickets; *place != NULL; place = &(*place)->next)
        if ((*place)->deadline_us <= now_us)
            return place;
    return NULL;
}

static void collect(evutil_socket_t fd, short what, void *argument)
{
    struct store *store = argument;

    (void)fd;
    (void)what;
    answer_refused(store);
    take_start(store);
    take_news(store);
    take_reads(store);
    report_trouble(store);
    arm_deadline(store);
}

/* A write that has been answered meanwhile is not late. */
static void on_deadline(evutil_socket_t fd, short what, void *argument)
{
    const int64_t now_us = clock_now().mono_us;
    struct store *store = argument;
    char words[FAULT_WORDS_SIZE];
    struct ticket **place;

    (void)fd;
    (void)what;
    take_news(store);
    while ((place = find_overdue(store, now_us)) != NULL) {
        if (!store->is_hanging)
            store->hanging_us = (*place)->timeout_us;
        store->is_hanging = true;
        describe_hanging(store, (*place)->timeout_us, words);
        answer(store, place, -ETIMEDOUT, words);
    }
    report_trouble(store);
    arm_deadline(store);
}

/* Slow at first, then given up. */
static void on_opening(evutil_socket_t fd, short what, void *argument)
{
    struct store *store = argument;
    const int64_t slow_us = store->timing.slow_us, open_us = store->timing.open_us;
    const struct timeval left = timeval_of(open_us > slow_us ? open_us - slow_us : 0);

    (void)fd;
    (void)what;
    store->is_hanging = true;
    store->hanging_us = store->is_slow ? open_us : slow_us;
    if (store->is_slow)
        end_opening(store, -ETIMEDOUT, NULL);
    else
        event_add(store->opening, &left);
    store->is_slow = true;
    report_trouble(store);
}

static void store_free(struct store *store)
{
    if (store == NULL)
        return;
    while (store->tickets != NULL) {
        struct ticket *ticket = store->tickets;

        store->tickets = ticket->next;
        free(ticket);
    }
    if (store->wake != NULL)
        event_free(store->wake);
    if (store->deadline != NULL)
        event_free(store->deadline);
    if (store->opening != NULL)
        event_free(store->opening);
    free(store->path);
    free(store);
}
DEFINE_CLEANUP(struct store, store_free);

/* All but the writer. NULL: out of memory. */
static struct store *store_new(struct event_base *base, const char *directory, const struct store_callbacks *callbacks,
                               void *context)
{
    _cleanup_(store_freep) struct store *store = calloc(1, sizeof(*store));

    if (store == NULL)
        return NULL;
    store->callbacks = *callbacks;
    store->context = context;
    store->wake = event_new(base, -1, 0, collect, store);
    store->deadline = evtimer_new(base, on_deadline, store);
    store->opening = evtimer_new(base, on_opening, store);
    if (asprintf(&store->path, "%s/understudy.db", directory) < 0)
        store->path = NULL;
    if (store->wake == NULL || store->deadline == NULL || store->opening == NULL || store->path == NULL)
        return NULL;
    return steal_pointer(&store);
}

int store_open_timed(struct event_base *base, const char *directory, struct retention retention,
                     const struct store_timing *timing, const struct store_callbacks *callbacks, void *context,
                     struct store **ret)
{
    _cleanup_(store_freep) struct store *store = store_new(base, directory, callbacks, context);
    const struct timeval slow = timeval_of(timing->slow_us);
    int r;

    if (store == NULL)
        return -ENOMEM;
    store->timing = *timing;
    r = event_add(store->opening, &slow) < 0
            ? -ENOMEM
            : writer_new(store->path, retention, timing->retry_us, store->wake, &store->writer);
    if (r < 0)
        return r;
    *ret = steal_pointer(&store);
    return 0;
}

int store_open(struct event_base *base, const char *directory, struct retention retention,
               const struct store_callbacks *callbacks, void *context, struct store **ret)
{
    return store_open_timed(base, directory, retention, &default_timing, callbacks, context, ret);
}

static void refuse(struct store *store, uint64_t ticket)
{
    if (ticket == 0)
        return;
    if (store->n_refused == REFUSED_MAX) {
        store->callbacks.written(store->context, ticket, -ENOMEM, "out of memory");
        return;
    }
    store->refused[store->n_refused++] = ticket;
    event_active(store->wake, 0, 0);
}

static void append(struct store *store, struct ticket *ticket)
{
    struct ticket **place = &store->tickets;

    while (*place != NULL)
        place = &(*place)->next;
    *place = ticket;
}

/* Takes the entry. */
static void put(struct store *store, uint64_t ticket, int64_t timeout_us, struct entry *entry)
{
    _cleanup_(freep) struct ticket *waiting = calloc(1, sizeof(*waiting));
    uint64_t count;

    if (entry == NULL || waiting == NULL || writer_put(store->writer, entry, &count) < 0) {
        entry_free(entry);
        refuse(store, ticket);
        return;
    }
    if (ticket == 0)
        return;
    *waiting = (struct ticket){
        .ticket = ticket,
        .count = count,
        .timeout_us = timeout_us,
        .deadline_us = clock_now().mono_us + timeout_us,
    };
    append(store, steal_pointer(&waiting));
    arm_deadline(store);
}

void store_put_recovery(struct store *store, uint64_t ticket, int64_t timeout_us, const char *id, int64_t detected_us,
                        bool is_open, const char *document)
{
    put(store, ticket, timeout_us, entry_new(NULL, id, document, detected_us, is_open));
}

void store_put_machine(struct store *store, uint64_t ticket, int64_t timeout_us, const char *hypervisor,
                       const char *uuid, const char *document)
{
    put(store, ticket, timeout_us, entry_new(hypervisor, uuid, document, 0, false));
}

int store_read(struct store *store, const char *before, size_t most, void *context)
{
    struct read *read = calloc(1, sizeof(*read));
    struct reading *reading = calloc(1, sizeof(*reading)), **place = &store->readings;

    if (read != NULL)
        read->before = strdup(before);
    if (read == NULL || read->before == NULL || reading == NULL || store->is_hanging) {
        read_free(read);
        free(reading);
        return store->is_hanging ? -ETIMEDOUT : -ENOMEM;
    }
    read->most = most;
    reading->context = context;
    while (*place != NULL)
        place = &(*place)->next;
    *place = reading;
    writer_read(store->writer, read);
    return 0;
}

void store_hold(struct store *store)
{
    writer_hold(store->writer, true);
}

void store_let_go(struct store *store)
{
    writer_hold(store->writer, false);
}

size_t store_count(const struct store *store)
{
    return writer_count(store->writer);
}

void store_set_age(struct store *store, int64_t age_us)
{
    writer_set_age(store->writer, age_us);
}

bool store_close(struct store *store, int64_t grace_us)
{
    bool is_complete;

    if (store == NULL)
        return true;
    while (store->readings != NULL)
        answer_reading(store, -ECANCELED, NULL, "understudyd is stopping");
    is_complete = writer_free(steal_pointer(&store->writer), grace_us);
    store_free(store);
    return is_complete;
}
