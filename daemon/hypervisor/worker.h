/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Calls that may block, each on a thread of its own and with a deadline. A call that outlives its
 * deadline is reported and never waited for. Knows nothing of libvirt but how many calls its daemon
 * takes from one client at a time.
 */
#ifndef UNDERSTUDY_DAEMON_HYPERVISOR_WORKER_H
#define UNDERSTUDY_DAEMON_HYPERVISOR_WORKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

/*
 * libvirtd reads five requests of a client and no more until one is answered (max_client_requests).
 * So at most four calls are under way, those that hang included, and one is left for the probe.
 */
#define WORKERS_MAX 4

struct event;
struct event_base;
struct job;
struct mailbox;
struct workers;

/* How urgent a job is. A class may fill the places of the lesser classes, but not all of WORKERS_MAX. */
enum job_class {
    JOB_SPARE,  /* one at a time, when there is a place */
    JOB_PROBE,  /* may take long: two at a time. Its deadline counts from when it has its place */
    JOB_NORMAL, /* leaves a place for urgent jobs */
    JOB_URGENT,
    JOB_ASIDE, /* makes no call that counts: runs at once */
    JOB_CLASS_COUNT,
};

enum job_report {
    JOB_DONE,      /* it ran */
    JOB_OVERDUE,   /* its deadline has passed and it still runs */
    JOB_CAME_BACK, /* it was overdue, and has ended now */
    JOB_NEVER_RAN, /* job->error says why: -ETIMEDOUT waited for a place until its deadline, -EAGAIN no thread */
    JOB_REPORT_COUNT,
};

struct job_type {
    enum job_class class;
    void (*run)(struct job *job);                            /* on a thread; may touch the job only */
    void (*report)(struct job *job, enum job_report report); /* on the main thread; freed after it but for OVERDUE */
    void (*free)(struct job *job);                           /* on any thread; releases the whole object */
};

/* The head of a larger object. The submitter sets type and most_calls; the rest belongs to the workers. */
struct job {
    const struct job_type *type;
    size_t most_calls; /* that it could make at once; 0: one */
    size_t n_calls;    /* that it may make at once: so many places it has. For its thread to read */
    int error;
    struct job *next;
    struct job *previous;
    struct job *next_arrived; /* this and has_arrived are guarded by the mailbox */
    struct mailbox *mailbox;
    struct workers *workers;
    struct event *deadline;
    int64_t submitted_us; /* CLOCK_MONOTONIC */
    int64_t timeout_us;
    bool is_running;
    bool is_overdue;
    bool is_abandoned;
    bool has_arrived;
    /* For its thread to set: nothing follows from its report, so that nothing is woken for it. It comes with workers_collect. */
    bool can_wait;
};

int workers_new(struct event_base *base, struct workers **ret) _must_check_;

/*
 * Takes the job; its reports come from the event loop. The deadline counts from now, waiting for a place
 * included, but for JOB_PROBE. -ENOMEM: the job stays with the caller.
 */
int workers_submit(struct workers *workers, struct job *job, int64_t timeout_us) _must_check_;

/* Takes the job only to report JOB_NEVER_RAN with this error from the event loop. */
void workers_refuse(struct workers *workers, struct job *job, int error);

/* Jobs that can wait and have ended are reported in this turn of the event loop. Without it that is when their time is up, or with others. */
void workers_collect(struct workers *workers);

/*
 * The connection that the jobs use is given up: jobs that wait are refused with this error, and jobs that run no longer
 * count. They are still reported when they end.
 */
void workers_abandon(struct workers *workers, int error);

/* The calling thread runs a job: it may block. */
bool job_is_running_here(void);

/* How long the job has been with the workers, in microseconds. */
int64_t job_age_us(const struct job *job);

/* A call of class NORMAL or URGENT is past its deadline. */
bool workers_are_late(const struct workers *workers);

/* Jobs that wait and jobs that run, without those that were abandoned. */
size_t workers_count(const struct workers *workers);

/* Every place is taken by a call past its deadline. */
bool workers_are_blocked(const struct workers *workers);

/* Calls on connections given up that have not returned. */
size_t workers_abandoned(const struct workers *workers);

/*
 * Reports nothing any more. Waits at most grace_us for calls under way; those that still hang free
 * their jobs when they end, if ever. Not from inside a report. Takes NULL.
 */
void workers_free(struct workers *workers, int64_t grace_us);

#endif
