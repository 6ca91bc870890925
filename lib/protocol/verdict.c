/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Verdicts in words. */
#include "protocol/verdict.h"

const char *candidate_verdict_name(enum candidate_verdict verdict)
{
    static const char *const names[CANDIDATE_VERDICTS] = {
        [CANDIDATE_ELIGIBLE] = "eligible",
        [CANDIDATE_NOT_STANDBY] = "not standby",
        [CANDIDATE_HELD] = "held",
        [CANDIDATE_UNREACHABLE] = "hypervisor not connected",
        [CANDIDATE_NOT_STANDING_BY] = "not standing by",
        [CANDIDATE_FAILED_ITSELF] = "failed itself",
        [CANDIDATE_DIVERTED] = "its service is served by a replacement",
        [CANDIDATE_CLAIMED] = "claimed",
        [CANDIDATE_UNDER_OPERATOR] = "paused by an operator",
        [CANDIDATE_NOT_MAKEABLE] = "cannot be made now",
        [CANDIDATE_QUARANTINED] = "in quarantine",
        [CANDIDATE_NOT_SIMILAR] = "not similar enough",
        [CANDIDATE_WRONG_HOST] = "on a host where the service may not run",
        [CANDIDATE_JUST_STOPPED] = "stopped by an operator just now",
        [CANDIDATE_TRIED] = "tried already",
        [CANDIDATE_NO_MEMORY] = "no memory on its host",
        [CANDIDATE_IN_USE] = "disk or address in use",
    };

    return names[verdict];
}
