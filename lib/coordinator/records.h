/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * All recoveries as records, the oldest first: those under way, those that ended, and those from before
 * the daemon was started that still wait for their hypervisors. Knows nothing of how recoveries go on.
 */
#ifndef UNDERSTUDY_COORDINATOR_RECORDS_H
#define UNDERSTUDY_COORDINATOR_RECORDS_H

#include "workflow/recovery.h"

/*
 * So long after it was last waited for, a guest that was asked to shut down does so because of that, rather than because of
 * its operator.
 */
#define LATE_STOP_US (5 * 60 * USEC_PER_SEC)

/* A plain value: begin with {0}, end with records_done. Owns the recoveries. */
struct records {
    struct recovery **all; /* the oldest first */
    size_t count;
    struct recovery **restored; /* not taken up again yet; also in `all`, and none of them is final */
    size_t n_restored;
    char id_second[sizeof("YYYYYMMDD-HHMMSS")]; /* of the last id */
    unsigned id_count;                          /* its number in that second */
};

/* An id in UTC and a number: readable, sortable, and unique among what is remembered. */
void records_make_id(struct records *records, struct moment now, char id[RECOVERY_ID_SIZE]);

/* Room for one more, so that records_add cannot fail. -ENOMEM. */
int records_make_room(struct records *records) _must_check_;
void records_add(struct records *records, struct recovery *recovery);
/* One that was read back; takes it. One that was under way waits among the restored. -ENOMEM: it is freed. */
int records_add_restored(struct records *records, struct recovery *recovery) _must_check_;

/* NULL: none of that id. */
struct recovery *records_find(const struct records *records, const char *id);
/* One that has changed since it was last handed out, borrowed; NULL: none. */
const struct recovery *records_next_changed(struct records *records);
/* How many are under way and are not among the restored. */
size_t records_count_open(const struct records *records);

/* A recovery took this machine since then (real_us), and it serves or served. */
bool records_was_taken(const struct records *records, const struct machine_ref *ref, int64_t since_us);

/* A restored recovery has this machine as its failed machine. */
bool records_await_failed(const struct records *records, const struct machine_ref *ref);
/* As above, or as the candidate that it has now. */
bool records_await(const struct records *records, const struct machine_ref *ref);
/* As above, or as a candidate that it gave up: how that one ended may not have reached the disk. */
bool records_concern(const struct records *records, const struct machine_ref *ref);

/* A recovery under way is to relieve this machine. */
bool records_relieve(const struct records *records, const struct machine_ref *ref);
/*
 * It has stopped: the latest one that was called off not long ago, had asked it to shut down, and had not seen it off. NULL:
 * none. However it stopped, no one of them has asked it any more.
 */
const struct recovery *records_take_asked_to_stop(struct records *records, const struct machine_ref *ref,
                                                  struct moment now);
/* A start of this machine that was given up has brought it up, and it is being ended. */
bool records_came_late(const struct records *records, const struct machine_ref *ref);

/* An attempt to start this machine may have left parts of it. */
bool records_may_have_parts(const struct records *records, const struct machine_ref *ref);
/* It has run, by whichever start: what there is holds what its guest wrote, and is no part that was left. */
void records_leave_no_parts(struct records *records, const struct machine_ref *ref);

void records_done(struct records *records);

#endif
