/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The metrics: counts what is told, measures how late the event loop is, and asks the parts for the rest. */
#ifndef UNDERSTUDY_DAEMON_METERS_H
#define UNDERSTUDY_DAEMON_METERS_H

#include <stdint.h>

#include "base/cleanup.h"
#include "base/moment.h"
#include "protocol/notice.h"
#include "report/metrics.h"

struct answers;
struct api;
struct board;
struct coordinator;
struct event;
struct event_base;
struct nodes;
struct persistence;
struct programs;
struct settings;

/* A plain value: initialise what is borrowed, the rest is 0. End with meters_done. */
struct meters {
    struct coordinator *coordinator;
    const struct answers *answers;
    const struct nodes *nodes;
    const struct persistence *persistence;
    const struct programs *programs;
    const struct board *board;
    const struct settings *settings;
    const struct api *api;
    struct event *pump; /* activated now and then, so that a clock that has jumped is noticed */
    struct moment started;
    struct event *tick;
    int64_t due_us;     /* when it is to come: mono_us */
    int64_t planned_us; /* when the plan was complete last, as far as that was looked at: mono_us */
    struct metrics_counters counters;
};

/* Begins to measure the event loop. -ENOMEM. */
int meters_open(struct meters *meters, struct event_base *base) _must_check_;

void meters_count(struct meters *meters, const struct notice *notice);

/* As status_collect, with what the daemon knows of itself, and the problems of the last look. */
int meters_collect_status(const struct meters *meters, struct plan *plan, struct status *ret) _must_check_;

/* The page as of metrics_format. -ENOMEM. */
int meters_format(const struct meters *meters, enum metrics_form form, char **ret) _must_check_;

void meters_done(struct meters *meters);

#endif
