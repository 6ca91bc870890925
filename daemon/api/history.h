/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* GET /v1/recoveries: those that the query asks for, or one. */
#ifndef UNDERSTUDY_DAEMON_API_HISTORY_H
#define UNDERSTUDY_DAEMON_API_HISTORY_H

struct exchange;

/*
 * Answers with the recoveries, the newest first, those that are only stored as well. The query may say: failed, a
 * machine; outcome, such as exhausted, or under-way; since and until, instants between which they were detected, as of
 * time_parse; before, the id of the last one of an earlier answer, which this one goes on from; limit, how many, 1000 at
 * most. None are left when the answer is empty. Where there is no such machine, and was none, the answer is 404.
 */
void history_list(struct exchange *exchange);

/* Answers with the recovery whose id stands in the path, in full. */
void history_one(struct exchange *exchange);

#endif
