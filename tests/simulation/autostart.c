/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The autostart of originals, and what must hold: it is written down before it is switched off, it is off while a
 * replacement serves, and on again for whom its operators had it on.
 */
#include <string.h>

#include "report/record.h"
#include "simulation.h"

void autostart_set(struct simulation *simulation, const struct call *call, struct domain *domain)
{
    domain->autostart = call->action.autostart;
    /* No daemon hears of it any more. */
    domain->autostart_is_doubtful |=
        simulation->coordinator != NULL && (call->is_lost || call->epoch != simulation->epoch);
    say(simulation, "world    the autostart of %s is %s", domain->name, domain->autostart ? "on" : "off");
}

void autostart_before(struct simulation *simulation, const struct action *action)
{
    struct machine_memory memory = {0};
    char key[DISK_KEY_SIZE];
    const struct page *page;

    disk_make_key(&action->target, key);
    page = disk_find(simulation, key);
    if (action->kind != ACTION_SET_AUTOSTART || action->autostart)
        return;
    if (page == NULL || record_parse_machine(page->document, &memory) < 0 || !memory.autostart_is_off)
        violate(simulation, "the autostart of %s is switched off, and nothing on disk says so", action->target.uuid);
}

static bool is_diverted(const struct simulation *simulation, const struct domain *domain)
{
    for (size_t i = 0; i < coordinator_diversion_count(simulation->coordinator); i++) {
        const struct diversion *diversion = coordinator_diversion(simulation->coordinator, i);

        if (!diversion->is_over && strcmp(diversion->service.original.uuid, domain->uuid) == 0)
            return true;
    }
    return false;
}

void autostart_end(struct simulation *simulation)
{
    for (unsigned i = 0; i < simulation->n_domains; i++) {
        const struct domain *domain = &simulation->domains[i];

        if (!domain->exists || domain->autostart_is_doubtful)
            continue;
        if (domain->autostart && !domain->wants_autostart)
            violate(simulation, "the autostart of %s is switched on, and was off", domain->name);
        if (simulation->config->mode == MODE_OBSERVE || (domain->roles & ROLE_PROTECTED) == 0)
            continue;
        if (domain->autostart && is_diverted(simulation, domain))
            violate(simulation, "the autostart of %s is on while a replacement serves", domain->name);
        if (!domain->autostart && domain->wants_autostart && !is_diverted(simulation, domain))
            violate(simulation, "the autostart of %s stays off, and it serves itself", domain->name);
    }
}
