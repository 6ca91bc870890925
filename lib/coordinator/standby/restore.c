/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Standbys that were kept warm before the daemon was started, or before a recovery took them. */
#include "coordinator/standby/restore.h"

#include <string.h>

#include "coordinator/standby/warm_standby.h"

static bool is_suspended_or_saved(const struct machine *machine, enum keep_warm *ret_form)
{
    *ret_form = machine->state == MACHINE_PAUSED ? KEEP_PAUSED : KEEP_SAVED;
    return (machine->state == MACHINE_PAUSED && machine->reason == REASON_USER) ||
           (machine->state == MACHINE_SHUT_OFF && machine->has_managed_save);
}

/* In the state in which it is found. False: it is not kept any more. */
static bool restore(struct warm_standby *warm, enum keeping keeping, enum warm_proof proof, struct moment since,
                    struct moment now)
{
    const struct machine *machine = warm->machine;
    enum keep_warm form;
    bool is_laid = is_suspended_or_saved(machine, &form);

    if (is_laid && keeping != KEEPING_ENDING)
        warming_restore_standing(&warm->warming, form, proof, keeping == KEEPING_WARM ? since : now);
    else if (keeping != KEEPING_WARM && machine_state_is_active(machine->state))
        warming_restore_course(&warm->warming, true);
    else if (warm->warming.may_start_until_us > now.mono_us && !machine_state_is_active(machine->state))
        warming_restore_off(&warm->warming);
    else
        return false; /* one that stood warm and runs now was started by an operator */
    warm->wants_measuring = warm->warming.state == WARMING_STANDING && form == KEEP_PAUSED;
    return true;
}

static void adopt(struct standby *standby, const struct machine *machine, const struct machine_memory *remembered,
                  struct moment now)
{
    enum keeping keeping = remembered->keeping;
    int64_t since_us = remembered->kept_since_us;
    struct moment since = {.mono_us = now.mono_us - (now.real_us - since_us), .real_us = since_us};
    struct warm_standby *warm = NULL;

    if (standby->registry->config->mode == MODE_OBSERVE && keeping != KEEPING_WARM)
        return;
    if (warm_standby_add(standby, machine, &warm) < 0) {
        outbox_tell(&standby->registry->outbox, NOTICE_OUT_OF_MEMORY, now, machine,
                    "no memory to keep %s warm any longer", machine->name);
        return;
    }
    warm->begun = since; /* NOLINT(clang-analyzer-core.NullDereference): never NULL */
    if (keeping != KEEPING_WARM)
        warm->warming.may_start_until_us = since.mono_us + standby->registry->config->recovery.late_start_us;
    if (restore(warm, keeping, remembered->warm_proof, since, now))
        warm_standby_show(standby, warm);
    else
        warm->warming.state = WARMING_OVER; /* swept, without a word */
}

void standby_hand_back(struct standby *standby, const struct machine *machine, bool may_run, struct moment now)
{
    struct warm_standby *warm = NULL;
    bool is_ours = true;

    if (!machine->is_present || warm_standby_add(standby, machine, &warm) < 0)
        return;
    warm->begun = now;                    /* NOLINT(clang-analyzer-core.NullDereference): never NULL */
    warm->warming.is_by_mark &= !may_run; /* the recovery has started it */
    /* News that it runs may come late: the hypervisor is asked. */
    if (may_run)
        warming_restore_course(&warm->warming, true);
    else
        is_ours = restore(warm, KEEPING_WARM, machine->warm_proof, now, now);
    warm->warming.was_warm = true;
    if (is_ours) {
        warm_standby_show(standby, warm);
        warm_standby_handle(standby, warm, WARMING_RECONNECTED, NULL, NULL, now);
    } else {
        warm->warming.state = WARMING_OVER;
    }
}

void standby_adopt(struct standby *standby, struct watch *watch, const struct machine *machine, struct moment now)
{
    struct machine_memory remembered = *watch_remembered(watch);
    struct machine_ref ref = watch_ref(standby->registry, watch);

    /* A recovery that was cut off may have taken it: that is seen when it has been taken up again. */
    if (remembered.keeping == KEEPING_NONE || records_concern(&standby->registry->records, &ref))
        return;
    watch_forget_keeping(watch);
    watch_mark_changed(standby->registry, watch);
    if (watch_rare(watch)->recovers != NULL || watch_rare(watch)->serves != NULL || watch_rare(watch)->warms != NULL ||
        records_concern(&standby->registry->records, &ref) ||
        records_was_taken(&standby->registry->records, &ref, remembered.kept_since_us))
        return;
    adopt(standby, machine, &remembered, now);
}

/* Other hands may have changed it without an event: a saved image that was removed, a pause that is another one now. */
static bool is_listed_as_it_stands(const struct warm_standby *warm)
{
    const struct machine *machine = warm->machine;
    enum keep_warm form;

    return warm->warming.state != WARMING_STANDING ||
           (is_suspended_or_saved(machine, &form) && form == warm->warming.form);
}

void standby_relist(struct standby *standby, const char *hypervisor, struct moment now)
{
    for (struct watch *watch = NULL; (watch = watch_next(standby->registry, watch)) != NULL;) {
        const struct machine *machine = watch_remembered(watch)->keeping != KEEPING_NONE &&
                                                strcmp(watch_hypervisor(standby->registry, watch), hypervisor) == 0
                                            ? watch_machine(standby->registry, watch)
                                            : NULL;

        if (machine != NULL)
            standby_adopt(standby, watch, machine, now);
    }
    for (size_t i = standby->count; i-- > 0;) {
        struct warm_standby *warm = standby->all[i];

        if (strcmp(warm->warming.ref.hypervisor, hypervisor) != 0)
            continue;
        warm->wants_measuring = warm_standby_has_memory(warm);
        /* Listed it is now and then anyway: what hangs, hangs on. */
        if (warm->was_cut || warm->warming.question.waits_for_connection)
            warm_standby_handle(standby, warm, WARMING_RECONNECTED, NULL, NULL, now);
        warm->was_cut = false;
        if (!is_listed_as_it_stands(warm))
            warm_standby_handle(standby, warm, WARMING_UNLIKE, NULL, NULL, now);
    }
    standby_touch(standby, now);
}
