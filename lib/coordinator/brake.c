/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Limits on what is done unattended. */
#include "coordinator/brake.h"

#include <string.h>

/* Drills, and what an operator had relieved, spend nothing. */
static bool is_recent(const struct registry *registry, const struct recovery *recovery, struct moment now)
{
    return now.mono_us - recovery->detected.mono_us <= registry->config->recovery.limit_window_us &&
           !recovery->is_drill && recovery->relief == RELIEF_NONE;
}

/* What failed, or the original of its service, was defined anew or cleared by an operator since. */
static bool is_mended(const struct registry *registry, const struct recovery *recovery)
{
    return watch_was_mended_since(registry, &recovery->failed, recovery->detected) ||
           watch_was_mended_since(registry, &recovery->service, recovery->detected);
}

unsigned brake_budget_spent(const struct registry *registry, const struct machine_ref *original,
                            const struct recovery *except, struct moment now)
{
    const struct records *records = &registry->records;
    unsigned spent = 0;

    for (size_t i = 0; i < records->count; i++)
        spent += records->all[i] != except && is_recent(registry, records->all[i], now) &&
                 machine_ref_equal(&records->all[i]->service, original) && recovery_started_another(records->all[i]) &&
                 !is_mended(registry, records->all[i]);
    return spent;
}

unsigned brake_restarts_spent(const struct registry *registry, const struct machine_ref *machine,
                              const struct recovery *except, struct moment now)
{
    const struct records *records = &registry->records;
    unsigned spent = 0;

    for (size_t i = 0; i < records->count; i++)
        if (records->all[i] != except && is_recent(registry, records->all[i], now) &&
            strcmp(records->all[i]->failed.uuid, machine->uuid) == 0) /* on whichever host it ran */
            spent += records->all[i]->restarts;
    return spent;
}

bool brake_withholds(const struct brake *brake, const struct machine *machine)
{
    return brake->is_on || machine->hold != NULL;
}

static size_t count_protected(const struct registry *registry)
{
    size_t count = 0;

    for (const struct machine *machine = pool_next(registry->pool, NULL); machine != NULL;
         machine = pool_next(registry->pool, machine))
        count += machine->is_present && machine_is_protected(machine) && !machine_is_kept(registry, machine) &&
                 (machine_state_is_active(machine->state) || machine_rare(machine)->claimed_by != NULL);
    return count;
}

static bool counts_as_failure(const struct brake *brake, const struct recovery *recovery, struct moment now)
{
    return now.mono_us - recovery->detected.mono_us <= brake->registry->config->recovery.brake.window_us &&
           recovery->detected.mono_us > brake->released_us && !recovery->is_drill &&
           !moment_has_come(recovery->down_since) && recovery->relief == RELIEF_NONE && !recovery->is_held &&
           recovery->cause != CAUSE_HOST_LOST && /* many at once by nature: isolation_share is for that */
           recovery->state != RECOVERY_DISMISSED;
}

/*
 * Services that failed within the window and since the brake was let go of last. One whose replacements
 * fail as well counts once: that is what recovery.limit is for. Drills do not count.
 */
static size_t count_failures(const struct brake *brake, struct moment now)
{
    _cleanup_(number_set_done) struct number_set counted = {0}; /* services; without memory, each recovery counts */
    const struct records *records = &brake->registry->records;
    const struct pool *pool = brake->registry->pool;
    size_t count = 0;

    (void)!number_set_reserve(&counted, pool_number_end(pool));
    for (size_t i = records->count; i-- > 0;) {
        const struct machine_ref *service = &records->all[i]->service;
        uint32_t number;

        if (!counts_as_failure(brake, records->all[i], now))
            continue;
        number = pool_number_of(pool, service->hypervisor, service->uuid);
        count += !number_set_has(&counted, number);
        if (number < counted.room)
            number_set_add(&counted, number);
    }
    return count;
}

/* Written down with the recoveries, so that a daemon started anew does not let go. */
static void mark_recoveries(struct brake *brake)
{
    struct records *records = &brake->registry->records;

    for (size_t i = 0; i < records->count; i++) {
        struct recovery *recovery = records->all[i];

        if (recovery->is_braked == brake->is_on || recovery_state_is_final(recovery->state))
            continue;
        recovery->is_braked = brake->is_on;
        recovery->is_changed = true;
    }
}

/* Too many at once. Says how many of how many. */
static bool are_too_many(struct brake *brake, struct moment now, size_t *ret_failures, size_t *ret_protected)
{
    const struct config_brake *config = &brake->registry->config->recovery.brake;

    if (config->share == 0)
        return false;
    *ret_failures = count_failures(brake, now);
    if (*ret_failures < config->minimum)
        return false;
    *ret_protected = count_protected(brake->registry);
    return *ret_failures * MILLIONTHS > *ret_protected * config->share;
}

/* Recoveries were opened: are they too many? */
bool brake_handle(void *self, struct moment now)
{
    struct brake *brake = self;
    struct registry *registry = brake->registry;
    size_t n_failures, n_protected;

    if (!registry_take(registry, FACT_FAILURES))
        return false;
    if (brake->is_on) {
        mark_recoveries(brake);
        return true;
    }
    if (!are_too_many(brake, now, &n_failures, &n_protected))
        return true;
    brake->is_on = true;
    mark_recoveries(brake);
    outbox_tell(&registry->outbox, NOTICE_BRAKE_ON, now, NULL,
                "%zu of %zu protected machines failed at once; nothing is started until understudyctl release brake",
                n_failures, n_protected);
    /* What was chosen but not begun may be wrong by the time of the release. */
    registry_tell(registry, FACT_BRAKE_TURNED);
    return true;
}

bool brake_release(struct brake *brake, struct moment now)
{
    struct registry *registry = brake->registry;

    if (!brake->is_on)
        return false;
    brake->is_on = false;
    brake->was_on = false;
    mark_recoveries(brake);
    brake->released_us = now.mono_us;
    outbox_tell(&registry->outbox, NOTICE_BRAKE_OFF, now, NULL, "brake released: %zu recoveries go on",
                records_count_open(&registry->records));
    registry_tell(registry, FACT_BRAKE_TURNED);
    return true;
}

void brake_restore(struct brake *brake)
{
    brake->is_on = true;
    brake->was_on = true;
}

void brake_announce_restored(struct brake *brake, struct moment now)
{
    if (!brake->was_on)
        return;
    brake->was_on = false;
    outbox_tell(&brake->registry->outbox, NOTICE_BRAKE_ON, now, NULL,
                "the brake was on when understudyd last ran; nothing is started until understudyctl release brake");
}
