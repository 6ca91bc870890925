/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Recoveries from before the daemon was started. */
#include "coordinator/resume.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/hosts.h"
#include "coordinator/machines.h"
#include "coordinator/opening.h"

/* Configured but not listed yet: worth waiting for, unless it is known to be off. */
static bool is_awaited(const struct registry *registry, const char *hypervisor)
{
    const struct host *host = host_find(registry, hypervisor);

    if (host != NULL && host->track.state == HOST_FENCED)
        return !hosts_are_heard(registry);
    return host != NULL && !host->is_listed;
}

/*
 * A domain that is gone stands in the pool, so that its recovery can be finished: as it was last known, or, where that was not
 * written down, as a name.
 */
static const struct machine *find_or_make(struct registry *registry, const struct recovery *recovery)
{
    struct domain_description *description;
    const struct machine *machine = pool_find(registry->pool, recovery->failed.hypervisor, recovery->failed.uuid);
    const struct watch *watch;

    if (machine != NULL && !machine->is_present)
        pool_edit(registry->pool, machine)->state = MACHINE_GONE;
    if (machine != NULL)
        return machine;
    description = calloc(1, sizeof(*description));
    if (description == NULL)
        return NULL;
    description->name = strdup(recovery->failed_name);
    if (description->name == NULL || !uuid_parse(recovery->failed.uuid, description->uuid)) {
        domain_description_free(description);
        return NULL;
    }
    if (registry_apply(registry, recovery->failed.hypervisor, description, &machine) < 0)
        return NULL;
    pool_edit(registry->pool, machine)->state = MACHINE_GONE;
    watch = watch_of(registry, machine);
    if (watch != NULL)
        pool_edit(registry->pool, machine)->reason = watch_remembered(watch)->reason;
    pool_set_present(registry->pool, machine, false);
    return machine;
}

/* False: it stays among the restored, to be tried again. */
static bool adopt(struct recoveries *recoveries, struct recovery *recovery, struct moment now)
{
    struct registry *registry = recoveries->registry;
    const struct machine *failed = find_or_make(registry, recovery);
    const struct machine *candidate = NULL;
    int r = -ENOMEM;

    if (recovery->replacement_name != NULL)
        candidate = pool_find(registry->pool, recovery->replacement.hypervisor, recovery->replacement.uuid);
    if (failed != NULL)
        r = opening_adopt(recoveries, recovery, failed, candidate, now);
    if (r == -ENOMEM) {
        outbox_tell(&registry->outbox, NOTICE_OUT_OF_MEMORY, now, failed, "no memory to go on with recovery %s",
                    recovery->id);
        return false;
    }
    if (r < 0) {
        recovery_close(recovery, "another recovery has the same machine; the end of this one was not recorded", now);
        return true;
    }
    outbox_tell(&registry->outbox, NOTICE_RESUMED, now, failed, "recovery %s of %s, interrupted by a restart, goes on",
                recovery->id, recovery->failed_name);
    return true;
}

static bool have_machine_in_common(const struct recovery *older, const struct recovery *newer)
{
    bool older_has = older->replacement_name != NULL, newer_has = newer->replacement_name != NULL;

    return machine_ref_equal(&older->failed, &newer->failed) ||
           (older_has && machine_ref_equal(&older->replacement, &newer->failed)) ||
           (older_has && newer_has && machine_ref_equal(&older->replacement, &newer->replacement));
}

/* No two recoveries have a machine in common: where two are open, the older had ended, unwritten. */
static bool was_followed(const struct records *records, size_t i)
{
    for (size_t j = i + 1; j < records->n_restored; j++)
        if (have_machine_in_common(records->restored[i], records->restored[j]))
            return true;
    return false;
}

static void close_followed(struct records *records, struct moment now)
{
    size_t kept = 0;

    for (size_t i = 0; i < records->n_restored; i++) {
        struct recovery *recovery = records->restored[i];

        if (was_followed(records, i))
            recovery_close(recovery,
                           "a later recovery of the same machine followed; the end of this one was not recorded", now);
        else
            records->restored[kept++] = recovery;
    }
    records->n_restored = kept;
}

void resume_restored(struct recoveries *recoveries, struct moment now)
{
    struct registry *registry = recoveries->registry;
    struct records *records = &registry->records;
    size_t kept = 0;

    brake_announce_restored(recoveries->brake, now);
    if (records->n_restored == 0)
        return;
    close_followed(records, now);
    for (size_t i = 0; i < records->n_restored; i++) {
        struct recovery *recovery = records->restored[i];

        if (is_awaited(registry, recovery->failed.hypervisor) ||
            (recovery->replacement_name != NULL && is_awaited(registry, recovery->replacement.hypervisor)) ||
            !adopt(recoveries, recovery, now))
            records->restored[kept++] = recovery;
    }
    records->n_restored = kept;
    for (const struct machine *machine = pool_next(registry->pool, NULL), *next; machine != NULL; machine = next) {
        struct machine_ref ref = machine_ref_of(machine);
        const struct watch *watch = watch_of(registry, machine);

        next = pool_next(registry->pool, machine);
        pool_edit(registry->pool, machine)->is_reserved = records_concern(records, &ref);
        if (!machine->is_present && watch != NULL && !watch_is_taken(watch))
            machines_forget(registry, machine); /* its recovery was closed */
    }
}
