/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The phases of a recovery, and how long each of them took. */
#ifndef UNDERSTUDY_REPORT_COURSE_H
#define UNDERSTUDY_REPORT_COURSE_H

#include <stdint.h>

#include "workflow/recovery.h"

/* In their order. To decide takes as long as all earlier candidates together. */
enum course_phase {
    COURSE_DETECT, /* from the failure, as far as that is known, until it is detected; not of one that is tried again */
    COURSE_CONFIRM, /* until the machine is known to be dead */
    COURSE_DECIDE,  /* until the candidate is chosen that the recovery ends with */
    COURSE_RECORD,  /* until the intent to start it is on disk */
    COURSE_START,   /* until it runs */
    COURSE_SETTLE,  /* until it has stayed up for the settle time */
    COURSE_VERIFY,  /* until it has shown that it works */
    COURSE_PHASE_COUNT,
};

/* "detect", "confirm", … */
const char *course_phase_name(enum course_phase phase);

/* The moments of the last candidate; {0}: has not come. */
struct course {
    struct moment decided, recorded, started, settled;
};

struct course course_of(const struct recovery *recovery);

/*
 * In microseconds. Less than 0: it has not come to its end, or the steps came in another order, as by order: the other
 * machine is chosen before this one is off.
 */
int64_t course_phase_us(const struct recovery *recovery, enum course_phase phase);

#endif
