/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What becomes of one recovery: a machine is taken, memory is made free for one, or nobody is left. A ranking proposes;
 * a look at every machine has the last word, and is what is written down.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/assignment_internal.h"

/* Of candidates that are out, so many are kept with a recovery: the ones that came closest. */
#define HISTORY_INELIGIBLE 100

static bool is_given_up(const struct coordinator *coordinator, const char *hypervisor)
{
    const struct link *link = link_find(coordinator, hypervisor);

    return link == NULL || host_state_is_lost(link->host.state);
}

/* Somebody would fit but cannot be reached just now: worth waiting for, within the time a start may take. */
static bool is_worth_waiting(const struct coordinator *coordinator, const struct seeker *seeker,
                             const struct selection *selection, struct moment now)
{
    if (now.mono_us - seeker->run->recovery->confirmed.mono_us >= coordinator->config->recovery.start_timeout_us)
        return false;
    if (!hosts_are_heard(coordinator))
        return true;
    for (size_t i = 0; i < selection->n_candidates; i++)
        if (selection->candidates[i].verdict == CANDIDATE_UNREACHABLE &&
            selection->candidates[i].score.verdict == SIMILARITY_ELIGIBLE &&
            !is_given_up(coordinator, selection->candidates[i].machine->hypervisor))
            return true;
    return false;
}

static void write_down(struct coordinator *coordinator, const struct seeker *seeker, struct selection *selection,
                       const struct machine *chosen)
{
    struct recovery *recovery = seeker->run->recovery;
    struct explanation *explanation = NULL;

    select_order_others(&seeker->request, selection, HISTORY_INELIGIBLE);
    /* Without memory the decision stands all the same, unexplained. */
    if (select_explain(&seeker->request, selection, chosen, coordinator->features, HISTORY_INELIGIBLE, &explanation) <
        0)
        return;
    explanation_free(recovery->explanation);
    recovery->explanation = explanation;
}

/* Nothing but memory is missing, and standbys that are kept warm have some: looked at again when they gave it back. */
static bool makes_room(struct assignment *assignment, const struct seeker *seeker)
{
    struct coordinator *coordinator = assignment->coordinator;
    struct run *run = seeker->run;
    _cleanup_(freep) struct contender *lacking = calloc(ranking_count(run->ranking) + 1, sizeof(*lacking));
    size_t n;
    bool is_known;

    if (lacking == NULL) {
        run_postpone(coordinator, run, assignment->now);
        return true;
    }
    n = ranking_lacking_memory(run->ranking, &seeker->request, lacking);
    for (size_t i = 0; i < n; i++) {
        const struct machine *machine = lacking[i].machine;

        /* What another recovery had reserved was given up in this very round. */
        if (select_free_memory(coordinator->pool, machine->hypervisor, &is_known) >= machine->description->memory_kib) {
            run->is_assignable = true;
            return true;
        }
        if (keeper_make_room(coordinator, machine->hypervisor, machine->description->memory_kib, assignment->now))
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
static bool agrees(struct assignment *assignment, const struct seeker *seeker, size_t n,
                   const struct selection *selection)
{
    _cleanup_(freep) struct contender *best = NULL;
    size_t n_best = 0;

    /* What cannot be known for want of memory is not held against it. */
    if (assignment_know_in_use(assignment) < 0 || seeker_list(assignment, seeker, n, &best, &n_best) < 0)
        return true;
    if (n_best != (selection->n_eligible < n ? selection->n_eligible : n))
        return false;
    for (size_t i = 0; i < n_best; i++)
        if (best[i].machine != selection->candidates[i].machine)
            return false;
    return true;
}

/*
 * The last word on somebody who is to be taken, or with NULL on there being nobody: every machine is looked at. Where
 * the ranking turns out to be wrong, the recovery is looked at again with a new one; the second time, what was selected
 * holds. False: not now. *ret_candidate is in the selection; NULL: nobody.
 */
static bool confirm(struct assignment *assignment, const struct seeker *seeker, size_t n, const struct machine *machine,
                    struct selection **ret, const struct candidate **ret_candidate)
{
    _cleanup_(freep) struct selection *selection = NULL;
    const struct candidate *candidate;
    struct run *run = seeker->run;

    assignment->looks += pool_count(assignment->coordinator->pool);
    if (select_eligible(&seeker->request, &selection) < 0) {
        run_postpone(assignment->coordinator, run, assignment->now);
        return false;
    }
    candidate = machine != NULL ? candidate_of(selection, machine) : NULL;
    if (!agrees(assignment, seeker, n, selection)) {
        run_drop_ranking(run);
        assignment_forget_in_use(assignment);
        run->is_assignable = !run->is_doubted;
        run->is_doubted = true;
        if (run->is_assignable)
            return false;
        if (candidate == NULL && selection->n_eligible > 0)
            candidate = &selection->candidates[0];
    } else if (candidate == NULL && (machine != NULL || selection->n_eligible > 0)) {
        run->is_assignable = true; /* since the round began, it is otherwise */
        return false;
    }
    *ret_candidate = candidate;
    *ret = steal_pointer(&selection);
    return true;
}

static void settle_for_nobody(struct assignment *assignment, const struct seeker *seeker, struct selection *selection)
{
    struct coordinator *coordinator = assignment->coordinator;
    struct run *run = seeker->run;
    struct recovery_event nobody = {.kind = RECOVERY_NOBODY, .now = assignment->now};

    run->wants_candidate = false;
    run->is_postponed = is_worth_waiting(coordinator, seeker, selection, assignment->now);
    if (run->is_postponed) {
        run->retry_us = run->recovery->confirmed.mono_us + coordinator->config->recovery.start_timeout_us;
        return;
    }
    write_down(coordinator, seeker, selection, NULL);
    nobody.detail = run->recovery->explanation != NULL ? run->recovery->explanation->summary : "nobody is eligible";
    run_handle(coordinator, run, &nobody);
}

/* Without room on the hypervisor, its turn comes later. */
static bool can_be_taken(const struct coordinator *coordinator, const struct machine *machine)
{
    return hypervisor_has_capacity(coordinator, machine->hypervisor) && keeper_can_yield(coordinator, machine);
}

/* True: it was taken. */
static bool take(struct assignment *assignment, const struct seeker *seeker, struct selection *selection,
                 const struct candidate *candidate)
{
    struct coordinator *coordinator = assignment->coordinator;
    struct run *run = seeker->run;
    struct recovery *recovery = run->recovery;

    write_down(coordinator, seeker, selection, candidate->machine);
    recovery->similarity = ratio_to_double(&candidate->score.similarity);
    recovery->coverage = ratio_to_double(&candidate->score.coverage);
    recovery->overlap = ratio_to_double(&candidate->score.overlap);
    run->wants_candidate = false;
    run->is_postponed = false;
    if (run_take(coordinator, run, candidate->machine, assignment->now) < 0) {
        run_postpone(coordinator, run, assignment->now);
        return false;
    }
    return true;
}

bool decide(struct assignment *assignment, const struct seeker *seeker, size_t n, const struct machine *machine)
{
    _cleanup_(freep) struct selection *selection = NULL;
    const struct candidate *candidate;
    struct run *run = seeker->run;
    bool is_taken = false;

    if (machine != NULL ? !can_be_taken(assignment->coordinator, machine) : makes_room(assignment, seeker))
        return false;
    if (!confirm(assignment, seeker, n, machine, &selection, &candidate))
        return false;
    if (candidate == NULL)
        settle_for_nobody(assignment, seeker, selection);
    else if (candidate->machine == machine || can_be_taken(assignment->coordinator, candidate->machine))
        is_taken = take(assignment, seeker, selection, candidate);
    run_drop_ranking(run);
    run->is_doubted = false;
    /* Who is on its way up now is in everybody's way. */
    if (run->candidate == NULL || !assignment->has_in_use || usage_add(&assignment->in_use, run->candidate, 0) < 0)
        assignment_forget_in_use(assignment);
    return is_taken;
}
