/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Standbys that are kept warm: how much of it there is in a course of the world, and what is promised of it.
 * A claim is the keeper's or a recovery's; memory stays within the limit; a standby runs only while it is
 * made warm, or serves; and when all is quiet, what should be warm is.
 */
#include <string.h>

#include "report/record.h"
#include "simulation.h"

#define GIB (INT64_C(1) << 30)

bool warm_is_id(const char *id)
{
    return strncmp(id, WARM_ID_PREFIX, strlen(WARM_ID_PREFIX)) == 0;
}

static bool is_on(const struct simulation *simulation)
{
    return (simulation->options->faults & UINT64_C(1) << FAULT_WARMTH) != 0;
}

void warm_configure(struct simulation *simulation, struct config *config)
{
    static const int64_t limits[] = {0, 0, 2 * GIB, 4 * GIB, 6 * GIB};
    uint64_t base = random_next(&simulation->random_warm);
    struct config_standby standby = {
        .warm = random_hits(DIE(base, 1), 70) ? (unsigned)random_between(DIE(base, 2), 1, 4) : 0,
        .memory_limit_bytes = limits[random_below(DIE(base, 3), ELEMENTS_OF(limits))],
        .warmth = random_hits(DIE(base, 4), 65) ? KEEP_PAUSED : KEEP_SAVED,
        .boot_timeout_us = random_between(DIE(base, 7), 0, 30) * USEC_PER_SEC,
        .refresh_us = random_hits(DIE(base, 5), 60) ? random_between(DIE(base, 6), 20, 120) * USEC_PER_SEC : 0,
    };

    if (simulation->options->is_warm)
        config->standby = (struct config_standby){.warm = 1};
    else if (is_on(simulation) && !simulation->options->is_short)
        config->standby = standby;
}

/* Some hosts have little more than their machines take at the beginning. */
void warm_make_hosts_scarce(struct simulation *simulation)
{
    for (unsigned i = 0; i < simulation->n_hosts; i++) {
        uint64_t spare_kib = (uint64_t)random_between(&simulation->random_warm, 1, 5) * (uint64_t)GIB / 1024;
        struct site *host = &simulation->hosts[i];

        if (random_hits(&simulation->random_warm, 40) && is_on(simulation))
            host->memory_kib = host->memory_kib - world_free_memory(simulation, i) + spare_kib;
    }
}

static const struct machine *view_of(const struct simulation *simulation, const struct domain *domain)
{
    if (simulation->coordinator == NULL)
        return NULL;
    return pool_find(coordinator_pool(simulation->coordinator), simulation->hosts[domain->host].name, domain->uuid);
}

bool warm_is_kept(const struct simulation *simulation, const struct domain *domain)
{
    const struct machine *machine = view_of(simulation, domain);
    struct machine_ref ref;

    if (machine == NULL)
        return warm_is_id(domain->started_for);
    /* Until its host is listed, what the daemon before had written down holds. */
    ref = machine_ref_of(machine);
    return machine->keeping != KEEPING_NONE ||
           coordinator_memory(simulation->coordinator, &ref).keeping != KEEPING_NONE;
}

/* ---- before it acts ---- */

static void check_written(struct simulation *simulation, const struct domain *domain)
{
    const struct page *page = disk_find_machine(simulation, domain);
    struct machine_memory memory;

    if (page == NULL || record_parse_machine(page->document, &memory) < 0 || memory.keeping != KEEPING_WARMING)
        violate(simulation, "warmth: %s is started to be warm, and that it is ours is not on disk", domain->name);
}

static void check_limit(struct simulation *simulation, const struct domain *starting)
{
    int64_t limit_bytes = simulation->config->standby.memory_limit_bytes;
    uint64_t sum_kib = machine_state_is_active(starting->state) ? 0 : starting->memory_kib;

    for (unsigned i = 0; i < simulation->n_domains; i++) {
        const struct domain *domain = &simulation->domains[i];
        const struct machine *machine = view_of(simulation, domain);

        if (machine != NULL && machine->keeping != KEEPING_NONE && warm_is_id(domain->started_for) &&
            !domain->start_was_lost && machine_state_is_active(domain->state))
            sum_kib += domain->memory_kib;
    }
    if (limit_bytes != 0 && !machine_state_is_active(starting->state) && sum_kib * 1024 > (uint64_t)limit_bytes)
        violate(simulation, "warmth: %s is started, and the warm ones have more than standby.memory_limit then",
                starting->name);
}

/* Others as the coordinator knows them; the machine whose replacement it is to be runs, and counts. */
static void check_conflicts(struct simulation *simulation, const struct domain *domain)
{
    for (unsigned i = 0; i < simulation->n_domains; i++) {
        const struct domain *other = &simulation->domains[i];

        if (other != domain && storage_is_shared(simulation, other, domain) && decisions_is_in_use(simulation, other))
            violate(simulation, "warmth: %s is started to be warm beside %s, with its disk or address", domain->name,
                    other->name);
    }
}

/* Without an agent only its CPU time tells that its guest is up. */
static void check_booted(struct simulation *simulation, const struct domain *domain)
{
    int64_t up_us = simulation->now.mono_us - domain->up_us,
            timeout_us = simulation->configs[0].standby.boot_timeout_us;

    for (unsigned i = 1; i < CONFIGS; i++)
        if (simulation->configs[i].standby.boot_timeout_us < timeout_us)
            timeout_us = simulation->configs[i].standby.boot_timeout_us;
    if (domain->state == MACHINE_RUNNING && !domain->has_agent && up_us < world_boot_us(domain) && up_us < timeout_us)
        violate(simulation, "warmth: %s is laid down in the middle of its boot", domain->name);
}

static void check_claim(struct simulation *simulation, const struct domain *domain, const struct action *action)
{
    for (size_t i = 0; i < coordinator_recovery_count(simulation->coordinator); i++) {
        const struct recovery *recovery = coordinator_recovery(simulation->coordinator, i);

        if (recovery_state_is_final(recovery->state))
            continue;
        if (machine_ref_equal(&recovery->failed, &action->target) ||
            (recovery->replacement_name != NULL && machine_ref_equal(&recovery->replacement, &action->target)))
            violate(simulation, "warmth: %s of %s, which recovery %s has claimed", action_kind_name(action->kind),
                    domain->name, recovery->id);
    }
}

void warm_before(struct simulation *simulation, const struct action *action)
{
    const struct domain *domain = world_find(simulation, &action->target);
    const struct machine *machine = domain != NULL ? view_of(simulation, domain) : NULL;

    if (machine == NULL || !warm_is_id(action->recovery_id))
        return;
    if (action->kind == ACTION_START || action->kind == ACTION_SUSPEND || action->kind == ACTION_SAVE ||
        action->kind == ACTION_DESTROY)
        check_claim(simulation, domain, action);
    if (action->kind == ACTION_SUSPEND || action->kind == ACTION_SAVE)
        check_booted(simulation, domain);
    if (action->kind != ACTION_START)
        return;
    check_written(simulation, domain);
    check_limit(simulation, domain);
    if (machine->state == MACHINE_SHUT_OFF)
        check_conflicts(simulation, domain);
    if (simulation->is_braked)
        violate(simulation, "warmth: %s is started to be warm while the brake is on", domain->name);
    if ((tags_known(simulation, domain).roles & ROLE_STANDBY) == 0)
        violate(simulation, "warmth: %s is no standby", domain->name);
}

/* A recovery takes one over that runs already. */
void warm_take_over(struct simulation *simulation, struct domain *domain, const char *recovery_id)
{
    if (!warm_is_id(domain->started_for) || warm_is_id(recovery_id))
        return;
    say(simulation, "world    %s, warm, serves for %s from now on", domain->name, recovery_id);
    snprintf(domain->started_for, sizeof(domain->started_for), "%s", recovery_id);
    simulation->result->warm[WARMING_TAKEN_RUNNING]++;
}

/* What was asked before a connection broke, or by a daemon that died, may come at any time: a known limit. */
void warm_laid_down(struct simulation *simulation, const struct call *call, const struct domain *domain)
{
    if (domain->started_for[0] == '\0' || warm_is_id(domain->started_for) || call->is_lost ||
        call->epoch != simulation->epoch || promises_is_beyond_knowing(simulation, domain))
        return;
    violate(simulation, "warmth: %s is laid down although it serves for %s", domain->name, domain->started_for);
}

void warm_notice(struct simulation *simulation, const struct notice *notice)
{
    unsigned long *warm = simulation->result->warm;

    warm[WARMING_WARMED] += notice->kind == NOTICE_WARMED;
    warm[WARMING_REFRESHED] += notice->kind == NOTICE_REFRESHED;
    warm[WARMING_DID_NOT] += notice->kind == NOTICE_WARM_FAILED;
    warm[WARMING_GIVEN_BACK] += notice->kind == NOTICE_WARM_ENDED;
    warm[WARMING_TAKEN] +=
        notice->kind == NOTICE_STARTED && notice->warmth != NULL && strcmp(notice->warmth, "cold") != 0;
}

/* ---- a recovery that found no candidate ---- */

static uint64_t releasable_kib(const struct simulation *simulation, unsigned host)
{
    uint64_t sum_kib = 0;

    for (unsigned i = 0; i < simulation->n_domains; i++) {
        const struct machine *machine = view_of(simulation, &simulation->domains[i]);

        if (machine != NULL && simulation->domains[i].host == host && machine->keeping == KEEPING_WARM &&
            !holds_cover(simulation, &simulation->domains[i]) && machine->state == MACHINE_PAUSED)
            sum_kib += simulation->domains[i].memory_kib;
    }
    return sum_kib;
}

void warm_check_no_candidate(struct simulation *simulation, const struct recovery *recovery)
{
    const struct explanation *explanation = recovery->explanation;
    struct pool *pool = coordinator_pool(simulation->coordinator);
    bool is_known;

    if (explanation == NULL || explanation->left_out[CANDIDATE_ELIGIBLE] > 0 || recovery->detail == NULL ||
        strcmp(recovery->detail, explanation->summary) != 0)
        return;
    for (size_t i = 0; i < explanation->n_candidates; i++) {
        const struct explained_candidate *candidate = &explanation->candidates[i];
        struct machine_ref ref = {0};
        const struct domain *domain;
        uint64_t free_kib;

        if (candidate->eligible)
            return;
        strncpy(ref.hypervisor, candidate->hypervisor, sizeof(ref.hypervisor) - 1);
        memcpy(ref.uuid, candidate->uuid, sizeof(ref.uuid));
        domain = world_find(simulation, &ref);
        if (domain == NULL || strncmp(candidate->reason, "needs ", strlen("needs ")) != 0)
            continue;
        free_kib = pool_spare_memory(pool, ref.hypervisor, &is_known);
        if (free_kib + releasable_kib(simulation, domain->host) >= domain->memory_kib)
            violate(simulation, "warmth: %s finds no candidate for want of memory that warm standbys hold",
                    recovery->id);
    }
}

/* ---- the end ---- */

static bool is_diverted(const struct simulation *simulation, const struct domain *domain)
{
    const struct machine *machine = view_of(simulation, domain);

    return machine != NULL && machine->diverted != NULL;
}

/* It serves as a replacement, or its own service is served by one. */
static bool is_in_diversion(const struct simulation *simulation, const struct domain *domain)
{
    const struct machine *machine = view_of(simulation, domain);

    return machine != NULL && (machine->diverted != NULL || machine->serves != NULL);
}

static bool is_similar_standby(const struct simulation *simulation, const struct domain *failed,
                               const struct domain *candidate)
{
    struct config_similarity similarity = policies_similarity(simulation, failed->name);

    return candidate != failed && candidate->exists && (candidate->roles & ROLE_STANDBY) != 0 &&
           policies_allow_host(simulation, failed->name, simulation->hosts[candidate->host].name) &&
           features_are_enough(&similarity, failed, candidate);
}

static bool may_run(const struct simulation *simulation, const struct domain *domain)
{
    for (unsigned i = 0; i < simulation->n_domains; i++) {
        const struct domain *other = &simulation->domains[i];

        if (other != domain && machine_state_is_active(other->state) &&
            (other->live_disk == storage_next_disk_of(domain) || other->mac == domain->mac))
            return false;
    }
    /* Two standbys of which one only can be warm: which one, is a matter of the plan. */
    for (unsigned i = 0; i < simulation->n_domains; i++)
        if (&simulation->domains[i] != domain && (simulation->domains[i].roles & ROLE_STANDBY) != 0 &&
            (simulation->domains[i].disk == domain->disk || simulation->domains[i].mac == domain->mac))
            return false;
    return world_free_memory(simulation, domain->host) >= domain->memory_kib + GIB / 1024;
}

/* The only one who could take the place of a machine that runs; NULL. */
static const struct domain *only_standby_of(const struct simulation *simulation, const struct domain *failed)
{
    const struct domain *only = NULL;

    if (failed->state != MACHINE_RUNNING || (failed->roles & ROLE_PROTECTED) == 0 || warm_is_kept(simulation, failed) ||
        is_in_diversion(simulation, failed))
        return NULL;
    for (unsigned i = 0; i < simulation->n_domains; i++) {
        const struct domain *candidate = &simulation->domains[i];

        if (!is_similar_standby(simulation, failed, candidate) || is_diverted(simulation, candidate))
            continue;
        if (only != NULL)
            return NULL;
        only = candidate;
    }
    return only;
}

/* A standby that the plan cannot do without, and that is cold though there is room for it; NULL. */
static const struct domain *find_left_cold(const struct simulation *simulation)
{
    unsigned n_kept = 0;

    for (unsigned i = 0; i < simulation->n_domains; i++)
        n_kept += warm_is_kept(simulation, &simulation->domains[i]);
    if (n_kept >= simulation->config->standby.warm || simulation->config->standby.memory_limit_bytes != 0 ||
        simulation->config->recovery.order == ORDER_ORIGINAL_ONLY) /* no standby is ever started */
        return NULL;
    for (unsigned i = 0; i < simulation->n_domains; i++) {
        const struct domain *only = only_standby_of(simulation, &simulation->domains[i]);
        const struct machine *machine = only != NULL ? view_of(simulation, only) : NULL;

        if (machine != NULL && only->state == MACHINE_SHUT_OFF && only->is_persistent && !only->has_saved &&
            machine->keeping == KEEPING_NONE && !machine->failed_unrecovered &&
            machine_rare(machine)->quarantined_until_us <= simulation->now.mono_us && may_run(simulation, only))
            return only;
    }
    return NULL;
}

bool warm_is_at_rest(const struct simulation *simulation)
{
    unsigned n_warm = 0;

    for (unsigned i = 0; i < simulation->n_domains; i++) {
        const struct machine *machine = view_of(simulation, &simulation->domains[i]);

        if (machine != NULL && (machine->keeping == KEEPING_WARMING || machine->keeping == KEEPING_ENDING))
            return false;
        n_warm += machine != NULL && machine->keeping == KEEPING_WARM;
    }
    return n_warm <= simulation->config->standby.warm && find_left_cold(simulation) == NULL;
}

static void check_standing(struct simulation *simulation, const struct domain *domain, const struct machine *machine)
{
    bool is_paused = domain->state == MACHINE_PAUSED && domain->reason == REASON_USER;
    struct machine_memory memory = {0};
    const struct page *page = disk_find_machine(simulation, domain);

    if (!is_paused && !(domain->state == MACHINE_SHUT_OFF && domain->has_saved))
        violate(simulation, "warmth: %s is thought to be warm, and is %s", domain->name,
                machine_state_name(domain->state));
    if (machine_rare(machine)->claimed_by != NULL)
        violate(simulation, "warmth: %s stands warm, and is claimed by %s", domain->name,
                machine_rare(machine)->claimed_by);
    if (page == NULL || record_parse_machine(page->document, &memory) < 0 || memory.keeping != KEEPING_WARM)
        violate(simulation, "warmth: that %s is warm is not on disk", domain->name);
}

static void check_total(struct simulation *simulation, uint64_t sum_kib, unsigned n)
{
    const struct config_standby *config = &simulation->config->standby;

    if (config->memory_limit_bytes != 0 && sum_kib * 1024 > (uint64_t)config->memory_limit_bytes)
        violate(simulation, "warmth: the warm ones have more than standby.memory_limit in the end");
    if (n > config->warm)
        violate(simulation, "warmth: %u are warm, and %u should be", n, config->warm);
}

void warm_end(struct simulation *simulation)
{
    const struct domain *cold = find_left_cold(simulation);
    uint64_t sum_kib = 0;
    unsigned n = 0;

    for (unsigned i = 0; i < simulation->n_domains; i++) {
        const struct domain *domain = &simulation->domains[i];
        const struct machine *machine = view_of(simulation, domain);
        bool is_warm = machine != NULL && machine->keeping == KEEPING_WARM;

        /*
         * Known limits: a start that was lost, and came when another had taken effect since, or the clock had jumped; a
         * fence agent that lied about the host of what an earlier daemon had started.
         */
        if (domain->state == MACHINE_RUNNING && warm_is_id(domain->started_for) && !domain->was_up_since &&
            domain->lied_life != domain->life && !(domain->start_was_lost && simulation->has_jumped))
            violate(simulation, "warmth: %s runs, and serves no service", domain->name);
        if (!is_warm)
            continue;
        n++;
        sum_kib += domain->state == MACHINE_PAUSED ? domain->memory_kib : 0;
        check_standing(simulation, domain, machine);
    }
    check_total(simulation, sum_kib, n);
    if (cold != NULL)
        violate(simulation, "warmth: %s could be warm, and is not", cold->name);
}
