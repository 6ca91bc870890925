/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An array: there are few, and they are read as a whole. */
#include "protocol/fence_log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config/fence.h"

const char *fence_call_name(enum fence_call call)
{
    static const char *const names[FENCE_CALL_COUNT] = {
        [FENCE_CALL_OFF] = "off",
        [FENCE_CALL_STATUS] = "status",
        [FENCE_CALL_ON] = "on",
    };

    return names[call];
}

void fence_log_done(struct fence_log *log)
{
    free(log->all);
    *log = (struct fence_log){0};
}

int fence_log_add(struct fence_log *log, const struct fence_report *report)
{
    if (log->count == FENCE_LOG_MAX) {
        memmove(log->all, log->all + 1, (log->count - 1) * sizeof(*log->all));
        log->count--;
    } else {
        struct fence_report *all = reallocarray(log->all, log->count + 1, sizeof(*all));

        if (all == NULL)
            return -ENOMEM;
        log->all = all;
    }
    log->all[log->count++] = *report;
    return 0;
}

int fence_log_put(struct fence_log *log, const struct fence_report *report)
{
    for (size_t i = 0; i < log->count; i++)
        if (strcmp(log->all[i].agent, report->agent) == 0) {
            log->all[i] = *report;
            return 0;
        }
    return fence_log_add(log, report);
}

void fence_log_keep_agents(struct fence_log *log, const struct config_fence *fence)
{
    size_t n = 0, ignored;

    for (size_t i = 0; i < log->count; i++)
        if (fence_agent_find(fence, log->all[i].agent, &ignored) == 0)
            log->all[n++] = log->all[i];
    log->count = n;
}
