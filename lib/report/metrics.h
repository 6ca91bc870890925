/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Plain counters → the page of metrics, in two forms of text: OpenMetrics 1.0
 * (https://github.com/prometheus/OpenMetrics, specification/OpenMetrics.md), and the older form of Prometheus
 * (https://prometheus.io/docs/instrumenting/exposition_formats/). Both have the same samples. Gauges are read off the
 * status, the pool and what the daemon says of itself.
 */
#ifndef UNDERSTUDY_REPORT_METRICS_H
#define UNDERSTUDY_REPORT_METRICS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "pool/pool.h"
#include "report/metrics_counters.h"
#include "report/status.h"

enum metrics_form {
    METRICS_PROMETHEUS, /* also what the textfile collector of node_exporter reads */
    METRICS_OPENMETRICS,
    METRICS_FORM_COUNT,
};

/* The value of the HTTP header Content-Type. */
const char *metrics_content_type(enum metrics_form form);

/* What was begun and has not ended, or waits to be begun. */
enum metrics_queue {
    METRICS_ANSWERS,  /* actions that the daemon itself carries out: writes, hooks, fencing */
    METRICS_CALLS,    /* to hypervisors */
    METRICS_PROGRAMS, /* hooks and fence agents */
    METRICS_ROWS,     /* of the store, not on disk yet */
    METRICS_QUEUE_COUNT,
};

/* What only the daemon knows of itself. */
struct metrics_daemon {
    size_t queues[METRICS_QUEUE_COUNT];
    size_t followers; /* clients of the event stream */
    bool store_writes;
    uint64_t store_errors; /* writes that failed, or were not answered in time */
    int64_t plan_age_us;   /* since the plan was complete last; 0: it is */
};

/* The whole page. Caller frees *ret. -ENOMEM. */
int metrics_format(enum metrics_form form, const struct status *status, const struct pool *pool,
                   const struct metrics_counters *counters, const struct metrics_daemon *daemon,
                   char **ret) _must_check_;

#endif
