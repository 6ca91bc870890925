/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the coordinator hands to its driver. The model is the Ready of etcd's raft: the coordinator decides
 * in memory, and the driver carries out in a fixed order. There are four classes:
 *
 *   documents   recoveries, hosts and machines that have changed. The driver takes them in this order
 *               and writes them in one transaction: neither may reach the disk without the others.
 *   questions   LIST, DESCRIBE, READ, GET_STATE, GET_AUTOSTART, CHECK_ALIVE, VERIFY, MEASURE_MEMORY,
 *               TEST_FENCING. They change nothing and wait for nothing.
 *   actions     RECORD, REMEMBER, HOOK, START, UNMAKE, SUSPEND, SAVE, SHUTDOWN, DESTROY, SET_CLOCK, SET_METADATA,
 *               SET_AUTOSTART, FENCE. What must be on disk before an action is asked for by an action of its own,
 *               RECORD or REMEMBER, and the coordinator hands out the START, or the end of an autostart, only after
 *               the answer to it.
 *   notices     for people. They may be lost and are repeated nowhere.
 *
 * After an input, or several that come in at the same time, the driver takes all of them until none is
 * left. It may carry out questions and actions in any order, and answers each exactly once. An action that
 * was handed out is never recalled.
 *
 * This file holds what belongs to no component: the queue of notices and the ids of actions. What stands
 * in the other classes is the components' own, so that asking for an action never needs memory.
 */
#ifndef UNDERSTUDY_COORDINATOR_OUTBOX_H
#define UNDERSTUDY_COORDINATOR_OUTBOX_H

#include <stdarg.h>

#include "coordinator/component.h"
#include "pool/pool.h"
#include "protocol/notice.h"
#include "workflow/recovery.h"

struct outbox {
    const struct pool *pool; /* borrowed: for the names of machines */
    struct notice *notices;  /* a queue: first … end - 1 */
    size_t first, end;
    uint64_t last; /* number of an action */
};

/* Never 0, and never the same. It tells which component the answer is for. */
uint64_t outbox_new_id(struct outbox *outbox, enum part owner);
enum part outbox_owner_of(uint64_t action_id);

/* Appends a notice about `machine` (may be NULL). Without memory it is dropped, as are all notices below. */
void outbox_tell(struct outbox *outbox, enum notice_kind kind, struct moment at, const struct machine *machine,
                 const char *format, ...) _printf_(5, 6);
/* About a recovery: with its id, cause, replacement and numbers. */
void outbox_tell_recovery(struct outbox *outbox, enum notice_kind kind, struct moment at,
                          const struct recovery *recovery, const char *format, ...) _printf_(5, 6);
/* About what a recovery has led to, which may be forgotten by now. machine may be NULL. */
void outbox_tell_later(struct outbox *outbox, enum notice_kind kind, struct moment at, const struct machine *machine,
                       const char *recovery_id, const char *format, ...) _printf_(6, 7);
/* About a host, by the name of its hypervisor. */
void outbox_tell_host(struct outbox *outbox, enum notice_kind kind, struct moment at, const char *hypervisor,
                      const char *format, ...) _printf_(5, 6);

/* Hands over the oldest notice: notice_done. False: there is none. */
bool outbox_next_notice(struct outbox *outbox, struct notice *ret);
void outbox_done(struct outbox *outbox);

#endif
