/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the outbox is told of a recovery as it goes. Decides nothing. */
#ifndef UNDERSTUDY_COORDINATOR_RECOVERY_NOTICES_H
#define UNDERSTUDY_COORDINATOR_RECOVERY_NOTICES_H

#include "coordinator/outbox.h"
#include "workflow/recovery.h"

/* Which machine is to be started, and why. */
void recovery_notices_tell_decision(struct outbox *outbox, const struct recovery *recovery, struct moment now);
/* It is started although that could not be written down. */
void recovery_notices_tell_no_intent(struct outbox *outbox, const struct recovery *recovery, struct moment now);
void recovery_notices_tell_start(struct outbox *outbox, const struct recovery *recovery, struct moment now);
/* Its last attempt failed. */
void recovery_notices_tell_attempt(struct outbox *outbox, const struct recovery *recovery, struct moment now);
/* How it ended; of one under way, nothing. */
void recovery_notices_tell_end(struct outbox *outbox, const struct recovery *recovery, struct moment now);

#endif
