/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* GET /v1/recoveries: those that the query asks for, or one. */
#ifndef UNDERSTUDY_DAEMON_API_HISTORY_H
#define UNDERSTUDY_DAEMON_API_HISTORY_H

#include "api/api.h"
#include "api/pending.h"

struct evhttp_request;
struct evkeyvalq;

/* What is asked, and where an answer waits that comes later. */
struct history_asked {
    const struct api_backend *backend;
    void *context;
    struct pending_list *pending;
    struct evhttp_request *request;
};

/*
 * Answers with the recoveries, the newest first, those that are only stored as well. The query, decoded, may say: failed, a
 * machine; outcome, such as exhausted, or under-way; since and until, instants between which they were detected, as of
 * time_parse; before, the id of the last one of an earlier answer, which this one goes on from; limit, how many, 1000 at
 * most. None are left when the answer is empty. Where there is no such machine, and was none, the answer is 404.
 */
void history_list(const struct history_asked *asked, const struct evkeyvalq *query);

/* Answers with the recovery of this id, in full. */
void history_one(const struct history_asked *asked, const char *id);

#endif
