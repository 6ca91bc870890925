/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What becomes of one recovery in a pass. */
#include "coordinator/decide.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "choose/explain.h"
#include "coordinator/hosts.h"
#include "coordinator/open_recovery.h"
#include "coordinator/standby/choose.h"

/* Of candidates that are out, so many are kept with a recovery: the ones that came closest. */
#define HISTORY_INELIGIBLE 100

static bool is_given_up(const struct registry *registry, const char *hypervisor)
{
    const struct host *host = host_find(registry, hypervisor);

    return host == NULL || host_state_is_lost(host->track.state);
}

/* A machine would fit but cannot be reached just now: worth waiting for, within the time a start may take. */
static bool is_worth_waiting(const struct registry *registry, const struct seeker *seeker,
                             const struct selection *selection, struct moment now)
{
    if (now.mono_us - seeker->open->recovery->confirmed.mono_us >= registry->config->recovery.start_timeout_us)
        return false;
    if (!hosts_are_heard(registry))
        return true;
    for (size_t i = 0; i < selection->n_candidates; i++)
        if (selection->candidates[i].verdict == CANDIDATE_UNREACHABLE &&
            selection->candidates[i].score.verdict == SIMILARITY_ELIGIBLE &&
            !is_given_up(registry, selection->candidates[i].machine->hypervisor))
            return true;
    return false;
}

static void write_down(struct registry *registry, const struct seeker *seeker, struct selection *selection,
                       const struct machine *chosen)
{
    struct recovery *recovery = seeker->open->recovery;
    struct explanation *explanation = NULL;

    select_order_others(&seeker->request, selection, HISTORY_INELIGIBLE);
    /* Without memory the decision stands all the same, unexplained. */
    if (select_explain(&seeker->request, selection, chosen, registry->features, HISTORY_INELIGIBLE, &explanation) < 0)
        return;
    explanation_free(recovery->explanation);
    recovery->explanation = explanation;
}

/* Nothing but memory is missing, and standbys that are kept warm have some: looked at again when they gave it back. */
static bool makes_room(struct pass *pass, const struct seeker *seeker)
{
    struct registry *registry = pass->registry;
    struct open_recovery *open = seeker->open;
    _cleanup_(freep) struct contender *lacking = calloc(ranking_count(open->ranking) + 1, sizeof(*lacking));
    size_t n;
    bool is_known;

    if (lacking == NULL) {
        pass_postpone(pass, open);
        return true;
    }
    n = ranking_lacking_memory(open->ranking, &seeker->request, lacking);
    for (size_t i = 0; i < n; i++) {
        const struct machine *machine = lacking[i].machine;

        /* What another recovery had reserved was given up in this very round. */
        if (select_free_memory(registry->pool, machine->hypervisor, &is_known) >= machine->description->memory_kib) {
            open->is_assignable = true;
            return true;
        }
        if (standby_make_room(pass->recoveries->standby, machine->hypervisor, machine->description->memory_kib,
                              pass->now))
            return true;
    }
    return false;
}

static const struct candidate *candidate_of(const struct selection *selection, const struct machine *machine)
{
    for (size_t i = 0; i < selection->n_eligible; i++)
        if (selection->candidates[i].machine == machine)
            return &selection->candidates[i];
    return NULL;
}

/* Asked now, the ranking names the same machines first as the full selection. */
static bool agrees(struct pass *pass, const struct seeker *seeker, size_t n, const struct selection *selection)
{
    _cleanup_(freep) struct contender *best = NULL;
    size_t n_best = 0;

    /* What cannot be known for want of memory is not held against it. */
    if (pass_know_in_use(pass) < 0 || seeker_list(pass, seeker, n, &best, &n_best) < 0)
        return true;
    if (n_best != (selection->n_eligible < n ? selection->n_eligible : n))
        return false;
    for (size_t i = 0; i < n_best; i++)
        if (best[i].machine != selection->candidates[i].machine)
            return false;
    return true;
}

/*
 * The last word on a machine that is to be taken, or with NULL on there being no candidate: every machine is looked
 * at. Where the ranking turns out to be wrong, the recovery is looked at again with a new one; the second time, what
 * was selected holds. False: not now. *ret_candidate is in the selection; NULL: there is none.
 */
static bool confirm(struct pass *pass, const struct seeker *seeker, size_t n, const struct machine *machine,
                    struct selection **ret, const struct candidate **ret_candidate)
{
    _cleanup_(freep) struct selection *selection = NULL;
    const struct candidate *candidate;
    struct open_recovery *open = seeker->open;

    pass->looks += pool_count(pass->registry->pool);
    if (select_eligible(&seeker->request, &selection) < 0) {
        pass_postpone(pass, open);
        return false;
    }
    candidate = machine != NULL ? candidate_of(selection, machine) : NULL;
    if (!agrees(pass, seeker, n, selection)) {
        seeker_drop_ranking(seeker);
        pass_forget_in_use(pass);
        open->is_assignable = !open->is_doubted;
        open->is_doubted = true;
        if (open->is_assignable)
            return false;
        if (candidate == NULL && selection->n_eligible > 0)
            candidate = &selection->candidates[0];
    } else if (candidate == NULL && (machine != NULL || selection->n_eligible > 0)) {
        open->is_assignable = true; /* since the round began, it is otherwise */
        return false;
    }
    *ret_candidate = candidate;
    *ret = steal_pointer(&selection);
    return true;
}

static void settle_for_none(struct pass *pass, const struct seeker *seeker, struct selection *selection)
{
    struct registry *registry = pass->registry;
    struct open_recovery *open = seeker->open;
    struct recovery_event none = {.kind = RECOVERY_NO_CANDIDATE, .now = pass->now};

    open->wants_candidate = false;
    open->is_postponed = is_worth_waiting(registry, seeker, selection, pass->now);
    if (open->is_postponed) {
        open->retry_us = open->recovery->confirmed.mono_us + registry->config->recovery.start_timeout_us;
        return;
    }
    write_down(registry, seeker, selection, NULL);
    none.detail =
        open->recovery->explanation != NULL ? open->recovery->explanation->summary : "no candidate is eligible";
    open_recovery_handle(pass->recoveries, open, &none);
}

/* Without room on the hypervisor, its turn comes later. */
static bool can_be_taken(const struct pass *pass, const struct machine *machine)
{
    return recoveries_have_capacity(pass->recoveries, machine->hypervisor) &&
           standby_can_yield(pass->recoveries->standby, machine);
}

/* True: it was taken. */
static bool take(struct pass *pass, const struct seeker *seeker, struct selection *selection,
                 const struct candidate *candidate)
{
    struct registry *registry = pass->registry;
    struct open_recovery *open = seeker->open;
    struct recovery *recovery = open->recovery;

    write_down(registry, seeker, selection, candidate->machine);
    recovery->similarity = fraction_to_double(score_similarity(&candidate->score));
    recovery->coverage = fraction_to_double(score_coverage(&candidate->score));
    recovery->overlap = fraction_to_double(score_overlap(&candidate->score));
    open->wants_candidate = false;
    open->is_postponed = false;
    if (open_recovery_take(pass->recoveries, open, candidate->machine, pass->now) < 0) {
        pass_postpone(pass, open);
        return false;
    }
    return true;
}

bool decide(struct pass *pass, const struct seeker *seeker, size_t n, const struct machine *machine)
{
    _cleanup_(freep) struct selection *selection = NULL;
    const struct candidate *candidate;
    struct open_recovery *open = seeker->open;
    bool is_taken = false;

    if (machine != NULL ? !can_be_taken(pass, machine) : makes_room(pass, seeker))
        return false;
    if (!confirm(pass, seeker, n, machine, &selection, &candidate))
        return false;
    if (candidate == NULL)
        settle_for_none(pass, seeker, selection);
    else if (candidate->machine == machine || can_be_taken(pass, candidate->machine))
        is_taken = take(pass, seeker, selection, candidate);
    seeker_drop_ranking(seeker);
    open->is_doubted = false;
    /* A machine that is on its way up now is in the way of all others. */
    if (open->candidate == NULL || !pass->has_in_use || usage_add(&pass->in_use, open->candidate, 0) < 0)
        pass_forget_in_use(pass);
    return is_taken;
}
