/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The main thread keeps the queues and counts; a thread knows only its job and the mailbox into which
 * it drops the job when it is done. A thread is made for each call: a call that hangs then needs no
 * replacement, and no libvirt state is left from the call before.
 */
#include "hypervisor/worker.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include <event2/event.h>

#include "base/moment.h"
#include "service/clock.h"

/* Shared by the threads and the main thread. Outlives the workers where a thread hangs; the last user frees it. */
struct mailbox {
    pthread_mutex_t lock;
    pthread_cond_t arrival;
    struct job *arrived; /* the last one first */
    size_t out;          /* threads that have not delivered */
    bool is_closed;
    struct event *wake;
};

struct job_list {
    struct job *first;
    struct job *last;
};

struct workers {
    struct event_base *base;
    struct mailbox *mailbox;
    struct job_list waiting[JOB_CLASS_COUNT];
    struct job_list running;
    struct job_list refused;
    size_t busy[JOB_CLASS_COUNT]; /* places of jobs that run and were not abandoned */
    size_t late[JOB_CLASS_COUNT]; /* of these, of jobs past their deadline */
    size_t abandoned;
};

/* How many places a class may take together with the classes below it. */
static const size_t places[JOB_CLASS_COUNT] = {
    [JOB_SPARE] = 1,
    [JOB_PROBE] = 2,
    [JOB_NORMAL] = WORKERS_MAX - 1,
    [JOB_URGENT] = WORKERS_MAX,
};

/* The longest that a probe waits for a place behind the probes of other hanging guests; then it is not made. */
#define PROBE_WAIT_US (600 * USEC_PER_SEC)

static void list_append(struct job_list *list, struct job *job)
{
    job->next = NULL;
    job->previous = list->last;
    if (list->last != NULL)
        list->last->next = job;
    else
        list->first = job;
    list->last = job;
}

static void list_remove(struct job_list *list, struct job *job)
{
    if (job->previous != NULL)
        job->previous->next = job->next;
    else
        list->first = job->next;
    if (job->next != NULL)
        job->next->previous = job->previous;
    else
        list->last = job->previous;
    job->next = job->previous = NULL;
}

static void job_free(struct job *job)
{
    if (job->deadline != NULL)
        event_free(job->deadline);
    job->type->free(job);
}

static void mailbox_free(struct mailbox *mailbox)
{
    pthread_cond_destroy(&mailbox->arrival);
    pthread_mutex_destroy(&mailbox->lock);
    free(mailbox);
}

/* On the job's thread. After the lock is let go, only a closed mailbox may be touched, by its last user. */
static void deliver(struct mailbox *mailbox, struct job *job)
{
    bool is_closed, is_last;

    pthread_mutex_lock(&mailbox->lock);
    is_last = --mailbox->out == 0;
    is_closed = mailbox->is_closed;
    if (!is_closed) {
        job->has_arrived = true;
        job->next_arrived = mailbox->arrived;
        mailbox->arrived = job;
        if (!job->can_wait)
            event_active(mailbox->wake, 0, 0);
        pthread_cond_signal(&mailbox->arrival);
    }
    pthread_mutex_unlock(&mailbox->lock);
    if (is_closed)
        job_free(job);
    if (is_closed && is_last)
        mailbox_free(mailbox);
}

static _Thread_local bool runs_job;

static void *thread_main(void *arg)
{
    struct job *job = arg;

    runs_job = true;
    job->type->run(job);
    deliver(job->mailbox, job);
    return NULL;
}

/* A detached thread without signals: those are the main thread's. */
static int start_thread(struct job *job)
{
    pthread_attr_t attributes;
    pthread_t thread;
    sigset_t all;
    int r;

    if (pthread_attr_init(&attributes) != 0)
        return -EAGAIN;
    sigfillset(&all);
    r = pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    if (r == 0)
        r = pthread_attr_setsigmask_np(&attributes, &all);
    if (r == 0)
        r = pthread_create(&thread, &attributes, thread_main, job);
    pthread_attr_destroy(&attributes);
    return r == 0 ? 0 : -EAGAIN;
}

static int set_deadline(struct job *job, int64_t timeout_us)
{
    const struct timeval timeout = {.tv_sec = timeout_us / USEC_PER_SEC, .tv_usec = timeout_us % USEC_PER_SEC};

    return evtimer_add(job->deadline, &timeout);
}

static bool has_place(const struct workers *workers, enum job_class class)
{
    size_t lesser = 0, all = 0;

    if (class == JOB_ASIDE)
        return true;
    for (enum job_class c = JOB_SPARE; c < JOB_ASIDE; c++) {
        all += workers->busy[c];
        if (c <= class)
            lesser += workers->busy[c];
    }
    return all < WORKERS_MAX && lesser < places[class];
}

/* There is a place for it. It takes as many as there are and it can use. */
static void take_places(struct workers *workers, struct job *job)
{
    job->n_calls = 0;
    do {
        job->n_calls++;
        workers->busy[job->type->class]++;
    } while (job->n_calls < job->most_calls && has_place(workers, job->type->class));
}

static void run(struct workers *workers, struct job *job)
{
    struct mailbox *mailbox = workers->mailbox;
    int r;

    list_remove(&workers->waiting[job->type->class], job);
    list_append(&workers->running, job);
    take_places(workers, job);
    job->is_running = true;
    if (job->type->class == JOB_PROBE)
        set_deadline(job, job->timeout_us); /* cannot fail: the timer is pending already */

    pthread_mutex_lock(&mailbox->lock);
    mailbox->out++;
    pthread_mutex_unlock(&mailbox->lock);
    r = start_thread(job);
    if (r == 0)
        return;

    pthread_mutex_lock(&mailbox->lock);
    mailbox->out--;
    pthread_mutex_unlock(&mailbox->lock);
    job->is_running = false;
    workers->busy[job->type->class] -= job->n_calls;
    list_remove(&workers->running, job);
    workers_refuse(workers, job, r);
}

static void run_what_fits(struct workers *workers)
{
    for (enum job_class class = JOB_CLASS_COUNT; class -- > 0;)
        while (workers->waiting[class].first != NULL && has_place(workers, class))
            run(workers, workers->waiting[class].first);
}

static void end_job(struct workers *workers, struct job *job)
{
    enum job_class class = job->type->class;

    list_remove(&workers->running, job);
    if (job->is_abandoned) {
        workers->abandoned--;
    } else {
        workers->busy[class] -= job->n_calls;
        workers->late[class] -= job->is_overdue ? job->n_calls : 0;
    }
    job->type->report(job, job->is_overdue ? JOB_CAME_BACK : JOB_DONE);
    job_free(job);
}

/* The arrived jobs, the first one first. */
static struct job *take_arrived(struct mailbox *mailbox)
{
    struct job *reversed, *jobs = NULL;

    pthread_mutex_lock(&mailbox->lock);
    reversed = mailbox->arrived;
    mailbox->arrived = NULL;
    pthread_mutex_unlock(&mailbox->lock);
    while (reversed != NULL) {
        struct job *job = reversed;

        reversed = job->next_arrived;
        job->next_arrived = jobs;
        jobs = job;
    }
    return jobs;
}

static void collect(evutil_socket_t fd, short what, void *arg)
{
    struct workers *workers = arg;
    struct job_list refused = workers->refused;
    struct job *next;

    (void)fd;
    (void)what;
    workers->refused = (struct job_list){0};
    for (struct job *job = take_arrived(workers->mailbox); job != NULL; job = next) {
        next = job->next_arrived;
        end_job(workers, job);
    }
    for (struct job *job = refused.first; job != NULL; job = next) {
        next = job->next;
        job->type->report(job, JOB_NEVER_RAN);
        job_free(job);
    }
    run_what_fits(workers);
}

static void on_deadline(evutil_socket_t fd, short what, void *arg)
{
    struct job *job = arg;
    struct workers *workers = job->workers;
    bool has_arrived;

    (void)fd;
    (void)what;
    if (!job->is_running) {
        list_remove(&workers->waiting[job->type->class], job);
        workers_refuse(workers, job, -ETIMEDOUT);
        return;
    }
    pthread_mutex_lock(&workers->mailbox->lock);
    has_arrived = job->has_arrived;
    pthread_mutex_unlock(&workers->mailbox->lock);
    if (has_arrived) {
        workers_collect(workers);
        return;
    }
    job->is_overdue = true;
    if (!job->is_abandoned)
        workers->late[job->type->class] += job->n_calls;
    job->type->report(job, JOB_OVERDUE);
}

static struct mailbox *mailbox_new(void)
{
    struct mailbox *mailbox = calloc(1, sizeof(*mailbox));
    pthread_condattr_t attributes;

    if (mailbox == NULL)
        return NULL;
    if (pthread_condattr_init(&attributes) != 0) {
        free(mailbox);
        return NULL;
    }
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_mutex_init(&mailbox->lock, NULL);
    pthread_cond_init(&mailbox->arrival, &attributes);
    pthread_condattr_destroy(&attributes);
    return mailbox;
}

int workers_new(struct event_base *base, struct workers **ret)
{
    _cleanup_(freep) struct workers *workers = calloc(1, sizeof(*workers));
    struct mailbox *mailbox;

    if (workers == NULL)
        return -ENOMEM;
    mailbox = mailbox_new();
    if (mailbox == NULL)
        return -ENOMEM;
    mailbox->wake = event_new(base, -1, 0, collect, workers);
    if (mailbox->wake == NULL) {
        mailbox_free(mailbox);
        return -ENOMEM;
    }
    workers->base = base;
    workers->mailbox = mailbox;
    *ret = steal_pointer(&workers);
    return 0;
}

int workers_submit(struct workers *workers, struct job *job, int64_t timeout_us)
{
    int64_t wait_us = job->type->class == JOB_PROBE ? PROBE_WAIT_US : 0;

    job->timeout_us = timeout_us;
    job->deadline = evtimer_new(workers->base, on_deadline, job);
    if (job->deadline == NULL || set_deadline(job, timeout_us + wait_us) < 0) {
        if (job->deadline != NULL)
            event_free(job->deadline);
        job->deadline = NULL;
        return -ENOMEM;
    }
    job->workers = workers;
    job->mailbox = workers->mailbox;
    job->submitted_us = clock_now().mono_us;
    list_append(&workers->waiting[job->type->class], job);
    run_what_fits(workers);
    return 0;
}

void workers_collect(struct workers *workers)
{
    event_active(workers->mailbox->wake, 0, 0);
}

void workers_refuse(struct workers *workers, struct job *job, int error)
{
    if (job->deadline != NULL)
        evtimer_del(job->deadline);
    job->error = error;
    list_append(&workers->refused, job);
    event_active(workers->mailbox->wake, 0, 0);
}

void workers_abandon(struct workers *workers, int error)
{
    for (enum job_class class = JOB_SPARE; class < JOB_ASIDE; class ++) {
        while (workers->waiting[class].first != NULL) {
            struct job *job = workers->waiting[class].first;

            list_remove(&workers->waiting[class], job);
            workers_refuse(workers, job, error);
        }
        workers->busy[class] = 0;
        workers->late[class] = 0;
    }
    for (struct job *job = workers->running.first; job != NULL; job = job->next)
        if (!job->is_abandoned && job->type->class != JOB_ASIDE) {
            job->is_abandoned = true;
            workers->abandoned++;
        }
}

bool job_is_running_here(void)
{
    return runs_job;
}

int64_t job_age_us(const struct job *job)
{
    return clock_now().mono_us - job->submitted_us;
}

bool workers_are_late(const struct workers *workers)
{
    return workers->late[JOB_NORMAL] + workers->late[JOB_URGENT] > 0;
}

size_t workers_count(const struct workers *workers)
{
    size_t count = 0;

    pthread_mutex_lock(&workers->mailbox->lock);
    for (const struct job *job = workers->running.first; job != NULL; job = job->next)
        count += !job->is_abandoned && !job->has_arrived;
    pthread_mutex_unlock(&workers->mailbox->lock);
    for (enum job_class class = 0; class < JOB_CLASS_COUNT; class ++)
        for (const struct job *job = workers->waiting[class].first; job != NULL; job = job->next)
            count++;
    return count;
}

bool workers_are_blocked(const struct workers *workers)
{
    size_t late = 0;

    for (enum job_class class = JOB_SPARE; class < JOB_ASIDE; class ++)
        late += workers->late[class];
    return late >= WORKERS_MAX;
}

size_t workers_abandoned(const struct workers *workers)
{
    return workers->abandoned;
}

static void free_list(struct job_list *list)
{
    while (list->first != NULL) {
        struct job *job = list->first;

        list_remove(list, job);
        job_free(job);
    }
}

/* The mailbox's lock is held. False: something is still out after the grace. */
static bool wait_for_all(struct mailbox *mailbox, int64_t grace_us)
{
    int64_t until_us = clock_now().mono_us + grace_us;
    const struct timespec until = {.tv_sec = until_us / USEC_PER_SEC, .tv_nsec = until_us % USEC_PER_SEC * 1000};

    while (mailbox->out > 0)
        if (pthread_cond_timedwait(&mailbox->arrival, &mailbox->lock, &until) != 0)
            return mailbox->out == 0;
    return true;
}

void workers_free(struct workers *workers, int64_t grace_us)
{
    struct mailbox *mailbox;
    struct job *job, *next;
    bool all_have_ended;

    if (workers == NULL)
        return;
    mailbox = workers->mailbox;
    for (enum job_class class = 0; class < JOB_CLASS_COUNT; class ++)
        free_list(&workers->waiting[class]);
    free_list(&workers->refused);

    pthread_mutex_lock(&mailbox->lock);
    all_have_ended = wait_for_all(mailbox, grace_us);
    mailbox->is_closed = true;
    for (job = workers->running.first; job != NULL; job = next) {
        next = job->next;
        if (job->deadline != NULL)
            event_free(job->deadline);
        job->deadline = NULL;
        if (job->has_arrived)
            job_free(job);
    }
    event_free(mailbox->wake);
    pthread_mutex_unlock(&mailbox->lock);
    if (all_have_ended)
        mailbox_free(mailbox);
    free(workers);
}
