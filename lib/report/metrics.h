/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Plain counters → Prometheus text (https://prometheus.io/docs/instrumenting/exposition_formats/).
 * Gauges are read off the status and the pool; counters are counted here from the notices.
 */
#ifndef UNDERSTUDY_REPORT_METRICS_H
#define UNDERSTUDY_REPORT_METRICS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "detect/failure.h"
#include "pool/pool.h"
#include "protocol/notice.h"
#include "report/status.h"

#define METRICS_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

enum metrics_outcome {
    METRICS_RECOVERED,
    METRICS_EXHAUSTED,
    METRICS_DISMISSED,
    METRICS_OBSERVED,
    METRICS_CALLED_OFF,
    METRICS_HELD,
    METRICS_OUTCOME_COUNT,
};

/* Counted since the program started. A plain value: initialise with {0}. */
struct metrics_counters {
    uint64_t notices[NOTICE_COUNT];
    uint64_t recoveries[METRICS_OUTCOME_COUNT][CAUSE_COUNT];
    uint64_t timed;           /* recoveries whose duration was told and which ended in "recovered" */
    int64_t duration_sum_us;  /* of those */
    int64_t last_duration_us; /* of the latest of those; meaningful when timed > 0 */
};

void metrics_count(struct metrics_counters *counters, const struct notice *notice);

/* The whole document. Caller frees *ret. -ENOMEM. */
int metrics_format(const struct status *status, const struct pool *pool, const struct metrics_counters *counters,
                   char **ret) _must_check_;

#endif
