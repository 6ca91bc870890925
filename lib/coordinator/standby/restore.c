/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Standbys that were kept warm before the daemon was started, before a connection was lost, or before a
 * recovery took them: what of them is still ours, and how their courses go on.
 */
#include <string.h>

#include "coordinator/coordinator_internal.h"

/* A recovery took it after it was written down as kept. */
static bool was_taken(const struct coordinator *coordinator, const struct machine_ref *ref, int64_t since_us)
{
    for (size_t i = 0; i < coordinator->n_records; i++) {
        const struct recovery *recovery = coordinator->records[i];

        if (recovery->state == RECOVERY_RECOVERED && machine_ref_equal(&recovery->replacement, ref) &&
            recovery->decided.real_us >= since_us)
            return true;
    }
    return false;
}

static bool is_laid_down(const struct machine *machine, enum keep_warm *ret_form)
{
    *ret_form = machine->state == MACHINE_PAUSED ? KEEP_PAUSED : KEEP_SAVED;
    return (machine->state == MACHINE_PAUSED && machine->reason == REASON_USER) ||
           (machine->state == MACHINE_SHUT_OFF && machine->has_managed_save);
}

/* In the state in which it is found. False: nothing of it is ours any more. */
static bool restore(struct kept *kept, enum keeping keeping, struct moment since, struct moment now)
{
    struct machine *machine = kept->machine;
    enum keep_warm form;
    bool is_laid = is_laid_down(machine, &form);

    if (is_laid && keeping != KEEPING_ENDING)
        warming_restore_standing(&kept->warming, form, keeping == KEEPING_WARM ? since : now);
    else if (keeping != KEEPING_WARM && machine_state_is_active(machine->state))
        warming_restore_course(&kept->warming, true);
    else if (kept->warming.loose_until_us > now.mono_us && !machine_state_is_active(machine->state))
        warming_restore_lurking(&kept->warming);
    else
        return false; /* one that stood and runs now was taken by somebody else */
    kept->wants_weighing = kept->warming.state == WARMING_STANDING && form == KEEP_PAUSED;
    return true;
}

static void adopt(struct coordinator *coordinator, struct watch *watch, struct machine *machine, enum keeping keeping,
                  struct moment now)
{
    struct moment since = {.mono_us = now.mono_us - (now.real_us - watch->remembered.kept_since_us),
                           .real_us = watch->remembered.kept_since_us};
    struct kept *kept = NULL;

    if (coordinator->config->mode == MODE_OBSERVE && keeping != KEEPING_WARM)
        return;
    if (kept_add(coordinator, machine, &kept) < 0) {
        notices_add(coordinator, NOTICE_OUT_OF_MEMORY, now, machine, "no memory to go on keeping %s", machine->name);
        return;
    }
    kept->begun = since; /* NOLINT(clang-analyzer-core.NullDereference): never NULL */
    if (keeping != KEEPING_WARM)
        kept->warming.loose_until_us = since.mono_us + coordinator->config->recovery.late_start_us;
    if (restore(kept, keeping, since, now))
        kept_show(coordinator, kept);
    else
        kept->warming.state = WARMING_OVER; /* swept, without a word */
}

void keeper_hand_back(struct coordinator *coordinator, struct machine *machine, bool may_run, struct moment now)
{
    struct kept *kept = NULL;
    bool is_ours = true;

    if (!machine->is_present || kept_add(coordinator, machine, &kept) < 0)
        return;
    kept->begun = now; /* NOLINT(clang-analyzer-core.NullDereference): never NULL */
    /* That it runs may be told late: it is asked. */
    if (may_run)
        warming_restore_course(&kept->warming, true);
    else
        is_ours = restore(kept, KEEPING_WARM, now, now);
    kept->warming.was_warm = true;
    if (is_ours) {
        kept_show(coordinator, kept);
        kept_handle(coordinator, kept, WARMING_RECONNECTED, NULL, NULL, now);
    } else {
        kept->warming.state = WARMING_OVER;
    }
}

void keeper_adopt(struct coordinator *coordinator, struct watch *watch, struct machine *machine, struct moment now)
{
    enum keeping keeping = watch->remembered.keeping;

    /* A recovery that was cut off may have taken it: that is seen when it has been taken up again. */
    if (keeping == KEEPING_NONE || restore_concerns(coordinator, &watch->ref))
        return;
    watch->remembered.keeping = KEEPING_NONE;
    watch_mark_changed(coordinator, watch);
    if (watch->recovers != NULL || watch->serves != NULL || watch->warms != NULL ||
        restore_concerns(coordinator, &watch->ref) ||
        was_taken(coordinator, &watch->ref, watch->remembered.kept_since_us))
        return;
    adopt(coordinator, watch, machine, keeping, now);
}

void keeper_disconnected(struct coordinator *coordinator, const char *hypervisor)
{
    for (size_t i = 0; i < coordinator->keeper.n_kept; i++)
        if (strcmp(coordinator->keeper.kept[i]->warming.ref.hypervisor, hypervisor) == 0)
            coordinator->keeper.kept[i]->was_cut = true;
}

void keeper_listed(struct coordinator *coordinator, const char *hypervisor, struct moment now)
{
    for (struct watch *watch = coordinator->watches; watch != NULL; watch = watch->hh.next) {
        struct machine *machine =
            watch->remembered.keeping != KEEPING_NONE && strcmp(watch->ref.hypervisor, hypervisor) == 0
                ? pool_find(coordinator->pool, hypervisor, watch->ref.uuid)
                : NULL;

        if (machine != NULL)
            keeper_adopt(coordinator, watch, machine, now);
    }
    for (size_t i = coordinator->keeper.n_kept; i-- > 0;) {
        struct kept *kept = coordinator->keeper.kept[i];

        if (strcmp(kept->warming.ref.hypervisor, hypervisor) != 0)
            continue;
        kept->wants_weighing = kept_has_memory(kept);
        /* Listed it is now and then anyway: what hangs, hangs on. */
        if (kept->was_cut || kept->warming.waits_for_connection)
            kept_handle(coordinator, kept, WARMING_RECONNECTED, NULL, NULL, now);
        kept->was_cut = false;
    }
    keeper_touch(coordinator, now);
}
