/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Why a machine may, or may not, take the place of a failed one. */
#ifndef UNDERSTUDY_PROTOCOL_VERDICT_H
#define UNDERSTUDY_PROTOCOL_VERDICT_H

/* The first that applies is the candidate's. Up to the quarantine they are as enum standing has them. */
enum candidate_verdict {
    CANDIDATE_ELIGIBLE,
    CANDIDATE_NOT_STANDBY,     /* its role does not allow it */
    CANDIDATE_HELD,            /* by the operator, or its host is, or everything; or its host is being evacuated */
    CANDIDATE_UNREACHABLE,     /* its hypervisor is not connected */
    CANDIDATE_NOT_STANDING_BY, /* it runs, is on its way up or down, or is preserved remains */
    CANDIDATE_FAILED_ITSELF,   /* and was not recovered: not one to rely on */
    CANDIDATE_CLAIMED,         /* reserved for a recovery, as its candidate or as the machine that failed */
    CANDIDATE_UNDER_OPERATOR,  /* paused or saved, and not by the daemon: not to be resumed unasked */
    CANDIDATE_NOT_MAKEABLE,    /* from its template, for want of an image, a storage pool or space there */
    CANDIDATE_QUARANTINED,     /* it did not come up lately */
    CANDIDATE_NOT_SIMILAR,     /* see score.verdict */
    CANDIDATE_WRONG_HOST,      /* the service may not run there: `hosts` of its policy */
    CANDIDATE_DIVERTED,        /* a replacement serves its service: it must not run beside that */
    CANDIDATE_JUST_STOPPED,    /* by an operator, so lately that it is not started unasked */
    CANDIDATE_TRIED,           /* this recovery tried it already and it failed */
    CANDIDATE_NO_MEMORY,       /* its host has not enough to spare */
    CANDIDATE_IN_USE,          /* a disk, an address or a device of it is: see conflict and conflict_with */
    CANDIDATE_VERDICTS,
};

/* "eligible", "not standby", …: to count by. */
const char *candidate_verdict_name(enum candidate_verdict verdict);

#endif
