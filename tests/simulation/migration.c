/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Operators who migrate a domain to another host while it runs, and what must hold then: its service follows it. The domain
 * keeps its UUID and its process; its definition goes along, or one is left behind that is to do nothing. Some fail.
 */
#include <limits.h>
#include <string.h>

#include "simulation.h"

static bool is_left_behind(const struct domain *domain, unsigned host)
{
    return domain->exists && domain->is_left_behind && domain->left_host == host && domain->host != host;
}

/* A libvirtd that is started anew ends what was coming in. */
static bool is_coming_in(const struct simulation *simulation, const struct domain *domain, unsigned host)
{
    return domain->is_incoming && domain->to_host == host && simulation->hosts[host].boots == domain->to_boots;
}

bool migration_is_listed(const struct simulation *simulation, const struct domain *domain, unsigned host)
{
    return is_left_behind(domain, host) || is_coming_in(simulation, domain, host);
}

struct domain_report migration_report(const struct simulation *simulation, const struct domain *domain, unsigned host)
{
    struct domain copy = *domain;

    copy.has_saved = false;
    if (is_coming_in(simulation, domain, host)) {
        copy.state = MACHINE_PAUSED;
        copy.reason = REASON_BUSY;
        copy.is_persistent = is_left_behind(domain, host);
        return world_report(&copy);
    }
    copy.state = MACHINE_SHUT_OFF;
    copy.reason = simulation->hosts[host].boots == domain->left_boots ? REASON_MIGRATED : REASON_UNKNOWN;
    copy.roles = ROLE_IGNORED;
    copy.is_persistent = true;
    return world_report(&copy);
}

static void tell_here(struct simulation *simulation, const struct domain *domain)
{
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

static bool may_go(const struct simulation *simulation, const struct domain *domain, unsigned to)
{
    return to != domain->host && !is_in_dead_hands(simulation, domain) && simulation->hosts[to].is_up &&
           !warm_is_id(domain->started_for) && !holds_cover_itself(simulation, domain);
}

static void fail(struct simulation *simulation, struct domain *domain)
{
    bool is_told = is_coming_in(simulation, domain, domain->to_host) && simulation->hosts[domain->to_host].is_up;

    say(simulation, "world    the migration of %s to %s fails", domain->name, simulation->hosts[domain->to_host].name);
    domain->is_incoming = false;
    if (is_left_behind(domain, domain->to_host))
        domain->left_boots = UINT_MAX;
    if (is_told)
        world_tell_from(simulation, domain, domain->to_host, EVENT_STOPPED_FAILED, 0);
}

static void arrive(struct simulation *simulation, struct domain *domain, bool stays_defined, bool is_told_there_first)
{
    domain->is_incoming = false;
    domain->left_host = domain->host;
    domain->left_boots = simulation->hosts[domain->host].boots;
    domain->is_left_behind = domain->is_persistent && stays_defined;
    domain->host = domain->to_host;
    domain->moved_life = domain->life;
    domain->autostart_is_doubtful = true; /* libvirt does not take it along */
    say(simulation, "world    %s has been migrated to %s%s", domain->name, simulation->hosts[domain->host].name,
        domain->is_left_behind ? ", and stays defined where it was" : "");
    if (is_told_there_first)
        tell_there(simulation, domain);
    tell_here(simulation, domain);
    if (!is_told_there_first)
        tell_there(simulation, domain);
}

static void end(struct simulation *simulation, const struct thing *thing)
{
    struct domain *domain = &simulation->domains[thing->domain];

    if (!domain->is_incoming || domain->incoming_life != thing->life)
        return;
    if (thing->number % 5 == 0 || !domain->exists || domain->life != thing->life || domain->state != MACHINE_RUNNING ||
        !is_coming_in(simulation, domain, domain->to_host) || !simulation->hosts[domain->host].is_up ||
        !may_go(simulation, domain, domain->to_host))
        fail(simulation, domain);
    else
        arrive(simulation, domain, thing->number % 2 == 0, thing->number % 3 == 0);
}

void migration_source_ends(struct simulation *simulation, const struct domain *domain)
{
    if (domain->is_incoming)
        world_schedule_guest(simulation, &simulation->domains[domain->number], 100 * USEC_PER_MSEC, end);
}

void migration_destroy(struct simulation *simulation, struct domain *domain, unsigned host)
{
    if (is_coming_in(simulation, domain, host))
        fail(simulation, domain);
}

/* Some are done at once, others take their time, and what they begin may not end. */
void migration_migrate(struct simulation *simulation, struct domain *domain, const struct incident *incident)
{
    unsigned to = incident->host % simulation->n_hosts;
    bool takes_long = random_hits(DIE((uint64_t)incident->for_us, 1), 40);

    if (domain->is_incoming || !may_go(simulation, domain, to))
        return;
    domain->is_incoming = true;
    domain->to_host = to;
    domain->to_boots = simulation->hosts[to].boots;
    domain->incoming_life = domain->life;
    say(simulation, "world    %s is being migrated to %s", domain->name, simulation->hosts[to].name);
    world_tell_from(simulation, domain, to, EVENT_STARTED_MIGRATED, 0);
    agenda_add(
        simulation, takes_long ? incident->for_us * 3 : 0,
        (struct thing){
            .happen = end, .domain = domain->number, .life = domain->life, .number = (uint64_t)incident->for_us});
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
