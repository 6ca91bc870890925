/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Standbys that did not come up. */
#include "coordinator/quarantine.h"

#include <stdio.h>

#define LONGEST_US (24 * 3600 * USEC_PER_SEC)

/* The configured time, doubled for each time before. */
static int64_t time_of(int64_t quarantine_us, unsigned times)
{
    while (times-- > 0 && quarantine_us > 0 && quarantine_us < LONGEST_US) {
        quarantine_us *= 2;
        if (quarantine_us > LONGEST_US)
            quarantine_us = LONGEST_US;
    }
    return quarantine_us;
}

void quarantine_begin(struct registry *registry, const struct machine *machine, int64_t least_us, const char *why,
                      struct moment now)
{
    int64_t until_us = machine_rare(machine)->quarantined_until_us;
    struct watch *watch = watch_of(registry, machine);
    struct watch_memory *memory = watch != NULL ? watch_get_memory(watch) : NULL;
    int64_t time_us =
        time_of(registry->config->recovery.quarantine_us, memory != NULL ? memory->state.quarantine.times : 0);

    if (time_us < least_us)
        time_us = least_us;
    if (time_us <= 0)
        return;
    if (now.mono_us + time_us > until_us)
        until_us = now.mono_us + time_us;
    pool_set_quarantine(registry->pool, machine, until_us, why);
    if (memory == NULL)
        return;
    memory->state.quarantine = (struct quarantine_memory){
        .begun_us = now.real_us,
        .time_us = until_us - now.mono_us,
        .times = memory->state.quarantine.times + 1,
    };
    if (why != NULL)
        snprintf(memory->state.quarantine.why, sizeof(memory->state.quarantine.why), "%s", why);
    watch_mark_changed(registry, watch);
}

void quarantine_end(struct registry *registry, const struct machine *machine)
{
    struct watch *watch = watch_of(registry, machine);

    pool_set_quarantine(registry->pool, machine, 0, NULL);
    if (watch == NULL || watch_remembered(watch)->quarantine.times == 0)
        return;
    watch_forget_quarantine(watch);
    watch_mark_changed(registry, watch);
}

void quarantine_forgive(struct registry *registry, const struct machine *machine, struct moment now)
{
    struct watch *watch = watch_of(registry, machine);
    struct watch_rare *rare = watch != NULL ? watch_get_rare(watch) : NULL;

    if (rare != NULL)
        rare->mended_us = now.mono_us;
    quarantine_end(registry, machine);
    registry_tell(registry, FACT_POOL_CHANGED);
}

static bool is_remembered(const struct watch *watch)
{
    return watch != NULL && watch_remembered(watch)->quarantine.times > 0;
}

void quarantine_see_start(struct watch *watch, struct moment now)
{
    if (is_remembered(watch))
        watch->rare->memory->up_us = watch_is_taken(watch) ? 0 : now.mono_us;
}

void quarantine_see_planned_stop(struct registry *registry, const struct machine *machine, struct moment now)
{
    const struct watch *watch = machine != NULL ? watch_of(registry, machine) : NULL;
    int64_t up_us = is_remembered(watch) ? watch->rare->memory->up_us : 0;

    if (up_us != 0 && now.mono_us - up_us >= registry->config->recovery.settle_us)
        quarantine_end(registry, machine);
}

void quarantine_share(struct registry *registry, const struct machine *machine)
{
    for (const struct machine *other = NULL; (other = pool_next(registry->pool, other)) != NULL;)
        if (machine_is_from_template_of(machine, other) &&
            machine_rare(other)->quarantined_until_us > machine_rare(machine)->quarantined_until_us)
            pool_set_quarantine(registry->pool, machine, machine_rare(other)->quarantined_until_us,
                                machine_rare(other)->quarantine_why);
}

void quarantine_recall(struct registry *registry, const struct watch *watch, const struct machine *machine,
                       struct moment now)
{
    const struct quarantine_memory *memory = &watch_remembered(watch)->quarantine;
    int64_t past_us = now.real_us - memory->begun_us;

    if (past_us < 0)
        past_us = 0;
    if (memory->times > 0 && past_us < memory->time_us)
        pool_set_quarantine(registry->pool, machine, now.mono_us + memory->time_us - past_us, memory->why);
}
