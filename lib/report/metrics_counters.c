/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which notice counts as what. */
#include "report/metrics_counters.h"

static const struct {
    enum notice_kind notice;
    enum recovery_state state;
} outcomes[METRICS_OUTCOME_COUNT] = {
    [METRICS_RECOVERED] = {NOTICE_RECOVERED, RECOVERY_RECOVERED},
    [METRICS_EXHAUSTED] = {NOTICE_EXHAUSTED, RECOVERY_EXHAUSTED},
    [METRICS_DISMISSED] = {NOTICE_DISMISSED, RECOVERY_DISMISSED},
    [METRICS_OBSERVED] = {NOTICE_OBSERVED, RECOVERY_OBSERVED},
    [METRICS_CALLED_OFF] = {NOTICE_CALLED_OFF, RECOVERY_CALLED_OFF},
    [METRICS_HELD] = {NOTICE_FAILED_WHILE_HELD, RECOVERY_HELD},
};

static const char *const reasons[METRICS_REASON_COUNT] = {
    [METRICS_FAILURE] = "failure", [METRICS_DRILL] = "drill", [METRICS_ORDER] = "order"};

const char *metrics_outcome_name(enum metrics_outcome outcome)
{
    return recovery_state_name(outcomes[outcome].state);
}

const char *metrics_reason_name(enum metrics_reason reason)
{
    return reasons[reason];
}

static bool is_ordered(const struct notice *notice)
{
    return notice->cause == CAUSE_FAILOVER || notice->cause == CAUSE_FAILBACK;
}

/* How long an order took says nothing of how long a failure takes. */
static void count_times(struct metrics_counters *counters, const struct notice *notice, const struct recovery *recovery)
{
    if (notice->duration_us >= 0) {
        histogram_add(&counters->durations, notice->duration_us);
        counters->last_duration_us = notice->duration_us;
    }
    for (enum course_phase phase = 0; recovery != NULL && phase < COURSE_PHASE_COUNT; phase++) {
        int64_t us = course_phase_us(recovery, phase);

        if (us >= 0)
            histogram_add(&counters->phases[phase], us);
    }
}

static void count_outage(struct metrics_counters *counters, const struct notice *notice,
                         const struct recovery *recovery)
{
    int64_t us = recovery_outage_us(recovery, notice->at);
    enum metrics_reason reason = is_ordered(notice)   ? METRICS_ORDER
                                 : recovery->is_drill ? METRICS_DRILL
                                                      : METRICS_FAILURE;

    if (us >= 0)
        histogram_add(&counters->outages[reason], us);
}

void metrics_count(struct metrics_counters *counters, const struct notice *notice, const struct recovery *recovery)
{
    counters->notices[notice->kind]++;
    for (size_t i = 0; i < METRICS_OUTCOME_COUNT; i++)
        if (outcomes[i].notice == notice->kind)
            counters->recoveries[i][notice->cause]++;
    if (notice->kind != NOTICE_RECOVERED)
        return;
    if (!is_ordered(notice))
        count_times(counters, notice, recovery);
    if (recovery != NULL)
        count_outage(counters, notice, recovery);
}
