/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The lists that grow with the room. A long one is made in a copy of the process, and answers all who asked before the copy
 * was made: so however many ask, and however often, the loop makes none, and one copy at a time is at work for each list.
 */
#ifndef UNDERSTUDY_DAEMON_API_LISTS_H
#define UNDERSTUDY_DAEMON_API_LISTS_H

#include "base/cleanup.h"

/* With fewer machines a list is made at once: it takes less time than a copy. */
#define LISTS_LONG 1000
/* So many requests may wait for a list; more are refused (503). */
#define LISTS_WAITING_MAX 256

struct event_base;
struct exchange;
struct lists;
struct routes;

enum list_kind { LIST_OF_MACHINES, LIST_OF_SERVICES, LIST_KIND_COUNT };

/* Borrows the event base, the routes, and their copies. -ENOMEM. */
int lists_new(struct event_base *base, const struct routes *routes, struct lists **ret) _must_check_;
/* Those that wait are not answered any more. After copies_free. Takes NULL. */
void lists_free(struct lists *lists);
DEFINE_CLEANUP(struct lists, lists_free);

/* Answers the request, at once or later. */
void lists_answer(struct lists *lists, struct exchange *exchange, enum list_kind kind);

#endif
