/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads the moments that a recovery keeps; changes nothing. */
#include "report/course.h"

static const char *const names[COURSE_PHASE_COUNT] = {
    [COURSE_DETECT] = "detect", [COURSE_CONFIRM] = "confirm", [COURSE_DECIDE] = "decide", [COURSE_RECORD] = "record",
    [COURSE_START] = "start",   [COURSE_SETTLE] = "settle",   [COURSE_VERIFY] = "verify",
};

const char *course_phase_name(enum course_phase phase)
{
    return names[phase];
}

/* While a later candidate is tried, the moments of the one before are still there. */
static struct moment unless_stale(struct moment moment, struct moment decided)
{
    if (moment.mono_us < decided.mono_us)
        return (struct moment){0};
    return moment;
}

struct course course_of(const struct recovery *recovery)
{
    return (struct course){
        .decided = recovery->decided,
        .recorded = unless_stale(recovery->recorded, recovery->decided),
        .started = unless_stale(recovery->started, recovery->decided),
        .settled = unless_stale(recovery->settled, recovery->decided),
    };
}

static int64_t span_us(struct moment from, struct moment to)
{
    return moment_has_come(from) && moment_has_come(to) ? to.mono_us - from.mono_us : -1;
}

int64_t course_phase_us(const struct recovery *recovery, enum course_phase phase)
{
    struct course course = course_of(recovery);

    switch (phase) {
    case COURSE_DETECT:
        return moment_has_come(recovery->down_since) ? -1 : span_us(recovery->failed_at, recovery->detected);
    case COURSE_CONFIRM:
        return span_us(recovery->detected, recovery->confirmed);
    case COURSE_DECIDE:
        return span_us(recovery->confirmed, course.decided);
    case COURSE_RECORD:
        return span_us(course.decided, course.recorded);
    case COURSE_START:
        return span_us(moment_has_come(course.recorded) ? course.recorded : course.decided, course.started);
    case COURSE_SETTLE:
        return span_us(course.started, course.settled);
    case COURSE_VERIFY:
        return recovery->state == RECOVERY_RECOVERED ? span_us(course.settled, recovery->ended) : -1;
    case COURSE_PHASE_COUNT:
    default:
        return -1;
    }
}
