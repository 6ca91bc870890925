/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Why a machine may, or may not, take the place of a failed one. */
#ifndef UNDERSTUDY_PROTOCOL_VERDICT_H
#define UNDERSTUDY_PROTOCOL_VERDICT_H

/* The first that applies is the candidate's; select_judge has the order. */
enum candidate_verdict {
    CANDIDATE_ELIGIBLE,
    CANDIDATE_NOT_STANDBY,     /* its role does not allow it */
    CANDIDATE_UNREACHABLE,     /* its hypervisor is not connected */
    CANDIDATE_NOT_STANDING_BY, /* it runs, is on its way up or down, or is preserved remains */
    CANDIDATE_FAILED_ITSELF,   /* and was not recovered: not one to rely on */
    CANDIDATE_CLAIMED,         /* reserved for another recovery, as its candidate or as the machine that failed */
    CANDIDATE_TRIED,           /* this recovery tried it already and it failed */
    CANDIDATE_UNDER_OPERATOR,  /* protected and paused by an operator: not to be resumed unasked */
    CANDIDATE_NOT_SIMILAR,     /* see score.verdict */
    CANDIDATE_QUARANTINED,     /* it did not come up lately */
    CANDIDATE_NO_MEMORY,       /* its host has not enough to spare */
    CANDIDATE_DISK_IN_USE,     /* see conflict and conflict_with */
    CANDIDATE_MAC_IN_USE,
    CANDIDATE_COUNT,
};

#endif
