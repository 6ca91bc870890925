/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A recovery in the words of its notices. */
#include "coordinator/recovery_notices.h"

/* As the rest of what people read calls it: "host/name" where the name alone could mean another one. */
static const char *called(const struct outbox *outbox, const struct machine_ref *ref, const char *name)
{
    const struct machine *machine = pool_find(outbox->pool, ref->hypervisor, ref->uuid);

    return machine != NULL ? pool_display_name(outbox->pool, machine) : name;
}

static const char *failed_of(const struct outbox *outbox, const struct recovery *recovery)
{
    return called(outbox, &recovery->failed, recovery->failed_name);
}

static const char *replacement_of(const struct outbox *outbox, const struct recovery *recovery)
{
    return called(outbox, &recovery->replacement, recovery->replacement_name);
}

void recovery_notices_tell_decision(struct outbox *outbox, const struct recovery *recovery, struct moment now)
{
    if (recovery->is_restarting)
        outbox_tell_recovery(outbox, NOTICE_DECIDED, now, recovery, "%s itself is started again, attempt %u",
                             failed_of(outbox, recovery), recovery->restarts);
    else if (recovery->is_anyway)
        outbox_tell_recovery(outbox, NOTICE_DECIDED, now, recovery, "%s takes over from %s, %s",
                             replacement_of(outbox, recovery), failed_of(outbox, recovery),
                             recovery->is_rehearsal ? "for a rehearsal" : "as an operator ordered");
    else
        outbox_tell_recovery(outbox, NOTICE_DECIDED, now, recovery, "%s",
                             recovery->explanation != NULL ? recovery->explanation->summary
                                                           : replacement_of(outbox, recovery));
}

void recovery_notices_tell_no_intent(struct outbox *outbox, const struct recovery *recovery, struct moment now)
{
    outbox_tell_recovery(
        outbox, NOTICE_INTENT_FAILED, now, recovery,
        "%s is started for %s, and that could not be written down first: should understudyd die now, the "
        "next one knows nothing of it; look at the disk of state_dir",
        replacement_of(outbox, recovery), failed_of(outbox, recovery));
}

void recovery_notices_tell_start(struct outbox *outbox, const struct recovery *recovery, struct moment now)
{
    outbox_tell_recovery(outbox, NOTICE_STARTED, now, recovery, "%s runs for %s; not verified yet",
                         replacement_of(outbox, recovery), failed_of(outbox, recovery));
}

void recovery_notices_tell_attempt(struct outbox *outbox, const struct recovery *recovery, struct moment now)
{
    const struct recovery_attempt *attempt = &recovery->attempts[recovery->n_attempts - 1];
    const char *candidate = called(outbox, &attempt->candidate, attempt->name);
    const char *error = attempt->error != NULL ? attempt->error : "it did not come up";

    if (attempt->is_vetoed)
        outbox_tell_recovery(outbox, NOTICE_VETOED, now, recovery, "%s is not started for %s, vetoed by %s", candidate,
                             failed_of(outbox, recovery), error);
    else if (machine_ref_equal(&attempt->candidate, &recovery->failed))
        outbox_tell_recovery(outbox, NOTICE_ATTEMPT_FAILED, now, recovery, "%s could not be started again itself: %s",
                             candidate, error);
    else
        outbox_tell_recovery(outbox, NOTICE_ATTEMPT_FAILED, now, recovery, "%s could not replace %s: %s", candidate,
                             failed_of(outbox, recovery), error);
}

void recovery_notices_tell_end(struct outbox *outbox, const struct recovery *recovery, struct moment now)
{
    const char *detail = recovery->detail != NULL ? recovery->detail : "";

    switch (recovery->state) {
    case RECOVERY_RECOVERED:
        if (recovery->relief != RELIEF_NONE)
            outbox_tell_recovery(outbox, NOTICE_RECOVERED, now, recovery, "the %s of %s has ended: %s",
                                 failure_cause_name(recovery->cause), recovery->service_name, detail);
        else
            outbox_tell_recovery(outbox, NOTICE_RECOVERED, now, recovery, "%s is recovered: %s",
                                 failed_of(outbox, recovery), detail);
        break;
    case RECOVERY_EXHAUSTED:
        outbox_tell_recovery(outbox, NOTICE_EXHAUSTED, now, recovery, "%s is not recovered: %s",
                             failed_of(outbox, recovery), detail);
        break;
    case RECOVERY_DISMISSED:
        outbox_tell_recovery(outbox, NOTICE_DISMISSED, now, recovery, "%s needs no recovery: %s",
                             failed_of(outbox, recovery), detail);
        break;
    case RECOVERY_OBSERVED:
        if (recovery->is_restarting)
            outbox_tell_recovery(outbox, NOTICE_OBSERVED, now, recovery, "%s would be started again itself; %s",
                                 failed_of(outbox, recovery), detail);
        else
            outbox_tell_recovery(outbox, NOTICE_OBSERVED, now, recovery, "%s would be replaced by %s; %s",
                                 failed_of(outbox, recovery), replacement_of(outbox, recovery), detail);
        break;
    case RECOVERY_CALLED_OFF:
        outbox_tell_recovery(outbox, NOTICE_CALLED_OFF, now, recovery, "the %s of %s is called off: %s",
                             failure_cause_name(recovery->cause), recovery->service_name, detail);
        break;
    case RECOVERY_HELD:
        outbox_tell_recovery(outbox, NOTICE_FAILED_WHILE_HELD, now, recovery,
                             "%s failed while held, and nothing is started for it: %s", failed_of(outbox, recovery),
                             detail);
        break;
    case RECOVERY_DETECTED:
    case RECOVERY_CONFIRMING:
    case RECOVERY_DESTROYING:
    case RECOVERY_SELECTING:
    case RECOVERY_RECORDING:
    case RECOVERY_PREPARING:
    case RECOVERY_STARTING:
    case RECOVERY_RESOLVING:
    case RECOVERY_STOPPING:
    case RECOVERY_SETTLING:
    case RECOVERY_VERIFYING:
    case RECOVERY_WAITING:
    case RECOVERY_ANNOUNCING:
    case RECOVERY_RELIEVING:
    case RECOVERY_LEAVING:
    case RECOVERY_ENDING:
    case RECOVERY_STATE_COUNT:
    default:
        break;
    }
}
