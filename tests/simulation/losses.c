/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The promises about hosts: when one may be fenced, that nothing of it is started before that succeeded, that
 * a failure is told, and that nothing runs twice unnoticed. Judged by the truth and by what was told.
 */
#include <string.h>

#include "simulation.h"

static int64_t least_timeout_us(const struct simulation *simulation)
{
    int64_t a_us = simulation->configs[0].host_timeout_us, b_us = simulation->configs[1].host_timeout_us;

    return a_us < b_us ? a_us : b_us;
}

void losses_fence_asked(struct simulation *simulation, unsigned index)
{
    struct site *fenced = &simulation->hosts[index];
    unsigned n = 0, n_gone = 0;

    fenced->was_seen = false;
    if (fenced->is_connected)
        violate(simulation, "%s is fenced while it is connected", fenced->name);
    if (simulation->now.mono_us - fenced->lost_us < least_timeout_us(simulation))
        violate(simulation, "%s is fenced before host_timeout is over", fenced->name);
    for (unsigned i = 0; i < simulation->n_hosts; i++) {
        const struct site *site = &simulation->hosts[i];

        if (site->is_fenced || (!site->is_connected && holds_cover_host(simulation, i)))
            continue;
        n++;
        n_gone += !site->is_connected;
    }
    if (n_gone * MILLIONTHS > n * simulation->config->isolation_share)
        violate(simulation, "%s is fenced although %u of %u hosts are out of reach", fenced->name, n_gone, n);
}

/* That its host was lost is not the candidate's fault, and not counted. */
static void forgive_candidate(const struct simulation *simulation, struct book *book, unsigned host)
{
    if (book->replacement >= 0 && simulation->domains[book->replacement].host == host && book->has_started &&
        !book->is_restarting && !recovery_state_is_final(book->state) && book->starts > 0)
        book->starts--;
}

void losses_answered(struct simulation *simulation, unsigned index, bool is_off)
{
    struct site *site = &simulation->hosts[index];

    if (site->was_seen)
        return; /* its word is outdated */
    if (is_off) {
        for (size_t i = 0; i < simulation->n_books; i++)
            forgive_candidate(simulation, &simulation->books[i], index);
        site->is_fenced = true;
        site->fenced_us = simulation->now.mono_us;
        crashes_fenced(simulation, index);
    } else if (!site->is_fenced) {
        site->expects_alert = true;
    }
}

void losses_told(struct simulation *simulation)
{
    for (unsigned i = 0; i < simulation->n_hosts; i++)
        if (simulation->hosts[i].expects_alert)
            violate(simulation, "fencing of %s failed, and that is not told", simulation->hosts[i].name);
}

void losses_notice(struct simulation *simulation, const struct notice *notice)
{
    struct domain *original = world_find(simulation, &notice->machine);

    if (notice->kind == NOTICE_FENCE_FAILED)
        world_host(simulation, notice->machine.hypervisor)->expects_alert = false;
    if (notice->kind == NOTICE_BOTH_RUN && original != NULL)
        original->twice_life = original->life;
}

/* One that runs twice is stopped on purpose, whatever befell it just now. */
void losses_destroy(struct simulation *simulation, const struct action *action)
{
    const struct book *book = promises_book(simulation, action->recovery_id);
    const struct domain *domain = world_find(simulation, &action->target);

    if (book != NULL && domain != NULL && book->state == RECOVERY_RECOVERED)
        promises_started_anew(simulation, domain);
}

/* It was migrated, or an operator has started it, since its host was fenced, and it is where that cannot be seen. */
static bool is_out_of_sight(const struct simulation *simulation, const struct domain *domain)
{
    const struct site *site = &simulation->hosts[domain->host];

    bool was_started = site->is_fenced && domain->started_for[0] == '\0' && domain->up_us > site->fenced_us;

    return (domain->moved_life == domain->life || was_started) &&
           !coordinator_hypervisor(simulation->coordinator, domain->host).is_listed;
}

/* It came down with its host, or is said to have: it must not run when another takes its place. */
void losses_check_start(struct simulation *simulation, const struct recovery *recovery, const struct book *book)
{
    const struct domain *failed = &simulation->domains[book->domain];

    if (recovery->cause == CAUSE_HOST_LOST && machine_state_is_active(failed->state) &&
        failed->life == book->failed_life && !simulation->hosts[failed->host].has_lied &&
        !is_out_of_sight(simulation, failed))
        violate(simulation, "promise 8: %s still runs, and another is started in its place for %s", failed->name,
                book->id);
}

static bool serves(const struct domain *domain, const struct book *book)
{
    return domain->state == MACHINE_RUNNING && strcmp(domain->started_for, book->id) == 0;
}

/* It runs in the place of yet another, or is taken for that: its end was never seen. */
static bool has_other_duty(const struct simulation *simulation, const struct domain *domain)
{
    if (domain->started_for[0] != '\0')
        return true;
    for (size_t i = 0; i < coordinator_diversion_count(simulation->coordinator); i++) {
        const struct diversion *diversion = coordinator_diversion(simulation->coordinator, i);

        if (!diversion->is_over && strcmp(diversion->service.replacement.uuid, domain->uuid) == 0)
            return true;
    }
    return false;
}

const struct domain *losses_original(const struct simulation *simulation, const struct book *book)
{
    for (unsigned i = 0; i < simulation->n_domains; i++)
        if (strcmp(simulation->domains[i].uuid, book->root) == 0)
            return &simulation->domains[i];
    return &simulation->domains[book->domain];
}

void losses_end(struct simulation *simulation)
{
    for (size_t i = 0; i < simulation->n_books; i++) {
        const struct book *book = &simulation->books[i];
        const struct domain *original = losses_original(simulation, book), *replacement;

        if (book->state != RECOVERY_RECOVERED || book->replacement < 0 || original->state != MACHINE_RUNNING ||
            has_other_duty(simulation, original))
            continue;
        replacement = &simulation->domains[book->replacement];
        if (replacement == original || !serves(replacement, book))
            continue;
        if (original->twice_life != original->life)
            violate(simulation, "%s runs beside %s, which took its place, and that is not told", original->name,
                    replacement->name);
        else if (simulation->config->when_both_run != BOTH_RUN_ALERT)
            violate(simulation, "%s runs beside %s for ever, although one of them was to be stopped", original->name,
                    replacement->name);
    }
}
