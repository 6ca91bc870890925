/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What becomes of one recovery in a pass: a machine is taken, memory is made free for one, or no candidate
 * is left. A ranking proposes; a look at every machine has the last word, and is what is written down.
 */
#ifndef UNDERSTUDY_COORDINATOR_DECIDE_H
#define UNDERSTUDY_COORDINATOR_DECIDE_H

#include "coordinator/seeker.h"

/*
 * With a machine for the seeker, or NULL: none is eligible. n seekers are in the round. True: a machine was
 * taken. Else its turn comes later, or it is settled that there is no candidate.
 */
bool decide(struct pass *pass, const struct seeker *seeker, size_t n, const struct machine *machine);

#endif
