/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Recoveries under way whose machines are migrated meanwhile, by other hands. A candidate is followed to where it runs. A
 * machine that failed, or is to be relieved, and runs elsewhere, serves there: nothing is started in its place.
 */
#ifndef UNDERSTUDY_COORDINATOR_RELOCATION_H
#define UNDERSTUDY_COORDINATOR_RELOCATION_H

#include "coordinator/recoveries.h"

void relocation_follow(struct recoveries *recoveries, struct moment now);

/*
 * The answer to a question about a machine: one that has left its host, and is not seen yet where it runs, is not off; nor is
 * one that is missed, before it was looked for on the other hosts: -EINPROGRESS, and the message names a host that is waited
 * for. Such a question is asked again. Borrowed; `room` is what the answer may be written to.
 */
const struct action_result *relocation_correct(const struct recoveries *recoveries, const struct action *action,
                                               const struct action_result *result, struct action_result *room,
                                               struct moment now);

#endif
