/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How many services are up, in one line, for status and watch; and which one nothing would take over. */
#ifndef UNDERSTUDY_DAEMON_CTL_SERVICES_LINE_H
#define UNDERSTUDY_DAEMON_CTL_SERVICES_LINE_H

#include <jansson.h>
#include <stdbool.h>

#include "base/cleanup.h"

/*
 * "5: 4 up, 1 down; 1 served by a replacement; NO MACHINE WOULD TAKE OVER 2: …": states that no service is in are left
 * out. Caller frees.
 */
char *services_line(const json_t *services) _must_check_;

/* It is up, and nothing would take over, nor would it be started again itself. */
bool service_is_bare(const json_t *service);

#endif
