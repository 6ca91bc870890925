/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What must hold for a choice: likeness, roles, what is in use, and that it is explained. */
#include <string.h>

#include "simulation.h"

static size_t count_candidates(const struct simulation *simulation, const struct recovery *recovery)
{
    const struct pool *pool = coordinator_pool(simulation->coordinator);
    size_t n = 0;

    for (const struct machine *machine = pool_next(pool, NULL); machine != NULL; machine = pool_next(pool, machine)) {
        struct machine_ref ref = machine_ref_of(machine);

        n += machine->is_present && (machine->roles & ROLE_IGNORED) == 0 && !machine_ref_equal(&ref, &recovery->failed);
    }
    return n;
}

static void check_explanation(struct simulation *simulation, const struct recovery *recovery,
                              const struct domain *candidate)
{
    const struct explanation *explanation = recovery->explanation;
    const struct explained_candidate *chosen = explanation != NULL ? explanation_chosen(explanation) : NULL;

    if (chosen == NULL || strcmp(chosen->uuid, candidate->uuid) != 0 || chosen->reason == NULL)
        violate(simulation, "promise 6: the decision of %s is not explained", recovery->id);
    else if (explanation->n_candidates + explanation->n_left_out != count_candidates(simulation, recovery))
        violate(simulation, "promise 6: the explanation of %s does not name every candidate", recovery->id);
}

bool decisions_is_in_use(const struct simulation *simulation, const struct domain *domain)
{
    struct machine_ref ref = {0};
    const struct machine *machine =
        pool_find(coordinator_pool(simulation->coordinator), simulation->hosts[domain->host].name, domain->uuid);

    /* Of one that is gone, and stands there for its recovery to end, nothing is known but its name. */
    if (machine != NULL && (machine_state_is_active(machine->state) || (machine->is_starting && machine->is_present)))
        return true;
    strcpy(ref.hypervisor, simulation->hosts[domain->host].name);
    strcpy(ref.uuid, domain->uuid);
    for (size_t i = 0; i < coordinator_recovery_count(simulation->coordinator); i++) {
        const struct recovery *recovery = coordinator_recovery(simulation->coordinator, i);

        if ((recovery->state == RECOVERY_SETTLING || recovery->state == RECOVERY_VERIFYING) &&
            machine_ref_equal(&recovery->replacement, &ref))
            return true;
    }
    return false;
}

void decisions_check_conflicts(struct simulation *simulation, const struct domain *failed,
                               const struct domain *candidate)
{
    for (unsigned i = 0; i < simulation->n_domains; i++) {
        const struct domain *other = &simulation->domains[i];

        if (other != candidate && other != failed && storage_is_shared(simulation, other, candidate) &&
            decisions_is_in_use(simulation, other))
            violate(simulation, "%s is chosen although %s has its disk or address", candidate->name, other->name);
    }
}

static void check_concurrency(struct simulation *simulation, const struct domain *candidate)
{
    unsigned n = 0, limit = simulation->config->recovery.concurrency;

    for (size_t i = 0; i < coordinator_recovery_count(simulation->coordinator); i++) {
        const struct recovery *recovery = coordinator_recovery(simulation->coordinator, i);

        /* One that was cut off, or whose candidate is gone from there, has nothing under way that is known of. */
        n += recovery->state >= RECOVERY_RECORDING && recovery->state <= RECOVERY_STOPPING &&
             !recovery->question.waits_for_connection &&
             pool_find(coordinator_pool(simulation->coordinator), recovery->replacement.hypervisor,
                       recovery->replacement.uuid) != NULL &&
             strcmp(recovery->replacement.hypervisor, simulation->hosts[candidate->host].name) == 0;
    }
    if (limit != 0 && n > limit)
        violate(simulation, "%u starts at once on one hypervisor, and %u are allowed", n, limit);
}

/* A hold on a host covers what is there: of one that was migrated away, not the definition that stayed behind. */
static bool is_held(const struct simulation *simulation, const struct domain *candidate, const struct machine_ref *ref)
{
    for (unsigned i = 0; i < simulation->n_hosts; i++)
        if (strcmp(simulation->hosts[i].name, ref->hypervisor) == 0 && holds_cover_host(simulation, i))
            return true;
    return holds_cover_itself(simulation, candidate);
}

/* It was tagged anew, and is gone since, before it was described: the need is what was known of it before. */
static bool is_tagged_unheard(const struct simulation *simulation, const struct domain *domain)
{
    return domain->mended_us != 0 && pool_find(coordinator_pool(simulation->coordinator),
                                               simulation->hosts[domain->host].name, domain->uuid) == NULL;
}

void decisions_made(struct simulation *simulation, const struct recovery *recovery)
{
    const struct domain *candidate = world_find(simulation, &recovery->replacement);
    const struct domain *failed = world_find(simulation, &recovery->failed), *original;
    const struct machine *machine = pool_find(coordinator_pool(simulation->coordinator),
                                              recovery->replacement.hypervisor, recovery->replacement.uuid);
    struct domain known;

    if (candidate == failed || candidate == NULL || failed == NULL)
        return;
    original = world_find(simulation, &recovery->service);
    if (recovery->relief != RELIEF_NONE && recovery->is_anyway) {
        decisions_check_conflicts(simulation, failed, candidate);
        return;
    }
    known = tags_known(simulation, candidate);
    if (original != NULL && !is_tagged_unheard(simulation, original)) {
        struct config_similarity similarity = policies_similarity(simulation, recovery->service_name);
        struct domain need = tags_known(simulation, original);

        /* Of one that gave its service away nothing is learned. */
        if ((need.roles & ROLE_PROTECTED) != 0 && !features_are_enough(&similarity, &need, &known))
            violate(simulation, "promise 4: %s is too unlike %s (%s) %s", candidate->name, original->name,
                    recovery->service_name, recovery->explanation ? recovery->explanation->summary : "");
    }
    if (is_held(simulation, candidate, &recovery->replacement))
        violate(simulation, "holds: %s is chosen and is held", candidate->name);
    if ((known.roles & ROLE_STANDBY) == 0)
        violate(simulation, "%s is chosen and is no standby", candidate->name);
    if (machine == NULL ||
        !(machine_state_is_startable(machine->state) || machine->state == MACHINE_PAUSED || recovery->takes_over))
        violate(simulation, "%s is chosen and does not stand by", candidate->name);
    else if (machine->description->obstacle != NULL)
        violate(simulation, "%s is chosen and cannot be made", candidate->name);
    else if (machine_rare(machine)->quarantined_until_us > simulation->now.mono_us)
        violate(simulation, "%s is chosen from quarantine", candidate->name);
    policies_check_host(simulation, recovery);
    check_explanation(simulation, recovery, candidate);
    decisions_check_conflicts(simulation, failed, candidate);
    check_concurrency(simulation, candidate);
}

/*
 * A decision is judged by what was known when it was made. What comes in later in the same turn finds it made, as it
 * would have found the intent handed out if the pump had not waited for it; whether the start is still right is
 * seen when it is asked for. A decision that was withheld longer is old, and judged anew.
 */
void decisions_carried_out(struct simulation *simulation, const struct action *action)
{
    const struct recovery *recovery = coordinator_find_recovery(simulation->coordinator, action->recovery_id);
    const struct book *book = promises_book(simulation, action->recovery_id);
    const struct domain *candidate = world_find(simulation, &action->target);

    if (recovery == NULL || book == NULL || candidate == NULL) {
        violate(simulation, "an intent without a candidate: %s", action->recovery_id);
        return;
    }
    if (simulation->is_braked && candidate->number != book->domain)
        violate(simulation, "%s is decided on while the brake is on", candidate->name);
    if (!book->is_just_decided)
        decisions_made(simulation, recovery);
}
