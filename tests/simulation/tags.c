/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Operators who rename domains, and say in their metadata something else of what they offer, how important they are and
 * which part they take; and what must hold then: it is learned, also of a service that another domain serves.
 */
#include <string.h>

#include "simulation.h"

static const unsigned parts[] = {ROLE_PROTECTED | ROLE_STANDBY, ROLE_STANDBY, ROLE_PROTECTED, ROLE_IGNORED};

void tags_rename(struct simulation *simulation, struct domain *domain, const struct incident *incident)
{
    char name[sizeof(domain->name)];

    /* As libvirt refuses it. */
    if (domain->has_saved || !domain->is_persistent || endings_are_unnoticed(simulation, domain))
        return;
    snprintf(name, sizeof(name), "vm-%02u-%02u", domain->number, (unsigned)(incident->for_us % 100));
    if (strcmp(name, domain->name) == 0)
        return;
    domain->mended_us = simulation->now.mono_us; /* for the daemon it is another definition */
    say(simulation, "world    %s is renamed to %s", domain->name, name);
    world_tell(simulation, domain, EVENT_UNDEFINED, 0);
    strcpy(domain->name, name);
    world_tell(simulation, domain, EVENT_DEFINED, 0);
}

/* Of one that runs, its metadata is what changes; of one that is off, its part as well. */
void tags_tag(struct simulation *simulation, struct domain *domain, const struct incident *incident)
{
    uint64_t draw = (uint64_t)incident->for_us;

    domain->features ^= 1u << draw % FEATURES;
    domain->priority = (int)(draw / FEATURES % 4);
    if (domain->state == MACHINE_SHUT_OFF && incident->host % 2 == 0)
        domain->roles = parts[draw / FEATURES / 4 % ELEMENTS_OF(parts)];
    domain->mended_us = simulation->now.mono_us;
    if ((domain->roles & ROLE_PROTECTED) == 0)
        crashes_waived(simulation, domain);
    say(simulation, "world    %s is tagged anew: features 0x%03x, priority %d, %s", domain->name, domain->features,
        domain->priority, machine_roles_name((uint8_t)domain->roles));
    world_tell(simulation, domain, EVENT_CHANGED, 0);
}

struct domain tags_known(const struct simulation *simulation, const struct domain *domain)
{
    const struct machine *machine =
        simulation->coordinator != NULL
            ? pool_find(coordinator_pool(simulation->coordinator), simulation->hosts[domain->host].name, domain->uuid)
            : NULL;
    struct domain known = *domain;

    if (machine == NULL)
        return known;
    known.features = features_described(machine->description);
    known.roles = machine->roles;
    known.priority = machine->priority;
    return known;
}

static void check_service(struct simulation *simulation, const struct diversion *diversion)
{
    const struct domain *original = world_find(simulation, &diversion->service.original);
    const struct domain *replacement = world_find(simulation, &diversion->service.replacement);

    if (replacement != NULL && replacement->exists &&
        strcmp(diversion->service.replacement_name, replacement->name) != 0)
        violate(simulation, "promise 9: %s serves, and is known as %s", replacement->name,
                diversion->service.replacement_name);
    /* Where it runs elsewhere by the same UUID, as its own replacement, its definition here is seldom read. */
    if (original == NULL || !original->exists || (original->roles & ROLE_PROTECTED) == 0 ||
        strcmp(simulation->hosts[original->host].name, diversion->service.original.hypervisor) != 0)
        return;
    if (strcmp(diversion->service.name, original->service[0] != '\0' ? original->service : original->name) != 0)
        violate(simulation, "promise 9: the service of %s is known as %s", original->name, diversion->service.name);
    if (diversion->service.priority != original->priority)
        violate(simulation, "promise 9: the service of %s has the priority %d, and its original %d", original->name,
                diversion->service.priority, original->priority);
}

void tags_end(struct simulation *simulation)
{
    for (unsigned i = 0; i < simulation->n_domains; i++) {
        const struct domain *domain = &simulation->domains[i];
        const struct machine *machine =
            pool_find(coordinator_pool(simulation->coordinator), simulation->hosts[domain->host].name, domain->uuid);
        struct domain known = tags_known(simulation, domain);

        if (!domain->exists || machine == NULL)
            continue;
        if (strcmp(machine->name, domain->name) != 0)
            violate(simulation, "%s is known as %s", domain->name, machine->name);
        if (known.features != domain->features || known.roles != domain->roles || known.priority != domain->priority)
            violate(simulation, "what %s is tagged with is not known", domain->name);
    }
    for (size_t i = 0; i < coordinator_diversion_count(simulation->coordinator); i++)
        if (!coordinator_diversion(simulation->coordinator, i)->is_over)
            check_service(simulation, coordinator_diversion(simulation->coordinator, i));
}
