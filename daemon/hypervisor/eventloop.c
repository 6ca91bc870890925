/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A list of what libvirt wants watched. Any thread may change the list, under its lock.
 *
 * Descriptors are watched by an epoll instance of their own, which libevent watches: the kernel is told of a change at once,
 * and the main thread is not woken. libvirt changes what it wants twice in each call, since the thread that calls reads the
 * answer itself.
 *
 * Timeouts are carried over to libevent, and what was removed is released, by one event that runs on the main thread, from a
 * clean stack. So no libevent call ever waits for a callback that waits for a lock of libvirt's, and a callback can remove
 * itself or others: nothing is released before it has returned. Knows no hypervisor.
 */
#include "hypervisor/eventloop.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <event2/event.h>

struct source {
    struct source *next;
    int id;
    int fd;     /* -1: a timeout */
    int wanted; /* a handle's virEventHandleType bits; a timeout's milliseconds, negative: off */
    bool removed;
    bool changed;        /* a timeout: not carried over yet */
    struct event *event; /* of a timeout; NULL */
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
    int epoll;
    struct event *ready; /* a descriptor in epoll */
    struct source *sources;
    int last_id;
} loop = {.lock = PTHREAD_MUTEX_INITIALIZER, .epoll = -1};

static _Thread_local bool refuses_handles;

void eventloop_refuse_handles(bool are_refused)
{
    refuses_handles = are_refused;
}

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

static uint32_t to_epoll(int events)
{
    return ((events & VIR_EVENT_HANDLE_READABLE) ? EPOLLIN : 0) |
           ((events & VIR_EVENT_HANDLE_WRITABLE) ? EPOLLOUT : 0) |
           ((events & VIR_EVENT_HANDLE_HANGUP) ? EPOLLRDHUP : 0);
}

/* An error is told as whatever is wanted: libvirt finds it when it reads or writes. */
static int to_libvirt(uint32_t events)
{
    if ((events & (EPOLLERR | EPOLLHUP)) != 0)
        return VIR_EVENT_HANDLE_READABLE | VIR_EVENT_HANDLE_WRITABLE | VIR_EVENT_HANDLE_HANGUP;
    return ((events & EPOLLIN) ? VIR_EVENT_HANDLE_READABLE : 0) |
           ((events & EPOLLOUT) ? VIR_EVENT_HANDLE_WRITABLE : 0) |
           ((events & EPOLLRDHUP) ? VIR_EVENT_HANDLE_HANGUP : 0);
}

/* The lock is held. Tells the kernel what all sources want of this descriptor. False: it cannot watch it. */
static bool watch(int fd)
{
    struct epoll_event event = {.data.fd = fd};
    int wanted = 0;

    for (const struct source *source = loop.sources; source != NULL; source = source->next)
        if (source->fd == fd && !source->removed)
            wanted |= source->wanted;
    event.events = to_epoll(wanted);
    if (event.events == 0) {
        epoll_ctl(loop.epoll, EPOLL_CTL_DEL, fd, &event); /* it may not be there */
        return true;
    }
    return epoll_ctl(loop.epoll, EPOLL_CTL_ADD, fd, &event) == 0 ||
           (errno == EEXIST && epoll_ctl(loop.epoll, EPOLL_CTL_MOD, fd, &event) == 0);
}

/* Sources stay in the list until this has returned. */
static void call_back(int fd, int events)
{
    pthread_mutex_lock(&loop.lock);
    for (const struct source *source = loop.sources; source != NULL; source = source->next) {
        int told = source->fd == fd && !source->removed ? events & source->wanted : 0;

        if (told == 0)
            continue;
        pthread_mutex_unlock(&loop.lock);
        source->handle_callback(source->id, fd, told, source->opaque);
        pthread_mutex_lock(&loop.lock);
    }
    pthread_mutex_unlock(&loop.lock);
}

/* One at a time: its callback may close the others, and their numbers may be in use again. */
static void on_ready(evutil_socket_t fd, short what, void *arg)
{
    struct epoll_event event;

    (void)what;
    (void)arg;
    if (epoll_wait(fd, &event, 1, 0) == 1)
        call_back(event.data.fd, to_libvirt(event.events));
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

/* The lock is held. */
static void apply(struct source *source)
{
    source->changed = false;
    event_del(source->event);
    if (source->wanted >= 0)
        set_timer(source);
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

/* The lock is held. Begins to watch what is first in the list. */
static bool begin(struct source *source)
{
    if (source->fd >= 0)
        return watch(source->fd);
    source->event = event_new(loop.base, -1, 0, on_timeout, source);
    if (source->event == NULL)
        return false;
    source->changed = true;
    wake_up();
    return true;
}

/* Returns the new id, or -1. Takes *template over. */
static int add(const struct source *template)
{
    struct source *source = malloc(sizeof(*source));
    int id = -1;

    if (source == NULL)
        return -1;
    *source = *template;
    pthread_mutex_lock(&loop.lock);
    if (loop.base != NULL) {
        source->id = unused_id();
        source->next = loop.sources;
        loop.sources = source;
        if (begin(source))
            id = source->id;
        else
            loop.sources = source->next;
    }
    pthread_mutex_unlock(&loop.lock);
    if (id < 0)
        free(source);
    return id;
}

/* If the kernel has no memory to watch the descriptor, the probe of the connection finds that nothing comes any more. */
static void update(int id, bool is_handle, int wanted)
{
    struct source *source;

    pthread_mutex_lock(&loop.lock);
    source = find(id, is_handle);
    if (source != NULL) {
        source->wanted = wanted;
        source->changed = !is_handle;
        if (is_handle)
            (void)watch(source->fd);
        else
            wake_up();
    }
    pthread_mutex_unlock(&loop.lock);
}

/* A descriptor is forgotten at once: libvirt closes it next, and its number may be in use again. */
static int remove_source(int id, bool is_handle)
{
    struct source *source;

    pthread_mutex_lock(&loop.lock);
    source = find(id, is_handle);
    if (source != NULL) {
        source->removed = true;
        if (is_handle)
            (void)watch(source->fd);
        else if (source->event != NULL)
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

    return fd >= 0 && !refuses_handles ? add(&source) : -1;
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
    struct event *wake = event_new(base, -1, 0, apply_changes, NULL), *ready = NULL;
    int epoll = epoll_create1(EPOLL_CLOEXEC);

    if (wake != NULL && epoll >= 0)
        ready = event_new(base, epoll, EV_READ | EV_PERSIST, on_ready, NULL);
    if (ready == NULL || event_add(ready, NULL) < 0) {
        if (ready != NULL)
            event_free(ready);
        if (wake != NULL)
            event_free(wake);
        if (epoll >= 0)
            close(epoll);
        return -ENOMEM;
    }
    pthread_mutex_lock(&loop.lock);
    loop.base = base;
    loop.wake = wake;
    loop.ready = ready;
    loop.epoll = epoll;
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
    if (loop.base != NULL) {
        event_free(loop.wake);
        event_free(loop.ready);
        close(loop.epoll);
    }
    loop.wake = loop.ready = NULL;
    loop.epoll = -1;
    loop.base = NULL;
    pthread_mutex_unlock(&loop.lock);
}
