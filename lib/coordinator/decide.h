/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What becomes of one recovery in a pass: a machine is taken, memory is made free for one, or no candidate
 * is left.
 */
#ifndef UNDERSTUDY_COORDINATOR_DECIDE_H
#define UNDERSTUDY_COORDINATOR_DECIDE_H

#include "coordinator/seeker.h"

/* There is room on its host for one more start, and no course of warming that must end first. */
bool decide_can_take(const struct pass *pass, const struct machine *machine);

/*
 * With a machine for the seeker, or NULL: none is eligible. True: the machine was taken. Else its turn comes later, or it
 * is settled that there is no candidate.
 */
bool decide(struct pass *pass, const struct seeker *seeker, const struct machine *machine);

#endif
