/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* GET /v1/recoveries: those that the query asks for. */
#ifndef UNDERSTUDY_DAEMON_API_HISTORY_H
#define UNDERSTUDY_DAEMON_API_HISTORY_H

#include "coordinator/coordinator.h"

struct evhttp_request;
struct evkeyvalq;

/*
 * Answers with the recoveries, the newest first. The query, decoded, may say: failed, a machine; outcome, such as exhausted,
 * or under-way; since and until, instants between which they were detected, as of time_parse; limit, how many. Where there
 * is no such machine, and was none, the answer is 404.
 */
void history_list(const struct coordinator *coordinator, struct moment now, const struct evkeyvalq *query,
                  struct evhttp_request *request);

#endif
