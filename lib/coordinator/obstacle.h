/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Why nothing would be started, whatever the candidates are. Changes nothing. */
#ifndef UNDERSTUDY_COORDINATOR_OBSTACLE_H
#define UNDERSTUDY_COORDINATOR_OBSTACLE_H

#include "coordinator/brake.h"

/*
 * Why nothing would be started if this machine failed now, in one clause that names the way out; NULL: candidates alone
 * decide. Caller frees. -ENOMEM.
 */
int obstacle_describe(const struct brake *brake, const struct machine *machine, struct moment now,
                      char **ret) _must_check_;

#endif
