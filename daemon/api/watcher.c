/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/watcher.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "api/copy.h"
#include "api/routes.h"
#include "api/stream.h"
#include "report/changes.h"
#include "service/clock.h"

/* A person takes what comes later than this for "at once"; what changes together is told together. */
#define PAUSE_US (200 * USEC_PER_MSEC)
/* So many times longer than a look took is the pause after it: this share of one processor is all that it takes. */
#define PAUSE_SHARE 4

/* After a look that failed, for want of memory. */
#define RETRY_US USEC_PER_SEC

struct watcher {
    const struct routes *routes;
    struct event *due;
    char *before;        /* how things were at the last look, as of changes_find; NULL: there was none */
    int64_t before_us;   /* when that look began: real_us */
    struct moment begun; /* when the look under way began: by the clock of this process, and by that of the answers */
    int64_t next_us;     /* no look begins sooner: mono_us */
    bool is_looking;
    bool is_due;     /* something may have changed since it began */
    bool has_failed; /* so that the first look came late */
};

/* In the copy. */
static int find_changes(void *context, char **ret)
{
    const struct watcher *watcher = context;
    const struct api_backend *backend = watcher->routes->backend;
    const struct coordinator *coordinator = backend->coordinator(watcher->routes->context);
    struct moment now = backend->now(watcher->routes->context);

    return changes_find(coordinator, backend->problems(watcher->routes->context), coordinator_plan(coordinator, now),
                        now, watcher->before, watcher->before_us, ret);
}

/* Lines "EVENT DOCUMENT". */
static void tell(struct watcher *watcher, char *lines)
{
    char *rest = lines, *line;

    while ((line = strsep(&rest, "\n")) != NULL) {
        char *document = strchr(line, ' ');

        if (document == NULL)
            continue;
        *document = '\0';
        stream_send(watcher->routes->stream, line, document + 1);
    }
}

static void wait_for_next(struct watcher *watcher)
{
    int64_t wait_us = watcher->next_us - clock_now().mono_us;
    struct timeval pause = {0};

    if (wait_us > 0)
        pause = (struct timeval){.tv_sec = wait_us / USEC_PER_SEC, .tv_usec = wait_us % USEC_PER_SEC};
    watcher->is_due = true;
    if (!watcher->is_looking && !evtimer_pending(watcher->due, NULL))
        event_add(watcher->due, &pause);
}

/* No look begins before what the last one took has become a small share of the time. */
static void pause_at_least(struct watcher *watcher, int64_t least_us)
{
    int64_t now_us = clock_now().mono_us, pause_us = (now_us - watcher->begun.mono_us) * PAUSE_SHARE;

    watcher->next_us = now_us + (pause_us > least_us ? pause_us : least_us);
}

/* What was there before stays, so that the next look finds what this one did not. */
static void give_up(struct watcher *watcher)
{
    watcher->has_failed = true;
    pause_at_least(watcher, RETRY_US);
    wait_for_next(watcher);
}

static void on_found(void *token, int error, char *text)
{
    struct watcher *watcher = token;
    char *changes = error == 0 && text != NULL ? strstr(text, "\n\n") : NULL;

    watcher->is_looking = false;
    if (changes == NULL) {
        free(text);
        give_up(watcher);
        return;
    }
    changes[1] = '\0';
    if (watcher->before == NULL && watcher->has_failed)
        stream_send(watcher->routes->stream, STREAM_MISSED, "{}");
    free(watcher->before);
    watcher->before = text;
    tell(watcher, changes + 2);
    watcher->before_us = watcher->begun.real_us;
    pause_at_least(watcher, PAUSE_US);
    if (watcher->is_due)
        wait_for_next(watcher);
}

static void look(struct watcher *watcher)
{
    int r;

    watcher->is_due = false;
    watcher->begun.mono_us = clock_now().mono_us;
    watcher->begun.real_us = watcher->routes->backend->now(watcher->routes->context).real_us;
    r = copies_make(watcher->routes->copies, find_changes, watcher, on_found, watcher);
    watcher->is_looking = r == 0;
    if (r == -EBUSY) {
        watcher->has_failed |= watcher->before == NULL;
        watcher->next_us = watcher->begun.mono_us + COPY_PAUSE_MS * USEC_PER_MSEC;
        wait_for_next(watcher);
    } else if (r < 0) {
        give_up(watcher);
    }
}

static void on_due(evutil_socket_t fd, short what, void *context)
{
    struct watcher *watcher = context;

    (void)fd;
    (void)what;
    if (watcher->is_due && !watcher->is_looking)
        look(watcher);
}

int watcher_new(struct event_base *base, const struct routes *routes, struct watcher **ret)
{
    struct watcher *watcher = calloc(1, sizeof(*watcher));

    if (watcher == NULL)
        return -ENOMEM;
    watcher->routes = routes;
    watcher->due = evtimer_new(base, on_due, watcher);
    if (watcher->due == NULL) {
        free(watcher);
        return -ENOMEM;
    }
    *ret = watcher;
    return 0;
}

void watcher_free(struct watcher *watcher)
{
    if (watcher == NULL)
        return;
    event_free(watcher->due);
    free(watcher->before);
    free(watcher);
}

void watcher_begin(struct watcher *watcher)
{
    if (!watcher->is_looking && watcher->before == NULL && !watcher->has_failed)
        look(watcher);
    else
        wait_for_next(watcher);
}

void watcher_look(struct watcher *watcher)
{
    if (stream_follower_count(watcher->routes->stream) > 0)
        wait_for_next(watcher);
}
