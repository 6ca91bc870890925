/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Candidates for all recoveries that want one, as a set: recoveries that are nearly there are waited
 * for a moment, then a matching serves the more important first and wastes as little likeness as it
 * can. Holds back while the brake is on and where a hypervisor has enough starts under way.
 *
 *     who waits ─▶ the best of its ranking ─▶ matching ─▶ its machine ─▶ full selection ─▶ taken
 *         ▲                                                                    │ says otherwise
 *         └──────────────────────── ranking made anew ◀────────────────────────┘
 *
 * Rankings make it cheap to ask for many again and again. Nobody is taken, and nobody is given up, by a ranking alone.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "choose/match.h"
#include "coordinator/assignment_internal.h"

/* So many more recoveries than there is room for are matched together. */
#define SEEKERS_EXTRA 8
/* Failures so close to each other are decided together. */
#define GATHER_US (50 * USEC_PER_MSEC)

struct round {
    struct seeker seekers[MATCH_MAX];
    size_t n_seekers;
};

static void round_done(struct round *round)
{
    for (size_t i = 0; i < round->n_seekers; i++)
        seeker_done(&round->seekers[i]);
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

static bool is_on_its_way_up(const struct recovery *recovery)
{
    return recovery->state >= RECOVERY_RECORDING && recovery->state <= RECOVERY_STOPPING;
}

bool hypervisor_has_capacity(const struct coordinator *coordinator, const char *hypervisor)
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
        if (coordinator->links[i].is_listed && hypervisor_has_capacity(coordinator, coordinator->links[i].name))
            return true;
    }
    return !is_any_listed;
}

/*
 * No more than have a chance now, and some, so that they are matched as a set. Who is left out is no worse off: there
 * is no room for it.
 */
static size_t seekers_at_most(const struct coordinator *coordinator)
{
    size_t room = SEEKERS_EXTRA;

    if (coordinator->config->recovery.concurrency == 0)
        return MATCH_MAX;
    for (size_t i = 0; i < coordinator->n_links; i++)
        if (coordinator->links[i].is_listed && hypervisor_has_capacity(coordinator, coordinator->links[i].name))
            room += coordinator->config->recovery.concurrency;
    return room < MATCH_MAX ? room : MATCH_MAX;
}

/* As seeker_rank; seeker_done is due only where it succeeds. */
static int enter(struct assignment *assignment, struct run *run, struct seeker *ret)
{
    int r = seeker_init(assignment, run, ret);

    if (r < 0)
        return r;
    r = seeker_rank(assignment, ret);
    if (r < 0)
        seeker_done(ret);
    return r;
}

/* False: it is gone on with soon, and everything stands as before. */
static bool gather(struct assignment *assignment, struct round *round)
{
    struct coordinator *coordinator = assignment->coordinator;
    size_t most = seekers_at_most(coordinator);
    struct run *run;

    if (assignment_is_put_off(assignment))
        return false;
    while (round->n_seekers < most && (run = next_seeker(coordinator)) != NULL) {
        int r = enter(assignment, run, &round->seekers[round->n_seekers]);

        if (r == -EAGAIN)
            return false;
        run->is_assignable = false;
        if (r == 0)
            round->n_seekers++;
        else
            run_postpone(coordinator, run, assignment->now);
    }
    return true;
}

/* Those for whom there is no memory to do so leave the round. */
static void seek_all(struct assignment *assignment, struct round *round)
{
    size_t n = round->n_seekers, kept = 0;
    int r = n > 0 ? assignment_know_in_use(assignment) : 0;

    for (size_t i = 0; i < n; i++) {
        struct seeker *seeker = &round->seekers[i];

        if (r == 0 && seeker_list(assignment, seeker, n, &seeker->best, &seeker->n_best) == 0) {
            round->seekers[kept++] = *seeker;
            continue;
        }
        run_postpone(assignment->coordinator, seeker->run, assignment->now);
        seeker_done(seeker);
    }
    round->n_seekers = kept;
}

/*
 * Whoever was taken earlier in this round may use the same disk, the same address or the last memory; and of equals
 * the one is better now whose host has the most memory left, so that many are spread over the hosts. No machine: the
 * one that was matched is out.
 */
static struct contender look_once_more(struct assignment *assignment, const struct round *round, size_t own,
                                       const struct contender *taken)
{
    const struct seeker *seeker = &round->seekers[own];
    const struct machine *others[MATCH_MAX];
    struct contender best;
    size_t n_others = 0;

    for (size_t i = 0; i < round->n_seekers; i++)
        if (i != own && taken[i].machine != NULL)
            others[n_others++] = taken[i].machine;
    if (assignment_know_in_use(assignment) < 0 ||
        !ranking_choose_equal(seeker->run->ranking, &seeker->request, &assignment->in_use, &taken[own], others,
                              n_others, &best))
        return (struct contender){.machine = NULL};
    return best;
}

/* Candidates of all seekers as numbers: the place in `machines` is the number. */
struct columns {
    struct machine **machines;
    size_t count;
    struct match_pair *pairs;
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
static int lay_out(const struct round *round, struct columns *columns)
{
    size_t n = round->n_seekers;

    columns->machines = calloc(n * n + 1, sizeof(struct machine *));
    columns->pairs = calloc(n * n + 1, sizeof(*columns->pairs));
    if (columns->machines == NULL || columns->pairs == NULL)
        return -ENOMEM;
    for (size_t place = 0; place < n; place++)
        for (size_t i = 0; i < n; i++) {
            const struct seeker *seeker = &round->seekers[i];

            if (place >= seeker->n_best)
                continue;
            columns->pairs[columns->n_pairs++] = (struct match_pair){
                .failed = i,
                .candidate = column_of(columns, seeker->best[place].machine),
                .worth = seeker->best[place].worth,
            };
        }
    return 0;
}

static struct contender contender_of(const struct seeker *seeker, const struct machine *machine)
{
    for (size_t i = 0; i < seeker->n_best; i++)
        if (seeker->best[i].machine == machine)
            return seeker->best[i];
    return (struct contender){.machine = NULL};
}

static int match(const struct round *round, struct contender ret_taken[MATCH_MAX])
{
    _cleanup_(columns_done) struct columns columns = {0};
    int priorities[MATCH_MAX];
    size_t taken[MATCH_MAX];
    int r = lay_out(round, &columns);

    if (r < 0)
        return r;
    for (size_t i = 0; i < round->n_seekers; i++)
        priorities[i] = round->seekers[i].run->recovery->priority;
    r = match_pairs(priorities, round->n_seekers, columns.count, columns.pairs, columns.n_pairs, taken);
    if (r < 0)
        return r;
    for (size_t i = 0; i < round->n_seekers; i++)
        ret_taken[i] = contender_of(&round->seekers[i], taken[i] == MATCH_NONE ? NULL : columns.machines[taken[i]]);
    return 0;
}

/* True: somebody was taken, or settled for nobody. */
static bool decide_all(struct assignment *assignment, const struct round *round, struct contender *taken)
{
    const struct coordinator *coordinator = assignment->coordinator;
    uint64_t version = pool_version(coordinator->pool);
    bool has_taken = false, has_settled = false;

    for (size_t i = 0; i < round->n_seekers; i++) {
        const struct seeker *seeker = &round->seekers[i];

        if (pool_version(coordinator->pool) != version) {
            seeker->run->is_assignable = true; /* some of the machines may be gone */
            continue;
        }
        if (taken[i].machine != NULL && has_taken && has_room(coordinator))
            taken[i] = look_once_more(assignment, round, i, taken);
        if (seeker->n_best > 0 && taken[i].machine == NULL)
            seeker->run->is_assignable = true; /* others took who it could have had: looked at once more */
        else
            has_taken |= decide(assignment, seeker, round->n_seekers, taken[i].machine);
        has_settled |= seeker->n_best == 0;
    }
    return has_taken || has_settled;
}

/* One round for so many recoveries as there is room for, and some. True: another one may find more to do. */
static bool assign_round(struct assignment *assignment)
{
    struct coordinator *coordinator = assignment->coordinator;
    _cleanup_(round_done) struct round round = {0};
    struct contender taken[MATCH_MAX];

    if (!gather(assignment, &round)) {
        coordinator->assign_us = assignment->now.mono_us;
        return false;
    }
    seek_all(assignment, &round);
    if (round.n_seekers == 0)
        return next_seeker(coordinator) != NULL;
    if (match(&round, taken) < 0) {
        for (size_t i = 0; i < round.n_seekers; i++)
            run_postpone(coordinator, round.seekers[i].run, assignment->now);
        return true;
    }
    /* Those that are left may fit where there is room. */
    return decide_all(assignment, &round, taken) || next_seeker(coordinator) != NULL;
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
    struct assignment assignment = {.coordinator = coordinator, .now = now};

    if (coordinator->began_us == 0)
        coordinator->began_us = now.mono_us;
    brake_check(coordinator, now);
    reconsider_unreachable(coordinator, now);
    keeper_sweep(coordinator, now);
    runs_sweep(coordinator, now);
    both_review(coordinator, now);
    coordinator->assign_us = USEC_INFINITY;
    if (coordinator->is_held || is_looking(coordinator, now) || is_gathering(coordinator, now)) {
        coordinator->put_off_us = 0;
        return;
    }
    for (size_t i = 0; i < coordinator->n_runs; i++)
        coordinator->runs[i]->is_assignable = true;
    while (has_room(coordinator) && assign_round(&assignment))
        ;
    if (coordinator->assign_us == USEC_INFINITY)
        coordinator->put_off_us = 0;
    usage_done(&assignment.in_use);
    runs_sweep(coordinator, now);
    keeper_sweep(coordinator, now);
}
