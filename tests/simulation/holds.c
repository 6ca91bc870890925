/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Operators who hold and release at any moment, and what must hold then: nothing is done with what is held, a hold ends
 * only when it is released or its time is over, and it outlives the daemon.
 */
#include <stdlib.h>
#include <string.h>

#include "report/record.h"
#include "simulation.h"

/* The first is on everything; then come the hosts, then the domains. */
#define FIRST_HOST   1u
#define FIRST_DOMAIN (FIRST_HOST + HOSTS_MAX)

static enum hold_scope scope_of(unsigned number)
{
    return number == 0 ? HOLD_ALL : number < FIRST_DOMAIN ? HOLD_HOST : HOLD_MACHINE;
}

static struct machine_ref target_of(const struct simulation *simulation, unsigned number)
{
    struct machine_ref ref = {0};

    if (number >= FIRST_DOMAIN) {
        const struct domain *domain = &simulation->domains[number - FIRST_DOMAIN];

        strcpy(ref.hypervisor, simulation->hosts[domain->host].name);
        strcpy(ref.uuid, domain->uuid);
    } else if (number >= FIRST_HOST) {
        strcpy(ref.hypervisor, simulation->hosts[number - FIRST_HOST].name);
    }
    return ref;
}

static const char *name_of(const struct simulation *simulation, unsigned number)
{
    return number == 0             ? "all"
           : number < FIRST_DOMAIN ? simulation->hosts[number - FIRST_HOST].name
                                   : simulation->domains[number - FIRST_DOMAIN].name;
}

bool holds_cover_host(const struct simulation *simulation, unsigned host)
{
    const struct held *held = &simulation->holds[FIRST_HOST + host];

    return simulation->holds[0].is_on || (held->is_on && !held->is_evacuating);
}

bool holds_cover(const struct simulation *simulation, const struct domain *domain)
{
    return holds_cover_host(simulation, domain->host) || simulation->holds[FIRST_DOMAIN + domain->number].is_on;
}

bool holds_cover_itself(const struct simulation *simulation, const struct domain *domain)
{
    return simulation->holds[FIRST_DOMAIN + domain->number].is_on;
}

static bool is_covered_by(unsigned number, const struct domain *domain)
{
    return number == 0 || number == FIRST_HOST + domain->host || number == FIRST_DOMAIN + domain->number;
}

/* What happened to it just now may be found while it is held, and be taken for planned. */
static void cover(struct simulation *simulation, unsigned number)
{
    for (unsigned i = 0; i < simulation->n_domains; i++)
        if (is_covered_by(number, &simulation->domains[i]))
            promises_started_anew(simulation, &simulation->domains[i]);
}

static void evacuate(struct simulation *simulation, unsigned number)
{
    struct order order = {.kind = ORDER_EVACUATE, .machine = target_of(simulation, number), .is_confirmed = true};
    _cleanup_(order_answer_done) struct order_answer answer = {0};
    struct held *held = &simulation->holds[number];
    int r = coordinator_order(simulation->coordinator, &order, simulation->now, &answer);

    say(simulation, "operator evacuates %s: %s", name_of(simulation, number), answer.words);
    if (r == 0)
        *held = (struct held){
            .is_on = true,
            .is_evacuating = true,
            .closed_us = simulation->now.mono_us,
            .until_us = INT64_MAX,
        };
    shell_pump(simulation);
}

void holds_hold(struct simulation *simulation, struct domain *domain, const struct incident *incident)
{
    unsigned which = (unsigned)(incident->for_us % 8), number;
    int64_t time_us = (incident->for_us & 64) != 0 ? 0 : incident->for_us * 4;
    struct machine_ref target;

    (void)domain;
    number = which == 0   ? 0
             : which <= 3 ? FIRST_HOST + incident->host % simulation->n_hosts
                          : FIRST_DOMAIN + incident->domain % simulation->n_domains;
    if (simulation->coordinator == NULL ||
        (number >= FIRST_DOMAIN && !simulation->domains[number - FIRST_DOMAIN].exists))
        return;
    if (number >= FIRST_HOST && number < FIRST_DOMAIN && (incident->for_us & 128) != 0) {
        evacuate(simulation, number);
        return;
    }
    say(simulation, "operator holds %s", name_of(simulation, number));
    target = target_of(simulation, number);
    if (coordinator_hold(simulation->coordinator, scope_of(number), &target, name_of(simulation, number), NULL, NULL,
                         time_us, simulation->now) < 0)
        abort();
    simulation->holds[number] = (struct held){
        .is_on = true,
        .until_us = time_us > 0 ? simulation->now.real_us + time_us : INT64_MAX,
    };
    cover(simulation, number);
    shell_pump(simulation);
}

static void release(struct simulation *simulation, unsigned number)
{
    struct machine_ref target = target_of(simulation, number);

    say(simulation, "operator releases %s", name_of(simulation, number));
    simulation->holds[number].is_on = false;
    if (coordinator_release(simulation->coordinator, scope_of(number), &target, simulation->now) < 0)
        violate(simulation, "holds: %s cannot be released", name_of(simulation, number));
    shell_pump(simulation);
}

void holds_release_one(struct simulation *simulation, struct domain *domain, const struct incident *incident)
{
    (void)domain;
    if (simulation->coordinator == NULL)
        return;
    holds_step(simulation);
    for (unsigned i = 0; i < HOLDS_MAX; i++) {
        unsigned number = (incident->domain + i) % HOLDS_MAX;

        if (simulation->holds[number].is_on) {
            release(simulation, number);
            return;
        }
    }
}

void holds_release_all(struct simulation *simulation)
{
    holds_step(simulation);
    for (unsigned number = 0; number < HOLDS_MAX; number++)
        if (simulation->holds[number].is_on)
            release(simulation, number);
}

/* NULL: the daemon has none. */
static const struct hold *find(const struct simulation *simulation, unsigned number)
{
    struct machine_ref target = target_of(simulation, number);

    for (size_t i = 0; i < coordinator_hold_count(simulation->coordinator); i++) {
        const struct hold *hold = coordinator_hold_at(simulation->coordinator, i);

        if (!hold->is_over && hold->scope == scope_of(number) && machine_ref_equal(&hold->target, &target))
            return hold;
    }
    return NULL;
}

/* A host that cannot be reached keeps it, unless that one is known to be off. */
static void check_end(struct simulation *simulation, unsigned number)
{
    if (simulation->now.real_us < simulation->holds[number].until_us && !simulation->has_jumped)
        violate(simulation, "holds: that on %s has ended before its time", name_of(simulation, number));
    for (unsigned i = 0; i < simulation->n_hosts; i++) {
        const struct site *site = &simulation->hosts[i];
        bool is_covered = number == 0 || number == FIRST_HOST + i ||
                          (number >= FIRST_DOMAIN && simulation->domains[number - FIRST_DOMAIN].host == i);

        if (is_covered && !site->is_connected && !site->is_fenced)
            violate(simulation, "holds: that on %s has ended while %s cannot be reached", name_of(simulation, number),
                    site->name);
    }
}

void holds_step(struct simulation *simulation)
{
    for (unsigned number = 0; number < HOLDS_MAX; number++) {
        struct held *held = &simulation->holds[number];
        const struct hold *hold = held->is_on ? find(simulation, number) : NULL;

        if (hold != NULL && held->is_evacuating && !hold->is_evacuating) {
            say(simulation, "operator sees that %s is evacuated", name_of(simulation, number));
            held->is_evacuating = false;
            cover(simulation, number);
        }
        if (!held->is_on || hold != NULL)
            continue;
        held->is_on = false;
        check_end(simulation, number);
    }
}

/* The daemon knows what reached the disk: a hold, or its end, that did not is as if it had never been. */
void holds_daemon_starts(struct simulation *simulation)
{
    for (unsigned number = 0; number < HOLDS_MAX; number++) {
        struct held *held = &simulation->holds[number];
        const struct hold *hold;
        char key[RECOVERY_ID_SIZE];

        holds_make_key(number, key);
        hold = find(simulation, number);
        held->is_on = disk_find(simulation, key) != NULL;
        if (held->is_on != (hold != NULL))
            violate(simulation, "holds: that on %s %s", name_of(simulation, number),
                    held->is_on ? "is lost with the daemon" : "comes out of nothing");
        else if (held->is_on)
            held->is_evacuating = hold->is_evacuating;
        if (hold != NULL)
            held->until_us = hold->time_us > 0 ? hold_until_us(hold) : INT64_MAX;
    }
}

void holds_make_key(unsigned number, char key[RECOVERY_ID_SIZE])
{
    snprintf(key, RECOVERY_ID_SIZE, "hold:%u", number);
}

unsigned holds_number(const struct simulation *simulation, const struct hold *hold)
{
    for (unsigned number = 0; number < FIRST_DOMAIN + simulation->n_domains; number++) {
        struct machine_ref target;

        if (number >= FIRST_HOST + simulation->n_hosts && number < FIRST_DOMAIN)
            continue;
        target = target_of(simulation, number);
        if (scope_of(number) == hold->scope && machine_ref_equal(&target, &hold->target))
            return number;
    }
    abort();
}

/* ---- nothing is done ---- */

static bool changes(enum action_kind kind)
{
    switch ((int)kind) {
    case ACTION_START:
    case ACTION_DESTROY:
    case ACTION_SHUTDOWN:
    case ACTION_SUSPEND:
    case ACTION_SAVE:
    case ACTION_SET_CLOCK:
    case ACTION_SET_METADATA:
    case ACTION_SET_AUTOSTART:
    case ACTION_HOOK:
    case ACTION_RECORD:
        return true;
    default:
        return false;
    }
}

/* What was chosen after its host was closed is not started there. */
static void check_closed(struct simulation *simulation, const struct action *action, const struct recovery *recovery,
                         const struct domain *target)
{
    const struct held *held = target != NULL ? &simulation->holds[FIRST_HOST + target->host] : NULL;

    if (action->kind == ACTION_START && held != NULL && held->is_on && held->is_evacuating &&
        target->chosen_us > held->closed_us &&
        (recovery == NULL || (!recovery->is_restarting && !machine_ref_equal(&recovery->failed, &action->target))))
        violate(simulation, "holds: %s is started on a host that is being evacuated", target->name);
}

/* Or never left its host; both halves of a migration are known. */
static bool has_arrived(const struct simulation *simulation, const struct domain *domain)
{
    const struct pool *pool = coordinator_pool(simulation->coordinator);
    const struct machine *left, *here;

    if (domain->moved_life != domain->life || domain->left_host == domain->host)
        return true;
    left = pool_find(pool, simulation->hosts[domain->left_host].name, domain->uuid);
    here = pool_find(pool, simulation->hosts[domain->host].name, domain->uuid);
    return (left == NULL || !machine_state_is_active(left->state)) && here != NULL &&
           machine_state_is_active(here->state) && !machine_is_incoming(here);
}

void holds_before(struct simulation *simulation, const struct action *action)
{
    const struct recovery *recovery = coordinator_find_recovery(simulation->coordinator, action->recovery_id);
    const struct domain *target = world_find(simulation, &action->target);
    const struct domain *failed = recovery != NULL ? world_find(simulation, &recovery->failed) : NULL;
    bool is_open = recovery != NULL && !recovery_state_is_final(recovery->state);
    /* A start that was given up, and took effect: that machine is ended unless it is held itself. */
    bool is_given_up = action->kind == ACTION_DESTROY && recovery != NULL &&
                       !machine_ref_equal(&recovery->replacement, &action->target) &&
                       !machine_ref_equal(&recovery->failed, &action->target);

    check_closed(simulation, action, recovery, target);
    if (action->kind == ACTION_FENCE &&
        holds_cover_host(simulation, (unsigned)(world_host(simulation, action->target.hypervisor) - simulation->hosts)))
        violate(simulation, "holds: %s is fenced while it is held", action->target.hypervisor);
    if (!changes(action->kind))
        return;
    /* One that came up with a disk in use is stopped at once. */
    if (action->kind == ACTION_DESTROY &&
        ((recovery != NULL && recovery->is_unfit) ||
         (target != NULL &&
          (target->must_end || (warm_is_id(action->recovery_id) && storage_is_in_use(simulation, target))))))
        return;
    /* What was asked of the host that it left means nothing. */
    if (target != NULL && strcmp(simulation->hosts[target->host].name, action->target.hypervisor) != 0)
        return;
    /* Of one that is gone, nothing can be. */
    if (target != NULL && target->exists && holds_cover(simulation, target))
        violate(simulation, "holds: %s of %s, which is held", action_kind_name(action->kind), target->name);
    if (is_open && !is_given_up && failed != NULL && holds_cover(simulation, failed) && has_arrived(simulation, failed))
        violate(simulation, "holds: %s for %s, which is held", action_kind_name(action->kind), failed->name);
}
