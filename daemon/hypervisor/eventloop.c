/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A list of what libvirt wants watched. Any thread may change the list, under its lock; changes are
 * carried over to libevent by one event that runs on the main thread, from a clean stack. So no
 * libevent call ever waits for a callback that waits for a lock of libvirt's, and a callback can
 * remove itself or others: nothing is released before it has returned. Only forgetting a descriptor
 * cannot wait, since libvirt closes it next and its number may be in use again at once. Knows no
 * hypervisor.
 */
#include "hypervisor/eventloop.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include <event2/event.h>

struct source {
    struct source *next;
    int id;
    int fd;     /* -1: a timeout */
    int wanted; /* a handle's virEventHandleType bits; a timeout's milliseconds, negative: off */
    bool changed;
    bool removed;
    struct event *event;
    virEventHandleCallback handle_callback;
    virEventTimeoutCallback timeout_callback;
    void *opaque;
    virFreeCallback release;
};

/* virEventRegisterImpl takes functions without a context: there is one event loop in a process. */
static struct {
    pthread_mutex_t lock;
    bool registered;
    struct event_base *base; /* NULL: none (any more) */
    struct event *wake;
    struct source *sources;
    int last_id;
} loop = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* The lock is held. */
static struct source *find(int id, bool is_handle)
{
    for (struct source *source = loop.sources; source != NULL; source = source->next)
        if (source->id == id && (source->fd >= 0) == is_handle && !source->removed)
            return source;
    return NULL;
}

/* The lock is held. Ids of sources that are still in the list, removed ones too, are not given again. */
static int unused_id(void)
{
    const struct source *source;

    do {
        loop.last_id = loop.last_id < INT_MAX ? loop.last_id + 1 : 1;
        for (source = loop.sources; source != NULL && source->id != loop.last_id; source = source->next)
            ;
    } while (source != NULL);
    return loop.last_id;
}

/* The lock is held. */
static void wake_up(void)
{
    if (loop.wake != NULL)
        event_active(loop.wake, 0, 0);
}

/* libevent reports errors as readable and writable, which is how libvirt finds them. */
static short to_libevent(int events)
{
    return (short)(((events & VIR_EVENT_HANDLE_READABLE) ? EV_READ : 0) |
                   ((events & VIR_EVENT_HANDLE_WRITABLE) ? EV_WRITE : 0) |
                   ((events & VIR_EVENT_HANDLE_HANGUP) ? EV_CLOSED : 0));
}

static int to_libvirt(short what)
{
    return ((what & EV_READ) ? VIR_EVENT_HANDLE_READABLE : 0) | ((what & EV_WRITE) ? VIR_EVENT_HANDLE_WRITABLE : 0) |
           ((what & EV_CLOSED) ? VIR_EVENT_HANDLE_HANGUP : 0);
}

static void on_handle(evutil_socket_t fd, short what, void *arg)
{
    const struct source *source = arg;
    int events;

    pthread_mutex_lock(&loop.lock);
    events = source->removed ? 0 : to_libvirt(what) & source->wanted;
    pthread_mutex_unlock(&loop.lock);
    if (events != 0)
        source->handle_callback(source->id, fd, events, source->opaque);
}

/* The lock is held. A persistent libevent timer of zero would fire only once, so each round is set anew. */
static void set_timer(const struct source *source)
{
    const struct timeval delay = {
        .tv_sec = source->wanted / 1000,
        .tv_usec = source->wanted % 1000 * 1000,
    };

    event_add(source->event, &delay);
}

static void on_timeout(evutil_socket_t fd, short what, void *arg)
{
    const struct source *source = arg;
    bool is_due;

    (void)fd;
    (void)what;
    pthread_mutex_lock(&loop.lock);
    is_due = !source->removed && !source->changed && source->wanted >= 0;
    if (is_due)
        set_timer(source);
    pthread_mutex_unlock(&loop.lock);
    if (is_due)
        source->timeout_callback(source->id, source->opaque);
}

/*
 * The lock is held. event_add can fail for want of kernel memory only; the probe of the connection then finds it dead.
 */
static void apply(struct source *source)
{
    source->changed = false;
    event_del(source->event);
    if (source->fd < 0) {
        if (source->wanted >= 0)
            set_timer(source);
    } else if (to_libevent(source->wanted) != 0) {
        event_assign(source->event, loop.base, source->fd, (short)(to_libevent(source->wanted) | EV_PERSIST), on_handle,
                     source);
        event_add(source->event, NULL);
    }
}

static void release_all(struct source *removed)
{
    while (removed != NULL) {
        struct source *next = removed->next;

        if (removed->event != NULL)
            event_free(removed->event);
        if (removed->release != NULL)
            removed->release(removed->opaque);
        free(removed);
        removed = next;
    }
}

/* The lock is held. Takes the removed sources out of the list. */
static struct source *take_removed(void)
{
    struct source *removed = NULL;

    for (struct source **link = &loop.sources; *link != NULL;) {
        struct source *source = *link;

        if (source->removed) {
            *link = source->next;
            source->next = removed;
            removed = source;
        } else {
            link = &source->next;
        }
    }
    return removed;
}

static void apply_changes(evutil_socket_t fd, short what, void *arg)
{
    struct source *removed;

    (void)fd;
    (void)what;
    (void)arg;
    pthread_mutex_lock(&loop.lock);
    removed = take_removed();
    for (struct source *source = loop.sources; source != NULL; source = source->next)
        if (source->changed)
            apply(source);
    pthread_mutex_unlock(&loop.lock);
    release_all(removed);
}

/* Returns the new id, or -1. Takes *template over. */
static int add(const struct source *template)
{
    struct source *source = malloc(sizeof(*source));
    int id = -1;

    if (source == NULL)
        return -1;
    *source = *template;
    source->changed = true;
    pthread_mutex_lock(&loop.lock);
    if (loop.base != NULL)
        source->event = event_new(loop.base, source->fd, 0, source->fd < 0 ? on_timeout : on_handle, source);
    if (source->event != NULL) {
        id = source->id = unused_id();
        source->next = loop.sources;
        loop.sources = source;
        wake_up();
    }
    pthread_mutex_unlock(&loop.lock);
    if (id < 0)
        free(source);
    return id;
}

static void update(int id, bool is_handle, int wanted)
{
    struct source *source;

    pthread_mutex_lock(&loop.lock);
    source = find(id, is_handle);
    if (source != NULL) {
        source->wanted = wanted;
        source->changed = true;
        wake_up();
    }
    pthread_mutex_unlock(&loop.lock);
}

static int remove_source(int id, bool is_handle)
{
    struct source *source;

    pthread_mutex_lock(&loop.lock);
    source = find(id, is_handle);
    if (source != NULL) {
        source->removed = true;
        if (source->event != NULL)
            event_del_noblock(source->event);
        wake_up();
    }
    pthread_mutex_unlock(&loop.lock);
    return source != NULL ? 0 : -1;
}

int eventloop_add_handle(int fd, int events, virEventHandleCallback callback, void *opaque, virFreeCallback release)
{
    const struct source source = {
        .fd = fd, .wanted = events, .handle_callback = callback, .opaque = opaque, .release = release};

    return fd >= 0 ? add(&source) : -1;
}

void eventloop_update_handle(int watch, int events)
{
    update(watch, true, events);
}

int eventloop_remove_handle(int watch)
{
    return remove_source(watch, true);
}

int eventloop_add_timeout(int milliseconds, virEventTimeoutCallback callback, void *opaque, virFreeCallback release)
{
    const struct source source = {
        .fd = -1, .wanted = milliseconds, .timeout_callback = callback, .opaque = opaque, .release = release};

    return add(&source);
}

void eventloop_update_timeout(int timer, int milliseconds)
{
    update(timer, false, milliseconds);
}

int eventloop_remove_timeout(int timer)
{
    return remove_source(timer, false);
}

int eventloop_init(struct event_base *base)
{
    struct event *wake = event_new(base, -1, 0, apply_changes, NULL);

    if (wake == NULL)
        return -ENOMEM;
    pthread_mutex_lock(&loop.lock);
    loop.base = base;
    loop.wake = wake;
    pthread_mutex_unlock(&loop.lock);
    if (!loop.registered) {
        virEventRegisterImpl(eventloop_add_handle, eventloop_update_handle, eventloop_remove_handle,
                             eventloop_add_timeout, eventloop_update_timeout, eventloop_remove_timeout);
        loop.registered = true;
    }
    return 0;
}

void eventloop_done(void)
{
    struct source *removed;

    /* Releasing may remove more. */
    do {
        pthread_mutex_lock(&loop.lock);
        removed = take_removed();
        pthread_mutex_unlock(&loop.lock);
        release_all(removed);
    } while (removed != NULL);

    pthread_mutex_lock(&loop.lock);
    for (struct source *source = loop.sources; source != NULL; source = source->next) {
        if (source->event != NULL)
            event_free(source->event);
        source->event = NULL;
        source->changed = false;
    }
    if (loop.wake != NULL)
        event_free(loop.wake);
    loop.wake = NULL;
    loop.base = NULL;
    pthread_mutex_unlock(&loop.lock);
}
