/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Candidates for all recoveries that want one, as a set: recoveries that are nearly there are waited
 * for a moment, then a matching serves the more important first and wastes as little likeness as it
 * can. Holds back while the brake is on and where a hypervisor has enough starts under way.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "failover/assign.h"
#include "failover/coordinator_internal.h"

/* Of candidates that are out, so many are kept with a recovery: the ones that came closest. */
#define HISTORY_INELIGIBLE 100
/* So many more recoveries than there is room for are matched together. */
#define SEEKERS_EXTRA 8
/* Failures so close to each other are decided together. */
#define GATHER_US (50 * USEC_PER_MSEC)

/* One recovery that wants a candidate, and who could serve it. */
struct seeker {
    struct run *run;
    struct machine_ref *tried;
    struct select_request request;
    struct selection *selection;
};

struct round {
    struct seeker seekers[ASSIGN_MAX];
    size_t n_seekers;
};

static void round_done(struct round *round)
{
    for (size_t i = 0; i < round->n_seekers; i++) {
        free(round->seekers[i].tried);
        free(round->seekers[i].selection);
    }
}

/* The more important first, then the one that waits longer. */
static bool goes_first(const struct run *a, const struct run *b)
{
    if (a->recovery->priority != b->recovery->priority)
        return a->recovery->priority > b->recovery->priority;
    return a->recovery->detected.mono_us < b->recovery->detected.mono_us;
}

static struct run *next_seeker(const struct coordinator *coordinator)
{
    struct run *best = NULL;

    for (size_t i = 0; i < coordinator->n_runs; i++) {
        struct run *run = coordinator->runs[i];

        if (run->wants_candidate && run->is_assignable && (best == NULL || goes_first(run, best)))
            best = run;
    }
    return best;
}

/* On success there is a selection. */
static int seek(struct coordinator *coordinator, struct run *run, struct moment now, struct seeker *seeker)
{
    const struct recovery *recovery = run->recovery;

    *seeker = (struct seeker){.run = run};
    seeker->tried = calloc(recovery->n_attempts + 1, sizeof(*seeker->tried));
    if (seeker->tried == NULL)
        return -ENOMEM;
    seeker->request = (struct select_request){
        .pool = coordinator->pool,
        .rules = coordinator->rules,
        .failed = run->failed,
        .recovery_id = recovery->id,
        .tried = seeker->tried,
        .now_us = now.mono_us,
        .check_memory = coordinator->config->recovery.check_memory,
    };
    for (size_t i = 0; i < recovery->n_attempts; i++)
        if (!recovery->attempts[i].is_void)
            seeker->tried[seeker->request.n_tried++] = recovery->attempts[i].candidate;
    return select_candidates(&seeker->request, &seeker->selection);
}

/* Without memory it is tried again soon. */
static void postpone(struct coordinator *coordinator, struct run *run, struct moment now)
{
    notices_add_run(coordinator, NOTICE_OUT_OF_MEMORY, now, run, "no memory to choose a replacement for %s",
                    run->recovery->failed_name);
    run->wants_candidate = false;
    run->is_postponed = true;
    run->retry_us = now.mono_us + RETRY_US;
}

static bool is_on_its_way_up(const struct recovery *recovery)
{
    return recovery->state >= RECOVERY_RECORDING && recovery->state <= RECOVERY_STOPPING;
}

static bool has_capacity(const struct coordinator *coordinator, const char *hypervisor)
{
    unsigned limit = coordinator->config->recovery.concurrency, under_way = 0;

    for (size_t i = 0; i < coordinator->n_runs; i++) {
        const struct run *run = coordinator->runs[i];

        if (run->candidate != NULL && is_on_its_way_up(run->recovery) &&
            strcmp(run->candidate->hypervisor, hypervisor) == 0)
            under_way++;
    }
    return limit == 0 || under_way < limit;
}

/* One that is not listed has none: nothing is started there. Where none is, there is nobody to wait for. */
static bool has_room(const struct coordinator *coordinator)
{
    bool is_any_listed = false;

    for (size_t i = 0; i < coordinator->n_links; i++) {
        is_any_listed |= coordinator->links[i].is_listed;
        if (coordinator->links[i].is_listed && has_capacity(coordinator, coordinator->links[i].name))
            return true;
    }
    return !is_any_listed;
}

/*
 * Each costs a look at every machine: no more than have a chance now, and some, so that they are matched as a set. Who
 * is left out is no worse off: there is no room for it.
 */
static size_t seekers_at_most(const struct coordinator *coordinator)
{
    size_t room = SEEKERS_EXTRA;

    if (coordinator->config->recovery.concurrency == 0)
        return ASSIGN_MAX;
    for (size_t i = 0; i < coordinator->n_links; i++)
        if (coordinator->links[i].is_listed && has_capacity(coordinator, coordinator->links[i].name))
            room += coordinator->config->recovery.concurrency;
    return room < ASSIGN_MAX ? room : ASSIGN_MAX;
}

static void gather(struct coordinator *coordinator, struct moment now, struct round *round)
{
    size_t most = seekers_at_most(coordinator);
    struct run *run;

    while (round->n_seekers < most && (run = next_seeker(coordinator)) != NULL) {
        struct seeker *seeker = &round->seekers[round->n_seekers];

        run->is_assignable = false;
        if (seek(coordinator, run, now, seeker) == 0) {
            round->n_seekers++;
            continue;
        }
        free(seeker->tried);
        postpone(coordinator, run, now);
    }
}

static bool is_given_up(const struct coordinator *coordinator, const char *hypervisor)
{
    const struct link *link = link_find(coordinator, hypervisor);

    return link == NULL || host_state_is_lost(link->host.state);
}

/* Somebody would fit but cannot be reached just now: worth waiting for, within the time a start may take. */
static bool is_worth_waiting(const struct coordinator *coordinator, const struct seeker *seeker, struct moment now)
{
    const struct selection *selection = seeker->selection;

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

static void write_down(struct coordinator *coordinator, const struct seeker *seeker, const struct machine *chosen)
{
    struct recovery *recovery = seeker->run->recovery;
    struct explanation *explanation = NULL;

    /* Without memory the decision stands all the same, unexplained. */
    if (select_explain(&seeker->request, seeker->selection, chosen, coordinator->features, HISTORY_INELIGIBLE,
                       &explanation) < 0)
        return;
    explanation_free(recovery->explanation);
    recovery->explanation = explanation;
}

/* Nothing but memory is missing, and standbys that are kept warm have some: looked at again when they gave it back. */
static bool makes_room(struct coordinator *coordinator, const struct seeker *seeker, struct moment now)
{
    const struct selection *selection = seeker->selection;
    bool is_known;

    for (size_t i = 0; i < selection->n_candidates; i++) {
        const struct machine *machine = selection->candidates[i].machine;

        if (selection->candidates[i].verdict != CANDIDATE_NO_MEMORY)
            continue;
        /* What another recovery had reserved was given up in this very round. */
        if (select_free_memory(coordinator->pool, machine->hypervisor, &is_known) >= machine->description->memory_kib) {
            seeker->run->is_assignable = true;
            return true;
        }
        if (keeper_make_room(coordinator, machine->hypervisor, machine->description->memory_kib, now))
            return true;
    }
    return false;
}

static void settle_for_nobody(struct coordinator *coordinator, const struct seeker *seeker, struct moment now)
{
    struct run *run = seeker->run;
    struct recovery_event nobody = {.kind = RECOVERY_NOBODY, .now = now};

    if (makes_room(coordinator, seeker, now))
        return;
    run->wants_candidate = false;
    run->is_postponed = is_worth_waiting(coordinator, seeker, now);
    if (run->is_postponed) {
        run->retry_us = run->recovery->confirmed.mono_us + coordinator->config->recovery.start_timeout_us;
        return;
    }
    write_down(coordinator, seeker, NULL);
    nobody.detail = run->recovery->explanation != NULL ? run->recovery->explanation->summary : "nobody is eligible";
    run_handle(coordinator, run, &nobody);
}

/* True: it was taken. Without room on the hypervisor, its turn comes later. */
static const struct candidate *candidate_of(const struct selection *selection, const struct machine *machine)
{
    for (size_t i = 0; i < selection->n_eligible; i++)
        if (selection->candidates[i].machine == machine)
            return &selection->candidates[i];
    return NULL;
}

static bool take(struct coordinator *coordinator, const struct seeker *seeker, const struct candidate *candidate,
                 struct moment now)
{
    struct run *run = seeker->run;
    struct recovery *recovery = run->recovery;

    if (!has_capacity(coordinator, candidate->machine->hypervisor) ||
        !keeper_can_yield(coordinator, candidate->machine))
        return false;
    write_down(coordinator, seeker, candidate->machine);
    recovery->similarity = ratio_to_double(&candidate->score.similarity);
    recovery->coverage = ratio_to_double(&candidate->score.coverage);
    recovery->overlap = ratio_to_double(&candidate->score.overlap);
    run->wants_candidate = false;
    run->is_postponed = false;
    if (run_take(coordinator, run, candidate->machine, now) < 0) {
        postpone(coordinator, run, now);
        return false;
    }
    return true;
}

static bool is_for_another(const struct candidate *const *taken, size_t n, size_t own, const struct machine *machine)
{
    for (size_t i = 0; i < n; i++)
        if (i != own && taken[i] != NULL && taken[i]->machine == machine)
            return true;
    return false;
}

/*
 * Whoever was taken earlier in this round may use the same disk, the same address or the last memory; and of equals
 * the one is better now whose host has the most memory left, so that many are spread over the hosts. NULL: the one
 * that was matched is out.
 */
static const struct candidate *look_once_more(struct coordinator *coordinator, const struct round *round, size_t own,
                                              const struct candidate *const *taken, struct moment now)
{
    const struct seeker *seeker = &round->seekers[own];
    const struct candidate *matched = NULL, *best = NULL;
    struct seeker again;

    if (seek(coordinator, seeker->run, now, &again) == 0)
        matched = candidate_of(again.selection, taken[own]->machine);
    for (size_t i = 0; matched != NULL && best == NULL; i++) {
        const struct candidate *candidate = &again.selection->candidates[i];

        if (candidate == matched || (candidate->warmth == matched->warmth &&
                                     similarity_compare(coordinator->rules, &candidate->score, &matched->score) == 0 &&
                                     !is_for_another(taken, round->n_seekers, own, candidate->machine)))
            best = candidate_of(seeker->selection, candidate->machine);
    }
    free(again.tried);
    free(again.selection);
    return best;
}

/* Candidates of all seekers as numbers: the place in `machines` is the number. */
struct columns {
    struct machine **machines;
    size_t count;
    struct assign_pair *pairs;
    size_t n_pairs;
};

static void columns_done(struct columns *columns)
{
    free(columns->machines);
    free(columns->pairs);
}

static size_t column_of(struct columns *columns, struct machine *machine)
{
    for (size_t i = 0; i < columns->count; i++)
        if (columns->machines[i] == machine)
            return i;
    columns->machines[columns->count] = machine;
    return columns->count++;
}

/*
 * Only the best n candidates of each of n seekers can matter. Worth is what they are ranked by; equal
 * worth falls to the earlier pair, and pairs are laid out place by place, so to the better place.
 */
static int lay_out(const struct coordinator *coordinator, const struct round *round, struct columns *columns)
{
    size_t n = round->n_seekers;

    columns->machines = calloc(n * n + 1, sizeof(struct machine *));
    columns->pairs = calloc(n * n + 1, sizeof(*columns->pairs));
    if (columns->machines == NULL || columns->pairs == NULL)
        return -ENOMEM;
    for (size_t place = 0; place < n; place++)
        for (size_t i = 0; i < n; i++) {
            const struct selection *selection = round->seekers[i].selection;
            const struct similarity_score *score;
            double worth;

            if (place >= selection->n_eligible) /* NOLINT(clang-analyzer-core.NullDereference): see seek */
                continue;
            score = &selection->candidates[place].score;
            worth = ratio_to_double(coordinator->config->similarity.rank_by == RANK_BY_SIMILARITY ? &score->similarity
                                                                                                  : &score->overlap);
            columns->pairs[columns->n_pairs++] = (struct assign_pair){
                .failed = i,
                .candidate = column_of(columns, selection->candidates[place].machine),
                .worth = (uint32_t)(worth * MILLIONTHS),
            };
        }
    return 0;
}

static int match(const struct coordinator *coordinator, const struct round *round,
                 const struct candidate *ret_taken[ASSIGN_MAX])
{
    _cleanup_(columns_done) struct columns columns = {0};
    int priorities[ASSIGN_MAX];
    size_t taken[ASSIGN_MAX];
    int r = lay_out(coordinator, round, &columns);

    if (r < 0)
        return r;
    for (size_t i = 0; i < round->n_seekers; i++)
        priorities[i] = round->seekers[i].run->recovery->priority;
    r = assign_pairs(priorities, round->n_seekers, columns.count, columns.pairs, columns.n_pairs, taken);
    if (r < 0)
        return r;
    for (size_t i = 0; i < round->n_seekers; i++)
        ret_taken[i] =
            taken[i] == ASSIGN_NONE ? NULL : candidate_of(round->seekers[i].selection, columns.machines[taken[i]]);
    return 0;
}

/* One round for so many recoveries as there is room for, and some. True: another one may find more to do. */
static bool assign_round(struct coordinator *coordinator, struct moment now)
{
    _cleanup_(round_done) struct round round = {0};
    const struct candidate *taken[ASSIGN_MAX];
    bool has_taken = false, has_settled = false;

    gather(coordinator, now, &round);
    if (round.n_seekers == 0)
        return false;
    if (match(coordinator, &round, taken) < 0) {
        for (size_t i = 0; i < round.n_seekers; i++)
            postpone(coordinator, round.seekers[i].run, now);
        return true;
    }
    for (size_t i = 0; i < round.n_seekers; i++) {
        const struct seeker *seeker = &round.seekers[i];

        if (taken[i] != NULL && has_taken && has_room(coordinator))
            taken[i] = look_once_more(coordinator, &round, i, taken, now);
        if (seeker->selection->n_eligible == 0) /* NOLINT(clang-analyzer-core.NullDereference): see seek */
            settle_for_nobody(coordinator, seeker, now);
        else if (taken[i] == NULL)
            seeker->run->is_assignable = true; /* others took who it could have had: looked at once more */
        else
            has_taken |= take(coordinator, seeker, taken[i], now);
        has_settled |= seeker->selection->n_eligible == 0;
    }
    /* Those that are left may fit where there is room. */
    return has_taken || has_settled || next_seeker(coordinator) != NULL;
}

/*
 * A hypervisor is connected and has not said yet what it has. Waits for it, but not for ever: one that
 * cannot be listed must not keep the others from being served.
 */
static bool is_looking(struct coordinator *coordinator, struct moment now)
{
    int64_t until_us = INT64_MIN;
    bool is_wanted = false;

    for (size_t i = 0; i < coordinator->n_runs; i++)
        is_wanted |= coordinator->runs[i]->wants_candidate;
    for (size_t i = 0; i < coordinator->n_links; i++) {
        const struct link *link = &coordinator->links[i];
        /* At the start, those that have not answered yet are waited for as well. */
        bool is_coming = link->is_connected || (!link->was_listed && link->trouble == NULL);
        int64_t begin_us = link->is_connected ? link->connected_us : coordinator->began_us;
        int64_t end_us = begin_us + 2 * coordinator->config->recovery.call_timeout_us;

        if (is_coming && !link->is_listed && end_us > until_us)
            until_us = end_us;
    }
    if (!is_wanted || until_us <= now.mono_us)
        return false;
    coordinator->assign_us = until_us;
    return true;
}

/* A failure told at the same time is still being confirmed. Sets the time to wait for it. */
static bool is_gathering(struct coordinator *coordinator, struct moment now)
{
    int64_t until_us = INT64_MIN;
    bool is_wanted = false;

    for (size_t i = 0; i < coordinator->n_runs; i++) {
        const struct recovery *recovery = coordinator->runs[i]->recovery;

        is_wanted |= coordinator->runs[i]->wants_candidate;
        if (recovery->state <= RECOVERY_DESTROYING && recovery->detected.mono_us + GATHER_US > until_us)
            until_us = recovery->detected.mono_us + GATHER_US;
    }
    if (!is_wanted || until_us <= now.mono_us)
        return false;
    coordinator->assign_us = until_us;
    return true;
}

/* What was decided for a hypervisor that is gone meanwhile, and not begun, is decided anew. */
static void reconsider_unreachable(struct coordinator *coordinator, struct moment now)
{
    for (size_t i = 0; i < coordinator->n_links; i++)
        if (!coordinator->links[i].is_connected)
            runs_reconsider(coordinator, coordinator->links[i].name, now);
}

void runs_assign(struct coordinator *coordinator, struct moment now)
{
    if (coordinator->began_us == 0)
        coordinator->began_us = now.mono_us;
    brake_check(coordinator, now);
    reconsider_unreachable(coordinator, now);
    keeper_sweep(coordinator, now);
    runs_sweep(coordinator, now);
    both_review(coordinator, now);
    coordinator->assign_us = USEC_INFINITY;
    if (coordinator->is_held || is_looking(coordinator, now) || is_gathering(coordinator, now))
        return;
    for (size_t i = 0; i < coordinator->n_runs; i++)
        coordinator->runs[i]->is_assignable = true;
    while (has_room(coordinator) && assign_round(coordinator, now))
        ;
    runs_sweep(coordinator, now);
    keeper_sweep(coordinator, now);
}
