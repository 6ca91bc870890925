/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The machine or the service that a request names. Where there is not exactly one, the request is answered here. */
#ifndef UNDERSTUDY_DAEMON_API_FIND_H
#define UNDERSTUDY_DAEMON_API_FIND_H

#include <stdbool.h>

#include "base/cleanup.h"
#include "coordinator/coordinator.h"

struct exchange;

/* NULL: the request is answered. */
const struct machine *find_machine_called(const struct exchange *exchange, const char *name) _must_check_;
/* The one named in the path, likewise. */
const struct machine *find_machine(const struct exchange *exchange) _must_check_;

/*
 * The service named in the path, by its own name or by a machine: *ret is the machine that serves it, or the one that was
 * named. False: the request is answered.
 */
bool find_service(const struct exchange *exchange, struct machine_ref *ret) _must_check_;

#endif
