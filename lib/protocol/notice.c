/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Words for notices, and their ownership. */
#include "protocol/notice.h"

#include <stdlib.h>

static const char *const kind_names[NOTICE_COUNT] = {
    [NOTICE_FAILURE_DETECTED] = "failure-detected",
    [NOTICE_FAILURE_UNPROTECTED] = "failure-unprotected",
    [NOTICE_FAILURE_PENDING] = "failure-pending",
    [NOTICE_STOP_PLANNED] = "stop-planned",
    [NOTICE_EVENT_NOTED] = "event-noted",
    [NOTICE_CHANGED] = "changed",
    [NOTICE_WAITS] = "waits",
    [NOTICE_DECIDED] = "decided",
    [NOTICE_INTENT_FAILED] = "intent-failed",
    [NOTICE_STARTED] = "started",
    [NOTICE_VETOED] = "vetoed",
    [NOTICE_ATTEMPT_FAILED] = "attempt-failed",
    [NOTICE_RECOVERED] = "recovered",
    [NOTICE_EXHAUSTED] = "exhausted",
    [NOTICE_DISMISSED] = "dismissed",
    [NOTICE_OBSERVED] = "observed",
    [NOTICE_CALLED_OFF] = "called-off",
    [NOTICE_KEPT] = "kept",
    [NOTICE_NOT_KEPT] = "not-kept",
    [NOTICE_BRAKE_ON] = "brake-on",
    [NOTICE_BRAKE_OFF] = "brake-off",
    [NOTICE_HOLD_BEGUN] = "hold-begun",
    [NOTICE_HOLD_ENDED] = "hold-ended",
    [NOTICE_HOLD_OVERDUE] = "hold-overdue",
    [NOTICE_FAILED_WHILE_HELD] = "failed-while-held",
    [NOTICE_RESUMED] = "resumed",
    [NOTICE_CLOCK_JUMPED] = "clock-jumped",
    [NOTICE_STORE_FAILED] = "store-failed",
    [NOTICE_STORE_WORKS] = "store-works",
    [NOTICE_WARMED] = "warmed",
    [NOTICE_REFRESHED] = "refreshed",
    [NOTICE_WARM_FAILED] = "warm-failed",
    [NOTICE_WARM_ENDED] = "warm-ended",
    [NOTICE_CLOCK_FAILED] = "clock-failed",
    [NOTICE_HYPERVISOR_UP] = "hypervisor-up",
    [NOTICE_HYPERVISOR_DOWN] = "hypervisor-down",
    [NOTICE_HOST_LOST] = "host-lost",
    [NOTICE_HOST_FENCED] = "host-fenced",
    [NOTICE_FENCE_FAILED] = "fence-failed",
    [NOTICE_HOST_BACK] = "host-back",
    [NOTICE_HOST_REBOOTED] = "host-rebooted",
    [NOTICE_HOSTS_ISOLATED] = "hosts-isolated",
    [NOTICE_HOSTS_REJOINED] = "hosts-rejoined",
    [NOTICE_SAME_HOST] = "same-host",
    [NOTICE_BOTH_RUN] = "both-run",
    [NOTICE_BOTH_RESOLVED] = "both-resolved",
    [NOTICE_CALL_OVERDUE] = "call-overdue",
    [NOTICE_MACHINE_FAULT] = "machine-fault",
    [NOTICE_OUT_OF_MEMORY] = "out-of-memory",
    [NOTICE_PROBLEM_BEGUN] = "problem-begun",
    [NOTICE_PROBLEM_ENDED] = "problem-ended",
};

const char *notice_kind_name(enum notice_kind kind)
{
    return kind_names[kind];
}

void notice_done(struct notice *notice)
{
    free(notice->machine_name);
    free(notice->replacement);
    free(notice->text);
    *notice = (struct notice){0};
}
