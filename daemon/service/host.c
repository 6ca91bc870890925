/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* sd-bus on the event loop. The bus is a convenience: no fault of it keeps the daemon from its work. */
#include "service/host.h"

#include <errno.h>
#include <event2/event.h>
#include <poll.h>
#include <stdlib.h>
#include <systemd/sd-bus.h>

#include "service/clock.h"

/* How long to wait before another attempt to reach a bus that is not there. */
#define RETRY_SECONDS 30

struct host {
    struct event_base *base;
    struct event *timer; /* the next attempt, or what sd-bus wants by then */
    struct event *io;    /* NULL: no bus */
    sd_bus *bus;
    void (*callback)(void *context, bool is_shutting_down);
    void *context;
};

static int on_prepare_for_shutdown(sd_bus_message *message, void *context, sd_bus_error *error)
{
    struct host *host = context;
    int is_shutting_down;
    int r = sd_bus_message_read(message, "b", &is_shutting_down);

    (void)error;
    if (r >= 0)
        host->callback(host->context, is_shutting_down);
    return 0;
}

static void wake_after(struct host *host, int64_t wait_us)
{
    struct timeval wait = {.tv_sec = wait_us / USEC_PER_SEC, .tv_usec = wait_us % USEC_PER_SEC};

    event_add(host->timer, &wait);
}

static void disconnect(struct host *host)
{
    if (host->io != NULL)
        event_free(host->io);
    host->io = NULL;
    /* Not flushed: that may block. */
    host->bus = sd_bus_close_unref(host->bus);
}

static void on_io(evutil_socket_t fd, short what, void *context);

/* Watches what sd-bus waits for, which changes with every message. */
static int watch(struct host *host)
{
    int events = sd_bus_get_events(host->bus);
    uint64_t until_us;
    short what = 0;
    int r;

    if (events < 0)
        return events;
    r = sd_bus_get_timeout(host->bus, &until_us);
    if (r < 0)
        return r;
    if ((events & POLLIN) != 0)
        what |= EV_READ;
    if ((events & POLLOUT) != 0)
        what |= EV_WRITE;
    if (host->io != NULL)
        event_free(host->io);
    host->io = event_new(host->base, sd_bus_get_fd(host->bus), what, on_io, host);
    if (host->io == NULL || event_add(host->io, NULL) < 0)
        return -ENOMEM;
    event_del(host->timer);
    if (until_us != UINT64_MAX) {
        int64_t wait_us = (int64_t)until_us - clock_now().mono_us; /* sd_bus_get_timeout speaks of CLOCK_MONOTONIC */

        wake_after(host, wait_us > 0 ? wait_us : 0);
    }
    return 0;
}

static void process(struct host *host)
{
    int r;

    do
        r = sd_bus_process(host->bus, NULL);
    while (r > 0);
    if (r == 0)
        r = watch(host);
    if (r == 0)
        return;
    disconnect(host);
    wake_after(host, RETRY_SECONDS * USEC_PER_SEC);
}

static void on_io(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    process(context);
}

static int connect_bus(struct host *host)
{
    int r = sd_bus_open_system_with_description(&host->bus, "understudyd");

    if (r < 0)
        return r;
    return sd_bus_match_signal_async(host->bus, NULL, "org.freedesktop.login1", "/org/freedesktop/login1",
                                     "org.freedesktop.login1.Manager", "PrepareForShutdown", on_prepare_for_shutdown,
                                     NULL, host);
}

static void on_timer(evutil_socket_t fd, short what, void *context)
{
    struct host *host = context;

    (void)fd;
    (void)what;
    if (host->bus == NULL && connect_bus(host) < 0) {
        disconnect(host);
        wake_after(host, RETRY_SECONDS * USEC_PER_SEC);
        return;
    }
    process(host);
}

int host_new(struct event_base *base, void (*callback)(void *context, bool is_shutting_down), void *context,
             struct host **ret)
{
    struct host *host = calloc(1, sizeof(*host));

    if (host == NULL)
        return -ENOMEM;
    *host = (struct host){.base = base, .callback = callback, .context = context};
    host->timer = evtimer_new(base, on_timer, host);
    if (host->timer == NULL) {
        free(host);
        return -ENOMEM;
    }
    wake_after(host, 0);
    *ret = host;
    return 0;
}

void host_free(struct host *host)
{
    if (host == NULL)
        return;
    disconnect(host);
    event_free(host->timer);
    free(host);
}
