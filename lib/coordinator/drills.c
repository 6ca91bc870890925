/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Announcements of drills. */
#include "coordinator/drills.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* What has not happened so long after the announcement, beside the time of the call, does not happen any more. */
#define DRILL_US (60 * USEC_PER_SEC)

int drills_announce(struct registry *registry, struct watch *watch, const char *by, bool is_rehearsal,
                    struct moment now)
{
    struct watch_memory *memory = watch_get_memory(watch);
    const struct host *host = host_find(registry, watch_hypervisor(registry, watch));

    if (memory == NULL)
        return -ENOMEM;
    memory->state.drill = (struct drill_memory){
        .announced_us = now.real_us,
        .is_rehearsal = is_rehearsal,
        .is_destroy = host != NULL && !host->is_local,
    };
    snprintf(memory->state.drill.by, sizeof(memory->state.drill.by), "%s", by != NULL ? by : "");
    watch_mark_changed(registry, watch);
    return 0;
}

void drills_end(struct registry *registry, struct watch *watch)
{
    if (watch_remembered(watch)->drill.announced_us == 0)
        return;
    watch_forget_drill(watch);
    watch_mark_changed(registry, watch);
}

/* By the clock, which the next daemon has as well; it may have been set back a little. */
bool drills_is_due(const struct registry *registry, const struct watch *watch, struct moment now)
{
    const struct drill_memory *drill = &watch_remembered(watch)->drill;
    int64_t longest_us = DRILL_US + registry->config->recovery.call_timeout_us;

    return drill->announced_us != 0 && llabs(now.real_us - drill->announced_us) <= longest_us;
}

bool drills_destroys(const struct registry *registry, const struct watch *watch, struct moment now)
{
    return watch != NULL && watch_remembered(watch)->drill.is_destroy && drills_is_due(registry, watch, now);
}
