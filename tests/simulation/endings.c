/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * QEMUs of the daemon's own host end, and libvirt notices only later. The kernel tells the daemon, or does not. Until libvirt has
 * noticed, it answers as if the domain were up, and what the domain uses is not free.
 */
#include <string.h>

#include "simulation.h"

/* libvirt looks every 200 ms, on a busy host later. */
#define NOTICE_US (300 * USEC_PER_MSEC)

bool endings_are_unnoticed(const struct simulation *simulation, const struct domain *domain)
{
    return domain->state == MACHINE_SHUT_OFF && simulation->hosts[domain->host].is_up &&
           simulation->now.mono_us < domain->noticed_us;
}

/* It was asked to end what has ended. */
void endings_notice(const struct simulation *simulation, struct domain *domain)
{
    if (endings_are_unnoticed(simulation, domain))
        domain->noticed_us = simulation->now.mono_us;
}

void endings_show(const struct simulation *simulation, const struct domain *domain, enum machine_state *state,
                  enum machine_reason *reason)
{
    if (!endings_are_unnoticed(simulation, domain))
        return;
    *state = domain->former_state;
    *reason = domain->former_reason;
}

/* A shutdown that was told only after the end says that the daemon cannot know the order: it leaves it to libvirt. */
static void tell(struct simulation *simulation, const struct thing *thing)
{
    struct domain *domain = &simulation->domains[thing->domain];
    const struct site *host = &simulation->hosts[domain->host];
    struct domain_event event = {.kind = thing->event, .name = domain->name, .at = simulation->now};

    if (!shell_is_up(simulation, thing->epoch) || !host->is_connected || host->link != thing->number ||
        domain->life != thing->life || !endings_are_unnoticed(simulation, domain) ||
        domain->shutdown_told_us >= domain->off_us)
        return;
    say(simulation, "kernel   %s %s", domain->name, domain_event_name(thing->event));
    strcpy(event.uuid, domain->uuid);
    coordinator_handle_event(simulation->coordinator, host->name, &event);
    shell_pump(simulation);
}

int64_t endings_begin(struct simulation *simulation, struct domain *domain, enum machine_reason reason,
                      enum domain_event_kind how)
{
    const struct site *host = &simulation->hosts[domain->host];
    uint64_t *dice = &simulation->random_events;
    int64_t notice_us = random_between(dice, USEC_PER_MSEC, NOTICE_US);
    int64_t tell_us = random_between(dice, 100, 20 * USEC_PER_MSEC);
    bool is_known = strikes(simulation, dice, FAULT_ENDING_KNOWN, 60) && domain->host == 0 && domain->is_persistent &&
                    machine_state_is_active(domain->state);
    struct thing thing = {.happen = tell,
                          .epoch = simulation->epoch,
                          .domain = domain->number,
                          .life = domain->life,
                          .number = host->link,
                          .event = how};

    domain->former_state = domain->state;
    domain->former_reason = domain->reason;
    world_stop(simulation, domain, reason);
    if (!is_known)
        return 0;
    domain->noticed_us = simulation->now.mono_us + notice_us;
    agenda_add(simulation, tell_us, thing);
    return notice_us;
}

/* libvirt holds for the other one what both use; on another host, it takes the rights to a disk back when it notices. */
static bool use_the_same(const struct domain *a, const struct domain *b)
{
    return a == b || storage_next_disk_of(a) == b->live_disk || a->mac == b->mac;
}

void endings_check_start(struct simulation *simulation, const struct domain *domain, int64_t asked_us)
{
    for (unsigned i = 0; i < simulation->n_domains; i++) {
        const struct domain *ended = &simulation->domains[i];

        if (endings_are_unnoticed(simulation, ended) && ended->off_us < asked_us && use_the_same(domain, ended))
            violate(simulation, "%s is started, and libvirt has not noticed yet that %s has ended", domain->name,
                    ended->name);
    }
}
