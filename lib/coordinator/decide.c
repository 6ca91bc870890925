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

static bool is_given_up(const void *registry, const char *hypervisor)
{
    const struct host *host = host_find(registry, hypervisor);

    return host == NULL || host_state_is_lost(host->track.state);
}

/* Until when a machine is waited for that would fit and cannot be reached just now: within the time a start may take. */
static int64_t patience_us(const struct pass *pass, const struct open_recovery *open)
{
    int64_t since_us = open->recovery->confirmed.mono_us;

    return (open->free_us > since_us ? open->free_us : since_us) + pass->registry->config->recovery.start_timeout_us;
}

static bool is_worth_waiting(const struct pass *pass, const struct seeker *seeker)
{
    const struct registry *registry = pass->registry;

    if (pass->now.mono_us >= patience_us(pass, seeker->open))
        return false;
    return !hosts_are_heard(registry) ||
           choose_is_out_of_reach(registry->chooser, &seeker->request, is_given_up, registry) != 0;
}

static void write_down(const struct registry *registry, const struct seeker *seeker, const struct machine *chosen)
{
    struct recovery *recovery = seeker->open->recovery;
    struct explanation *explanation = NULL;

    /* Without memory the decision stands all the same, unexplained. */
    if (explain_choice(&seeker->request, &seeker->choice, chosen, SEEKER_LISTED, registry->features, &explanation) < 0)
        return;
    explanation_free(recovery->explanation);
    recovery->explanation = explanation;
}

/* It lacked memory when the choice was made, and what it lacks now is something else: the choice says what is no longer so. */
static bool has_memory_again(const struct seeker *seeker, const struct candidate *candidate)
{
    const struct choice *choice = &seeker->choice;

    for (size_t i = 0; i < choice->n_ineligible && candidate->verdict != CANDIDATE_NO_MEMORY; i++)
        if (choice->ineligible[i].machine == candidate->machine)
            return choice->ineligible[i].verdict == CANDIDATE_NO_MEMORY;
    return false;
}

/* Nothing but memory is missing, and standbys that are kept warm have some: looked at again when they gave it back. */
static bool makes_room(struct pass *pass, const struct seeker *seeker)
{
    struct candidate candidate;
    bool is_known;
    int r = choose_begin(pass->registry->chooser, &seeker->request);

    while (r == 0 && (r = choose_next(pass->registry->chooser, &candidate)) > 0) {
        uint64_t needed_kib = domain_description_host_memory_kib(candidate.machine->description);

        r = 0;
        if (candidate.verdict == CANDIDATE_ELIGIBLE || has_memory_again(seeker, &candidate)) {
            /* What another recovery had reserved was given up in this very round. */
            seeker->open->is_assignable = true;
            return true;
        }
        if (candidate.verdict == CANDIDATE_NO_MEMORY &&
            (pool_host_spare_kib(pool_host_of(candidate.machine), &is_known) >= needed_kib ||
             standby_make_room(pass->recoveries->standby, candidate.machine->hypervisor, needed_kib, pass->now)))
            return true;
    }
    if (r < 0)
        pass_postpone(pass, seeker->open);
    return r < 0;
}

static void settle_for_none(struct pass *pass, const struct seeker *seeker)
{
    struct registry *registry = pass->registry;
    struct open_recovery *open = seeker->open;
    struct recovery_event none = {.kind = RECOVERY_NO_CANDIDATE, .now = pass->now};

    open->wants_candidate = false;
    open->is_postponed = is_worth_waiting(pass, seeker);
    if (open->is_postponed) {
        open->retry_us = patience_us(pass, open);
        return;
    }
    write_down(registry, seeker, NULL);
    none.detail =
        open->recovery->explanation != NULL ? open->recovery->explanation->summary : "no candidate is eligible";
    open_recovery_handle(pass->recoveries, open, &none);
}

bool decide_can_take(const struct pass *pass, const struct machine *machine)
{
    return host_can_start_one(pass->registry, machine->hypervisor) &&
           standby_can_yield(pass->recoveries->standby, machine);
}

/* Some time after the input that led to it. */
static struct moment decided_at(const struct pass *pass)
{
    struct moment now = pass->assignment->clock != NULL ? pass->assignment->clock() : pass->now;

    return now.mono_us > pass->now.mono_us ? now : pass->now;
}

static bool take(struct pass *pass, const struct seeker *seeker, const struct candidate *candidate)
{
    struct open_recovery *open = seeker->open;
    struct recovery *recovery = open->recovery;

    write_down(pass->registry, seeker, candidate->machine);
    recovery->similarity = fraction_to_double(score_similarity(&candidate->score));
    recovery->coverage = fraction_to_double(score_coverage(&candidate->score));
    recovery->overlap = fraction_to_double(score_overlap(&candidate->score));
    open->wants_candidate = false;
    open->is_postponed = false;
    if (open_recovery_take(pass->recoveries, open, candidate->machine, decided_at(pass)) < 0) {
        pass_postpone(pass, open);
        return false;
    }
    return true;
}

bool decide(struct pass *pass, const struct seeker *seeker, const struct machine *machine)
{
    struct candidate candidate;

    if (pool_settle(pass->registry->pool, pass->now.mono_us) < 0) {
        pass_postpone(pass, seeker->open);
        return false;
    }
    if (machine == NULL) {
        if (!makes_room(pass, seeker))
            settle_for_none(pass, seeker);
        return false;
    }
    if (!decide_can_take(pass, machine))
        return false;
    candidate = choose_judge(&seeker->request, machine);
    if (candidate.verdict != CANDIDATE_ELIGIBLE) {
        seeker->open->is_assignable = true; /* since the round began, it is otherwise */
        return false;
    }
    return take(pass, seeker, &candidate);
}
