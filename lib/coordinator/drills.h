/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Drills: a failure that an operator orders is announced, so that it is taken for one and recorded as a drill. The
 * announcement is part of what is written down of the machine, and holds for a daemon that is started meanwhile.
 */
#ifndef UNDERSTUDY_COORDINATOR_DRILLS_H
#define UNDERSTUDY_COORDINATOR_DRILLS_H

#include "coordinator/registry.h"

/* The machine is crashed, or on another host than the daemon's destroyed, once this is on disk. by: as in struct order. -ENOMEM. */
int drills_announce(struct registry *registry, struct watch *watch, const char *by, bool is_rehearsal,
                    struct moment now) _must_check_;

/* Nothing comes of it, or it has come. */
void drills_end(struct registry *registry, struct watch *watch);

/* A failure now is the drill that was announced. */
bool drills_is_due(const struct registry *registry, const struct watch *watch, struct moment now);
/* And the machine is destroyed for it. watch may be NULL. */
bool drills_destroys(const struct registry *registry, const struct watch *watch, struct moment now);

#endif
