/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One standby that is kept warm: what is held of it, and what its steps ask for. */
#ifndef UNDERSTUDY_COORDINATOR_STANDBY_WARM_STANDBY_H
#define UNDERSTUDY_COORDINATOR_STANDBY_WARM_STANDBY_H

#include "coordinator/standby/standby.h"

/* A step of its course. result and detail may be NULL. */
void warm_standby_handle(struct standby *standby, struct warm_standby *warm, enum warming_event_kind kind,
                         const struct action_result *result, const char *detail, struct moment now);
/* Its host was lost. If the host runs on after all, what is found of the machine is no failure: it served no service. */
void warm_standby_note_loss(struct standby *standby, const struct warm_standby *warm);
/* What others see of it follows from the state of its course. */
void warm_standby_show(struct standby *standby, struct warm_standby *warm);
/* Room, hold and watch; not begun yet. -ENOMEM. */
int warm_standby_add(struct standby *standby, const struct machine *machine, struct warm_standby **ret) _must_check_;
/* Begins to keep this one, which stands first in the plan of the service of `served`. -ENOMEM, -EBUSY. */
int warm_standby_begin(struct standby *standby, const struct machine *machine, const struct machine *served,
                       struct moment now) _must_check_;
/* Nothing of the machine is held here any more but the machine itself, which the sweep lets go of. */
void warm_standby_let_go(struct standby *standby, struct warm_standby *warm);
/* The QEMU of the machine is there, or will be: it counts against the limit. */
bool warm_standby_has_memory(const struct warm_standby *warm);
void warm_standby_free(struct warm_standby *warm);

/* What the plan or the choice looks at has changed: both are looked at again soon. */
void standby_touch(struct standby *standby, struct moment now);
/* The component wakes up then at the latest. */
void standby_wake(struct standby *standby, int64_t at_us);

#endif
