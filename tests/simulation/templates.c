/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Templates: a start makes the domain first, in steps, of which the last ones may not be reached. What must hold then: what
 * was made of one that never ran is removed in the end, and nothing else ever is, nor while it is still being made.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "simulation.h"

bool templates_are_many(const struct simulation *simulation)
{
    return random_hits(DIE(simulation->options->seed, 61), 25);
}

void templates_make_one(struct simulation *simulation, struct domain *domain, uint64_t *dice)
{
    if (!strikes(simulation, dice, FAULT_TEMPLATE, templates_are_many(simulation) ? 70 : 5))
        return;
    domain->is_from_template = true;
    domain->state = MACHINE_TEMPLATE;
    domain->reason = REASON_UNKNOWN;
    domain->roles = ROLE_STANDBY;
    domain->autostart = domain->wants_autostart = false;
    domain->disk = domain->live_disk = domain->mac = domain->number;
}

/* Of one host all are made from one template. */
const char *templates_name(const struct domain *domain)
{
    return domain->is_from_template ? "base" : NULL;
}

bool templates_are_listed(const struct simulation *simulation, const struct domain *domain)
{
    return domain->state != MACHINE_TEMPLATE || !domain->has_parts || domain->made_epoch == simulation->epoch;
}

const char *templates_obstacle(const struct domain *domain)
{
    return domain->is_blocked && domain->state == MACHINE_TEMPLATE ? "its base image is away" : NULL;
}

/* The daemon looks at storage after a listing, and lists again where something is other than before. */
static void look_at_storage(struct simulation *simulation, const struct thing *thing)
{
    const struct site *host = &simulation->hosts[thing->host];

    if (!shell_is_up(simulation, thing->epoch) || !host->is_connected || power_is_out_of_reach(host))
        return;
    coordinator_handle_recognised(simulation->coordinator, host->name, simulation->now);
    shell_pump(simulation);
}

static void set_blocked(struct simulation *simulation, struct domain *domain, bool is_blocked)
{
    struct thing look = {.happen = look_at_storage, .epoch = simulation->epoch, .host = domain->host};

    say(simulation, "world    %s %s be made", domain->name, is_blocked ? "cannot" : "can");
    domain->is_blocked = is_blocked;
    if (simulation->coordinator != NULL)
        agenda_add(simulation, 100 * USEC_PER_MSEC, look);
}

static void end_block(struct simulation *simulation, const struct thing *thing)
{
    set_blocked(simulation, &simulation->domains[thing->domain], false);
}

void templates_block(struct simulation *simulation, struct domain *domain, const struct incident *incident)
{
    if (domain->is_blocked)
        return;
    set_blocked(simulation, domain, true);
    world_schedule_guest(simulation, domain, incident->for_us * 4, end_block);
}

void templates_configure(const struct simulation *simulation, struct config *config, uint64_t seed)
{
    uint64_t dice = seed;

    if ((simulation->options->faults & UINT64_C(1) << FAULT_TEMPLATE) == 0 || simulation->options->is_short)
        return;
    if (random_hits(&dice, 60))
        config->standby.made_max = (unsigned)random_between(&dice, 1, 2);
    if (random_hits(&dice, 40))
        config->recovery.keep_made_us = random_between(&dice, 30, 200) * USEC_PER_SEC;
}

void templates_define(struct simulation *simulation, struct domain *domain, unsigned roles, bool is_unfinished)
{
    say(simulation, "world    %s is made", domain->name);
    domain->has_parts = true;
    domain->made_epoch = simulation->epoch;
    domain->made_life = domain->life;
    domain->state = MACHINE_SHUT_OFF;
    domain->reason = REASON_UNKNOWN;
    domain->roles = is_unfinished || roles == 0 ? ROLE_IGNORED : roles;
    domain->is_unfinished = is_unfinished;
    domain->is_made_standby = !is_unfinished && roles != 0;
    world_tell(simulation, domain, EVENT_DEFINED, 0);
}

void templates_fail_half_way(struct simulation *simulation, const struct call *call, struct domain *domain)
{
    uint64_t way = random_below(DIE(simulation->options->seed ^ call->number, 62), 3);

    if (call->action.metadata.roles != 0) { /* a standby, which is defined first and at last */
        if (way > 0)
            templates_define(simulation, domain, call->action.metadata.roles, way == 1);
        return;
    }
    domain->has_unrecorded_parts |= call->is_unrecorded;
    if (way == 1) {
        say(simulation, "world    parts of %s are made", domain->name);
        domain->has_parts = true;
        domain->made_epoch = call->epoch;
    } else if (way == 2) {
        templates_define(simulation, domain, 0, false);
    }
}

static bool is_being_made(const struct simulation *simulation, const struct domain *domain)
{
    for (const struct call *call = simulation->calls; call != NULL; call = call->next)
        if (call->action.kind == ACTION_START && strcmp(call->action.target.uuid, domain->uuid) == 0 &&
            !call->has_taken_effect && call->epoch == simulation->epoch)
            return true;
    return false;
}

static bool serves(const struct simulation *simulation, const struct domain *domain)
{
    struct machine_ref ref = {0};
    const struct machine *machine;

    snprintf(ref.hypervisor, sizeof(ref.hypervisor), "%s", simulation->hosts[domain->host].name);
    snprintf(ref.uuid, sizeof(ref.uuid), "%s", domain->uuid);
    machine = simulation->coordinator != NULL
                  ? pool_find(coordinator_pool(simulation->coordinator), ref.hypervisor, ref.uuid)
                  : NULL;
    return machine != NULL && (machine->serves != NULL || machine->diverted != NULL);
}

/* Its time is over. What the hypervisor itself looks at, as maker_unmake does, comes first. */
static void remove_with_data(struct simulation *simulation, struct call *call, struct domain *domain)
{
    int64_t keep_us = simulation->config->recovery.keep_made_us;

    if (domain->state != MACHINE_SHUT_OFF || domain->roles != ROLE_IGNORED || domain->mark[0] != '\0') {
        call->result.error = -EBUSY;
        snprintf(call->result.message, sizeof(call->result.message), "it is used");
        return;
    }
    if (serves(simulation, domain))
        violate(simulation, "%s is removed with its data, and is the replacement of a service", domain->name);
    if (keep_us > 0 && simulation->now.mono_us - domain->off_us < keep_us)
        violate(simulation, "%s is removed with its data %" PRId64 " s after it went off", domain->name,
                (simulation->now.mono_us - domain->off_us) / USEC_PER_SEC);
    say(simulation, "world    %s is removed with its data", domain->name);
    domain->has_parts = domain->has_unrecorded_parts = false;
    domain->exists = false;
    world_tell(simulation, domain, EVENT_UNDEFINED, 0);
}

void templates_unmake(struct simulation *simulation, struct call *call, struct domain *domain)
{
    if (!domain->is_from_template)
        violate(simulation, "%s is to be removed, and was never made", domain->name);
    if (is_being_made(simulation, domain))
        violate(simulation, "%s is to be removed while it is being made", domain->name);
    if (call->action.removes_data) {
        remove_with_data(simulation, call, domain);
        return;
    }
    if (domain->state != MACHINE_TEMPLATE && (domain->state != MACHINE_SHUT_OFF || domain->life != domain->made_life)) {
        call->result.error = -EBUSY;
        snprintf(call->result.message, sizeof(call->result.message), "it has run");
        return;
    }
    say(simulation, "world    what was made of %s is removed", domain->name);
    domain->has_parts = domain->has_unrecorded_parts = false;
    if (domain->state == MACHINE_TEMPLATE)
        return;
    domain->state = MACHINE_TEMPLATE;
    domain->roles = ROLE_STANDBY;
    domain->is_unfinished = false;
    world_tell(simulation, domain, EVENT_UNDEFINED, 0);
}

/* It never ran, and what was made of it is still there. */
static bool has_leftovers(const struct domain *domain)
{
    bool has_run = domain->state != MACHINE_TEMPLATE && domain->life != domain->made_life;

    if (domain->state == MACHINE_SHUT_OFF && domain->is_made_standby)
        return false;

    return domain->has_parts && !has_run && !domain->has_unrecorded_parts && !machine_state_is_active(domain->state);
}

bool templates_are_at_rest(const struct simulation *simulation)
{
    for (unsigned i = 0; i < simulation->n_domains; i++)
        if (has_leftovers(&simulation->domains[i]) && simulation->config->mode == MODE_AUTOMATIC)
            return false;
    return true;
}

void templates_end(struct simulation *simulation)
{
    for (unsigned i = 0; i < simulation->n_domains; i++)
        if (has_leftovers(&simulation->domains[i]) && simulation->config->mode == MODE_AUTOMATIC)
            violate(simulation, "parts of %s, which never ran, are left", simulation->domains[i].name);
}
