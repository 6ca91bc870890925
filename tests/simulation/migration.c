/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Operators who migrate a domain to another host while it runs, and what must hold then: its service follows it. The domain
 * keeps its UUID and its process; its definition goes along, or one is left behind that is to do nothing. Some fail.
 */
#include <string.h>

#include "simulation.h"

bool migration_left_behind(const struct simulation *simulation, const struct domain *domain, unsigned host)
{
    (void)simulation;
    return domain->exists && domain->is_left_behind && domain->left_host == host && domain->host != host;
}

struct domain_report migration_report(const struct simulation *simulation, const struct domain *domain)
{
    struct domain left = *domain;

    left.state = MACHINE_SHUT_OFF;
    left.reason = simulation->hosts[domain->left_host].boots == domain->left_boots ? REASON_MIGRATED : REASON_UNKNOWN;
    left.roles = ROLE_IGNORED;
    left.has_saved = false;
    left.is_persistent = true;
    return world_report(&left);
}

static void tell_here(struct simulation *simulation, const struct domain *domain)
{
    world_tell(simulation, domain, EVENT_STARTED_MIGRATED, 0);
    world_tell(simulation, domain, EVENT_RESUMED, 0);
    if (domain->is_persistent)
        world_tell(simulation, domain, EVENT_DEFINED, 0);
}

static void tell_there(struct simulation *simulation, const struct domain *domain)
{
    world_tell_from(simulation, domain, domain->left_host, EVENT_STOPPED_MIGRATED, 0);
    if (domain->is_persistent && !domain->is_left_behind)
        world_tell_from(simulation, domain, domain->left_host, EVENT_UNDEFINED, 0);
}

static void fail(struct simulation *simulation, const struct domain *domain, unsigned to)
{
    say(simulation, "world    a migration of %s to %s fails", domain->name, simulation->hosts[to].name);
    world_tell_from(simulation, domain, to, EVENT_STARTED_MIGRATED, 0);
    world_tell_from(simulation, domain, to, EVENT_STOPPED_FAILED, 0);
}

/* What a daemon that is dead had in hand is beyond knowing when it is gone from its host. */
static bool is_in_dead_hands(const struct simulation *simulation, const struct domain *domain)
{
    for (size_t i = 0; simulation->coordinator == NULL && i < simulation->n_books; i++) {
        const struct book *book = &simulation->books[i];
        const struct page *page = disk_find(simulation, book->id);

        if ((book->domain == domain->number || book->replacement == (int)domain->number) &&
            (!recovery_state_is_final(book->state) || (page != NULL && page->is_open)))
            return true;
    }
    return false;
}

void migration_migrate(struct simulation *simulation, struct domain *domain, const struct incident *incident)
{
    unsigned to = incident->host % simulation->n_hosts;

    if (to == domain->host || is_in_dead_hands(simulation, domain) || !simulation->hosts[to].is_up ||
        warm_is_id(domain->started_for) || holds_cover_itself(simulation, domain))
        return;
    if (incident->for_us % 5 == 0) {
        fail(simulation, domain, to);
        return;
    }
    domain->left_host = domain->host;
    domain->left_boots = simulation->hosts[domain->host].boots;
    domain->is_left_behind = domain->is_persistent && incident->for_us % 2 == 0;
    domain->host = to;
    domain->moved_life = domain->life;
    domain->autostart_is_doubtful = true; /* libvirt does not take it along */
    say(simulation, "world    %s is migrated to %s%s", domain->name, simulation->hosts[to].name,
        domain->is_left_behind ? ", and stays defined where it was" : "");
    if (incident->for_us % 3 == 0)
        tell_there(simulation, domain);
    tell_here(simulation, domain);
    if (incident->for_us % 3 != 0)
        tell_there(simulation, domain);
}

static bool is_here(const struct simulation *simulation, const struct domain *domain, const struct machine_ref *ref)
{
    return strcmp(simulation->hosts[domain->host].name, ref->hypervisor) == 0;
}

bool migration_is_followed(struct simulation *simulation, const struct domain *domain)
{
    if (domain->moved_life != domain->life)
        return true;
    for (size_t i = 0; simulation->coordinator != NULL && i < coordinator_diversion_count(simulation->coordinator);
         i++) {
        const struct diversion *diversion = coordinator_diversion(simulation->coordinator, i);

        if (!diversion->is_over && strcmp(diversion->service.replacement.uuid, domain->uuid) == 0)
            return is_here(simulation, domain, &diversion->service.replacement);
    }
    return false;
}

static void check(struct simulation *simulation, const struct machine_ref *ref, const char *what)
{
    const struct domain *domain = world_find(simulation, ref);

    /* What an agent said to be off cannot be known to have gone on elsewhere. */
    if (domain != NULL && domain->exists && domain->state == MACHINE_RUNNING && domain->moved_life == domain->life &&
        domain->lied_life != domain->life && !is_here(simulation, domain, ref))
        violate(simulation, "promise 9: %s, the %s of a service, was migrated from %s to %s, and that is not followed",
                domain->name, what, ref->hypervisor, simulation->hosts[domain->host].name);
}

void migration_end(struct simulation *simulation)
{
    for (size_t i = 0; i < coordinator_diversion_count(simulation->coordinator); i++) {
        const struct diversion *diversion = coordinator_diversion(simulation->coordinator, i);

        if (diversion->is_over)
            continue;
        check(simulation, &diversion->service.original, "original");
        check(simulation, &diversion->service.replacement, "replacement");
    }
    for (size_t i = 0; i < coordinator_recovery_count(simulation->coordinator); i++)
        check(simulation, &coordinator_recovery(simulation->coordinator, i)->service, "original by a record");
}
