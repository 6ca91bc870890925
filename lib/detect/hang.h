/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Does a guest hang? An answer of its agent that is missing counts only while a second witness agrees,
 * disks and network being silent: a busy guest that merely answers slowly is alive. Where neither disks nor network
 * can be counted there is no second witness, and no answer is missing.
 */
#ifndef UNDERSTUDY_DETECT_HANG_H
#define UNDERSTUDY_DETECT_HANG_H

#include "protocol/action.h"

/* What is remembered of one guest. A plain value: begin with {0}. */
struct hang_track {
    unsigned misses;         /* answers that are missing, in a row */
    struct probe last_probe; /* counters at the first of them */
    bool is_hung;            /* and that was told: not again until it shows life */
};

/* The guest shows life: what was counted is void. */
void hang_clear(struct hang_track *track);

/* One sign of life, or the lack of one. True: it hangs, and that is news. */
bool hang_judge(struct hang_track *track, const struct probe *probe, unsigned misses_max);

#endif
