/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Limits on what is done unattended: the budget of one service, so that what kills its machines does
 * not go through the pool, and the brake for many failures at once, which are hardly the machines' own.
 * Counted over recoveries: a machine that boots and dies again resets nothing.
 */
#include "coordinator/coordinator_internal.h"

struct machine_ref budget_root(const struct coordinator *coordinator, const struct machine *machine, struct moment now)
{
    struct machine_ref ref = machine_ref_of(machine);

    for (size_t i = coordinator->n_records; i-- > 0;) {
        const struct recovery *recovery = coordinator->records[i];

        if (now.mono_us - recovery->detected.mono_us > coordinator->config->recovery.limit_window_us)
            break;
        if (recovery->state == RECOVERY_RECOVERED && machine_ref_equal(&recovery->replacement, &ref))
            return recovery->root;
    }
    return ref;
}

unsigned budget_spent(const struct coordinator *coordinator, const struct machine_ref *root, struct moment now)
{
    unsigned spent = 0;

    for (size_t i = coordinator->n_records; i-- > 0;) {
        const struct recovery *recovery = coordinator->records[i];

        if (now.mono_us - recovery->detected.mono_us > coordinator->config->recovery.limit_window_us)
            break;
        if (machine_ref_equal(&recovery->root, root) && recovery->state != RECOVERY_DISMISSED)
            spent++;
    }
    return spent;
}

static size_t count_protected(const struct coordinator *coordinator)
{
    size_t count = 0;

    for (const struct machine *machine = pool_next(coordinator->pool, NULL); machine != NULL;
         machine = pool_next(coordinator->pool, machine))
        count += machine->is_present && (machine->roles & ROLE_PROTECTED) != 0 && machine->keeping == KEEPING_NONE &&
                 (machine_state_is_active(machine->state) || machine->claimed_by != NULL);
    return count;
}

static bool counts_as_failure(const struct coordinator *coordinator, const struct recovery *recovery, struct moment now)
{
    return now.mono_us - recovery->detected.mono_us <= coordinator->config->recovery.brake.window_us &&
           recovery->detected.mono_us > coordinator->released_us && !recovery->is_drill &&
           recovery->cause != CAUSE_HOST_LOST && /* many at once by nature: hold_share is for that */
           recovery->state != RECOVERY_DISMISSED;
}

/*
 * Services that failed within the window and since the brake was let go of last. One whose replacements
 * fail as well counts once: that is what recovery.limit is for. Rehearsals do not count.
 */
static size_t count_failures(struct coordinator *coordinator, struct moment now)
{
    size_t count = 0;

    coordinator->brake_round++;
    for (size_t i = coordinator->n_records; i-- > 0;) {
        const struct recovery *recovery = coordinator->records[i];
        struct watch *watch;

        if (!counts_as_failure(coordinator, recovery, now))
            continue;
        watch = watch_find(coordinator, &recovery->root);
        if (watch != NULL && watch->brake_round == coordinator->brake_round)
            continue;
        if (watch != NULL)
            watch->brake_round = coordinator->brake_round;
        count++;
    }
    return count;
}

/* Written down with the recoveries, so that a daemon started anew does not let go. */
static void mark_runs(struct coordinator *coordinator, bool is_held)
{
    for (size_t i = 0; i < coordinator->n_runs; i++) {
        struct recovery *recovery = coordinator->runs[i]->recovery;

        if (recovery->is_held == is_held || recovery_state_is_final(recovery->state))
            continue;
        recovery->is_held = is_held;
        recovery->is_changed = true;
    }
}

void brake_check(struct coordinator *coordinator, struct moment now)
{
    const struct config_brake *config = &coordinator->config->recovery.brake;
    size_t n_failures, n_protected;

    if (!coordinator->has_failures)
        return;
    coordinator->has_failures = false;
    if (coordinator->is_held)
        mark_runs(coordinator, true);
    if (coordinator->is_held || config->share == 0)
        return;
    n_failures = count_failures(coordinator, now);
    if (n_failures < config->minimum)
        return;
    n_protected = count_protected(coordinator);
    if (n_failures * MILLIONTHS <= n_protected * config->share)
        return;
    coordinator->is_held = true;
    mark_runs(coordinator, true);
    notices_add(coordinator, NOTICE_BRAKE_ON, now, NULL,
                "%zu of %zu protected machines failed at once; nothing is started until understudyctl release",
                n_failures, n_protected);
    /* What was chosen but not begun may be wrong by the time of the release. */
    runs_reconsider(coordinator, NULL, now);
}

bool coordinator_is_held(const struct coordinator *coordinator)
{
    return coordinator->is_held;
}

bool coordinator_release(struct coordinator *coordinator, struct moment now)
{
    if (!coordinator->is_held)
        return false;
    coordinator->is_held = false;
    coordinator->was_held = false;
    mark_runs(coordinator, false);
    coordinator->released_us = now.mono_us;
    notices_add(coordinator, NOTICE_BRAKE_OFF, now, NULL, "released: %zu recoveries go on", coordinator->n_runs);
    runs_reconsider(coordinator, NULL, now);
    runs_assign(coordinator, now);
    return true;
}
