/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which disk a domain has: by its definition, which changes without a word, and in its process or its saved image, which
 * goes on having what it began with. And what must hold of that: promise 10.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "simulation.h"

#define READS_MOST 3

unsigned storage_disk_of(const struct domain *domain)
{
    return machine_state_is_active(domain->state) ? domain->live_disk : domain->disk;
}

unsigned storage_next_disk_of(const struct domain *domain)
{
    return machine_state_is_active(domain->state) || domain->has_saved ? domain->live_disk : domain->disk;
}

void storage_redefine(struct simulation *simulation, struct domain *domain, const struct incident *incident)
{
    const struct domain *other = &simulation->domains[(uint64_t)incident->for_us % simulation->n_domains];

    domain->mended_us = simulation->now.mono_us;
    say(simulation, "world    %s of %s has the disk of %s from now on",
        domain->has_saved ? "the image" : "the definition", domain->name, other->name);
    if (domain->has_saved)
        domain->live_disk = other->disk;
    else
        domain->disk = other->disk;
    /* "virsh attach-device --config" sends no event, "virsh define" does. */
    if (!domain->has_saved && incident->host % 2 == 0)
        world_tell(simulation, domain, EVENT_DEFINED, 0);
}

/* As the daemon believes it to be. */
static unsigned believed_disk(const struct simulation *simulation, const struct domain *domain)
{
    const struct machine *machine =
        pool_find(coordinator_pool(simulation->coordinator), simulation->hosts[domain->host].name, domain->uuid);
    unsigned disk = domain->disk;

    if (machine != NULL && machine->description->n_disks > 0)
        sscanf(machine->description->disks[0].source, "nbd:disk-%u", &disk);
    return disk;
}

bool storage_is_shared(const struct simulation *simulation, const struct domain *a, const struct domain *b)
{
    return believed_disk(simulation, a) == believed_disk(simulation, b) || a->mac == b->mac;
}

void storage_daemon_starts(struct simulation *simulation)
{
    for (unsigned i = 0; i < simulation->n_domains; i++) {
        struct domain *domain = &simulation->domains[i];

        domain->chosen_us = domain->read_us = 0;
        domain->must_end = false;
    }
}

void storage_before(struct simulation *simulation, const struct action *action)
{
    struct domain *domain = world_find(simulation, &action->target);

    if (domain == NULL)
        return;
    if (action->kind == ACTION_RECORD || (action->kind == ACTION_REMEMBER && warm_is_id(action->recovery_id))) {
        domain->chosen_us = simulation->now.mono_us;
        domain->chosen_disk = believed_disk(simulation, domain);
    }
    if (action->kind != ACTION_START)
        return;
    domain->failed_reads = 0;
    if (domain->read_us < domain->chosen_us)
        violate(simulation, "promise 10: %s is started, and was not read since it was chosen", domain->name);
    else if (believed_disk(simulation, domain) != domain->chosen_disk)
        violate(simulation, "promise 10: %s is started, and is not defined any more as it was chosen", domain->name);
}

/* The machine that a start brought up has what another one has, as far as the daemon knows. */
static bool has_disk_in_use(const struct simulation *simulation, const struct domain *domain,
                            const struct domain *failed)
{
    for (unsigned i = 0; i < simulation->n_domains; i++) {
        const struct domain *other = &simulation->domains[i];

        if (other != domain && other != failed && storage_is_shared(simulation, domain, other) &&
            decisions_is_in_use(simulation, other))
            return true;
    }
    return false;
}

bool storage_is_in_use(const struct simulation *simulation, const struct domain *domain)
{
    return has_disk_in_use(simulation, domain, domain);
}

void storage_was_read(struct simulation *simulation, const struct call *call)
{
    struct domain *domain = world_find(simulation, &call->action.target);
    const struct book *book = promises_book(simulation, call->action.recovery_id);
    const struct recovery *recovery = coordinator_find_recovery(simulation->coordinator, call->action.recovery_id);
    bool is_up;

    if (domain == NULL)
        return;
    if (call->result.error != 0 || call->is_overdue) {
        domain->failed_reads += call->result.error != -ENOTCONN;
        return;
    }
    if (call->asked_us > domain->read_us)
        domain->read_us = call->asked_us;
    is_up = machine_state_is_active(call->seen_state) && call->seen_life == domain->life;
    if (is_up)
        domain->read_life = domain->life;
    if (is_up && book != NULL && recovery != NULL &&
        (recovery->state == RECOVERY_SETTLING || recovery->state == RECOVERY_VERIFYING ||
         recovery->state == RECOVERY_STOPPING))
        domain->must_end = has_disk_in_use(simulation, domain, &simulation->domains[book->domain]);
}

void storage_pumped(struct simulation *simulation)
{
    for (unsigned i = 0; i < simulation->n_domains; i++) {
        struct domain *domain = &simulation->domains[i];

        if (domain->must_end && machine_state_is_active(domain->state) && domain->condemned_life != domain->life)
            violate(simulation, "promise 10: %s was started, has what another machine uses, and is not stopped",
                    domain->name);
        domain->must_end = false;
    }
}

void storage_check_recovered(struct simulation *simulation, const struct domain *replacement, const char *recovery_id)
{
    if (strcmp(replacement->started_for, recovery_id) == 0 && replacement->read_life != replacement->life &&
        !world_came_up_unheard(replacement) && replacement->failed_reads < READS_MOST &&
        machine_state_is_active(replacement->state))
        violate(simulation, "promise 10: what %s has opened was not looked at", replacement->name);
}
