/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The plan, the loss of a host and explanations under what an operator supposes: made in a copy, where it is made true. */
#ifndef UNDERSTUDY_DAEMON_API_WHAT_IF_H
#define UNDERSTUDY_DAEMON_API_WHAT_IF_H

#include <stdbool.h>
#include <stddef.h>

#include "model/machine.h"

struct evkeyvalq;
struct exchange;

/* Something is supposed behind the question mark. */
bool what_if_is_asked(const struct evkeyvalq *query);

/* Answers the request: with the plan, or with host=NAME what becomes of the services of that host when it dies. */
void what_if_plan(const struct exchange *exchange);
/* With the explanation for this machine, of so many candidates. */
void what_if_explain(const struct exchange *exchange, const struct machine_ref *machine, size_t limit);

#endif
