/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The states of a connection. libvirt knows a connection by the number of its link only: each attempt has a new one,
 * and an event for a number that is no longer in force is dropped.
 */
#include "hypervisor/connection.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "hypervisor/cutter.h"
#include "hypervisor/session.h"
#include "hypervisor/translate.h"
#include "model/uri.h"
#include "protocol/action.h"
#include "service/clock.h"
#include "service/timing.h"

#define BACKOFF_FIRST_US (200 * USEC_PER_MSEC)
/*
 * Threads that hang on connections given up, before no further connection is made. Those that wait for a host are cut off,
 * and hang no longer; drivers that run in this process cannot be.
 */
#define ABANDONED_MAX (3 * WORKERS_MAX)

enum connection_state {
    CONNECTING,
    UP,
    WAITING,
};

/* What was last told of attempts that fail: another word only when something else is wrong. */
enum failure {
    FAILURE_NONE,
    FAILURE_ERROR,  /* libvirt says why */
    FAILURE_SILENT, /* it does not answer, or no host does: of a host that is off, both are seen in turn */
    FAILURE_EXHAUSTED,
};

struct connection {
    struct event_base *base;
    struct workers *workers;
    char *uri;
    struct connection_callbacks callbacks;
    void *context;
    int64_t timeout_us;
    int64_t reconnect_max_us;

    enum connection_state state;
    struct session session;
    int64_t backoff_us;
    int64_t up_since_us;
    enum failure told;
    unsigned long last_cut; /* the last link that was cut; 0: none */
    struct event *retry;
    struct event *probe;
    struct event *closed;
    bool is_probing;   /* the report of the last question is to come */
    bool is_probe_due; /* the next one follows it at once */

    struct connection *next; /* these are guarded by the registry's lock */
    unsigned long link;      /* 0: none */
    virConnectPtr handle;    /* what jobs use; NULL: not up */
    virConnectPtr talk;      /* what those use that wait for an agent; NULL: the same */
    int close_reason;        /* -1: not closed */
};

static struct {
    pthread_mutex_t lock;
    struct connection *first;
    unsigned long last_link;
} registry = {.lock = PTHREAD_MUTEX_INITIALIZER};

struct connect_job {
    struct job job;
    struct connection *connection;
    char *uri;
    unsigned long link;
    struct session session;
    int error;
    char message[ACTION_MESSAGE_SIZE];
};

/* The smallest question there is: does libvirt answer? */
struct probe_job {
    struct job job;
    struct connection *connection;
    unsigned long link;
    int error;
    char message[ACTION_MESSAGE_SIZE];
};

static const struct job_type connect_type, close_type, probe_type;

static struct connection *find_link(unsigned long link)
{
    struct connection *connection = registry.first;

    while (connection != NULL && connection->link != link)
        connection = connection->next;
    return connection;
}

static unsigned long new_link(struct connection *connection)
{
    unsigned long link;

    pthread_mutex_lock(&registry.lock);
    link = connection->link = ++registry.last_link;
    connection->close_reason = -1;
    pthread_mutex_unlock(&registry.lock);
    return link;
}

/* From now on, every event of this link is dropped. */
static void end_link(struct connection *connection)
{
    pthread_mutex_lock(&registry.lock);
    connection->link = 0;
    connection->handle = connection->talk = NULL;
    pthread_mutex_unlock(&registry.lock);
}

/*
 * Runs on the main thread. Connections end on that thread only, so this one stays after the lock is released. NULL: it is not
 * up, and the listing that follows shows what happens before it is.
 */
static struct connection *find_up(unsigned long link)
{
    struct connection *connection;

    pthread_mutex_lock(&registry.lock);
    connection = find_link(link);
    pthread_mutex_unlock(&registry.lock);
    return connection != NULL && connection->state == UP ? connection : NULL;
}

static void on_event(unsigned long link, const struct domain_event *event)
{
    struct connection *connection = find_up(link);

    if (connection != NULL)
        connection->callbacks.event(connection->context, event);
}

static void on_storage(unsigned long link)
{
    struct connection *connection = find_up(link);

    if (connection != NULL)
        connection->callbacks.storage(connection->context);
}

/* Any thread. */
static void on_close(unsigned long link, int reason)
{
    struct connection *connection;

    pthread_mutex_lock(&registry.lock);
    connection = find_link(link);
    if (connection != NULL) {
        connection->close_reason = reason;
        event_active(connection->closed, 0, 0);
    }
    pthread_mutex_unlock(&registry.lock);
}

static void free_connect_job(struct job *job)
{
    struct connect_job *attempt = (struct connect_job *)job;

    session_close(&attempt->session);
    cutter_free(attempt->session.cutter);
    free(attempt->uri);
    free(attempt);
}

static void run_connect(struct job *job)
{
    struct connect_job *attempt = (struct connect_job *)job;

    attempt->error =
        session_open(&attempt->session, attempt->uri, attempt->link, attempt->message, sizeof(attempt->message));
}

static void run_close(struct job *job)
{
    session_close(&((struct connect_job *)job)->session);
}

static void forget(struct job *job, enum job_report report)
{
    (void)job;
    (void)report;
}

/*
 * Closing blocks, so it is a job. Without the memory for the job the session is left open, and its events are dropped.
 */
static void discard(struct connection *connection, struct session *session)
{
    struct connect_job *closing = session->handle != NULL ? calloc(1, sizeof(*closing)) : NULL;

    if (closing == NULL)
        return;
    closing->job.type = &close_type;
    closing->session = *session;
    if (workers_submit(connection->workers, &closing->job, connection->timeout_us) < 0)
        free(closing);
    *session = (struct session){0};
}

static void set_timer(struct event *timer, int64_t pause_us)
{
    const struct timeval pause = {.tv_sec = pause_us / USEC_PER_SEC, .tv_usec = pause_us % USEC_PER_SEC};

    evtimer_add(timer, &pause);
}

static void wait_and_retry(struct connection *connection)
{
    connection->state = WAITING;
    set_timer(connection->retry, connection->backoff_us);
    connection->backoff_us *= 2;
    if (connection->backoff_us > connection->reconnect_max_us)
        connection->backoff_us = connection->reconnect_max_us;
}

static void tell_failure(struct connection *connection, enum failure failure, const char *why)
{
    bool is_new = connection->told != failure;

    connection->told = failure;
    if (is_new)
        connection->callbacks.down(connection->context, why);
}

static void attempt_failed(struct connection *connection, enum failure failure, const char *why)
{
    end_link(connection);
    workers_abandon(connection->workers, -ENOTCONN);
    wait_and_retry(connection);
    tell_failure(connection, failure, why);
}

static int begin_attempt(struct connection *connection)
{
    struct connect_job *attempt = calloc(1, sizeof(*attempt));
    int r;

    if (attempt == NULL)
        return -ENOMEM;
    attempt->job.type = &connect_type;
    attempt->connection = connection;
    attempt->uri = strdup(connection->uri);
    attempt->session.cutter = cutter_new();
    if (attempt->uri == NULL || attempt->session.cutter == NULL) {
        free_connect_job(&attempt->job);
        return -ENOMEM;
    }
    attempt->link = new_link(connection);
    r = workers_submit(connection->workers, &attempt->job, connection->timeout_us);
    if (r < 0) {
        end_link(connection);
        free_connect_job(&attempt->job);
        return r;
    }
    connection->state = CONNECTING;
    return 0;
}

static void on_retry(evutil_socket_t fd, short what, void *arg)
{
    struct connection *connection = arg;

    (void)fd;
    (void)what;
    if (connection_is_exhausted(connection)) {
        wait_and_retry(connection);
        tell_failure(connection, FAILURE_EXHAUSTED,
                     "too many calls to libvirt hang; no further connection is made until one of them returns");
    } else if (begin_attempt(connection) < 0) {
        wait_and_retry(connection);
    }
}

/* Where libvirt does not answer, its calls are ended: else they would hang as long as it is silent. */
static void cut(struct connection *connection)
{
    connection->last_cut = connection->link;
    cutter_cut(connection->session.cutter);
}

/* What still waits for an answer on it gets none any more. */
static void lose(struct connection *connection, const char *why)
{
    cut(connection);
    end_link(connection);
    evtimer_del(connection->probe);
    workers_abandon(connection->workers, -ENOTCONN);
    discard(connection, &connection->session);
    if (clock_now().mono_us - connection->up_since_us >= connection->reconnect_max_us)
        connection->backoff_us = BACKOFF_FIRST_US;
    connection->told = FAILURE_NONE;
    wait_and_retry(connection);
    connection->callbacks.down(connection->context, why);
}

/* A host far away may be lost without a word; of a daemon on this one, only that it hangs is not told. */
static int64_t probe_pause_us(const struct connection *connection)
{
    return uri_is_local(connection->uri) ? connection->timeout_us : connection->timeout_us / 2;
}

static void run_probe(struct job *job)
{
    struct probe_job *question = (struct probe_job *)job;
    virConnectPtr handle = connection_acquire(question->link);
    unsigned long version;

    if (handle == NULL)
        return;
    if (virConnectGetLibVersion(handle, &version) < 0)
        question->error = translate_last_error(handle, question->message, sizeof(question->message));
    job->can_wait = question->error == 0;
    virConnectClose(handle);
}

/* More than any call that is waited for gets; the question itself takes no time. */
static int64_t probe_timeout_us(const struct connection *connection)
{
    return connection->timeout_us + connection->timeout_us / 2;
}

/* Without memory the next one is waited for. */
static void begin_probe(struct connection *connection)
{
    struct probe_job *question = calloc(1, sizeof(*question));

    connection->is_probe_due = false;
    if (question == NULL)
        return;
    question->job.type = &probe_type;
    question->connection = connection;
    question->link = connection->link;
    connection->is_probing = workers_submit(connection->workers, &question->job, probe_timeout_us(connection)) == 0;
    if (!connection->is_probing)
        free(question);
}

static void report_probe(struct job *job, enum job_report report)
{
    struct probe_job *question = (struct probe_job *)job;
    struct connection *connection = question->connection;

    if (question->link != connection->link)
        return;
    connection->is_probing = false;
    if (report == JOB_OVERDUE)
        lose(connection, "libvirt does not answer");
    else if (question->error == -ENOTCONN)
        lose(connection, question->message);
    else if (connection->is_probe_due)
        begin_probe(connection);
}

static void free_probe(struct job *job)
{
    free(job);
}

static void on_probe_due(evutil_socket_t fd, short what, void *arg)
{
    struct connection *connection = arg;

    (void)fd;
    (void)what;
    timing_wait_for_tick(connection->probe, probe_pause_us(connection));
    if (connection->is_probing) {
        connection->is_probe_due = true;
        workers_collect(connection->workers);
    } else {
        begin_probe(connection);
    }
}

static void on_closed(evutil_socket_t fd, short what, void *arg)
{
    struct connection *connection = arg;
    int reason;

    (void)fd;
    (void)what;
    pthread_mutex_lock(&registry.lock);
    reason = connection->link != 0 ? connection->close_reason : -1;
    pthread_mutex_unlock(&registry.lock);
    if (connection->state == UP && reason >= 0)
        lose(connection, translate_close_reason(reason));
}

/* Takes the session. */
static void come_up(struct connection *connection, struct session *session)
{
    connection->session = *session;
    *session = (struct session){0};
    pthread_mutex_lock(&registry.lock);
    connection->handle = connection->session.handle;
    connection->talk = connection->session.talk;
    pthread_mutex_unlock(&registry.lock);
    connection->state = UP;
    connection->up_since_us = clock_now().mono_us;
    connection->is_probing = connection->is_probe_due = false;
    timing_wait_for_tick(connection->probe, probe_pause_us(connection));
    connection->callbacks.up(connection->context);
    event_active(connection->closed, 0, 0); /* the connection may have been closed before it was up */
}

static void report_connect(struct job *job, enum job_report report)
{
    struct connect_job *attempt = (struct connect_job *)job;
    struct connection *connection = attempt->connection;

    switch (report) {
    case JOB_DONE:
        if (attempt->error < 0) {
            attempt_failed(connection, attempt->error == -EHOSTUNREACH ? FAILURE_SILENT : FAILURE_ERROR,
                           attempt->message);
            if (attempt->error != -EHOSTUNREACH)
                connection->callbacks.refused(connection->context);
            return;
        }
        come_up(connection, &attempt->session);
        return;
    case JOB_OVERDUE:
        cutter_cut(attempt->session.cutter);
        attempt_failed(connection, FAILURE_SILENT, "libvirt did not answer in time while connecting");
        return;
    case JOB_CAME_BACK:
        discard(connection, &attempt->session);
        return;
    case JOB_NEVER_RAN:
        attempt_failed(connection, FAILURE_ERROR, strerror(-job->error));
        connection->callbacks.refused(connection->context);
        return;
    case JOB_REPORT_COUNT:
        return;
    }
}

static const struct job_type connect_type = {
    .class = JOB_URGENT,
    .run = run_connect,
    .report = report_connect,
    .free = free_connect_job,
};

static const struct job_type close_type = {
    .class = JOB_ASIDE,
    .run = run_close,
    .report = forget,
    .free = free_connect_job,
};

/* A call beside those that count: libvirtd reads one more, and this one shows whether libvirt itself hangs. */
static const struct job_type probe_type = {
    .class = JOB_ASIDE,
    .run = run_probe,
    .report = report_probe,
    .free = free_probe,
};

void connection_prepare(void)
{
    static const struct session_listener listener = {.event = on_event, .storage = on_storage, .closed = on_close};

    session_set_listener(&listener);
}

static void enter_registry(struct connection *connection)
{
    pthread_mutex_lock(&registry.lock);
    connection->next = registry.first;
    registry.first = connection;
    pthread_mutex_unlock(&registry.lock);
}

static void leave_registry(struct connection *connection)
{
    pthread_mutex_lock(&registry.lock);
    for (struct connection **link = &registry.first; *link != NULL; link = &(*link)->next)
        if (*link == connection) {
            *link = connection->next;
            break;
        }
    pthread_mutex_unlock(&registry.lock);
}

int connection_new(struct event_base *base, struct workers *workers, const char *uri,
                   const struct connection_callbacks *callbacks, void *context, int64_t timeout_us,
                   int64_t reconnect_max_us, struct connection **ret)
{
    struct connection *connection = calloc(1, sizeof(*connection));

    if (connection == NULL)
        return -ENOMEM;
    connection->base = base;
    connection->workers = workers;
    connection->callbacks = *callbacks;
    connection->context = context;
    connection->backoff_us = BACKOFF_FIRST_US;
    connection_set_timeouts(connection, timeout_us, reconnect_max_us);
    enter_registry(connection);
    connection->uri = strdup(uri);
    connection->retry = evtimer_new(base, on_retry, connection);
    connection->probe = evtimer_new(base, on_probe_due, connection);
    connection->closed = event_new(base, -1, 0, on_closed, connection);
    if (connection->uri == NULL || connection->retry == NULL || connection->probe == NULL ||
        connection->closed == NULL || begin_attempt(connection) < 0) {
        connection_free(connection);
        return -ENOMEM;
    }
    *ret = connection;
    return 0;
}

void connection_set_timeouts(struct connection *connection, int64_t timeout_us, int64_t reconnect_max_us)
{
    connection->timeout_us = timeout_us;
    connection->reconnect_max_us = reconnect_max_us;
    if (connection->backoff_us > reconnect_max_us)
        connection->backoff_us = reconnect_max_us;
}

unsigned long connection_link(const struct connection *connection)
{
    return connection->state == UP ? connection->link : 0;
}

static virConnectPtr acquire(unsigned long link, bool is_talk)
{
    struct connection *connection;
    virConnectPtr handle = NULL;

    assert(job_is_running_here());
    pthread_mutex_lock(&registry.lock);
    connection = link != 0 ? find_link(link) : NULL;
    if (connection != NULL)
        handle = is_talk && connection->talk != NULL ? connection->talk : connection->handle;
    if (handle != NULL && virConnectRef(handle) < 0)
        handle = NULL;
    pthread_mutex_unlock(&registry.lock);
    return handle;
}

virConnectPtr connection_acquire(unsigned long link)
{
    return acquire(link, false);
}

virConnectPtr connection_acquire_talk(unsigned long link)
{
    return acquire(link, true);
}

void connection_check(struct connection *connection)
{
    if (connection->state == UP && workers_are_blocked(connection->workers) && !connection_is_exhausted(connection))
        lose(connection, "every call to libvirt hangs");
}

void connection_is_broken(struct connection *connection, unsigned long link, const char *why)
{
    if (link != 0 && link == connection->link && connection->state == UP)
        lose(connection, why);
}

bool connection_has_cut(const struct connection *connection, unsigned long link)
{
    return link != 0 && link <= connection->last_cut;
}

bool connection_is_exhausted(const struct connection *connection)
{
    return workers_abandoned(connection->workers) >= ABANDONED_MAX;
}

void connection_free(struct connection *connection)
{
    if (connection == NULL)
        return;
    leave_registry(connection);
    discard(connection, &connection->session);
    if (connection->retry != NULL)
        event_free(connection->retry);
    if (connection->probe != NULL)
        event_free(connection->probe);
    if (connection->closed != NULL)
        event_free(connection->closed);
    free(connection->uri);
    free(connection);
}
