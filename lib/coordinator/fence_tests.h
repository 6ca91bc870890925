/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Fence agents are asked once a day whether they answer, one host at a time; and what they were asked, then and when a host
 * was fenced, is kept. Decides nothing about hosts.
 */
#ifndef UNDERSTUDY_COORDINATOR_FENCE_TESTS_H
#define UNDERSTUDY_COORDINATOR_FENCE_TESTS_H

#include "coordinator/component.h"
#include "coordinator/registry.h"

/* `self` is the registry. */
component_answer fence_tests_answer;
component_tick fence_tests_tick;
component_deadline fence_tests_deadline;
component_next fence_tests_next; /* TEST_FENCING */

/* After a new configuration: every host is tested anew. */
void fence_tests_configure(struct registry *registry);

/* What became of an agent that was asked about the host. */
void fence_tests_take(struct registry *registry, struct host *host, const struct fence_report *report,
                      struct moment now);

#endif
