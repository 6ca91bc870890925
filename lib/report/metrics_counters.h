/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the metrics count, from the notices and the recoveries that they are about. */
#ifndef UNDERSTUDY_REPORT_METRICS_COUNTERS_H
#define UNDERSTUDY_REPORT_METRICS_COUNTERS_H

#include <stdint.h>

#include "protocol/notice.h"
#include "report/course.h"
#include "report/histogram.h"
#include "workflow/recovery.h"

enum metrics_outcome {
    METRICS_RECOVERED,
    METRICS_EXHAUSTED,
    METRICS_DISMISSED,
    METRICS_OBSERVED,
    METRICS_CALLED_OFF,
    METRICS_HELD,
    METRICS_OUTCOME_COUNT,
};

/* As of a recovery: "recovered" and so on. */
const char *metrics_outcome_name(enum metrics_outcome outcome);

/* Why a service was down. */
enum metrics_reason {
    METRICS_FAILURE,
    METRICS_DRILL,
    METRICS_ORDER, /* a failover or failback */
    METRICS_REASON_COUNT,
};

/* "failure", "drill", "order". */
const char *metrics_reason_name(enum metrics_reason reason);

/* Counted since the program started. A plain value: initialise with {0}. */
struct metrics_counters {
    uint64_t notices[NOTICE_COUNT];
    uint64_t recoveries[METRICS_OUTCOME_COUNT][CAUSE_COUNT];
    struct histogram durations;                  /* from detection to "recovered"; not of orders */
    int64_t last_duration_us;                    /* the latest of these; meaningful where there is one */
    struct histogram phases[COURSE_PHASE_COUNT]; /* of the same recoveries */
    struct histogram outages[METRICS_REASON_COUNT];
    struct histogram loop_lag; /* how late the event loop was, as the caller adds it */
};

/* recovery: that the notice is about, borrowed; NULL: none, or it is not known any more. */
void metrics_count(struct metrics_counters *counters, const struct notice *notice, const struct recovery *recovery);

#endif
