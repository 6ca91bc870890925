/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hypervisor/endings.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <event2/event.h>
#include <libvirt/libvirt.h>

#include "base/text.h"
#include "detect/failure.h"
#include "hypervisor/connection.h"
#include "hypervisor/processes.h"
#include "service/clock.h"

/* Between SIGTERM and SIGKILL of libvirt lie ten seconds. */
#define PROOF_HOLDS_US (9 * USEC_PER_SEC)
#define PROOF_PAUSE_US (8 * USEC_PER_SEC)

/* Its QEMU has ended, and libvirt has not said so yet. */
struct awaited {
    char uuid[UUID_TEXT_SIZE];
    struct awaited *next;
};

struct endings {
    struct workers *workers;
    struct endings_callbacks callbacks;
    void *context;
    struct processes *processes;
    struct event *due;
    struct awaited *awaited; /* the last to end first */
    struct event *untold;
    int64_t patience_us;
    unsigned long link;
    bool is_wanted;
    bool is_asking;
};

/* ---- are the domains' locks free? ---- */

struct question {
    struct job job;
    struct endings *endings;
    unsigned long link;
    bool is_answered;
};

/* The state of a domain is read under its lock. */
static void run_question(struct job *job)
{
    struct question *question = (struct question *)job;
    virConnectPtr connection = connection_acquire(question->link);
    virDomainStatsRecordPtr *records = NULL;

    if (connection == NULL)
        return;
    question->is_answered = virConnectGetAllDomainStats(connection, VIR_DOMAIN_STATS_STATE, &records,
                                                        VIR_CONNECT_GET_ALL_DOMAINS_STATS_ACTIVE) >= 0;
    virDomainStatsRecordListFree(records);
    virConnectClose(connection);
}

static void free_question(struct job *job)
{
    free(job);
}

static void wait_for_next(struct endings *endings)
{
    const struct timeval pause = {.tv_sec = PROOF_PAUSE_US / USEC_PER_SEC};

    if (endings->is_wanted && endings->link != 0)
        evtimer_add(endings->due, &pause);
}

/*
 * One that hangs, as it does while a domain is being ended, is not reported. What is being ended may have been sent a SIGKILL
 * that takes effect long after: no later answer says anything of it.
 */
static void report_question(struct job *job, enum job_report report)
{
    struct question *question = (struct question *)job;
    struct endings *endings = question->endings;

    if (report == JOB_OVERDUE) {
        processes_doubt(endings->processes);
        return;
    }
    endings->is_asking = false;
    if (report == JOB_DONE && question->is_answered && question->link == endings->link)
        processes_see_free(endings->processes, job->submitted_us);
}

static const struct job_type question_type = {
    .class = JOB_SPARE,
    .run = run_question,
    .report = report_question,
    .free = free_question,
};

static void ask(struct endings *endings)
{
    struct question *question = calloc(1, sizeof(*question));

    if (question == NULL)
        return;
    question->job.type = &question_type;
    question->endings = endings;
    question->link = endings->link;
    if (workers_submit(endings->workers, &question->job, PROOF_HOLDS_US) < 0)
        free(question);
    else
        endings->is_asking = true;
}

static void on_due(evutil_socket_t fd, short what, void *arg)
{
    struct endings *endings = arg;

    (void)fd;
    (void)what;
    if (!endings->is_asking && processes_count(endings->processes) > 0)
        ask(endings);
    wait_for_next(endings);
}

void endings_prove(struct endings *endings, bool is_wanted)
{
    bool is_new;

    if (endings == NULL)
        return;
    is_new = is_wanted && !endings->is_wanted;
    endings->is_wanted = is_wanted;
    if (is_new && endings->link != 0)
        event_active(endings->due, EV_TIMEOUT, 0);
    else if (!is_wanted)
        evtimer_del(endings->due);
}

/* ---- libvirt's word ---- */

/* NULL: of none any more. */
static void await_no_more(struct endings *endings, const char *uuid)
{
    struct awaited **place = &endings->awaited;

    while (*place != NULL) {
        struct awaited *awaited = *place;

        if (uuid != NULL && strcmp(awaited->uuid, uuid) != 0) {
            place = &awaited->next;
            continue;
        }
        *place = awaited->next;
        free(awaited);
    }
    if (endings->awaited == NULL)
        evtimer_del(endings->untold);
}

/* Without memory, the next listing by itself finds what libvirt does not tell. */
static void await_word(struct endings *endings, const char *uuid)
{
    const struct timeval patience = {.tv_sec = endings->patience_us / USEC_PER_SEC,
                                     .tv_usec = endings->patience_us % USEC_PER_SEC};
    struct awaited *awaited = calloc(1, sizeof(*awaited));

    if (awaited == NULL)
        return;
    snprintf(awaited->uuid, sizeof(awaited->uuid), "%s", uuid);
    awaited->next = endings->awaited;
    endings->awaited = awaited;
    evtimer_add(endings->untold, &patience);
}

/* libvirt 11 tells nothing where it has given up a graceful destroy, and QEMU obeys a moment later. */
static void on_untold(evutil_socket_t fd, short what, void *arg)
{
    struct endings *endings = arg;

    (void)fd;
    (void)what;
    await_no_more(endings, NULL);
    endings->callbacks.untold(endings->context);
}

/* ---- how a QEMU ended ---- */

static bool is_proven(const struct process_end *end, struct moment now)
{
    return end->free_us != 0 && now.mono_us - end->free_us < PROOF_HOLDS_US;
}

static void tell(const struct endings *endings, const struct process_end *end, enum domain_event_kind kind,
                 struct moment now)
{
    struct domain_event event = {.kind = kind, .name = end->name, .at = now};

    snprintf(event.uuid, sizeof(event.uuid), "%s", end->uuid);
    endings->callbacks.event(endings->context, &event);
}

static void note(const struct endings *endings, const struct process_end *end)
{
    _cleanup_(freep) char *text = NULL;

    if (WIFSIGNALED(end->status) && WTERMSIG(end->status) != SIGTERM)
        text = text_print("%s: its QEMU died of signal %d (%s)", end->name, WTERMSIG(end->status),
                          strsignal(WTERMSIG(end->status)));
    else if (WIFEXITED(end->status) && WEXITSTATUS(end->status) != 0)
        text = text_print("%s: its QEMU has ended with exit status %d", end->name, WEXITSTATUS(end->status));
    if (text != NULL)
        endings->callbacks.noted(endings->context, end->uuid, text);
}

/*
 * Of the other signals libvirt's word is waited for: a QEMU that libvirt ends may die of one while it tears itself down. So it
 * is with every other exit status.
 */
static void on_end(void *context, const struct process_end *end)
{
    struct endings *endings = context;
    struct moment now = clock_now();

    note(endings, end);
    await_word(endings, end->uuid);
    if (WIFEXITED(end->status) && WEXITSTATUS(end->status) == 0)
        tell(endings, end, EVENT_ENDED_EXITED, now);
    else if (WIFSIGNALED(end->status) && WTERMSIG(end->status) == SIGKILL && is_proven(end, now))
        tell(endings, end, EVENT_ENDED_KILLED, now);
}

/* ---- which are watched ---- */

void endings_set_link(struct endings *endings, unsigned long link)
{
    if (endings == NULL)
        return;
    endings->link = link;
    if (link == 0) {
        processes_forget_all(endings->processes);
        await_no_more(endings, NULL);
        evtimer_del(endings->due);
    } else {
        wait_for_next(endings);
    }
}

static bool is_shutdown(enum domain_event_kind kind)
{
    return kind == EVENT_SHUTDOWN_FINISHED || kind == EVENT_SHUTDOWN_GUEST || kind == EVENT_SHUTDOWN_HOST;
}

void endings_see_event(struct endings *endings, const struct domain_event *event)
{
    enum machine_state state = MACHINE_UNKNOWN;
    enum machine_reason reason;

    if (endings == NULL)
        return;
    if (domain_event_is_stop(event->kind)) {
        processes_forget(endings->processes, event->uuid);
        await_no_more(endings, event->uuid);
    } else if (is_shutdown(event->kind))
        processes_see_shutdown(endings->processes, event->uuid);
    if (domain_event_state(event->kind, &state, &reason) && state == MACHINE_RUNNING)
        processes_watch(endings->processes, event->uuid, event->name);
}

void endings_see_inventory(struct endings *endings, const struct inventory *inventory)
{
    for (size_t i = 0; endings != NULL && i < inventory->n_reports; i++) {
        const struct domain_report *report = &inventory->reports[i];
        char uuid[UUID_TEXT_SIZE];

        if (!machine_state_is_active(report->state))
            continue;
        uuid_format(report->description->uuid, uuid);
        processes_watch(endings->processes, uuid, report->description->name);
    }
}

int endings_new(struct event_base *base, struct workers *workers, const char *directory, int64_t patience_us,
                const struct endings_callbacks *callbacks, void *context, struct endings **ret)
{
    struct endings *endings = calloc(1, sizeof(*endings));
    int r;

    if (endings == NULL)
        return -ENOMEM;
    endings->workers = workers;
    endings->callbacks = *callbacks;
    endings->context = context;
    endings->patience_us = patience_us;
    endings->due = evtimer_new(base, on_due, endings);
    endings->untold = evtimer_new(base, on_untold, endings);
    r = endings->due != NULL && endings->untold != NULL
            ? processes_new(base, directory, on_end, endings, &endings->processes)
            : -ENOMEM;
    if (r < 0) {
        endings_free(endings);
        return r;
    }
    *ret = endings;
    return 0;
}

void endings_free(struct endings *endings)
{
    if (endings == NULL)
        return;
    processes_free(endings->processes);
    if (endings->untold != NULL) {
        await_no_more(endings, NULL);
        event_free(endings->untold);
    }
    if (endings->due != NULL)
        event_free(endings->due);
    free(endings);
}
